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
  struct ban ban;
  struct secret secret;
  char text[32], text2[32];
};

/* By room.h: what an event of this kind names and holds. */
enum { ENTRY = 1, INVITE = 2, BAN = 4, SECRET = 8 };
static const struct shape {
  size_t who;
  int64_t num, num2;
  int texts, with;
} SHAPES[ROOM_EV__COUNT] = {
    [ROOM_EV_CREATED] = {.num = 1, .num2 = HOST_GONE_END, .texts = 1},
    [ROOM_EV_ENDED] = {.texts = 1},
    [ROOM_EV_LOCKED] = {.num = 1, .num2 = 1, .texts = 1},
    [ROOM_EV_LOBBY] = {.num = 1},
    [ROOM_EV_TOPIC] = {.texts = 2},
    [ROOM_EV_POLICY] = {.num = HOST_GONE_END, .num2 = HOST_GONE_LOBBY},
    [ROOM_EV_MUTE_ALL] = {.num = 6, .num2 = 5},
    [ROOM_EV_CHAT_MODE] = {.num = CHAT_MODE_PRIVATE, .num2 = CHAT_MODE_ALL},
    [ROOM_EV_MUTE_ENTRY] = {.num = 1},
    [ROOM_EV_ONE_SPEAKER] = {.num2 = 1},
    [ROOM_EV_AUTO_ADMIT] = {.num = AUTO_ADMIT_ACCOUNTS, .num2 = AUTO_ADMIT_TRUSTED},
    [ROOM_EV_LINKS] = {.num2 = 1},
    [ROOM_EV_NAME_HOSTS] = {.num = 1},
    [ROOM_EV_SLOW] = {.num = ROOM_SECONDS_MAX, .num2 = 30},
    [ROOM_EV_MAX_PEOPLE] = {.num = ROOM_MEMBERS_MAX, .num2 = 12},
    [ROOM_EV_MAX_SPEAKERS] = {.num2 = 12},
    [ROOM_EV_TALK_TIME] = {.num = 2 * 120 + 1, .num2 = 2 * 60},
    [ROOM_EV_AGENDA] = {.num = 1, .num2 = 2, .texts = 2},
    [ROOM_EV_AGENDA_AT] = {.num = 2, .num2 = 1},
    [ROOM_EV_PINNED] = {.num = 30, .num2 = 20},
    [ROOM_EV_PASSWORD] = {.num = 1, .with = SECRET},
    [ROOM_EV_CLAIM_CODE] = {.with = SECRET},
    [ROOM_EV_SUCCESSION] = {.who = 2},
    [ROOM_EV_BREAKOUTS] = {.num = ROOM_SIDES_MAX, .num2 = 3},
    [ROOM_EV_RECALL] = {.num = 1700000060003, .num2 = 1700000000009},
    [ROOM_EV_ENDING] = {.num = 1700000060003},
    [ROOM_EV_TRUSTED] = {.with = ENTRY},
    [ROOM_EV_UNTRUSTED] = {.num = 33},
    [ROOM_EV_POLL] = {.num = 1, .texts = 1},
    [ROOM_EV_VOTED] = {.num = ROOM_ANSWERS_MAX},
    [ROOM_EV_POLL_ENDED] = {.texts = 1},
    [ROOM_EV_NOTED] = {.who = 1, .texts = 1},
    [ROOM_EV_NOTE_DELETED] = {.num = 33},
    [ROOM_EV_KNOCKED] = {.with = ENTRY},
    [ROOM_EV_JOINED] = {.with = ENTRY},
    [ROOM_EV_ADMITTED] = {.who = 1, .with = ENTRY},
    [ROOM_EV_DENIED] = {.who = 2, .texts = 1},
    [ROOM_EV_AWAY] = {.who = 2},
    [ROOM_EV_BACK] = {.who = 1, .with = ENTRY},
    [ROOM_EV_HELD] = {.who = 2, .texts = 1},
    [ROOM_EV_LEFT] = {.who = 2, .num = 2},
    [ROOM_EV_REMOVED] = {.who = 2, .num = 1, .texts = 1},
    [ROOM_EV_BANNED] = {.who = 1, .with = BAN},
    [ROOM_EV_BAN_EDITED] = {.num = 33, .num2 = 1900000000000, .texts = 1},
    [ROOM_EV_UNBANNED] = {.num = 33},
    [ROOM_EV_SILENCED] = {.who = 2, .num = 33, .num2 = 1, .texts = 1},
    [ROOM_EV_MUTED] = {.who = 2, .texts = 1},
    [ROOM_EV_UNMUTED] = {.who = 2},
    [ROOM_EV_ASKED] = {.who = 2},
    [ROOM_EV_DECLINED] = {.who = 1},
    [ROOM_EV_EXEMPT] = {.who = 2, .num = 1},
    [ROOM_EV_FLOOR] = {.who = 2, .num = 1, .num2 = 1700000000003, .texts = 1},
    [ROOM_EV_TIME_UP] = {.who = 1},
    [ROOM_EV_PRIORITY] = {.who = 1, .num = 1},
    [ROOM_EV_GAIN] = {.who = 1, .num = ROOM_GAIN_MIN_DB, .num2 = ROOM_GAIN_MAX_DB},
    [ROOM_EV_MOVED] = {.who = 2, .num = ROOM_SIDES_MAX},
    [ROOM_EV_RENAMED] = {.who = 1, .texts = 2},
    [ROOM_EV_ROLE] = {.who = 1, .num = ROLE_HOST, .num2 = ROLE_AUDIENCE, .texts = 1},
    [ROOM_EV_HAND] = {.who = 1, .num = 1, .num2 = 5},
    [ROOM_EV_CHAT] = {.num = CHAT_SIDE, .num2 = 9, .texts = 1},
    [ROOM_EV_CHAT_DELETED] = {.num = 33},
    [ROOM_EV_CHAT_EDITED] = {.num = 33, .texts = 1},
    [ROOM_EV_CHAT_PURGED] = {.who = 1},
    [ROOM_EV_CHAT_CLEARED] = {.num = 0},
    [ROOM_EV_INVITE] = {.with = INVITE},
    [ROOM_EV_INVITE_USED] = {.num = 33},
    [ROOM_EV_INVITE_REVOKED] = {.num = 33},
    [ROOM_EV_UNDONE] = {.num = 33},
};

