#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/server/hooks_private.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_FIRST_US US_PER_S
#define BUSY_US (US_PER_S / 4)
#define GIVEN_UP_KEPT_MS (7 * INT64_C(86400000))
#define ALERTS_KEPT_MS INT64_C(3600000)

struct hooks *hooks_of(struct control *c) {
  if (!c->hooks) {
    c->hooks = calloc(1, sizeof *c->hooks);
    if (!c->hooks)
      abort();
    c->hooks->next = US_NEVER;
  }
  return c->hooks;
}

void hook_name(uint64_t id, char out[HOOK_ID_MAX]) {
  snprintf(out, HOOK_ID_MAX, "evt_%016" PRIx64, id);
}

bool hook_given_up(const struct control *c, const struct hook *h) {
  return c->wall_ms >= h->until_ms;
}

static void link_last(struct hooks *q, struct hook *h) {
  uint8_t hash[32];
  sha256(h->room, strlen(h->room), hash);
  memcpy(h->line, hash, sizeof h->line);
  h->before = q->last;
  *(q->last ? &q->last->after : &q->first) = h;
  q->last = h;
  q->count.queued++;
}

static void unlink_hook(struct hooks *q, struct hook *h) {
  *(h->before ? &h->before->after : &q->first) = h->after;
  *(h->after ? &h->after->before : &q->last) = h->before;
  q->count.queued--;
  q->at_work -= h->sent;
  free(h->room);
  free(h->type);
  free(h->body);
  free(h);
}

void hook_remove(struct control *c, struct hook *h) {
  char name[HOOK_ID_MAX];
  hook_name(h->id, name);
  enum err e = h->stored ? store_del_doc(c->cfg.store, "hook", name) : ERR_OK;
  if (e != ERR_OK && c->group_err == ERR_OK)
    c->group_err = e;
  unlink_hook(hooks_of(c), h);
  c->hooks->next = c->now;
}

enum err hook_store(struct control *c, const struct hook *h) {
  char name[HOOK_ID_MAX];
  hook_name(h->id, name);
  json_t *o = json_pack("{s:s,s:s,s:I,s:s}", "room", h->room, "type", h->type, "until_ms",
                        (json_int_t)h->until_ms, "body", h->body);
  char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
  enum err e = text ? store_put_doc(c->cfg.store, "hook", name, "", text) : ERR_NOMEM;
  free(text);
  json_decref(o);
  return e;
}

/* ---- from the database ---- */

static enum err load_one(void *ctx, const char *id, const char *pid, const char *text) {
  struct control *c = ctx;
  json_t *o = json_loads(text, 0, NULL);
  struct hook *h = calloc(1, sizeof *h);
  (void)pid;
  if (!o || !h)
    abort();
  *h = (struct hook){.id = strtoull(id + 4, NULL, 16),
                     .room = strdup(json_str(o, "room", "")),
                     .type = strdup(json_str(o, "type", "")),
                     .body = strdup(json_str(o, "body", "{}")),
                     .until_ms = json_int(o, "until_ms", 0),
                     .kept = true,
                     .stored = true};
  if (!h->room || !h->type || !h->body)
    abort();
  json_decref(o);
  link_last(c->hooks, h);
  c->hooks->last_id = h->id > c->hooks->last_id ? h->id : c->hooks->last_id;
  return ERR_OK;
}

/* What is on its way stays known: only what the group that was lost had added or removed differs. Simplest is
 * to send it again: at least once. */
void hooks_load(struct control *c) {
  struct hooks *q = hooks_of(c);
  for (struct hook *h = q->first, *after; h; h = after) {
    after = h->after;
    if (h->stored)
      unlink_hook(q, h);
  }
  (void)!store_each_doc(c->cfg.store, "hook", NULL, load_one, c);
  q->next = q->first ? c->now : US_NEVER;
}

void hooks_free(struct control *c) {
  if (!c->hooks)
    return;
  while (c->hooks->first)
    unlink_hook(c->hooks, c->hooks->first);
  free(c->hooks);
  c->hooks = NULL;
}

/* ---- new ones ---- */

/* Ids grow, also over restarts. */
static uint64_t next_id(struct control *c, struct hooks *q) {
  uint64_t at = (uint64_t)c->wall_ms << 16;
  q->last_id = at > q->last_id ? at : q->last_id + 1;
  return q->last_id;
}

