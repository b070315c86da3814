/* Who sees which event. */
#include "room_fixture.h"

enum { HOST = 1, A, B, WAIT, OTHER_WAIT, STRANGER = 99 };

/* Who of host, A, B, the waiting one, the other waiting one, a stranger, the operator sees it: a word of 7
 * letters. */
static void sees(struct fixture *f, const struct room_event *ev, const char *want) {
  static const uint32_t VIEWERS[7] = {HOST, A, B, WAIT, OTHER_WAIT, STRANGER, 0};
  char got[8] = "";
  for (int i = 0; i < 7; i++)
    got[i] = room_event_visible(&f->r, ev, VIEWERS[i]) ? 'y' : '-';
  if (strcmp(got, want) != 0)
    fail_msg("%s is seen by %s, expected %s", room_ev_name(ev->kind), got, want);
}

static void open_room(struct fixture *f) {
  fix_open(f, true, HOST_GONE_CONTINUE);
  assert_int_equal(join(f, "Host", ROLE_HOST), HOST);
  assert_int_equal(act_num(f, HOST, ACT_LOBBY, 0), ERR_OK);
  assert_int_equal(join(f, "A", ROLE_SPEAKER), A);
  assert_int_equal(join(f, "B", ROLE_AUDIENCE), B);
  assert_int_equal(act_num(f, HOST, ACT_LOBBY, 1), ERR_OK);
  assert_int_equal(join(f, "Wait", ROLE_SPEAKER), WAIT);
  assert_int_equal(join(f, "Other", ROLE_SPEAKER), OTHER_WAIT);
}

static void classes_of_viewers(void **state) {
  (void)state;
  struct fixture f;
  open_room(&f);
  assert_int_equal(room_view_of(&f.r, HOST), VIEW_MODERATOR);
  assert_int_equal(room_view_of(&f.r, A), VIEW_MEMBER);
  assert_int_equal(room_view_of(&f.r, WAIT), VIEW_NOTHING);
  assert_int_equal(room_view_of(&f.r, STRANGER), VIEW_NOTHING);
  assert_int_equal(room_view_of(&f.r, 0), VIEW_MODERATOR);
  fix_close(&f);
}

/* Every kind about a person: once about A, once about one who waits. */
static void people_inside_see_each_other_and_not_the_lobby(void **state) {
  (void)state;
  static const struct {
    enum room_ev kind;
    const char *of_a, *of_wait;
  } ROWS[] = {
      {ROOM_EV_JOINED, "yyy---y", NULL},        {ROOM_EV_KNOCKED, NULL, "y--y--y"},
      {ROOM_EV_ADMITTED, NULL, "yyyy--y"},      {ROOM_EV_DENIED, NULL, "y--y--y"},
      {ROOM_EV_AWAY, "yyy---y", "y--y--y"},     {ROOM_EV_BACK, "yyy---y", "y--y--y"},
      {ROOM_EV_LEFT, "yyy---y", "y--y--y"},     {ROOM_EV_REMOVED, "yyy---y", "y--y--y"},
      {ROOM_EV_BANNED, "y-----y", "y-----y"},   {ROOM_EV_MUTED, "yyy---y", NULL},
      {ROOM_EV_UNMUTED, "yyy---y", NULL},       {ROOM_EV_ASKED, "yyy---y", NULL},
      {ROOM_EV_EXEMPT, "yyy---y", NULL},        {ROOM_EV_FLOOR, "yyy---y", NULL},
      {ROOM_EV_ROLE, "yyy---y", NULL},          {ROOM_EV_HAND, "yyy---y", NULL},
      {ROOM_EV_HELD, "yyy---y", NULL},          {ROOM_EV_RENAMED, "yyy---y", "y--y--y"},
      {ROOM_EV_SILENCED, "yyy---y", "y--y--y"}, {ROOM_EV_TRUSTED, "y-----y", "y-----y"},
      {ROOM_EV_NOTED, "y-----y", "y-----y"},    {ROOM_EV_DECLINED, "y-----y", NULL},
      {ROOM_EV_TIME_UP, "yyy---y", NULL},       {ROOM_EV_PRIORITY, "yyy---y", NULL},
      {ROOM_EV_GAIN, "yyy---y", NULL},          {ROOM_EV_MOVED, "yyy---y", NULL},
  };
  struct fixture f;
  open_room(&f);
  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
    for (int waiting = 0; waiting < 2; waiting++) {
      const char *want = waiting ? ROWS[i].of_wait : ROWS[i].of_a;
      if (!want)
        continue;
      uint32_t id = waiting ? WAIT : A;
      struct member m = *who(&f, id);
      struct room_event ev = {
          .kind = ROWS[i].kind, .actor = HOST, .targets = &id, .n_targets = 1, .entry = &m};
      sees(&f, &ev, want);
    }
  fix_close(&f);
}

