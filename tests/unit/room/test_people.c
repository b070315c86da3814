/* Back to the lobby, trust, names, notes, who follows the host, the password. */
#include "room_fixture.h"

static struct room_join person(const char *name, const char *user, uint8_t device) {
  struct room_join j = {.name = name, .user = user, .role = ROLE_SPEAKER, .audio = true};
  j.device[0] = device;
  return j;
}

static uint32_t enter(struct fixture *f, const char *name, const char *user, uint8_t device) {
  struct room_join j = person(name, user, device);
  uint32_t id;
  assert_int_equal(fix_enter(f, &j, &id), ERR_OK);
  return id;
}

static bool waits(const struct fixture *f, uint32_t id) {
  return who(f, id)->presence == PRESENCE_WAITING;
}

/* ---- back to the lobby ---- */

static void who_is_held_waits_with_nothing(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), co = join(&f, "Co", ROLE_COHOST),
           a = join(&f, "A", ROLE_SPEAKER), b = join(&f, "B", ROLE_SPEAKER);
  assert_int_equal(act(&f, a, ACT_HAND), ERR_OK);
  assert_int_equal(act_num(&f, host, ACT_BREAKOUTS, 2), ERR_OK);
  assert_int_equal(act_on_num(&f, host, ACT_MOVE, a, 2), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_MUTE, a), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_PRIORITY, a), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_ASK_UNMUTE, a), ERR_OK);
  assert_int_equal(drop(&f, b), ERR_OK);
  assert_int_equal(act_on2(&f, co, ACT_HOLD, a, host), ERR_RANK);
  assert_int_equal(act_on(&f, a, ACT_HOLD, b), ERR_NOT_ALLOWED);
  f.now += 5000;
  struct room_cmd cmd = {.act = ACT_HOLD,
                         .actor = co,
                         .targets = (const uint32_t[]){b, a},
                         .n_targets = 2,
                         .text = "wait a moment"};
  assert_int_equal(fix_do(&f, &cmd), ERR_OK);
  assert_int_equal(f.last.n, 1);
  assert_string_equal(f.last.v[0].text, "wait a moment");
  const struct member *m = who(&f, a);
  assert_true(waits(&f, a) && !m->floor && !m->hand && !m->exempt && !m->priority && !m->side);
  assert_true(m->muted && m->muted_by == host); /* or the lobby would open his microphone */
  assert_int_equal(m->since_ms, f.now);
  assert_false(room_may_hear(&f.r, a));
  assert_true(waits(&f, b) && who(&f, b)->dropped_ms != 0); /* his time to come back runs on */
  assert_int_equal(act(&f, co, ACT_UNDO), ERR_NOTHING);
  assert_int_equal(act_on(&f, co, ACT_HOLD, a), ERR_NO_MEMBER); /* he waits already */
  assert_int_equal(act_on(&f, co, ACT_ADMIT, a), ERR_OK);
  assert_true(who(&f, a)->presence == PRESENCE_HERE && who(&f, a)->floor);
  fix_close(&f);
}

static void the_lobby_must_have_room_for_them(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_SPEAKER),
           b = join(&f, "B", ROLE_SPEAKER);
  assert_int_equal(act_num(&f, host, ACT_LOBBY, 1), ERR_OK);
  for (int i = 0; i < ROOM_WAITING_MAX - 1; i++)
    join(&f, "w", ROLE_SPEAKER);
  assert_int_equal(act_on2(&f, host, ACT_HOLD, a, b), ERR_LOBBY_FULL);
  assert_int_equal(act_on(&f, host, ACT_HOLD, b), ERR_OK);
  fix_close(&f);
}

/* ---- trust ---- */

