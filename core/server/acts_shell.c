/* acts_shell.c: what acts need that a room cannot have: chance, secrets, addresses, the log.
 *
 * A secret exists in clear only in the one reply that hands it out; what a person typed is never logged. */
#include "core/auth/scrypt.h"
#include "core/base/bytes.h"
#include "core/server/control_private.h"
#include "core/wire/room_json.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define CODE_LETTERS 10
#define ALSO_MAX 64 /* names told by ban_check */

/* ---- invites ---- */

void act_shell_invite(struct control *c, struct hosted *h, struct link *link, struct invite *inv) {
  *link = c->cfg.link;
  memcpy(link->app, h->app, sizeof link->app);
  memcpy(link->room, h->room.name, sizeof link->room);
  c->cfg.rng->fill(c->cfg.rng, link->secret, sizeof link->secret);
  link->has_secret = true;
  sha256(link->secret, sizeof link->secret, inv->hash);
}

void act_shell_link(const struct link *l, json_t *body, const char *key) {
  char text[LINK_MAX];
  link_format(l, text);
  json_object_set_new(body, key, json_string(text));
}

/* ---- the password ---- */

static enum err stretch(const char *text, struct secret *s) {
  char clean[TEXT_LINE_MAX + 1];
  enum err e = text_clean_line(text, strlen(text), clean);
  if (e == ERR_OK)
    e = scrypt(clean, s->salt, sizeof s->salt, SCRYPT_N, SCRYPT_R, SCRYPT_P, s->hash, sizeof s->hash);
  OPENSSL_cleanse(clean, sizeof clean);
  return e;
}

static enum err set_password(struct control *c, struct hosted *h, struct room_cmd *cmd, struct act_shell *x) {
  const char *text = cmd->text ? cmd->text : "";
  text += strspn(text, " ");
  cmd->text = NULL;
  if (!*text) /* no more password */
    return ERR_OK;
  if (!limit_take(c, &h->new_passwords, LIMIT_NEW_PASSWORDS))
    return ERR_RATE;
  c->cfg.rng->fill(c->cfg.rng, x->secret.salt, sizeof x->secret.salt);
  cmd->secret = &x->secret;
  return stretch(text, &x->secret);
}

enum err act_shell_password(struct control *c, struct hosted *h, struct conn *k, const char *text) {
  struct secret typed = {0};
  if (!guess_take(c, k, &h->passwords, LIMIT_ROOM_PASSWORDS))
    return ERR_RATE;
  memcpy(typed.salt, h->room.password.salt, sizeof typed.salt);
  bool right =
      stretch(text, &typed) == ERR_OK && bytes_equal_ct(typed.hash, h->room.password.hash, sizeof typed.hash);
  OPENSSL_cleanse(&typed, sizeof typed);
  if (right)
    guess_give(c, k, &h->passwords);
  else
    k->wrong++;
  return right ? ERR_OK : ERR_BAD_PASSWORD;
}

/* ---- the code that makes its bearer host ---- */

static void code_hash(const char *code, struct secret *s) {
  uint8_t buf[sizeof s->salt + 64];
  size_t n = sizeof s->salt;
  memcpy(buf, s->salt, n);
  for (; *code && n < sizeof buf; code++)
    if (!isspace((unsigned char)*code) && *code != '-')
      buf[n++] = (uint8_t)toupper((unsigned char)*code);
  sha256(buf, n, s->hash);
  OPENSSL_cleanse(buf, sizeof buf);
}

static enum err make_code(struct control *c, struct room_cmd *cmd, struct act_shell *x) {
  static const char LETTERS[] = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"; /* none looks like another */
  for (unsigned i = 0; i < CODE_LETTERS; i++)
    x->code[i] = LETTERS[rng_below(c->cfg.rng, sizeof LETTERS - 1)];
  c->cfg.rng->fill(c->cfg.rng, x->secret.salt, sizeof x->secret.salt);
  code_hash(x->code, &x->secret);
  cmd->secret = &x->secret;
  return ERR_OK;
}

static enum err claim(struct control *c, struct hosted *h, struct conn *k, struct room_cmd *cmd,
                      struct act_shell *x) {
  if (!k->admin && !guess_take(c, k, &h->claims, LIMIT_ROOM_CLAIMS))
    return ERR_RATE;
  memcpy(x->secret.salt, h->room.claim.salt, sizeof x->secret.salt);
  code_hash(cmd->text ? cmd->text : "", &x->secret);
  cmd->text = NULL;
  cmd->secret = &x->secret;
  return ERR_OK;
}

/* ---- addresses ---- */

static struct cidr cidr_of_member(struct hosted *h, uint32_t id) {
  const struct seat *s = hosted_seat(h, id);
  if (!s || !addr_known(s->addr))
    return (struct cidr){.bits = 0};
  return cidr_make(s->addr, 8 * (unsigned)addr_network(s->addr));
}

static enum err find_cidrs(struct hosted *h, struct room_cmd *cmd, struct act_shell *x) {
  if (!(cmd->flags & FLAG_ADDRESS) || cmd->n_targets == 0)
    return ERR_OK;
  x->cidrs = calloc(cmd->n_targets, sizeof *x->cidrs);
  if (!x->cidrs)
    return ERR_NOMEM;
  for (size_t i = 0; i < cmd->n_targets; i++)
    x->cidrs[i] = cidr_of_member(h, cmd->targets[i]);
  cmd->cidrs = x->cidrs;
  return ERR_OK;
}

static bool in_list(const uint32_t *v, size_t n, uint32_t id) {
  for (size_t i = 0; i < n; i++)
    if (v[i] == id)
      return true;
  return false;
}