static void events_of_the_room(void **state) {
  (void)state;
  struct fixture f;
  open_room(&f);
  static const enum room_ev ALL[] = {
      ROOM_EV_LOCKED,     ROOM_EV_LOBBY,      ROOM_EV_TOPIC,        ROOM_EV_POLICY,     ROOM_EV_MUTE_ALL,
      ROOM_EV_CHAT_MODE,  ROOM_EV_MUTE_ENTRY, ROOM_EV_ONE_SPEAKER,  ROOM_EV_AUTO_ADMIT, ROOM_EV_LINKS,
      ROOM_EV_NAME_HOSTS, ROOM_EV_SLOW,       ROOM_EV_MAX_PEOPLE,   ROOM_EV_TALK_TIME,  ROOM_EV_AGENDA,
      ROOM_EV_AGENDA_AT,  ROOM_EV_PINNED,     ROOM_EV_BREAKOUTS,    ROOM_EV_RECALL,     ROOM_EV_ENDING,
      ROOM_EV_POLL,       ROOM_EV_POLL_ENDED, ROOM_EV_CHAT_CLEARED, ROOM_EV_UNDONE,     ROOM_EV_MAX_SPEAKERS};
  static const enum room_ev HOSTS[] = {ROOM_EV_UNBANNED,    ROOM_EV_BAN_EDITED,  ROOM_EV_UNTRUSTED,
                                       ROOM_EV_PASSWORD,    ROOM_EV_CLAIM_CODE,  ROOM_EV_SUCCESSION,
                                       ROOM_EV_INVITE,      ROOM_EV_INVITE_USED, ROOM_EV_INVITE_REVOKED,
                                       ROOM_EV_NOTE_DELETED};
  for (size_t i = 0; i < sizeof ALL / sizeof ALL[0]; i++)
    sees(&f, &(struct room_event){.kind = ALL[i]}, "yyy---y");
  for (size_t i = 0; i < sizeof HOSTS / sizeof HOSTS[0]; i++)
    sees(&f, &(struct room_event){.kind = HOSTS[i]}, "y-----y");
  sees(&f, &(struct room_event){.kind = ROOM_EV_ENDED}, "yyyyyyy");
  fix_close(&f);
}

static void chat_is_seen_by_those_it_is_for(void **state) {
  (void)state;
  struct fixture f;
  open_room(&f);
  assert_int_equal(act_text(&f, A, ACT_CHAT, "x"), ERR_OK);
  sees(&f, &f.last.v[0], "yyy---y");
  assert_int_equal(act_text(&f, A, ACT_CHAT_HOSTS, "x"), ERR_OK);
  sees(&f, &f.last.v[0], "yy----y");
  int64_t to_hosts = (int64_t)f.r.seq;
  assert_int_equal(act_msg(&f, A, B, "x"), ERR_OK);
  sees(&f, &f.last.v[0], "-yy---y"); /* not even a host */
  struct room_event gone = {.kind = ROOM_EV_CHAT_DELETED, .num = (int64_t)f.r.seq};
  sees(&f, &gone, "-yy---y");
  gone.num = to_hosts;
  sees(&f, &gone, "yy----y");
  gone.num = 12345;
  sees(&f, &gone, "-------");
  fix_close(&f);
}

