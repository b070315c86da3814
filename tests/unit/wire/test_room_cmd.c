/* Params of room.<act>: the keys of each act by its row, and back. */
#include "core/wire/room_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *params; /* the last command's: cmd->text points into it */
static int params_free(void **state) {
  (void)state;
  json_decref(params);
  return 0;
}

static enum err parse_cmd(enum act act, const char *text, struct room_cmd *cmd, uint32_t *ids) {
  json_decref(params);
  params = json_loads(text, JSON_DECODE_ANY, NULL);
  assert_non_null(params);
  return room_cmd_from_params(act, params, cmd, ids, 4);
}

static void commands_take_the_keys_of_their_act(void **state) {
  (void)state;
  struct room_cmd c;
  uint32_t ids[4];
  assert_int_equal(parse_cmd(ACT_MUTE, "{\"who\":[5,6]}", &c, ids), ERR_OK);
  assert_int_equal(c.n_targets, 2);
  assert_int_equal(c.targets[1], 6);
  assert_int_equal(parse_cmd(ACT_MUTE, "{}", &c, ids), ERR_OK); /* oneself */
  assert_int_equal(c.n_targets, 0);
  assert_int_equal(parse_cmd(ACT_REMOVE, "{\"who\":5,\"text\":\"bye\"}", &c, ids), ERR_OK);
  assert_int_equal(c.targets[0], 5);
  assert_string_equal(c.text, "bye");
  assert_int_equal(parse_cmd(ACT_ROLE, "{\"who\":5,\"role\":\"cohost\"}", &c, ids), ERR_OK);
  assert_int_equal(c.num, ROLE_COHOST);
  assert_int_equal(parse_cmd(ACT_LOBBY, "{\"on\":true}", &c, ids), ERR_OK);
  assert_int_equal(c.num, 1);
  assert_int_equal(parse_cmd(ACT_MUTE_ALL, "{\"hold\":true}", &c, ids), ERR_OK);
  assert_int_equal(c.flags, FLAG_HOLD);
  assert_int_equal(parse_cmd(ACT_CHAT_MODE, "{\"mode\":\"private\"}", &c, ids), ERR_OK);
  assert_int_equal(c.num, CHAT_MODE_PRIVATE);
  assert_int_equal(parse_cmd(ACT_POLICY, "{\"policy\":\"lobby\"}", &c, ids), ERR_OK);
  assert_int_equal(c.num, HOST_GONE_LOBBY);
  assert_int_equal(parse_cmd(ACT_UNBAN, "{\"id\":77}", &c, ids), ERR_OK);
  assert_int_equal(c.num, 77);
  assert_int_equal(parse_cmd(ACT_INVITE, "{\"role\":\"host\",\"bypass\":true,\"uses\":2}", &c, ids), ERR_OK);
  assert_int_equal(c.num, ROLE_HOST);
  assert_int_equal(parse_cmd(ACT_END, "{}", &c, ids), ERR_OK);
  assert_false(c.has_num2); /* the room has its own default */
  assert_int_equal(parse_cmd(ACT_END, "{\"seconds\":0}", &c, ids), ERR_OK);
  assert_true(c.has_num2 && c.num2 == 0);
  assert_int_equal(
      parse_cmd(ACT_BAN, "{\"who\":5,\"seconds\":60,\"what\":\"speak\",\"address\":true}", &c, ids), ERR_OK);
  assert_true(c.num == BAN_SPEAK && c.num2 == 60 && c.flags == FLAG_ADDRESS);
  assert_int_equal(parse_cmd(ACT_PRIORITY, "{\"who\":5}", &c, ids), ERR_OK);
  assert_int_equal(c.num, 1);
  assert_int_equal(parse_cmd(ACT_MUTE_ALL, "{\"except\":[5],\"speakers\":true}", &c, ids), ERR_OK);
  assert_true(c.n_targets == 1 && c.flags == FLAG_SPEAKERS);
}