/* Whom else such a ban would hit: by identity, and with addresses those who come from the same ones. */
static json_t *ban_also(struct hosted *h, const struct room_cmd *cmd) {
  uint32_t ids[ALSO_MAX];
  size_t n = room_ban_also(&h->room, cmd->targets, cmd->n_targets, ids, ALSO_MAX);
  struct seat *s;
  for (size_t at = 0; cmd->cidrs && n < ALSO_MAX && (s = map_next(h->seats, &at));) {
    bool hit = false;
    for (size_t i = 0; i < cmd->n_targets && !hit; i++)
      hit = cidr_holds(&cmd->cidrs[i], s->addr);
    const struct member *m = room_member(&h->room, s->member);
    hit = hit && m && m->role != ROLE_OWNER; /* no ban holds an owner */
    if (hit && !in_list(cmd->targets, cmd->n_targets, s->member) && !in_list(ids, n, s->member))
      ids[n++] = s->member;
  }
  json_t *names = json_array();
  for (size_t i = 0; i < n; i++) {
    const struct member *m = room_member(&h->room, ids[i]);
    json_array_append_new(names, json_string(m ? m->name : ""));
  }
  return names;
}

/* One more act of the same person on those from a block whom he may act on. */
static enum err act_on_block(struct control *c, struct hosted *h, const struct room_cmd *rule,
                             const struct cidr *block, enum act act, bool waiting) {
  uint32_t *ids = malloc((map_count(h->seats) + 1) * sizeof *ids);
  if (!ids)
    abort();
  struct room_cmd cmd = *rule;
  struct room_events evs = {0};
  struct seat *s;
  cmd.act = act;
  cmd.word = NULL;
  cmd.targets = ids;
  for (size_t at = 0; (s = map_next(h->seats, &at));) {
    const struct member *m = room_member(&h->room, s->member);
    if (m && (m->presence == PRESENCE_WAITING) == waiting && cidr_holds(block, s->addr) &&
        m->id != cmd.actor && room_allows(&h->room, cmd.actor, ACT_BAN, m->id) == ERR_OK)
      ids[cmd.n_targets++] = m->id;
  }
  enum err e = cmd.n_targets ? room_decide(&h->room, &cmd, c->wall_ms, &evs) : ERR_OK;
  if (e == ERR_OK)
    hosted_run(c, h, &evs);
  room_events_free(&evs);
  free(ids);
  return e;
}

/* A room knows no addresses, so whom a rule for a block of them hits now is found here: a rule against
 * joining removes who is in from there and turns away who waits; one against speaking bans each of them by
 * himself, to be lifted each by himself. */
enum err act_shell_after(struct control *c, struct hosted *h, const struct room_cmd *cmd) {
  struct ban rule;
  if (cmd->act != ACT_BAN_RULE || !room_ban_rule(cmd->word ? cmd->word : "", &rule) || rule.cidr.bits == 0)
    return ERR_OK;
  bool speak = cmd->num == BAN_SPEAK;
  enum err inside = act_on_block(c, h, cmd, &rule.cidr, speak ? ACT_BAN : ACT_REMOVE, false);
  enum err waiting = act_on_block(c, h, cmd, &rule.cidr, speak ? ACT_BAN : ACT_DENY, true);
  return inside != ERR_OK ? inside : waiting;
}

/* ---- the doors ---- */

enum err act_shell_prepare(struct control *c, struct hosted *h, struct conn *k, struct room_cmd *cmd,
                           const json_t *params, struct act_shell *x) {
  enum err e = ACTS[cmd->act].target == TARGET_NONE ? room_allows(&h->room, cmd->actor, cmd->act, 0) : ERR_OK;
  if (e != ERR_OK) /* before anything is spent on it */
    return e;
  switch (cmd->act) {
  case ACT_INVITE: /* the params bring role and limits, the shell the secret */
    e = room_invite_from_params(params, &x->invite);
    if (e == ERR_OK)
      act_shell_invite(c, h, &x->link, &x->invite);
    cmd->invite = &x->invite;
    return e;
  case ACT_PASSWORD:
    return set_password(c, h, cmd, x);
  case ACT_CLAIM_CODE:
    return make_code(c, cmd, x);
  case ACT_CLAIM:
    return claim(c, h, k, cmd, x);
  case ACT_BAN:
  case ACT_BAN_CHECK:
    return find_cidrs(h, cmd, x);
  default:
    return ERR_OK;
  }
}

static enum err attendance(struct control *c, struct hosted *h, json_t *reply) {
  char *csv = NULL;
  if (!limit_take(c, &h->reports, LIMIT_REPORTS))
    return ERR_RATE;
  enum err e = attendance_csv(c, h, &csv);
  if (e == ERR_OK)
    json_object_set_new(reply, "csv", json_string(csv));
  free(csv);
  return e;
}

enum err act_shell_reply(struct control *c, struct hosted *h, const struct room_cmd *cmd,
                         const struct act_shell *x, json_t *reply) {
  switch (cmd->act) {
  case ACT_INVITE:
    act_shell_link(&x->link, reply, "link");
    return ERR_OK;
  case ACT_CLAIM_CODE:
    json_object_set_new(reply, "code", json_string(x->code));
    return ERR_OK;
  case ACT_BAN_CHECK:
    json_object_set_new(reply, "also", ban_also(h, cmd));
    return ERR_OK;
  case ACT_ATTENDANCE:
    return attendance(c, h, reply);
  default:
    return ERR_OK;
  }
}

void act_shell_free(struct act_shell *x) {
  free(x->cidrs);
  OPENSSL_cleanse(x, sizeof *x);
}