/* Every number an event of ours may have, for the kinds whose form is more than one plain number. */
static const struct {
  enum room_ev kind;
  int64_t num[6];
  size_t n;
} NUMBERS[] = {
    {ROOM_EV_MUTE_ALL, {0, 1, 2, 5, 6}, 5}, {ROOM_EV_TALK_TIME, {0, 1, 2, 7201, 2 * ROOM_SECONDS_MAX + 1}, 5},
    {ROOM_EV_LEFT, {0, 1, 2}, 3},           {ROOM_EV_GAIN, {-20, -1, 0, 12}, 4},
    {ROOM_EV_CHAT, {0, 1, 2, 3, 4, 5}, 6},  {ROOM_EV_POLICY, {0, 1, 2}, 3},
};

static void sample_make(struct sample *s, enum room_ev kind) {
  *s = (struct sample){.ids = {7, 9}, .text = "na\xc3\xafve \"text\"", .text2 = "before"};
  s->entry = (struct member){.id = 7,
                             .role = ROLE_SPEAKER,
                             .presence = PRESENCE_AWAY,
                             .muted = true,
                             .muted_by = 3,
                             .floor = true,
                             .floor_ms = 1700000000009,
                             .time_up = true,
                             .priority = true,
                             .gain_db = -6,
                             .side = 3,
                             .silenced = 8,
                             .chat_ms = 1700000000010,
                             .exempt = true,
                             .audio = true,
                             .hand = 12,
                             .since_ms = 1700000000001,
                             .dropped_ms = 1700000000002,
                             .invite = 4,
                             .name = "Ada",
                             .client = "gavel/0.1.0",
                             .user = "ada@example.org",
                             .came = ROLE_HOST,
                             .pass = {"of-his-key", "of-his-token", "of-his-session", 5, 1700000000},
                             .device = {1, 2},
                             .resume = {3, 4}};
  s->invite = (struct invite){.id = 40,
                              .hash = {5, 6},
                              .role = ROLE_COHOST,
                              .bypass = true,
                              .uses_left = 3,
                              .expires_ms = 1800000000000};
  s->ban = (struct ban){.what = BAN_SPEAK,
                        .rank = ROLE_SYSTEM,
                        .until_ms = 1900000000000,
                        .name = "Ada",
                        .reason = "na\xc3\xafve \"text\"",
                        .user = "ada-of-the-ban",
                        .device = {1, 2},
                        .pid = "p-00000000000000bb",
                        .invite = 5,
                        .cidr = {{7, 8}, 64}};
  s->secret = (struct secret){{9, 10}, {11, 12}};
  const struct shape *shape = &SHAPES[kind];
  s->ev = (struct room_event){.seq = 40,
                              .group = 38,
                              .ts_ms = 1700000000003,
                              .kind = kind,
                              .actor = 3,
                              .targets = shape->who ? s->ids : NULL,
                              .n_targets = shape->who,
                              .num = shape->num,
                              .num2 = shape->num2,
                              .text = shape->texts > 0 ? s->text : NULL,
                              .text2 = shape->texts > 1 ? s->text2 : NULL,
                              .of = "p-00000000000000aa",
                              .entry = shape->with & ENTRY ? &s->entry : NULL,
                              .invite = shape->with & INVITE ? &s->invite : NULL,
                              .ban = shape->with & BAN ? &s->ban : NULL,
                              .secret = shape->with & SECRET ? &s->secret : NULL};
  if (kind == ROOM_EV_CREATED || kind == ROOM_EV_POLL_ENDED)
    memcpy(s->text, "3 0 1", 6); /* no personal content */
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
  assert_string_equal(a->of, b->of);
  assert_int_equal(!a->entry, !b->entry);
  assert_int_equal(!a->invite, !b->invite);
  if (a->entry)
    assert_memory_equal(a->entry, b->entry, sizeof *a->entry);
  if (a->invite)
    assert_memory_equal(a->invite, b->invite, sizeof *a->invite);
  assert_int_equal(!a->ban, !b->ban);
  assert_int_equal(!a->secret, !b->secret);
  if (a->ban)
    assert_memory_equal(a->ban, b->ban, sizeof *a->ban);
  if (a->secret)
    assert_memory_equal(a->secret, b->secret, sizeof *a->secret);
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
    assert_null(strstr(text, "0708")); /* address */
    assert_null(strstr(text, "090a")); /* salt */
    assert_null(strstr(text, "0b0c")); /* hash of a password */
    assert_null(strstr(text, "1700000000010"));
    assert_null(strstr(text, "of-his-"));
    assert_null(strstr(text, "came"));
    assert_null(strstr(text, "p-00000000000000")); /* pseudonyms */
    json_decref(o);
    o = json_loads(text, 0, NULL);
    struct room_event back;
    assert_int_equal(room_event_from_wire(o, &back), ERR_OK);
    memset(s.entry.user, 0, sizeof s.entry.user);
    memset(s.entry.device, 0, sizeof s.entry.device);
    memset(s.entry.resume, 0, sizeof s.entry.resume);
    memset(s.invite.hash, 0, sizeof s.invite.hash);
    memset(s.ban.device, 0, sizeof s.ban.device);
    memset(&s.ban.cidr, 0, sizeof s.ban.cidr);
    memset(s.ban.pid, 0, sizeof s.ban.pid);
    s.ev.of[0] = 0;
    s.entry.invite = 0;
    s.entry.came = ROLE_NONE;
    s.entry.pass = (struct pass){0};
    s.entry.chat_ms = 0;
    s.ev.secret = NULL;
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
    assert_null(strstr(text, "of-his-"));
    assert_null(strstr(text, "0102")); /* device */
    assert_null(strstr(text, "0708")); /* address */
    assert_null(strstr(text, "text\\\""));
    assert_null(strstr(text, "before"));
    char *sealed = payload ? json_dumps(payload, JSON_COMPACT) : NULL;
    assert_true(!sealed || !strstr(sealed, "before")); /* it may be another one's */
    free(sealed);
    s.ev.text2 = NULL;
    struct room_event back;
    const char *kind = room_ev_name((enum room_ev)k);
    assert_int_equal(room_event_from_log(40, 1700000000003, 3, kind, data, payload, &back), ERR_OK);
    same_event(&s.ev, &back);
    room_event_free(&back);
    assert_int_equal(room_event_from_log(40, 1, 3, kind, data, NULL, &back), ERR_OK); /* erased */
    if (back.entry)
      assert_string_equal(back.entry->name, "deleted user 7");
    if (back.ban)
      assert_string_equal(back.ban->name, "deleted user 7");
    if (k == ROOM_EV_RENAMED)
      assert_string_equal(back.text, "deleted user 7");
    room_event_free(&back);
    json_decref(data);
    json_decref(payload);
    free(text);
  }
}