static void the_trusted_need_not_wait(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_LOBBY);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  assert_int_equal(f.r.auto_admit, AUTO_ADMIT_TRUSTED);
  uint32_t a = enter(&f, "A", "a@x", 1), a2 = enter(&f, "A2", "a@x", 2), g = enter(&f, "G", "", 3),
           n = enter(&f, "N", "", 0);
  assert_true(waits(&f, a) && waits(&f, g) && waits(&f, n));
  assert_int_equal(act_on(&f, host, ACT_TRUST, n), ERR_NOTHING); /* nothing to know him by */
  struct room_cmd cmd = {
      .act = ACT_TRUST, .actor = host, .targets = (const uint32_t[]){a, a2, g, n}, .n_targets = 4};
  assert_int_equal(fix_do(&f, &cmd), ERR_OK);
  assert_int_equal(f.r.n_trusted, 2); /* A and A2 are one person */
  assert_string_equal(f.r.trusted[0].name, "A");
  assert_int_equal(fix_do(&f, &cmd), ERR_NO_CHANGE);
  assert_false(waits(&f, enter(&f, "A3", "a@x", 9)));
  assert_false(waits(&f, enter(&f, "G2", "", 3)));
  assert_true(waits(&f, enter(&f, "B", "b@x", 1)));
  assert_true(waits(&f, enter(&f, "N2", "", 0)));
  assert_int_equal(act_num(&f, host, ACT_AUTO_ADMIT, AUTO_ADMIT_ACCOUNTS), ERR_OK);
  assert_false(waits(&f, enter(&f, "B2", "b@x", 1)));
  assert_true(waits(&f, enter(&f, "G4", "", 4)));
  assert_int_equal(act_num(&f, host, ACT_AUTO_ADMIT, AUTO_ADMIT_NOBODY), ERR_OK);
  assert_true(waits(&f, enter(&f, "A4", "a@x", 9)));
  assert_int_equal(act_num(&f, host, ACT_AUTO_ADMIT, AUTO_ADMIT_ACCOUNTS), ERR_OK);
  assert_int_equal(act(&f, host, ACT_LEAVE), ERR_OK);
  assert_true(waits(&f, enter(&f, "A5", "a@x", 9))); /* nobody is here to look after them */
  fix_close(&f);
}

static void trust_ends_and_has_a_limit(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = enter(&f, "A", "a@x", 1);
  assert_int_equal(act_on(&f, host, ACT_TRUST, a), ERR_OK);
  int64_t id = (int64_t)f.r.trusted[0].id;
  assert_int_equal(act_num(&f, host, ACT_UNTRUST, id + 1), ERR_NOTHING);
  assert_int_equal(act_num(&f, host, ACT_UNTRUST, id), ERR_OK);
  assert_int_equal(act_num(&f, host, ACT_UNTRUST, id), ERR_NOTHING);
  assert_true(waits(&f, enter(&f, "A2", "a@x", 1)));
  char user[16];
  for (int i = 0; i < ROOM_TRUSTED_MAX; i++) {
    (void)snprintf(user, sizeof user, "%d", i);
    uint32_t x = enter(&f, "X", user, 0);
    assert_int_equal(act_on(&f, host, ACT_TRUST, x), ERR_OK);
    assert_int_equal(act(&f, x, ACT_LEAVE), ERR_OK);
  }
  assert_int_equal(act_on(&f, host, ACT_TRUST, a), ERR_FULL);
  fix_close(&f);
}

/* ---- names ---- */

static enum err rename_to(struct fixture *f, uint32_t actor, uint32_t id, const char *text) {
  return fix_do(
      f, &(struct room_cmd){.act = ACT_RENAME, .actor = actor, .targets = &id, .n_targets = 1, .text = text});
}