static void bad_params_are_refused(void **state) {
  (void)state;
  static const struct {
    enum act act;
    const char *params;
  } BAD[] = {
      {ACT_MUTE, "[]"},
      {ACT_MUTE, "{\"who\":[]}"},
      {ACT_MUTE, "{\"who\":[1,2,3,4,5]}"}, /* more than the caller holds */
      {ACT_MUTE, "{\"who\":\"5\"}"},
      {ACT_MUTE, "{\"who\":-1}"},
      {ACT_MUTE, "{\"who\":4294967296}"},
      {ACT_MUTE, "{\"actor\":1}"}, /* who acts is never read from a client */
      {ACT_MUTE, "{\"text\":7}"},
      {ACT_MUTE_ALL, "{\"hold\":1}"},
      {ACT_MUTE_ALL, "{\"who\":[1]}"}, /* those it leaves out are "except" */
      {ACT_MOVE, "{\"who\":[1]}"},
      {ACT_MOVE, "{\"who\":[1],\"n\":\"2\"}"},
      {ACT_GAIN, "{\"who\":1,\"db\":13}"},
      {ACT_GAIN, "{\"who\":1,\"db\":1.5}"},
      {ACT_TALK_TIME, "{\"seconds\":-1}"},
      {ACT_BAN, "{\"who\":1,\"what\":\"think\"}"},
      {ACT_BAN, "{\"who\":1,\"until_ms\":1}"},
      {ACT_BAN_RULE, "{\"rule\":[]}"},
      {ACT_VOTE, "{}"},
      {ACT_REMOVE, "{}"},
      {ACT_ROLE, "{\"who\":5}"},
      {ACT_ROLE, "{\"who\":5,\"role\":\"system\"}"},
      {ACT_ROLE, "{\"who\":5,\"role\":3}"},
      {ACT_LOBBY, "{}"},
      {ACT_LOBBY, "{\"on\":1}"},
      {ACT_CHAT, "{\"text\":[\"x\"]}"},
      {ACT_CHAT, "{}"},
      {ACT_CHAT_MODE, "{\"mode\":\"on\"}"},
      {ACT_POLICY, "{\"policy\":\"stop\"}"},
      {ACT_UNBAN, "{\"id\":0}"},
      {ACT_INVITE, "{\"uses\":-1}"},
      {ACT_INVITE, "{\"hash\":\"00\"}"},
      {ACT_LOCK, "{\"bypass\":true}"},
      {ACT_END, "{\"text\":\"x\"}"},
  };
  struct room_cmd c;
  uint32_t ids[4];
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (parse_cmd(BAD[i].act, BAD[i].params, &c, ids) != ERR_BAD_ARG)
      fail_msg("%s accepted %s", ACTS[BAD[i].act].name, BAD[i].params);
}

/* A value of each kind, the widest it may be (high) or the least. */
static void fill(struct room_cmd *cmd, const struct act_arg *arg, bool high) {
  static const uint32_t WHO[2] = {5, 4000000000};
  const struct act_param *p = arg->param;
  int64_t v = high ? p->max : p->min;
  if (p->kind == PARAM_CHOICE) {
    v = p->min;
    for (const char *c = p->choice; high && *c; c++)
      v += *c == '|';
  }
  switch (p->kind) {
  case PARAM_PEOPLE:
    cmd->targets = WHO;
    cmd->n_targets = high ? 2 : 1;
    break;
  case PARAM_TEXT:
    cmd->text = high ? "na\xc3\xafve \"text\"" : "";
    break;
  case PARAM_WORD:
    cmd->word = "user:ann";
    break;
  case PARAM_FLAG:
    cmd->flags |= high ? (unsigned)p->flag : 0;
    break;
  default:
    *(p->second ? &cmd->num2 : &cmd->num) = v;
    *(p->second ? &cmd->has_num2 : &cmd->has_num) = true;
  }
}

static void same_cmd(const struct room_cmd *a, const struct room_cmd *b) {
  assert_int_equal(a->act, b->act);
  assert_int_equal(a->n_targets, b->n_targets);
  for (size_t i = 0; i < a->n_targets; i++)
    assert_int_equal(a->targets[i], b->targets[i]);
  assert_int_equal(a->has_num, b->has_num);
  assert_int_equal(a->has_num2, b->has_num2);
  assert_int_equal(a->num, b->num);
  assert_int_equal(a->num2, b->num2);
  assert_int_equal(a->flags, b->flags);
  assert_string_equal(a->text ? a->text : "", b->text ? b->text : "");
  assert_string_equal(a->word ? a->word : "", b->word ? b->word : "");
}