static void every_number_of_a_form_survives(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++)
    for (size_t k = 0; k < NUMBERS[i].n; k++) {
      struct sample s;
      struct room_event back;
      sample_make(&s, NUMBERS[i].kind);
      s.ev.num = NUMBERS[i].num[k];
      json_t *o = room_event_to_wire(&s.ev);
      assert_int_equal(room_event_from_wire(o, &back), ERR_OK);
      assert_int_equal(back.num, NUMBERS[i].num[k]);
      room_event_free(&back);
      json_decref(o);
    }
}

/* How one voted is sealed with what else is personal: beside the actor it would tell of anonymous votes. */
static void a_vote_is_in_the_payload_only(void **state) {
  (void)state;
  struct room_event vote = {.kind = ROOM_EV_VOTED, .seq = 40, .group = 40, .actor = 3, .num = 2}, back;
  json_t *data, *payload;
  room_event_to_log(&vote, &data, &payload);
  assert_int_equal(json_object_size(data), 0);
  assert_int_equal(room_event_from_log(40, 1, 3, "poll.voted", data, payload, &back), ERR_OK);
  assert_int_equal(back.num, 2);
  assert_int_equal(room_event_from_log(40, 1, 3, "poll.voted", data, NULL, &back), ERR_OK);
  assert_int_equal(back.num, 0); /* erased: no vote */
  json_object_set_new(payload, "answer", json_integer(9));
  assert_int_equal(room_event_from_log(40, 1, 3, "poll.voted", data, payload, &back), ERR_BAD_ARG);
  json_decref(payload);
  json_object_set_new(data, "answer", json_integer(1)); /* as older rows have it */
  assert_int_equal(room_event_from_log(40, 1, 3, "poll.voted", data, NULL, &back), ERR_OK);
  assert_int_equal(back.num, 1);
  json_decref(data);
}