static void drop_oldest(struct control *c, struct hooks *q) {
  struct hook *h = q->first;
  while (h && (h->sent || !h->stored))
    h = h->after;
  if (!h)
    return;
  hook_remove(c, h);
  q->count.dropped++;
}

/* A long queue that nobody takes is not walked for each event. */
static void look_soon(struct control *c) {
  us_t at = c->hooks->stuck_since ? c->now + BUSY_US : c->now;
  c->hooks->next = at < c->hooks->next ? at : c->hooks->next;
}

static void add(struct control *c, enum runner_target target, const char *room, json_t *body) {
  struct hooks *q = hooks_of(c);
  struct hook *h = calloc(1, sizeof *h);
  char name[HOOK_ID_MAX];
  if (!h)
    abort();
  h->id = next_id(c, q);
  hook_name(h->id, name);
  json_object_set_new(body, "id", json_string(name));
  h->target = target;
  h->room = strdup(room);
  h->type = strdup(json_str(body, "type", ""));
  h->body = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
  h->stored = target == RUN_WEBHOOK;
  h->kept = !h->stored;
  h->until_ms = c->wall_ms + (h->stored ? HOOKS_GIVE_UP_MS : ALERTS_KEPT_MS);
  if (!h->room || !h->type || !h->body)
    abort();
  if (strlen(h->body) > RUNNER_BODY_MAX) { /* an act on very many: that it was is all that is told */
    json_object_set_new(body, "data", json_pack("{s:b}", "shortened", 1));
    free(h->body);
    h->body = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
  }
  enum err e = h->stored ? hook_store(c, h) : ERR_OK;
  if (e != ERR_OK && c->group_err == ERR_OK)
    c->group_err = e;
  link_last(q, h);
  look_soon(c);
  if (q->count.queued > c->cfg.hooks.most)
    drop_oldest(c, q);
}

void hooks_event(struct control *c, const struct hosted *h, const struct room_event *ev) {
  json_t *body = c->cfg.hooks.to_webhook ? hook_event_body(c, h, ev) : NULL;
  if (body)
    add(c, RUN_WEBHOOK, h->stream, body);
  json_decref(body);
}

void hooks_alert(struct control *c, json_t *body) {
  if (c->cfg.hooks.to_alert)
    add(c, RUN_ALERT, "", body);
  if (c->cfg.hooks.to_command)
    add(c, RUN_COMMAND, "", body);
  json_decref(body);
}

void hooks_kept(struct control *c) {
  struct hook *h = c->hooks ? c->hooks->last : NULL;
  if (h && !h->kept)
    look_soon(c);
  for (; h && !(h->kept && h->stored); h = h->before) /* the new ones are at the end */
    h->kept = true;
}

/* ---- sending ---- */

size_t hooks_secret(const char *text, uint8_t out[64]) {
  uint8_t raw[96];
  size_t n = strlen(text), pad = 0;
  if (strncmp(text, "whsec_", 6) != 0) {
    if (n > 64)
      return 0;
    memcpy(out, text, n);
    return n;
  }
  while (pad < 2 && pad < n && text[n - 1 - pad] == '=')
    pad++;
  int got = n - 6 <= 88 ? EVP_DecodeBlock(raw, (const uint8_t *)text + 6, (int)(n - 6)) : -1;
  if (got < 0 || (size_t)got < pad + 16 || (size_t)got - pad > 64)
    return 0;
  memcpy(out, raw, (size_t)got - pad);
  OPENSSL_cleanse(raw, sizeof raw);
  return (size_t)got - pad;
}

void hooks_sign(const uint8_t *key, size_t n_key, const char *id, const char *at, const char *body, size_t n,
                char out[80]) {
  uint8_t mac[EVP_MAX_MD_SIZE];
  unsigned n_mac = sizeof mac;
  size_t cap = strlen(id) + strlen(at) + n + 3;
  char *text = malloc(cap);
  if (!text)
    abort();
  int len = snprintf(text, cap, "%s.%s.%.*s", id, at, (int)n, body);
  (void)HMAC(EVP_sha256(), key, (int)n_key, (const uint8_t *)text, (size_t)len, mac, &n_mac);
  memcpy(out, "v1,", 3);
  EVP_EncodeBlock((uint8_t *)out + 3, mac, (int)n_mac);
  free(text);
}

