/* The snapshot of a room in which everything is set: what comes back, and who may see which part. */
#include "core/wire/room_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HOST = 1, BOB, CAROL, WAITS };

static struct room r;

static void add(struct room_event ev) {
  ev.seq = r.seq + 1;
  ev.group = ev.seq;
  ev.ts_ms = 1700000000000;
  room_apply(&r, &ev);
}

static void person(const char *name, enum role role, enum presence presence) {
  struct member m = {.id = r.id_last + 1, .role = role, .presence = presence, .since_ms = 1};
  m.floor = presence == PRESENCE_HERE;
  snprintf(m.name, sizeof m.name, "%s", name);
  snprintf(m.user, sizeof m.user, "user-of-%s", name);
  add((struct room_event){.kind = ROOM_EV_JOINED, .entry = &m});
}

static void num(enum room_ev kind, int64_t v) {
  add((struct room_event){.kind = kind, .actor = HOST, .num = v});
}

static void on(enum room_ev kind, uint32_t who, int64_t v) {
  add((struct room_event){.kind = kind, .actor = HOST, .targets = &who, .n_targets = 1, .num = v});
}

static void text(enum room_ev kind, int64_t v, const char *s) {
  char copy[300];
  snprintf(copy, sizeof copy, "%s", s);
  add((struct room_event){.kind = kind, .actor = HOST, .num = v, .text = copy});
}

static void settings(void) {
  text(ROOM_EV_LOCKED, 1, "come back at nine");
  num(ROOM_EV_MUTE_ALL, 6);
  num(ROOM_EV_MUTE_ENTRY, 1);
  num(ROOM_EV_AUTO_ADMIT, AUTO_ADMIT_TRUSTED);
  num(ROOM_EV_LINKS, 0);
  num(ROOM_EV_SLOW, 30);
  num(ROOM_EV_MAX_PEOPLE, 100);
  num(ROOM_EV_MAX_SPEAKERS, 7);
  num(ROOM_EV_TALK_TIME, 241);
  num(ROOM_EV_POLICY, HOST_GONE_END);
  text(ROOM_EV_AGENDA, 0, "one\ntwo");
  num(ROOM_EV_AGENDA_AT, 1);
  num(ROOM_EV_BREAKOUTS, 3);
  num(ROOM_EV_RECALL, 1700000060000);
  num(ROOM_EV_ENDING, 1700000090000);
}

static void records(void) {
  struct ban ban = {.what = BAN_SPEAK,
                    .rank = ROLE_SYSTEM,
                    .until_ms = 1800000000000,
                    .name = "mallory",
                    .reason = "noise"};
  struct secret secret = {{1}, {2}};
  struct member trusted = {.id = 99, .role = ROLE_SPEAKER, .name = "trudy", .user = "user-of-trudy"};
  uint32_t about = BOB, order[2] = {CAROL, BOB};
  char note[] = "knows the budget";
  snprintf(ban.user, sizeof ban.user, "user-of-mallory");
  ban.cidr = (struct cidr){{32, 1}, 64};
  ban.device[0] = 0xdd;
  add((struct room_event){.kind = ROOM_EV_BANNED, .actor = HOST, .ban = &ban});
  add((struct room_event){.kind = ROOM_EV_PASSWORD, .actor = HOST, .num = 1, .secret = &secret});
  add((struct room_event){.kind = ROOM_EV_TRUSTED, .actor = HOST, .entry = &trusted});
  add((struct room_event){
      .kind = ROOM_EV_NOTED, .actor = HOST, .targets = &about, .n_targets = 1, .text = note});
  add((struct room_event){.kind = ROOM_EV_SUCCESSION, .actor = HOST, .targets = order, .n_targets = 2});
}

static int room_make(void **state) {
  (void)state;
  room_init(&r);
  text(ROOM_EV_CREATED, 1, "standup");
  person("host", ROLE_HOST, PRESENCE_HERE);
  person("bob", ROLE_SPEAKER, PRESENCE_HERE);
  person("carol", ROLE_SPEAKER, PRESENCE_HERE);
  person("waits", ROLE_SPEAKER, PRESENCE_WAITING);
  settings();
  records();
  on(ROOM_EV_MUTED, BOB, 0);
  on(ROOM_EV_PRIORITY, BOB, 1);
  on(ROOM_EV_GAIN, BOB, -6);
  on(ROOM_EV_MOVED, CAROL, 2);
  text(ROOM_EV_CHAT, CHAT_PUBLIC, "the first");
  num(ROOM_EV_PINNED, (int64_t)r.seq);
  for (int i = 0; i < ROOM_CHAT_SENT + 20; i++)
    text(ROOM_EV_CHAT, CHAT_PUBLIC, "more");
  text(ROOM_EV_CHAT, CHAT_TO_HOSTS, "for hosts");
  text(ROOM_EV_CHAT, CHAT_LOBBY, "soon");
  const char *why = room_check(&r);
  if (why)
    printf("%s\n", why);
  return why ? 1 : 0;
}