/* Rows that were written when a ban still carried the person as an entry. */
static void a_ban_from_an_old_log_still_holds(void **state) {
  (void)state;
  struct room_event ev;
  json_t *data = json_pack("{s:{s:i,s:s,s:s}}", "member", "id", 7, "role", "speaker", "resume", "00");
  json_t *payload = json_pack("{s:{s:s,s:s,s:s},s:s}", "member", "name", "Ada", "user", "ada@example.org",
                              "device", "01020000000000000000000000000000", "reason", "spam");
  assert_int_equal(room_event_from_log(5, 1, 2, "room.banned", data, payload, &ev), ERR_OK);
  assert_int_equal(ev.n_targets, 1);
  assert_int_equal(ev.targets[0], 7);
  assert_int_equal(ev.ban->what, BAN_JOIN);
  assert_int_equal(ev.ban->until_ms, 0);
  assert_string_equal(ev.ban->name, "Ada");
  assert_string_equal(ev.ban->user, "ada@example.org");
  assert_string_equal(ev.ban->reason, "spam");
  assert_int_equal(ev.ban->device[1], 2);
  assert_int_equal(ev.ban->rank, ROLE_COHOST); /* not known: the least who can ban */
  room_event_free(&ev);
  assert_int_equal(room_event_from_log(5, 1, 2, "room.banned", data, NULL, &ev), ERR_OK);
  assert_string_equal(ev.ban->name, "deleted user 7");
  room_event_free(&ev);
  json_object_del(json_object_get(data, "member"), "id");
  assert_int_equal(room_event_from_log(5, 1, 2, "room.banned", data, payload, &ev), ERR_BAD_ARG);
  json_decref(data);
  json_decref(payload);
  data = json_object(); /* neither the old form nor the new one */
  assert_int_equal(room_event_from_log(5, 1, 2, "room.banned", data, NULL, &ev), ERR_BAD_ARG);
  json_decref(data);
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
      HEAD "\"room.mute_all\",\"mode\":\"off\",\"speakers\":true,\"was\":\"on\"}",
      HEAD "\"room.mute_all\",\"mode\":\"on\",\"speakers\":1,\"was\":\"on\"}",
      HEAD "\"room.talk_time\",\"seconds\":-1}",
      HEAD "\"room.slow\",\"seconds\":31622401}",
      HEAD "\"room.max_people\",\"n\":5001}",
      HEAD "\"room.breakouts\",\"n\":51}",
      HEAD "\"member.moved\",\"who\":[1],\"side\":51}",
      HEAD "\"member.gain\",\"who\":[1],\"db\":-21}",
      HEAD "\"member.gain\",\"who\":[1],\"db\":13}",
      HEAD "\"poll.voted\",\"answer\":9}",
      HEAD "\"member.left\",\"who\":[1],\"expired\":true,\"held\":true}",
      HEAD "\"room.banned\"}",
      HEAD "\"room.banned\",\"ban\":7}",
      HEAD "\"room.banned\",\"ban\":{\"what\":\"think\"}}",
      HEAD "\"room.banned\",\"ban\":{\"until_ms\":-1}}",
      HEAD "\"room.banned\",\"ban\":{\"rank\":\"king\"}}",
      HEAD "\"room.succession\",\"who\":[]}",
      HEAD "\"room.auto_admit\",\"whom\":\"friends\",\"was\":\"nobody\"}",
  };
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (parse_event(BAD[i]) != ERR_BAD_ARG)
      fail_msg("accepted: %s", BAD[i]);
  assert_int_equal(parse_event(HEAD "\"chat.cleared\",\"from\":\"the future\"}"), ERR_OK); /* lenient */
}