/* A vote, by name or not; the chat to the lobby and to all. */
static void votes_and_new_kinds_of_chat(void **state) {
  (void)state;
  struct fixture f;
  open_room(&f);
  assert_int_equal(act_text(&f, HOST, ACT_POLL, "q | yes | no"), ERR_OK);
  struct room_event vote = {.kind = ROOM_EV_VOTED, .actor = A, .num = 1};
  sees(&f, &vote, "yyy---y");
  assert_int_equal(act(&f, HOST, ACT_POLL_END), ERR_OK);
  struct room_cmd poll = {.act = ACT_POLL, .actor = HOST, .flags = FLAG_ANONYMOUS, .text = "q | yes | no"};
  assert_int_equal(fix_do(&f, &poll), ERR_OK);
  sees(&f, &vote, "-y-----"); /* nobody but himself, be he host or operator */
  assert_int_equal(act_text(&f, HOST, ACT_LOBBY_SAY, "soon"), ERR_OK);
  sees(&f, &f.last.v[0], "y--yy-y");
  assert_int_equal(act_msg(&f, HOST, WAIT, "you are next"), ERR_OK);
  sees(&f, &f.last.v[0], "y--y--y");
  assert_int_equal(act_text(&f, HOST, ACT_ANNOUNCE, "hear"), ERR_OK);
  sees(&f, &f.last.v[0], "yyy---y");
  fix_close(&f);
}

/* How a viewer is told: the actor, and the kind in *kind. */
static uint32_t actor_seen(struct fixture *f, const struct room_event *ev, uint32_t viewer,
                           enum room_ev *kind) {
  struct room_event out = {0};
  bool changed = room_event_as_seen(&f->r, ev, viewer, &out);
  uint32_t actor = changed ? out.actor : ev->actor;
  *kind = changed ? out.kind : ev->kind;
  if (changed && out.kind == ROOM_EV_LEFT)
    assert_true(out.num == 2 && !out.text && out.n_targets == ev->n_targets);
  room_event_free(&out);
  return actor;
}

static void who_is_held_has_left_for_the_others(void **state) {
  (void)state;
  struct fixture f;
  open_room(&f);
  uint32_t a = A;
  struct room_event ev = {
      .kind = ROOM_EV_HELD, .actor = HOST, .targets = &a, .n_targets = 1, .text = (char[]){"why"}};
  static const struct {
    uint32_t viewer;
    enum room_ev kind;
  } ROWS[] = {{HOST, ROOM_EV_HELD}, {0, ROOM_EV_HELD}, {A, ROOM_EV_HELD}, {B, ROOM_EV_LEFT}};
  enum room_ev kind;
  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
    assert_int_equal(actor_seen(&f, &ev, ROWS[i].viewer, &kind), HOST);
    assert_int_equal(kind, ROWS[i].kind);
  }
  fix_close(&f);
}