static int room_end(void **state) {
  (void)state;
  room_free(&r);
  return 0;
}

/* The replica of a viewer; its snapshot as text stays in *json. */
static struct room seen_by(uint32_t viewer, char **json) {
  struct room back;
  json_t *o = room_to_wire(&r, viewer);
  room_init(&back);
  assert_int_equal(room_from_wire(o, &back), ERR_OK);
  *json = json_dumps(o, JSON_COMPACT);
  assert_null(strstr(*json, "dd00")); /* device */
  assert_null(strstr(*json, "2001"));
  assert_null(strstr(*json, "salt"));
  assert_null(strstr(*json, "user-of-bob"));
  assert_null(strstr(*json, "user-of-trudy"));
  json_decref(o);
  return back;
}

/* A snapshot has the newest messages only; what is pinned later, and taken down by whatever way, may be
 * older. */
static void what_a_replica_has_no_text_of_is_pinned_all_the_same(void **state) {
  (void)state;
  char *json;
  struct room b = seen_by(CAROL, &json);
  uint64_t old = r.chat[1].id;
  assert_null(room_chat_by_id(&b, old));
  struct room_event pin = {.kind = ROOM_EV_PINNED, .num = (int64_t)old}, down[3];
  down[0] = (struct room_event){.kind = ROOM_EV_PINNED};
  down[1] = (struct room_event){.kind = ROOM_EV_CHAT_DELETED, .num = (int64_t)old};
  down[2] = (struct room_event){.kind = ROOM_EV_CHAT_CLEARED};
  for (size_t i = 0; i < 3; i++) {
    pin.seq = pin.group = b.seq + 1;
    room_apply(&b, &pin);
    assert_int_equal(b.pin, old);
    assert_null(room_check(&b));
    down[i].seq = down[i].group = b.seq + 1;
    room_apply(&b, &down[i]);
    assert_int_equal(b.pin, 0);
  }
  room_free(&b);
  free(json);
}

static void settings_and_meeting_reach_everyone_inside(void **state) {
  (void)state;
  for (uint32_t viewer = 0; viewer <= CAROL; viewer++) {
    char *json;
    struct room b = seen_by(viewer, &json);
    assert_string_equal(b.lock_text, "come back at nine");
    assert_true(b.mute_all && b.mute_hold && b.mute_speakers_free && b.mute_entry && b.no_links);
    assert_true(b.auto_admit == AUTO_ADMIT_TRUSTED && b.policy == HOST_GONE_END);
    assert_true(b.slow_s == 30 && b.max_people == 100 && b.max_speakers == 7);
    assert_true(b.talk_s == 120 && b.talk_take);
    assert_string_equal(b.agenda, "one\ntwo");
    assert_true(b.agenda_at == 1 && b.agenda_ms == 1700000000000);
    assert_true(b.sides == 3 && b.recall_ms == 1700000060000 && b.ends_ms == 1700000090000);
    const struct member *m = room_member(&b, BOB);
    assert_true(m->priority && m->gain_db == -6 && m->muted && m->muted_by == HOST);
    assert_int_equal(room_member(&b, CAROL)->side, 2);
    assert_int_equal(b.pin, r.pin);
    room_free(&b);
    free(json);
  }
}

static void records_are_for_moderators(void **state) {
  (void)state;
  char *json;
  struct room b = seen_by(HOST, &json);
  assert_int_equal(b.n_bans, 1);
  assert_true(b.bans[0].what == BAN_SPEAK && b.bans[0].until_ms == 1800000000000 && b.bans[0].by == HOST);
  assert_string_equal(b.bans[0].user, "user-of-mallory");
  assert_string_equal(b.bans[0].reason, "noise");
  assert_int_equal(b.bans[0].cidr.bits, 0);
  assert_string_equal(b.trusted[0].name, "trudy");
  assert_string_equal(b.notes[0].text, "knows the budget");
  assert_true(b.notes[0].about == BOB && b.notes[0].by == HOST && b.notes[0].id == r.notes[0].id);
  assert_true(b.has_password && b.n_successors == 2 && b.successors[0] == CAROL);
  assert_non_null(room_member(&b, WAITS));
  room_free(&b);
  free(json);
  b = seen_by(BOB, &json);
  assert_int_equal(b.n_bans + b.n_trusted + b.n_notes + b.n_successors, 0);
  assert_false(b.has_password);
  assert_null(strstr(json, "mallory"));
  assert_null(strstr(json, "budget"));
  assert_null(room_member(&b, WAITS));
  room_free(&b);
  free(json);
}