static void names_change_and_stay_unique(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_AUDIENCE),
           b = join(&f, "B", ROLE_AUDIENCE);
  assert_int_equal(act_text(&f, a, ACT_CHAT, "hello"), ERR_OK);
  assert_int_equal(act_text(&f, a, ACT_NAME, "  \x1b[31mAnna \n Bell "), ERR_OK);
  assert_string_equal(who(&f, a)->name, "[31mAnna Bell");
  assert_string_equal(f.last.v[0].text2, "A");
  assert_string_equal(f.r.chat[0].name, "A"); /* as he was called when he said it */
  assert_int_equal(act_text(&f, a, ACT_NAME, "[31mAnna Bell"), ERR_NO_CHANGE);
  assert_int_equal(act_text(&f, a, ACT_NAME, "\x1b\t"), ERR_BAD_NAME);
  assert_int_equal(act_text(&f, a, ACT_NAME, NULL), ERR_BAD_NAME);
  assert_int_equal(act_text(&f, a, ACT_NAME, "b"), ERR_OK);
  assert_string_equal(who(&f, a)->name, "b (2)");
  assert_int_equal(act_text(&f, a, ACT_NAME, "Operator"), ERR_OK);
  assert_string_equal(who(&f, a)->name, "Operator (2)");
  assert_int_equal(act_text(&f, b, ACT_NAME, "b"), ERR_OK); /* his own name in other letters */
  assert_string_equal(who(&f, b)->name, "b");
  assert_int_equal(rename_to(&f, a, b, "x"), ERR_NOT_ALLOWED);
  assert_int_equal(rename_to(&f, host, b, "host"), ERR_OK);
  assert_string_equal(who(&f, b)->name, "host (2)");
  fix_close(&f);
}

static void a_renaming_is_undone_exactly(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_AUDIENCE);
  assert_int_equal(rename_to(&f, host, a, "Clown"), ERR_OK);
  assert_int_equal(act_text(&f, host, ACT_NAME, "Boss"), ERR_OK); /* does not stand before it */
  assert_int_equal(act(&f, host, ACT_UNDO), ERR_OK);
  assert_string_equal(who(&f, a)->name, "A");
  assert_string_equal(who(&f, host)->name, "Boss");
  assert_int_equal(rename_to(&f, host, a, "Clown"), ERR_OK);
  join(&f, "a", ROLE_AUDIENCE); /* the old name is taken meanwhile */
  assert_int_equal(act(&f, host, ACT_UNDO), ERR_OK);
  assert_string_equal(who(&f, a)->name, "A (2)");
  assert_int_equal(rename_to(&f, host, a, "Clown"), ERR_OK);
  assert_int_equal(act_text(&f, a, ACT_NAME, "Alice"), ERR_OK);
  assert_int_equal(act(&f, host, ACT_UNDO), ERR_NOTHING);
  assert_string_equal(who(&f, a)->name, "Alice");
  fix_close(&f);
}

/* ---- notes ---- */

static void hosts_keep_notes(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), co = join(&f, "Co", ROLE_COHOST),
           w = join(&f, "W", ROLE_SPEAKER);
  struct room_cmd cmd = {.act = ACT_NOTE, .actor = co, .targets = &w, .n_targets = 1, .text = " was rude "};
  assert_int_equal(fix_do(&f, &cmd), ERR_OK);
  assert_true(f.r.notes[0].about == w && f.r.notes[0].by == co && f.r.notes[0].ts_ms == f.now);
  assert_string_equal(f.r.notes[0].name, "Co");
  assert_string_equal(f.r.notes[0].text, "was rude");
  assert_false(room_event_visible(&f.r, &f.last.v[0], w));
  cmd.text = " \n";
  assert_int_equal(fix_do(&f, &cmd), ERR_BAD_TEXT);
  assert_int_equal(act(&f, w, ACT_LEAVE), ERR_OK);
  assert_int_equal(f.r.n_notes, 1); /* it outlasts him */
  int64_t id = (int64_t)f.r.notes[0].id;
  assert_int_equal(act_num(&f, host, ACT_NOTE_DELETE, id), ERR_OK);
  assert_int_equal(act_num(&f, host, ACT_NOTE_DELETE, id), ERR_NOTHING);
  cmd.targets = &host;
  cmd.text = "x";
  for (int i = 0; i < ROOM_NOTES_MAX; i++)
    assert_int_equal(fix_do(&f, &cmd), ERR_OK);
  assert_int_equal(fix_do(&f, &cmd), ERR_FULL);
  fix_close(&f);
}

