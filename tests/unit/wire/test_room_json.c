/* Room events, snapshots and commands as JSON: round trips, what a form must not hold, bad input. */
#include "core/wire/room_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One event of each kind, with every field set that the kind's row in room.h names. */
struct sample {
  struct room_event ev;
  uint32_t ids[2];
  struct member entry;
  struct invite invite;
  char text[32], text2[32];
};

static void sample_make(struct sample *s, enum room_ev kind) {
  *s = (struct sample){.ids = {7, 9}, .text = "na\xc3\xafve \"text\"", .text2 = "before"};
  s->entry = (struct member){.id = 7,
                             .role = ROLE_SPEAKER,
                             .presence = PRESENCE_AWAY,
                             .muted = true,
                             .muted_by = 3,
                             .floor = true,
                             .exempt = true,
                             .audio = true,
                             .hand = 12,
                             .since_ms = 1700000000001,
                             .dropped_ms = 1700000000002,
                             .invite = 4,
                             .name = "Ada",
                             .client = "gavel/0.1.0",
                             .user = "ada@example.org",
                             .device = {1, 2},
                             .resume = {3, 4}};
  s->invite = (struct invite){.id = 40,
                              .hash = {5, 6},
                              .role = ROLE_COHOST,
                              .bypass = true,
                              .uses_left = 3,
                              .expires_ms = 1800000000000};
  s->ev = (struct room_event){.seq = 40, .group = 38, .ts_ms = 1700000000003, .kind = kind, .actor = 3};
  struct room_event *ev = &s->ev;
  switch (kind) {
  case ROOM_EV_CREATED:
    ev->num = ev->num2 = 1;
    memcpy(s->text, "standup", 8);
    ev->text = s->text;
    break;
  case ROOM_EV_TOPIC:
    ev->text2 = s->text2;
    ev->text = s->text;
    break;
  case ROOM_EV_ENDED:
    ev->text = s->text;
    break;
  case ROOM_EV_LOCKED:
  case ROOM_EV_LOBBY:
  case ROOM_EV_POLICY:
    ev->num = 1;
    break;
  case ROOM_EV_MUTE_ALL:
  case ROOM_EV_CHAT_MODE:
    ev->num = 2;
    ev->num2 = 1;
    break;
  case ROOM_EV_BANNED:
    ev->text = s->text; /* fall through */
  case ROOM_EV_KNOCKED:
  case ROOM_EV_JOINED:
    ev->entry = &s->entry;
    break;
  case ROOM_EV_ADMITTED:
  case ROOM_EV_BACK:
    ev->entry = &s->entry;
    ev->targets = s->ids;
    ev->n_targets = 1;
    break;
  case ROOM_EV_DENIED:
  case ROOM_EV_REMOVED:
    ev->text = s->text;
    ev->num = kind == ROOM_EV_REMOVED; /* fall through */
  case ROOM_EV_AWAY:
  case ROOM_EV_MUTED:
  case ROOM_EV_UNMUTED:
  case ROOM_EV_ASKED:
    ev->targets = s->ids;
    ev->n_targets = 2;
    break;
  case ROOM_EV_LEFT:
  case ROOM_EV_EXEMPT:
  case ROOM_EV_FLOOR:
    ev->targets = s->ids;
    ev->n_targets = 2;
    ev->num = 1;
    break;
  case ROOM_EV_ROLE:
    ev->targets = s->ids;
    ev->n_targets = 1;
    ev->num = ROLE_HOST;
    ev->num2 = ROLE_AUDIENCE;
    break;
  case ROOM_EV_HAND:
    ev->targets = s->ids;
    ev->n_targets = 1;
    ev->num = 1;
    ev->num2 = 5;
    break;
  case ROOM_EV_CHAT:
    ev->num = CHAT_PRIVATE;
    ev->num2 = 9;
    ev->text = s->text;
    break;
  case ROOM_EV_INVITE:
    ev->invite = &s->invite;
    break;
  case ROOM_EV_CHAT_CLEARED:
    break;
  default: /* UNBANNED, CHAT_DELETED, INVITE_USED, INVITE_REVOKED, UNDONE */
    ev->num = 33;
  }
}