static enum err send_one(struct control *c, struct hook *h) {
  static struct runner_job job; /* large; the control thread's */
  job = (struct runner_job){.id = h->id, .target = h->target, .n = (uint32_t)strlen(h->body)};
  hook_name(h->id, job.name);
  snprintf(job.at, sizeof job.at, "%lld", (long long)(c->wall_ms / 1000));
  memcpy(job.body, h->body, job.n);
  if (h->target <= RUN_ALERT && c->cfg.hooks.n_secret[h->target] > 0)
    hooks_sign(c->cfg.hooks.secret[h->target], c->cfg.hooks.n_secret[h->target], job.name, job.at, job.body,
               job.n, job.signature);
  enum err e = c->cfg.hooks.run(c->cfg.ctx, &job);
  h->sent = e == ERR_OK;
  c->hooks->at_work += h->sent;
  return e;
}

/* What was given up may be asked for again, but not for ever: it tells of people. */
static void expire(struct control *c, struct hook *h) {
  if (h->sent || (h->stored && c->wall_ms - h->until_ms < GIVEN_UP_KEPT_MS))
    return;
  hook_remove(c, h);
  c->hooks->count.dropped++;
}

/* One of a room at a time; alerts are none of any. */
void hooks_tick(struct control *c) {
  struct hooks *q = c->hooks;
  if (!q || c->now < q->next || !c->cfg.hooks.run)
    return;
  q->next = US_NEVER;
  struct map *seen = map_create(rng_u64(c->cfg.rng));
  for (struct hook *h = q->first, *after; h && q->at_work < RUNNER_AT_ONCE; h = after) {
    after = h->after;
    if (hook_given_up(c, h)) {
      expire(c, h);
      continue;
    }
    bool first = !*h->room || !map_get(seen, h->line, sizeof h->line);
    if (*h->room)
      map_put(seen, h->line, sizeof h->line, h);
    if (!first || h->sent || !h->kept)
      continue;
    if (h->due <= c->now && send_one(c, h) != ERR_OK)
      h->due = c->now + BUSY_US;
    if (!h->sent && h->due < q->next)
      q->next = h->due;
  }
  map_destroy(seen);
}

us_t hooks_next(const struct control *c) {
  const struct hooks *q = c->hooks;
  return q && c->cfg.hooks.run && q->at_work < RUNNER_AT_ONCE ? q->next : US_NEVER;
}

/* Twice as long each time, up to an hour, and half of that by chance. */
static us_t wait_of(struct control *c, unsigned tries) {
  us_t wait = RETRY_FIRST_US << (tries < 12 ? tries : 12);
  wait = wait < HOOKS_RETRY_MOST_US ? wait : HOOKS_RETRY_MOST_US;
  return wait / 2 + (us_t)rng_below(c->cfg.rng, (uint64_t)wait / 2 + 1);
}

/* It takes things again: nobody waits for his hour to be over. */
static void wake_all(struct control *c) {
  for (struct hook *h = c->hooks->first; h; h = h->after)
    if (h->tries > 0 && !h->sent)
      h->due = h->due < c->now ? h->due : c->now;
}

void hooks_ran(struct control *c, const struct runner_answer *a) {
  struct hooks *q = hooks_of(c);
  struct hook *h = q->first;
  while (h && h->id != a->id)
    h = h->after;
  q->next = c->now;
  if (!h || !h->sent) /* dropped meanwhile */
    return;
  bool done = h->target == RUN_COMMAND ? a->status >= 0 : a->status >= 200 && a->status < 300;
  h->sent = false;
  q->at_work--;
  if (h->target == RUN_COMMAND && a->status != 0)
    log_event(LOG_WARN, "the command of [alert] failed", "status", log_int(a->status), "why", a->text, NULL);
  if (done) {
    q->count.delivered++;
    if (q->stuck_since)
      wake_all(c);
    q->stuck_since = 0;
    hook_remove(c, h);
    return;
  }
  q->count.failed++;
  q->stuck_since = q->stuck_since || !h->stored ? q->stuck_since : c->now;
  snprintf(h->said, sizeof h->said, "%.0d%s%s", a->status > 0 ? a->status : 0,
           a->status > 0 && *a->text ? " " : "", a->text);
  h->due = c->now + wait_of(c, h->tries++);
}

struct hooks_counters hooks_counters(const struct control *c) {
  return c->hooks ? c->hooks->count : (struct hooks_counters){0};
}

us_t hooks_stuck(const struct control *c) {
  return c->hooks && c->hooks->stuck_since ? c->now - c->hooks->stuck_since : 0;
}