/* ---- who follows the host ---- */

static enum err succession(struct fixture *f, uint32_t actor, const uint32_t *ids, size_t n) {
  return fix_do(f, &(struct room_cmd){.act = ACT_SUCCESSION, .actor = actor, .targets = ids, .n_targets = n});
}

static void the_room_knows_since_when_no_host_is_there(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_END);
  uint32_t a = join(&f, "A", ROLE_SPEAKER);
  f.now += 10 * ROOM_GONE_MS;
  assert_int_equal(f.r.no_host_ms, 0); /* there never was one */
  assert_int_equal(room_next_expiry(&f.r), INT64_MAX);
  uint32_t host = join(&f, "Host", ROLE_HOST), co = join(&f, "Co", ROLE_COHOST);
  assert_int_equal(act(&f, co, ACT_LEAVE), ERR_OK);
  assert_int_equal(f.r.no_host_ms, 0);
  assert_int_equal(drop(&f, host), ERR_OK); /* away: he may come back */
  assert_int_equal(f.r.no_host_ms, 0);
  f.now += ROOM_AWAY_MS;
  expire(&f);
  assert_int_equal(f.r.no_host_ms, f.now);
  f.now += 1000;
  join(&f, "B", ROLE_SPEAKER);
  assert_int_equal(f.r.no_host_ms, f.now - 1000);
  assert_int_equal(act_role(&f, 0, a, ROLE_COHOST), ERR_OK);
  assert_int_equal(f.r.no_host_ms, 0);
  assert_int_equal(act_role(&f, 0, a, ROLE_SPEAKER), ERR_OK);
  assert_int_equal(f.r.no_host_ms, f.now);
  host = join(&f, "Host", ROLE_HOST);
  assert_int_equal(f.r.no_host_ms, 0);
  assert_int_equal(act_on(&f, 0, ACT_HOLD, host), ERR_OK);
  assert_int_equal(f.r.no_host_ms, f.now);
  assert_int_equal(act_on(&f, 0, ACT_ADMIT, host), ERR_OK);
  assert_int_equal(f.r.no_host_ms, 0);
  assert_int_equal(act_on(&f, 0, ACT_REMOVE, host), ERR_OK);
  assert_int_equal(f.r.no_host_ms, f.now);
  assert_int_equal(room_next_expiry(&f.r), f.now + ROOM_GONE_MS);
  f.now += ROOM_GONE_MS - 1;
  expire(&f);
  assert_int_equal(f.last.n, 0);
  f.now++;
  expire(&f);
  assert_true(f.r.ended);
  assert_string_equal(f.last.v[0].text, "no host came back");
  fix_close(&f);
}