static void same_text(const char *a, const char *b) {
  assert_string_equal(a ? a : "", b ? b : "");
}

static void same_event(const struct room_event *a, const struct room_event *b) {
  assert_int_equal(a->seq, b->seq);
  assert_int_equal(a->group, b->group);
  assert_int_equal(a->ts_ms, b->ts_ms);
  assert_int_equal(a->kind, b->kind);
  assert_int_equal(a->actor, b->actor);
  assert_int_equal(a->n_targets, b->n_targets);
  for (size_t i = 0; i < a->n_targets; i++)
    assert_int_equal(a->targets[i], b->targets[i]);
  assert_int_equal(a->num, b->num);
  assert_int_equal(a->num2, b->num2);
  same_text(a->text, b->text);
  same_text(a->text2, b->text2);
  assert_int_equal(!a->entry, !b->entry);
  assert_int_equal(!a->invite, !b->invite);
  if (a->entry)
    assert_memory_equal(a->entry, b->entry, sizeof *a->entry);
  if (a->invite)
    assert_memory_equal(a->invite, b->invite, sizeof *a->invite);
}

static void every_kind_survives_the_wire_without_secrets(void **state) {
  (void)state;
  for (int k = 0; k < ROOM_EV__COUNT; k++) {
    struct sample s;
    sample_make(&s, (enum room_ev)k);
    json_t *o = room_event_to_wire(&s.ev);
    char *text = json_dumps(o, JSON_COMPACT);
    assert_null(strstr(text, "ada@example.org"));
    assert_null(strstr(text, "0304")); /* resume */
    assert_null(strstr(text, "0102")); /* device */
    assert_null(strstr(text, "0506")); /* invite hash */
    json_decref(o);
    o = json_loads(text, 0, NULL);
    struct room_event back;
    assert_int_equal(room_event_from_wire(o, &back), ERR_OK);
    memset(s.entry.user, 0, sizeof s.entry.user);
    memset(s.entry.device, 0, sizeof s.entry.device);
    memset(s.entry.resume, 0, sizeof s.entry.resume);
    memset(s.invite.hash, 0, sizeof s.invite.hash);
    s.entry.invite = 0;
    same_event(&s.ev, &back);
    room_event_free(&back);
    json_decref(o);
    free(text);
  }
}

static void every_kind_survives_the_log_and_personal_content_is_apart(void **state) {
  (void)state;
  for (int k = 0; k < ROOM_EV__COUNT; k++) {
    struct sample s;
    sample_make(&s, (enum room_ev)k);
    json_t *data, *payload;
    room_event_to_log(&s.ev, &data, &payload);
    char *text = json_dumps(data, JSON_COMPACT);
    assert_null(strstr(text, "Ada"));
    assert_null(strstr(text, "ada@"));
    assert_null(strstr(text, "0102")); /* device */
    assert_null(strstr(text, "text\\\""));
    assert_null(strstr(text, "before"));
    struct room_event back;
    const char *kind = room_ev_name((enum room_ev)k);
    assert_int_equal(room_event_from_log(40, 1700000000003, 3, kind, data, payload, &back), ERR_OK);
    same_event(&s.ev, &back);
    room_event_free(&back);
    assert_int_equal(room_event_from_log(40, 1, 3, kind, data, NULL, &back), ERR_OK); /* erased */
    if (back.entry)
      assert_string_equal(back.entry->name, "deleted user 7");
    room_event_free(&back);
    json_decref(data);
    json_decref(payload);
    free(text);
  }
}

