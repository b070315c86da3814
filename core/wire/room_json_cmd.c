#include "core/wire/room_json_private.h"

#include <string.h>

/* The keys of an act are the words of its row's `args`: one table for the `:` line and the method. */
enum param {
  P_WHO = 1,
  P_TEXT = 2,
  P_ROLE = 4,
  P_ID = 8,
  P_ON = 16,
  P_HOLD = 32,
  P_MODE = 64,
  P_POLICY = 128
};
static const struct {
  const char *word, *key;
  enum param param;
} PARAMS[] = {
    {"who", "who", P_WHO},
    {"text", "text", P_TEXT},
    {"role", "role", P_ROLE},
    {"id", "id", P_ID},
    {"on|off", "on", P_ON},
    {"hold", "hold", P_HOLD},
    {"off|public|private|all", "mode", P_MODE},
    {"continue|lobby", "policy", P_POLICY},
};
#define N_PARAMS (sizeof PARAMS / sizeof PARAMS[0])

struct spec {
  unsigned all, needed;
};

static struct spec spec_of(enum act act) {
  struct spec s = {0, 0};
  for (const char *p = ACTS[act].args; *p;) {
    size_t n = strcspn(p, " ");
    bool optional = *p == '[';
    const char *word = p + optional;
    size_t len = n - (optional ? 2 : 0);
    if (len > 3 && strncmp(word + len - 3, "...", 3) == 0)
      len -= 3;
    for (size_t i = 0; i < N_PARAMS; i++)
      if (strlen(PARAMS[i].word) == len && strncmp(PARAMS[i].word, word, len) == 0) {
        s.all |= PARAMS[i].param;
        s.needed |= optional ? 0 : PARAMS[i].param;
      }
    p += n + (p[n] == ' ');
  }
  return s;
}

static bool invite_key(const char *key) {
  return strcmp(key, "bypass") == 0 || strcmp(key, "uses") == 0 || strcmp(key, "expires_ms") == 0;
}

static bool known_key(enum act act, unsigned all, const char *key) {
  for (size_t i = 0; i < N_PARAMS; i++)
    if (strcmp(PARAMS[i].key, key) == 0)
      return (all & PARAMS[i].param) != 0;
  return act == ACT_INVITE && invite_key(key);
}

static bool keys_ok(enum act act, struct spec s, struct in *in) {
  const char *key;
  json_t *v;
  json_object_foreach((json_t *)in->o, key, v) {
    if (!known_key(act, s.all, key))
      return false;
  }
  for (size_t i = 0; i < N_PARAMS; i++)
    if (s.needed & PARAMS[i].param)
      in_need(in, PARAMS[i].key);
  return in->ok;
}

static void num_from(struct in *in, unsigned all, struct room_cmd *cmd) {
  if (all & P_ROLE)
    cmd->num = in_word(in, "role", WORDS_ROLE, ROLE_SPEAKER);
  if (all & P_ID)
    cmd->num = in_int(in, "id", 1, JSON_NUMBER_MAX, 0);
  if (all & P_ON)
    cmd->num = in_bool(in, "on");
  if (all & P_HOLD)
    cmd->num = in_bool(in, "hold");
  if (all & P_MODE)
    cmd->num = in_word(in, "mode", WORDS_CHAT_MODE, 0);
  if (all & P_POLICY)
    cmd->num = in_word(in, "policy", WORDS_POLICY, 0);
}

enum err room_cmd_from_params(enum act act, const json_t *params, struct room_cmd *cmd, uint32_t *ids,
                              size_t n) {
  struct in in = in_of(params);
  *cmd = (struct room_cmd){.act = act};
  if ((unsigned)act >= ACT__COUNT)
    return ERR_BAD_METHOD;
  struct spec s = spec_of(act);
  if (!in.ok || !keys_ok(act, s, &in))
    return ERR_BAD_ARG;
  num_from(&in, s.all, cmd);
  cmd->n_targets = in_ids(&in, "who", ids, n);
  cmd->targets = cmd->n_targets ? ids : NULL;
  cmd->text = in_str(&in, "text", SIZE_MAX, NULL);
  struct invite unused;
  return act == ACT_INVITE && in.ok ? room_invite_from_params(params, &unused) : in.ok ? ERR_OK : ERR_BAD_ARG;
}

enum err room_invite_from_params(const json_t *params, struct invite *inv) {
  struct in in = in_of(params);
  invite_from_json(&in, inv);
  return in.ok ? ERR_OK : ERR_BAD_ARG;
}

static void num_to(json_t *o, unsigned all, const struct room_cmd *cmd) {
  if ((all & P_ROLE) && cmd->num)
    out_word(o, "role", WORDS_ROLE, cmd->num);
  if (all & P_ID)
    out_int(o, "id", cmd->num);
  if (all & P_ON)
    json_object_set_new(o, "on", json_boolean(cmd->num != 0));
  if (all & P_HOLD)
    out_true(o, "hold", cmd->num != 0);
  if (all & P_MODE)
    out_word(o, "mode", WORDS_CHAT_MODE, cmd->num);
  if (all & P_POLICY)
    out_word(o, "policy", WORDS_POLICY, cmd->num);
}

json_t *room_cmd_to_params(const struct room_cmd *cmd) {
  unsigned all = spec_of(cmd->act).all;
  if (cmd->invite && cmd->act == ACT_INVITE) {
    json_t *invite = invite_to_json(cmd->invite);
    json_object_del(invite, "id");
    return invite;
  }
  json_t *o = json_object();
  num_to(o, all, cmd);
  if ((all & P_WHO) && cmd->n_targets) {
    json_t *who = json_array();
    for (size_t i = 0; i < cmd->n_targets; i++)
      json_array_append_new(who, json_integer(cmd->targets[i]));
    json_object_set_new(o, "who", who);
  }
  if ((all & P_TEXT) && cmd->text)
    out_str(o, "text", cmd->text);
  return o;
}