static void the_newest_messages_and_the_pinned_one_are_sent(void **state) {
  (void)state;
  char *json;
  struct room b = seen_by(BOB, &json);
  assert_int_equal(b.n_chat, ROOM_CHAT_SENT + 1);
  assert_string_equal(b.chat[0].text, "the first"); /* pinned */
  assert_int_equal(b.chat[b.n_chat - 1].id, r.chat[r.n_chat - 3].id);
  assert_null(strstr(json, "for hosts"));
  room_free(&b);
  free(json);
  b = seen_by(WAITS, &json);
  assert_int_equal(b.n_chat, 1);
  assert_string_equal(b.chat[0].text, "soon");
  assert_int_equal(b.n_members, 1);
  assert_null(strstr(json, "host\""));
  room_free(&b);
  free(json);
}

static void vote(uint32_t who, int64_t answer) {
  add((struct room_event){.kind = ROOM_EV_VOTED, .actor = who, .num = answer});
}

static void an_open_vote_is_seen_by_all(void **state) {
  (void)state;
  char *json;
  text(ROOM_EV_POLL, 0, "Lunch?\nyes\nno");
  vote(BOB, 1);
  vote(CAROL, 2);
  vote(HOST, 1);
  struct room b = seen_by(CAROL, &json);
  assert_true(b.poll.open && !b.poll.anonymous && b.poll.n_answers == 2 && b.poll.by == HOST);
  assert_true(b.poll.n_votes == 3 && b.poll.count[0] == 2 && b.poll.count[1] == 1);
  assert_string_equal(b.poll.text, "Lunch?\nyes\nno");
  room_free(&b);
  free(json);
}

static void of_an_anonymous_poll_one_sees_ones_own_vote_and_in_the_end_the_counts(void **state) {
  (void)state;
  char *json;
  text(ROOM_EV_POLL, 1, "Salary?\nhigh\nlow");
  vote(BOB, 1);
  vote(CAROL, 2);
  for (uint32_t viewer = 0; viewer <= CAROL; viewer++) {
    struct room b = seen_by(viewer, &json);
    assert_int_equal(b.poll.n_votes, viewer >= BOB);
    assert_true(viewer < BOB || b.poll.votes[0].member == viewer);
    assert_int_equal(b.poll.count[0] + b.poll.count[1], 0);
    room_free(&b);
    free(json);
  }
  text(ROOM_EV_POLL_ENDED, 0, "1 1");
  struct room b = seen_by(BOB, &json);
  assert_true(!b.poll.open && b.poll.n_votes == 1 && b.poll.count[0] == 1 && b.poll.count[1] == 1);
  room_free(&b);
  free(json);
}

static void by_policy_a_host_is_some_host(void **state) {
  (void)state;
  char *json;
  num(ROOM_EV_NAME_HOSTS, 0);
  for (uint32_t viewer = 0; viewer <= CAROL; viewer++) {
    struct room b = seen_by(viewer, &json);
    uint32_t named = viewer <= HOST ? HOST : ROOM_SOME_HOST;
    assert_int_equal(room_member(&b, BOB)->muted_by, named);
    assert_int_equal(b.poll.by, named);
    room_free(&b);
    free(json);
  }
}

/* 5000 people with nothing set: what each costs is what everyone has. */
static void a_row_holds_only_what_is_set(void **state) {
  (void)state;
  json_t *o = room_to_wire(&r, 0), *m = json_array_get(json_object_get(o, "members"), CAROL - 1);
  char *json = json_dumps(m, JSON_COMPACT);
  assert_string_equal(
      json, "{\"id\":3,\"name\":\"carol\",\"role\":\"speaker\",\"floor\":true,\"side\":2,\"since_ms\":1}");
  free(json);
  json_decref(o);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(settings_and_meeting_reach_everyone_inside),
      cmocka_unit_test(records_are_for_moderators),
      cmocka_unit_test(what_a_replica_has_no_text_of_is_pinned_all_the_same),
      cmocka_unit_test(the_newest_messages_and_the_pinned_one_are_sent),
      cmocka_unit_test(a_row_holds_only_what_is_set),
      cmocka_unit_test(an_open_vote_is_seen_by_all),
      cmocka_unit_test(of_an_anonymous_poll_one_sees_ones_own_vote_and_in_the_end_the_counts),
      cmocka_unit_test(by_policy_a_host_is_some_host),
  };
  return cmocka_run_group_tests(tests, room_make, room_end);
}