static void the_wire_form_is_as_the_protocol_says(void **state) {
  (void)state;
  uint32_t ids[2] = {5, 6};
  struct room_event ev = {.seq = 12, .group = 12, .ts_ms = 1700000000000, .kind = ROOM_EV_MUTED, .actor = 3};
  ev.targets = ids;
  ev.n_targets = 2;
  json_t *o = room_event_to_wire(&ev);
  char *text = json_dumps(o, JSON_COMPACT);
  assert_string_equal(
      text, "{\"seq\":12,\"ts\":1700000000000,\"kind\":\"member.muted\",\"actor\":3,\"who\":[5,6]}");
  json_decref(o);
  free(text);
  ev = (struct room_event){
      .seq = 13, .group = 12, .kind = ROOM_EV_CHAT, .num = CHAT_TO_HOSTS, .text = (char[]){"hi"}};
  o = room_event_to_wire(&ev);
  text = json_dumps(o, JSON_COMPACT);
  assert_string_equal(text, "{\"seq\":13,\"ts\":0,\"kind\":\"chat.sent\",\"actor\":0,\"group\":12,"
                            "\"chat\":\"hosts\",\"text\":\"hi\"}");
  json_decref(o);
  free(text);
}

static enum err parse_event(const char *text) {
  json_t *o = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
  assert_non_null(o);
  struct room_event ev;
  enum err e = room_event_from_wire(o, &ev);
  if (!e)
    room_event_free(&ev);
  json_decref(o);
  return e;
}

#define HEAD "{\"seq\":5,\"ts\":1,\"actor\":1,\"kind\":"
static void bad_events_are_refused(void **state) {
  (void)state;
  static const char *const BAD[] = {
      "[]",
      "null",
      "{}",
      "{\"seq\":5,\"ts\":1,\"actor\":1}",
      HEAD "\"member.flew\"}",
      HEAD "7}",
      "{\"ts\":1,\"kind\":\"chat.cleared\"}",
      "{\"seq\":0,\"ts\":1,\"kind\":\"chat.cleared\"}",
      "{\"seq\":-1,\"ts\":1,\"kind\":\"chat.cleared\"}",
      "{\"seq\":5.0,\"ts\":1,\"kind\":\"chat.cleared\"}",
      "{\"seq\":9007199254740992,\"ts\":1,\"kind\":\"chat.cleared\"}",
      "{\"seq\":5,\"ts\":1,\"actor\":4294967296,\"kind\":\"chat.cleared\"}",
      "{\"seq\":5,\"ts\":1,\"actor\":\"1\",\"kind\":\"chat.cleared\"}",
      "{\"seq\":5,\"ts\":1,\"group\":6,\"kind\":\"chat.cleared\"}", /* of a later act */
      HEAD "\"member.muted\"}",
      HEAD "\"member.muted\",\"who\":[]}",
      HEAD "\"member.muted\",\"who\":[0]}",
      HEAD "\"member.muted\",\"who\":[1,\"2\"]}",
      HEAD "\"member.muted\",\"who\":{\"0\":1}}",
      HEAD "\"member.floor\",\"who\":[1],\"on\":1}",
      HEAD "\"member.role\",\"who\":[1],\"was\":\"host\"}",
      HEAD "\"member.role\",\"who\":[1],\"role\":\"king\",\"was\":\"host\"}",
      HEAD "\"member.role\",\"who\":[1],\"role\":\"\",\"was\":\"host\"}",
      HEAD "\"room.mute_all\",\"mode\":2,\"was\":\"off\"}",
      HEAD "\"room.topic\",\"text\":7}",
      HEAD "\"room.topic\",\"text\":\"a\\u0000b\"}",
      HEAD "\"member.joined\"}",
      HEAD "\"member.joined\",\"member\":[]}",
      HEAD "\"member.joined\",\"member\":{\"id\":0,\"role\":\"host\",\"name\":\"A\"}}",
      HEAD "\"member.joined\",\"member\":{\"id\":1,\"name\":\"A\"}}",
      HEAD
      "\"member.joined\",\"member\":{\"id\":1,\"role\":\"host\",\"name\":\"A\",\"presence\":\"asleep\"}}",
      HEAD "\"member.admitted\",\"who\":[2],\"member\":{\"id\":1,\"role\":\"host\",\"name\":\"A\"}}",
      HEAD "\"invite.made\"}",
      HEAD "\"invite.made\",\"invite\":{\"role\":\"king\"}}",
      HEAD "\"chat.deleted\",\"message\":-3}",
  };
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (parse_event(BAD[i]) != ERR_BAD_ARG)
      fail_msg("accepted: %s", BAD[i]);
  assert_int_equal(parse_event(HEAD "\"chat.cleared\",\"from\":\"the future\"}"), ERR_OK); /* lenient */
  char *big = malloc(TEXT_CHAT_MAX + 200);
  assert_non_null(big);
  for (int over = 0; over < 2; over++) { /* exactly the limit, and one more */
    size_t n = (size_t)snprintf(big, 200, HEAD "\"chat.sent\",\"chat\":\"public\",\"text\":\"");
    memset(big + n, 'x', TEXT_CHAT_MAX + 1);
    memcpy(big + n + TEXT_CHAT_MAX + (size_t)over, "\"}", 3);
    assert_int_equal(parse_event(big), over ? ERR_BAD_ARG : ERR_OK);
  }
  free(big);
}