/* Each act with all it may say and with the least it must, and what it says besides is refused. */
static void every_command_survives_its_params(void **state) {
  (void)state;
  for (int a = 0; a < ACT__COUNT; a++)
    for (int high = 0; high < 2; high++) {
      struct room_cmd cmd = {.act = (enum act)a}, back;
      struct act_arg arg;
      uint32_t ids[4];
      for (size_t i = 0; act_param_at((enum act)a, i, &arg); i++)
        if (high || !arg.optional)
          fill(&cmd, &arg, high);
        else if (arg.param->kind == PARAM_SWITCH)
          cmd.num = 1; /* what it means when left out */
      json_t *o = room_cmd_to_params(&cmd);
      if (room_cmd_from_params((enum act)a, o, &back, ids, 4) != ERR_OK)
        fail_msg("%s does not read its own params", ACTS[a].name);
      if (!high && cmd.act == ACT_PRIORITY)
        back.has_num = false; /* written out */
      same_cmd(&cmd, &back);
      json_t *again = room_cmd_to_params(&back);
      assert_true(json_equal(o, again));
      json_object_set_new(o, "colour", json_true());
      assert_int_equal(room_cmd_from_params((enum act)a, o, &back, ids, 4), ERR_BAD_ARG);
      json_decref(again);
      json_decref(o);
    }
}

/* Any key of any act with a value of a type it does not have; one that is missing though it must be there. */
static void wrong_types_and_missing_keys_are_refused_everywhere(void **state) {
  (void)state;
  for (int a = 0; a < ACT__COUNT; a++) {
    struct room_cmd cmd = {.act = (enum act)a}, back;
    struct act_arg arg;
    uint32_t ids[4];
    for (size_t i = 0; act_param_at((enum act)a, i, &arg); i++)
      fill(&cmd, &arg, true);
    for (size_t i = 0; act_param_at((enum act)a, i, &arg); i++) {
      json_t *o = room_cmd_to_params(&cmd);
      static const char *const WRONG[] = {"{}", "null", "1.5", "[[]]"};
      for (size_t k = 0; k < sizeof WRONG / sizeof WRONG[0]; k++) {
        json_object_set_new(o, arg.param->key, json_loads(WRONG[k], JSON_DECODE_ANY, NULL));
        if (room_cmd_from_params((enum act)a, o, &back, ids, 4) != ERR_BAD_ARG)
          fail_msg("%s takes %s as %s", ACTS[a].name, WRONG[k], arg.param->key);
      }
      json_object_del(o, arg.param->key);
      assert_int_equal(room_cmd_from_params((enum act)a, o, &back, ids, 4),
                       arg.optional ? ERR_OK : ERR_BAD_ARG);
      json_decref(o);
    }
  }
}

static void an_invite_keeps_its_limits(void **state) {
  (void)state;
  struct invite inv = {.role = ROLE_HOST, .bypass = true, .uses_left = 2, .expires_ms = 9}, back;
  struct room_cmd cmd = {.act = ACT_INVITE, .invite = &inv}, read;
  uint32_t ids[1];
  json_t *o = room_cmd_to_params(&cmd);
  assert_int_equal(room_cmd_from_params(ACT_INVITE, o, &read, ids, 1), ERR_OK);
  assert_int_equal(read.num, ROLE_HOST);
  assert_int_equal(room_invite_from_params(o, &back), ERR_OK);
  assert_memory_equal(&inv, &back, sizeof inv);
  json_decref(o);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(commands_take_the_keys_of_their_act),
      cmocka_unit_test(bad_params_are_refused),
      cmocka_unit_test(every_command_survives_its_params),
      cmocka_unit_test(wrong_types_and_missing_keys_are_refused_everywhere),
      cmocka_unit_test(an_invite_keeps_its_limits),
  };
  return cmocka_run_group_tests(tests, NULL, params_free);
}