static void the_longest_text_is_read_and_one_more_refused(void **state) {
  (void)state;
  char *big = malloc(TEXT_CHAT_MAX + 200);
  assert_non_null(big);
  for (int over = 0; over < 2; over++) {
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
#define POLL(rest) "{\"seq\":9,\"poll\":{\"id\":3,\"text\":\"q\\na\\nb\"" rest "}}"
static void a_broken_snapshot_is_refused(void **state) {
  (void)state;
  assert_int_equal(parse_room("{\"members\":[" M("1", ",\"name\":\"A\"") "," M("2", ",\"name\":\"B\"") "]}"),
                   ERR_OK);
  assert_int_equal(parse_room(POLL("")), ERR_OK);
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
      "{\"members\":[" M("1", ",\"name\":\"A\",\"side\":1") "]}",
      "{\"members\":[" M("1", ",\"name\":\"A\",\"gain_db\":13") "]}",
      "{\"sides\":51}",
      "{\"recall_ms\":5}",
      "{\"agenda\":\"a\\nb\",\"agenda_at\":2}",
      "{\"max_people\":5001}",
      "{\"successors\":[0]}",
      "{\"seq\":9,\"notes\":[{\"id\":0}]}",
      "{\"seq\":9,\"trusted\":{}}",
      "{\"seq\":9,\"poll\":[]}",
      "{\"seq\":9,\"poll\":{\"id\":3,\"text\":\"only one\\nanswer\"}}",
      POLL(",\"votes\":[[],[],[1]]"),
      POLL(",\"votes\":[[0]]"),
      POLL(",\"votes\":7"),
      POLL(",\"anonymous\":true,\"open\":true,\"counts\":[1]"),
  };
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (parse_room(BAD[i]) != ERR_BAD_ARG)
      fail_msg("accepted: %s", BAD[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_survives_the_wire_without_secrets),
      cmocka_unit_test(every_kind_survives_the_log_and_personal_content_is_apart),
      cmocka_unit_test(every_number_of_a_form_survives),
      cmocka_unit_test(a_ban_from_an_old_log_still_holds),
      cmocka_unit_test(a_vote_is_in_the_payload_only),
      cmocka_unit_test(the_wire_form_is_as_the_protocol_says),
      cmocka_unit_test(bad_events_are_refused),
      cmocka_unit_test(the_longest_text_is_read_and_one_more_refused),
      cmocka_unit_test(bad_log_lines_are_refused),
      cmocka_unit_test(a_broken_snapshot_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