static void bad_log_lines_are_refused(void **state) {
  (void)state;
  struct room_event ev;
  json_t *data = json_pack("{s:{s:i,s:s,s:s}}", "member", "id", 7, "role", "host", "resume", "zz");
  json_t *payload = json_pack("{s:{s:s}}", "member", "name", "A");
  assert_int_equal(room_event_from_log(5, 1, 1, "member.joined", data, payload, &ev), ERR_BAD_ARG); /* hex */
  json_object_del(json_object_get(data, "member"), "resume");
  assert_int_equal(room_event_from_log(5, 1, 1, "member.joined", data, json_true(), &ev), ERR_BAD_ARG);
  assert_int_equal(room_event_from_log(0, 1, 1, "member.joined", data, payload, &ev), ERR_BAD_ARG);
  assert_int_equal(room_event_from_log(5, 1, 1, "member.jumped", data, payload, &ev), ERR_BAD_ARG);
  assert_int_equal(room_event_from_log(5, 1, 1, "member.joined", NULL, payload, &ev), ERR_BAD_ARG);
  assert_int_equal(room_event_from_log(5, 1, 1, "member.joined", data, payload, &ev), ERR_OK);
  assert_string_equal(ev.entry->name, "A");
  room_event_free(&ev);
  json_decref(data);
  json_decref(payload);
}

static enum err parse_room(const char *text) {
  json_t *o = json_loads(text, JSON_DECODE_ANY, NULL);
  assert_non_null(o);
  struct room r;
  room_init(&r);
  enum err e = room_from_wire(o, &r);
  if (e)
    assert_int_equal(r.n_members + r.n_chat + r.n_bans + r.n_invites, 0);
  room_free(&r);
  json_decref(o);
  return e;
}