static void the_first_successor_here_becomes_host(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_END);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_AUDIENCE),
           b = join(&f, "B", ROLE_AUDIENCE), c = join(&f, "C", ROLE_SPEAKER),
           mon = join(&f, "M", ROLE_MONITOR);
  assert_int_equal(succession(&f, host, NULL, 0), ERR_NO_CHANGE);
  assert_int_equal(succession(&f, host, (const uint32_t[]){b, mon}, 2), ERR_BAD_ARG);
  assert_int_equal(succession(&f, a, &a, 1), ERR_NOT_ALLOWED);
  assert_int_equal(succession(&f, host, (const uint32_t[]){c, b, c, a}, 4), ERR_OK);
  assert_int_equal(f.r.n_successors, 3);
  assert_true(f.r.successors[0] == c && f.r.successors[1] == b && f.r.successors[2] == a);
  assert_int_equal(succession(&f, host, (const uint32_t[]){c, b, a}, 3), ERR_NO_CHANGE);
  assert_int_equal(drop(&f, b), ERR_OK);
  assert_int_equal(act(&f, c, ACT_LEAVE), ERR_OK);
  expire(&f);
  assert_int_equal(f.last.n, 0); /* a host is there */
  assert_int_equal(act(&f, host, ACT_LEAVE), ERR_OK);
  assert_true(room_next_expiry(&f.r) <= f.now);
  expire(&f);
  assert_int_equal(who(&f, a)->role, ROLE_HOST); /* C left, B is away */
  assert_true(who(&f, a)->floor);
  assert_int_equal(f.last.v[0].actor, a);
  assert_int_equal(f.r.no_host_ms, 0);
  expire(&f);
  assert_int_equal(f.last.n, 0);
  assert_int_equal(who(&f, b)->role, ROLE_AUDIENCE);
  assert_int_equal(resume(&f, b), ERR_OK);
  assert_int_equal(act(&f, a, ACT_LEAVE), ERR_OK);
  expire(&f);
  assert_int_equal(who(&f, b)->role, ROLE_HOST);
  assert_int_equal(succession(&f, b, NULL, 0), ERR_OK);
  assert_int_equal(f.r.n_successors, 0);
  uint32_t many[ROOM_SUCCESSORS_MAX + 1];
  for (size_t i = 0; i <= ROOM_SUCCESSORS_MAX; i++)
    many[i] = join(&f, "x", ROLE_AUDIENCE);
  assert_int_equal(succession(&f, b, many, ROOM_SUCCESSORS_MAX + 1), ERR_FULL);
  assert_int_equal(succession(&f, b, many, ROOM_SUCCESSORS_MAX), ERR_OK);
  fix_close(&f);
}

static enum err with_secret(struct fixture *f, uint32_t actor, enum act a, uint8_t first) {
  struct secret s = {.salt = {1}, .hash = {first}};
  return fix_do(f, &(struct room_cmd){.act = a, .actor = actor, .secret = &s});
}

static void a_code_makes_its_bearer_host(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_AUDIENCE),
           co = join(&f, "Co", ROLE_COHOST), mon = join(&f, "M", ROLE_MONITOR);
  assert_int_equal(with_secret(&f, a, ACT_CLAIM, 0), ERR_BAD_CODE); /* there is none: zeros open nothing */
  assert_int_equal(act(&f, host, ACT_CLAIM_CODE), ERR_BAD_ARG);
  assert_int_equal(with_secret(&f, co, ACT_CLAIM_CODE, 7), ERR_NOT_ALLOWED);
  assert_int_equal(with_secret(&f, host, ACT_CLAIM_CODE, 7), ERR_OK);
  assert_int_equal(with_secret(&f, a, ACT_CLAIM, 8), ERR_BAD_CODE);
  assert_int_equal(act_text(&f, a, ACT_CLAIM, "guess"), ERR_BAD_CODE);
  assert_int_equal(with_secret(&f, mon, ACT_CLAIM, 7), ERR_NOT_ALLOWED);
  assert_int_equal(with_secret(&f, host, ACT_CLAIM, 7), ERR_NO_CHANGE);
  assert_int_equal(with_secret(&f, 0, ACT_CLAIM, 7), ERR_NO_CHANGE);
  assert_int_equal(with_secret(&f, a, ACT_CLAIM, 7), ERR_OK);
  assert_true(who(&f, a)->role == ROLE_HOST && who(&f, a)->floor);
  assert_true(f.last.v[0].actor == a && f.last.v[0].targets[0] == a);
  assert_int_equal(with_secret(&f, co, ACT_CLAIM, 7), ERR_OK); /* again, until a new one is made */
  uint32_t b = join(&f, "B", ROLE_AUDIENCE);
  assert_int_equal(with_secret(&f, a, ACT_CLAIM_CODE, 9), ERR_OK);
  assert_int_equal(with_secret(&f, b, ACT_CLAIM, 7), ERR_BAD_CODE);
  assert_int_equal(with_secret(&f, b, ACT_CLAIM, 9), ERR_OK);
  fix_close(&f);
}