static void a_room_may_keep_its_hosts_names_back(void **state) {
  (void)state;
  struct fixture f;
  open_room(&f);
  uint32_t a = A, host = HOST, both[2] = {A, HOST};
  const struct {
    struct room_event ev;
    bool hidden; /* from A */
  } ROWS[] = {
      {{.kind = ROOM_EV_MUTED, .actor = HOST, .targets = &a, .n_targets = 1}, true},
      {{.kind = ROOM_EV_MUTED, .actor = HOST, .targets = both, .n_targets = 2}, true},
      {{.kind = ROOM_EV_MUTED, .actor = HOST, .targets = &host, .n_targets = 1}, false},
      {{.kind = ROOM_EV_MUTED, .actor = 0, .targets = &a, .n_targets = 1}, true},
      {{.kind = ROOM_EV_REMOVED, .actor = HOST, .targets = &a, .n_targets = 1}, true},
      {{.kind = ROOM_EV_LOCKED, .actor = HOST}, true},
      {{.kind = ROOM_EV_CHAT_CLEARED, .actor = HOST}, true},
      {{.kind = ROOM_EV_CHAT, .actor = HOST}, false},
      {{.kind = ROOM_EV_CHAT_EDITED, .actor = HOST}, false},
      {{.kind = ROOM_EV_LEFT, .actor = HOST, .targets = &host, .n_targets = 1}, false},
      {{.kind = ROOM_EV_LEFT, .actor = 0, .targets = &a, .n_targets = 1}, false},
      {{.kind = ROOM_EV_HAND, .actor = B}, false}, /* no host */
      {{.kind = ROOM_EV_UNDONE, .actor = A}, false},
  };
  enum room_ev kind;
  for (int hide = 0; hide < 2; hide++) {
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
      uint32_t want = hide && ROWS[i].hidden ? ROOM_SOME_HOST : ROWS[i].ev.actor;
      if (actor_seen(&f, &ROWS[i].ev, A, &kind) != want)
        fail_msg("row %d, hide %d", (int)i, hide);
      assert_int_equal(actor_seen(&f, &ROWS[i].ev, HOST, &kind), ROWS[i].ev.actor);
      assert_int_equal(actor_seen(&f, &ROWS[i].ev, 0, &kind), ROWS[i].ev.actor);
    }
    if (!hide)
      assert_int_equal(act_num(&f, HOST, ACT_NAME_HOSTS, 0), ERR_OK);
  }
  assert_int_equal(act_text(&f, HOST, ACT_CHAT, "mine"), ERR_OK); /* he may say that he took it back */
  struct room_event gone = {.kind = ROOM_EV_CHAT_DELETED, .actor = HOST, .num = (int64_t)f.r.seq};
  assert_int_equal(actor_seen(&f, &gone, A, &kind), HOST);
  assert_int_equal(act_text(&f, A, ACT_CHAT, "his"), ERR_OK);
  gone.num = (int64_t)f.r.seq;
  assert_int_equal(actor_seen(&f, &gone, A, &kind), ROOM_SOME_HOST);
  fix_close(&f);
}

static void who_is_gone_sees_nothing(void **state) {
  (void)state;
  struct fixture f;
  open_room(&f);
  assert_int_equal(act_on(&f, HOST, ACT_REMOVE, A), ERR_OK);
  sees(&f, &(struct room_event){.kind = ROOM_EV_TOPIC}, "y-y---y");
  assert_int_equal(act_on(&f, HOST, ACT_ADMIT, WAIT), ERR_OK);
  sees(&f, &(struct room_event){.kind = ROOM_EV_TOPIC}, "y-yy--y");
  assert_int_equal(act_role(&f, HOST, B, ROLE_COHOST), ERR_OK);
  sees(&f, &(struct room_event){.kind = ROOM_EV_INVITE}, "y-y---y");
  assert_int_equal(drop(&f, B), ERR_OK); /* away: he will want what he missed */
  sees(&f, &(struct room_event){.kind = ROOM_EV_INVITE}, "y-y---y");
  fix_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(classes_of_viewers),
      cmocka_unit_test(people_inside_see_each_other_and_not_the_lobby),
      cmocka_unit_test(events_of_the_room),
      cmocka_unit_test(chat_is_seen_by_those_it_is_for),
      cmocka_unit_test(votes_and_new_kinds_of_chat),
      cmocka_unit_test(who_is_held_has_left_for_the_others),
      cmocka_unit_test(a_room_may_keep_its_hosts_names_back),
      cmocka_unit_test(who_is_gone_sees_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