#define M(id, rest) "{\"id\":" id ",\"role\":\"host\"" rest "}"
static void a_broken_snapshot_is_refused(void **state) {
  (void)state;
  assert_int_equal(parse_room("{\"members\":[" M("1", ",\"name\":\"A\"") "," M("2", ",\"name\":\"B\"") "]}"),
                   ERR_OK);
  static const char *const BAD[] = {
      "7",
      "{\"members\":{}}",
      "{\"members\":[7]}",
      "{\"members\":[" M("1", "") "]}",
      "{\"members\":[" M("2", ",\"name\":\"A\"") "," M("1", ",\"name\":\"B\"") "]}",
      "{\"members\":[" M("1", ",\"name\":\"A\"") "," M("2", ",\"name\":\"a\"") "]}",
      "{\"members\":[" M("1", ",\"name\":\"A\",\"hand\":3") "," M("2", ",\"name\":\"B\",\"hand\":3") "]}",
      "{\"members\":[" M("1", ",\"name\":\"A\",\"presence\":\"waiting\",\"floor\":true") "]}",
      "{\"members\":[" M("1", ",\"name\":\"A\"") "],\"ended\":true}",
      "{\"seq\":1,\"chat\":[{\"id\":2,\"text\":\"x\"}]}",
      "{\"seq\":9,\"chat\":[{\"id\":2,\"text\":\"x\",\"deleted\":true}]}",
      "{\"seq\":9,\"chat\":[{\"id\":2,\"text\":7}]}",
      "{\"seq\":9,\"bans\":[{\"id\":2},{\"id\":2}]}",
      "{\"seq\":9,\"invites\":[{\"role\":\"host\"}]}",
      "{\"topic\":[]}",
      "{\"chat_mode\":\"loud\"}",
  };
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (parse_room(BAD[i]) != ERR_BAD_ARG)
      fail_msg("accepted: %s", BAD[i]);
}

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
  assert_int_equal(c.num, 1);
  assert_int_equal(parse_cmd(ACT_CHAT_MODE, "{\"mode\":\"private\"}", &c, ids), ERR_OK);
  assert_int_equal(c.num, CHAT_MODE_PRIVATE);
  assert_int_equal(parse_cmd(ACT_POLICY, "{\"policy\":\"lobby\"}", &c, ids), ERR_OK);
  assert_int_equal(c.num, HOST_GONE_LOBBY);
  assert_int_equal(parse_cmd(ACT_UNBAN, "{\"id\":77}", &c, ids), ERR_OK);
  assert_int_equal(c.num, 77);
  assert_int_equal(parse_cmd(ACT_INVITE, "{\"role\":\"host\",\"bypass\":true,\"uses\":2}", &c, ids), ERR_OK);
  assert_int_equal(c.num, ROLE_HOST);
  assert_int_equal(parse_cmd(ACT_END, "{}", &c, ids), ERR_OK);
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
      {ACT_MUTE, "{\"text\":\"x\"}"},
      {ACT_REMOVE, "{}"},
      {ACT_ROLE, "{\"who\":5}"},
      {ACT_ROLE, "{\"who\":5,\"role\":\"system\"}"},
      {ACT_ROLE, "{\"who\":5,\"role\":3}"},
      {ACT_LOBBY, "{}"},
      {ACT_LOBBY, "{\"on\":1}"},
      {ACT_CHAT, "{\"text\":[\"x\"]}"},
      {ACT_CHAT, "{}"},
      {ACT_CHAT_MODE, "{\"mode\":\"on\"}"},
      {ACT_POLICY, "{\"policy\":\"end\"}"},
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

static void every_command_survives_its_params(void **state) {
  (void)state;
  for (int a = 0; a < ACT__COUNT; a++) {
    uint32_t who[2] = {5, 6}, ids[4];
    struct invite inv = {.role = ROLE_HOST, .bypass = true, .uses_left = 2, .expires_ms = 9}, back_inv;
    struct room_cmd cmd = {.act = (enum act)a, .targets = who, .n_targets = 2, .num = 1, .text = "hi"}, back;
    if (a == ACT_INVITE)
      cmd.invite = &inv;
    json_t *o = room_cmd_to_params(&cmd);
    assert_int_equal(room_cmd_from_params((enum act)a, o, &back, ids, 4), ERR_OK);
    json_t *again = room_cmd_to_params(&back);
    if (a == ACT_INVITE) {
      assert_int_equal(room_invite_from_params(o, &back_inv), ERR_OK);
      assert_memory_equal(&inv, &back_inv, sizeof inv);
      assert_int_equal(back.num, ROLE_HOST);
    } else {
      assert_true(json_equal(o, again));
    }
    json_decref(again);
    json_decref(o);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_survives_the_wire_without_secrets),
      cmocka_unit_test(every_kind_survives_the_log_and_personal_content_is_apart),
      cmocka_unit_test(the_wire_form_is_as_the_protocol_says),
      cmocka_unit_test(bad_events_are_refused),
      cmocka_unit_test(bad_log_lines_are_refused),
      cmocka_unit_test(a_broken_snapshot_is_refused),
      cmocka_unit_test(commands_take_the_keys_of_their_act),
      cmocka_unit_test(bad_params_are_refused),
      cmocka_unit_test(every_command_survives_its_params),
  };
  return cmocka_run_group_tests(tests, NULL, params_free);
}