/* ---- the door ---- */

static void newcomers_need_the_password(void **state) {
  (void)state;
  struct fixture f;
  uint32_t id;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  assert_int_equal(act(&f, host, ACT_PASSWORD), ERR_NO_CHANGE);
  assert_int_equal(act_text(&f, host, ACT_PASSWORD, "word"), ERR_BAD_ARG); /* the hash is missing */
  struct invite inv[2] = {{.role = ROLE_SPEAKER, .bypass = true, .hash = {1}},
                          {.role = ROLE_SPEAKER, .hash = {2}}};
  for (int i = 0; i < 2; i++)
    assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_INVITE, .actor = host, .invite = &inv[i]}),
                     ERR_OK);
  assert_int_equal(with_secret(&f, host, ACT_PASSWORD, 5), ERR_OK);
  assert_true(f.r.has_password && f.r.password.hash[0] == 5 && f.r.password.salt[0] == 1);
  struct room_join j = person("A", "", 0);
  assert_int_equal(fix_enter(&f, &j, &id), ERR_NEED_PASSWORD);
  j.invite_hash = inv[1].hash;
  assert_int_equal(fix_enter(&f, &j, &id), ERR_NEED_PASSWORD);
  j.password_ok = true;
  assert_int_equal(fix_enter(&f, &j, &id), ERR_OK);
  j.password_ok = false;
  j.invite_hash = inv[0].hash;
  assert_int_equal(fix_enter(&f, &j, &id), ERR_OK);
  join(&f, "Co", ROLE_COHOST);
  assert_int_equal(act(&f, host, ACT_PASSWORD), ERR_OK);
  assert_true(!f.r.has_password && f.r.password.hash[0] == 0);
  join(&f, "B", ROLE_AUDIENCE);
  fix_close(&f);
}

static void a_room_is_full_but_not_for_hosts(void **state) {
  (void)state;
  struct fixture f;
  uint32_t id;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_SPEAKER);
  assert_int_equal(act_num(&f, host, ACT_MAX_PEOPLE, 2), ERR_OK);
  struct room_join j = person("B", "", 0);
  assert_int_equal(fix_enter(&f, &j, &id), ERR_ROOM_FULL);
  join(&f, "Co", ROLE_COHOST);
  assert_int_equal(act_num(&f, host, ACT_LOBBY, 1), ERR_OK);
  assert_int_equal(fix_enter(&f, &j, &id), ERR_OK); /* he may wait for a place */
  assert_int_equal(act_on(&f, host, ACT_ADMIT, id), ERR_ROOM_FULL);
  assert_int_equal(act(&f, host, ACT_ADMIT_ALL), ERR_ROOM_FULL);
  assert_int_equal(act_num(&f, host, ACT_MAX_PEOPLE, 3), ERR_OK);
  assert_int_equal(act(&f, a, ACT_LEAVE), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_ADMIT, id), ERR_OK);
  fix_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_is_held_waits_with_nothing),
      cmocka_unit_test(the_lobby_must_have_room_for_them),
      cmocka_unit_test(the_trusted_need_not_wait),
      cmocka_unit_test(trust_ends_and_has_a_limit),
      cmocka_unit_test(names_change_and_stay_unique),
      cmocka_unit_test(a_renaming_is_undone_exactly),
      cmocka_unit_test(hosts_keep_notes),
      cmocka_unit_test(the_room_knows_since_when_no_host_is_there),
      cmocka_unit_test(the_first_successor_here_becomes_host),
      cmocka_unit_test(a_code_makes_its_bearer_host),
      cmocka_unit_test(newcomers_need_the_password),
      cmocka_unit_test(a_room_is_full_but_not_for_hosts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
