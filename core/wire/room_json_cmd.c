/* room_json_cmd.c: the params of room.<act>: their keys follow from the act's args (ACT_PARAMS). */
#include "core/wire/room_json_private.h"

#include <string.h>

static bool invite_key(const char *key) {
  return strcmp(key, "uses") == 0 || strcmp(key, "expires_ms") == 0 || strcmp(key, "bypass") == 0;
}

static bool known_key(enum act act, const char *key) {
  struct act_arg arg;
  for (size_t i = 0; act_param_at(act, i, &arg); i++)
    if (strcmp(arg.param->key, key) == 0)
      return true;
  return act == ACT_INVITE && invite_key(key);
}

static bool keys_ok(enum act act, struct in *in) {
  struct act_arg arg;
  const char *key;
  json_t *v;
  json_object_foreach((json_t *)in->o, key, v) {
    if (!known_key(act, key))
      return false;
  }
  for (size_t i = 0; act_param_at(act, i, &arg); i++)
    if (!arg.optional)
      in_need(in, arg.param->key);
  return in->ok;
}

/* Which of the words of a choice, counted from p->min. */
static int64_t choice_in(struct in *in, const struct act_param *p) {
  const char *s = in_str(in, p->key, 32, "");
  const char *one;
  size_t len;
  for (size_t i = 0; (one = act_choice(p->choice, i, &len)); i++)
    if (len == strlen(s) && memcmp(one, s, len) == 0)
      return p->min + (int64_t)i;
  in->ok = false;
  return p->min;
}

static void value_in(struct in *in, const struct act_param *p, struct room_cmd *cmd) {
  int64_t v = 0;
  if (p->kind == PARAM_SWITCH)
    v = in_bool(in, p->key);
  else if (p->kind == PARAM_CHOICE)
    v = choice_in(in, p);
  else
    v = in_int(in, p->key, p->min, p->max, 0);
  if (p->second) {
    cmd->num2 = v;
    cmd->has_num2 = true;
  } else {
    cmd->num = v;
    cmd->has_num = true;
  }
}

static void param_in(struct in *in, const struct act_arg *arg, struct room_cmd *cmd, uint32_t *ids,
                     size_t n) {
  const struct act_param *p = arg->param;
  if (!in_has(in, p->key)) {
    if (p->kind == PARAM_SWITCH)
      cmd->num = 1;
    return;
  }
  switch (p->kind) {
  case PARAM_PEOPLE:
    cmd->n_targets = in_ids(in, p->key, ids, n);
    cmd->targets = cmd->n_targets ? ids : NULL;
    break;
  case PARAM_TEXT:
    cmd->text = in_str(in, p->key, SIZE_MAX, NULL);
    break;
  case PARAM_WORD:
    cmd->word = in_str(in, p->key, 127, NULL);
    break;
  case PARAM_FLAG:
    cmd->flags |= in_bool(in, p->key) ? (unsigned)p->flag : 0;
    break;
  default:
    value_in(in, p, cmd);
  }
}

enum err room_cmd_from_params(enum act act, const json_t *params, struct room_cmd *cmd, uint32_t *ids,
                              size_t n) {
  struct in in = in_of(params);
  struct act_arg arg;
  *cmd = (struct room_cmd){.act = act};
  if ((unsigned)act >= ACT__COUNT)
    return ERR_BAD_METHOD;
  if (!in.ok || !keys_ok(act, &in))
    return ERR_BAD_ARG;
  for (size_t i = 0; act_param_at(act, i, &arg); i++)
    param_in(&in, &arg, cmd, ids, n);
  struct invite unused;
  return act == ACT_INVITE && in.ok ? room_invite_from_params(params, &unused) : in.ok ? ERR_OK : ERR_BAD_ARG;
}

enum err room_invite_from_params(const json_t *params, struct invite *inv) {
  struct in in = in_of(params);
  invite_from_json(&in, inv);
  inv->bypass = inv->bypass || in_bool(&in, "direct");
  return in.ok ? ERR_OK : ERR_BAD_ARG;
}

/* ---- the reverse ---- */

static void choice_out(json_t *o, const struct act_param *p, int64_t v) {
  size_t len;
  const char *one = v >= p->min ? act_choice(p->choice, (size_t)(v - p->min), &len) : NULL;
  if (one)
    json_object_set_new(o, p->key, json_stringn(one, len));
}

static void value_out(json_t *o, const struct act_arg *arg, const struct room_cmd *cmd) {
  const struct act_param *p = arg->param;
  int64_t v = p->second ? cmd->num2 : cmd->num;
  if (arg->optional && !(p->second ? cmd->has_num2 : cmd->has_num) && v == 0)
    return;
  if (p->kind == PARAM_SWITCH)
    json_object_set_new(o, p->key, json_boolean(v != 0));
  else if (p->kind == PARAM_CHOICE)
    choice_out(o, p, v);
  else
    out_int(o, p->key, v);
}

static void param_out(json_t *o, const struct act_arg *arg, const struct room_cmd *cmd) {
  const struct act_param *p = arg->param;
  switch (p->kind) {
  case PARAM_PEOPLE:
    out_ids(o, p->key, cmd->targets, cmd->n_targets);
    break;
  case PARAM_TEXT:
    if (cmd->text)
      out_str(o, p->key, cmd->text);
    break;
  case PARAM_WORD:
    if (cmd->word)
      out_str(o, p->key, cmd->word);
    break;
  case PARAM_FLAG:
    out_true(o, p->key, cmd->flags & (unsigned)p->flag);
    break;
  default:
    value_out(o, arg, cmd);
  }
}

json_t *room_cmd_to_params(const struct room_cmd *cmd) {
  struct act_arg arg;
  if (cmd->invite && cmd->act == ACT_INVITE) {
    json_t *invite = invite_to_json(cmd->invite);
    json_object_del(invite, "id");
    return invite;
  }
  json_t *o = json_object();
  for (size_t i = 0; act_param_at(cmd->act, i, &arg); i++)
    param_out(o, &arg, cmd);
  return o;
}
