/* Every cell of actor's role x act x target's role, against rules written down here and not read back from
 * ACTS. */
#include "room_fixture.h"

enum who_kind { NOBODY, SELF, INSIDE, LOBBY };
enum rule { FREE, FREE_SELF, LOWER, LOWER_OR_SELF_ };
static const struct {
  enum act act;
  int least; /* rank that may do it at all */
  enum who_kind target;
  enum rule rule;
} EXPECT[] = {
    {ACT_ADMIT, 4, LOBBY, FREE},
    {ACT_ADMIT_ALL, 4, NOBODY, FREE},
    {ACT_DENY, 4, LOBBY, FREE},
    {ACT_LOBBY, 4, NOBODY, FREE},
    {ACT_LOCK, 4, NOBODY, FREE},
    {ACT_UNLOCK, 4, NOBODY, FREE},
    {ACT_MUTE, 2, INSIDE, LOWER_OR_SELF_},
    {ACT_UNMUTE, 2, SELF, FREE},
    {ACT_MUTE_ALL, 4, NOBODY, FREE},
    {ACT_MUTE_LIFT, 4, NOBODY, FREE},
    {ACT_MUTE_ENTRY, 4, NOBODY, FREE},
    {ACT_DECLINE, 2, SELF, FREE},
    {ACT_ONE_SPEAKER, 4, NOBODY, FREE},
    {ACT_PRIORITY, 4, INSIDE, FREE_SELF},
    {ACT_GAIN, 4, INSIDE, LOWER_OR_SELF_},
    {ACT_TALK_TIME, 4, NOBODY, FREE},
    {ACT_HANDS_DOWN, 4, NOBODY, FREE},
    {ACT_MOVE, 4, INSIDE, LOWER_OR_SELF_},
    {ACT_BREAKOUTS, 4, NOBODY, FREE},
    {ACT_DISTRIBUTE, 4, NOBODY, FREE},
    {ACT_RECALL, 4, NOBODY, FREE},
    {ACT_ASK_UNMUTE, 4, INSIDE, FREE},
    {ACT_FLOOR_GIVE, 4, INSIDE, FREE},
    {ACT_FLOOR_TAKE, 4, INSIDE, LOWER},
    {ACT_ROLE, 4, INSIDE, LOWER},
    {ACT_REMOVE, 4, INSIDE, LOWER},
    {ACT_BAN, 4, INSIDE, LOWER},
    {ACT_UNBAN, 4, NOBODY, FREE},
    {ACT_HAND, 2, SELF, FREE},
    {ACT_HAND_LOWER, 2, INSIDE, LOWER_OR_SELF_},
    {ACT_NEXT, 4, NOBODY, FREE},
    {ACT_CHAT, 2, NOBODY, FREE},
    {ACT_CHAT_TO, 2, INSIDE, FREE},
    {ACT_CHAT_HOSTS, 2, NOBODY, FREE},
    {ACT_CHAT_DELETE, 2, NOBODY, FREE},
    {ACT_ANNOUNCE, 4, NOBODY, FREE},
    {ACT_LOBBY_SAY, 4, NOBODY, FREE},
    {ACT_CHAT_EDIT, 2, NOBODY, FREE},
    {ACT_CHAT_PURGE, 4, INSIDE, LOWER},
    {ACT_CHAT_CLEAR, 4, NOBODY, FREE},
    {ACT_CHAT_MODE, 4, NOBODY, FREE},
    {ACT_SLOW, 4, NOBODY, FREE},
    {ACT_LINKS, 4, NOBODY, FREE},
    {ACT_PIN, 4, NOBODY, FREE},
    {ACT_UNPIN, 4, NOBODY, FREE},
    {ACT_AGENDA, 4, NOBODY, FREE},
    {ACT_AGENDA_NEXT, 4, NOBODY, FREE},
    {ACT_POLL, 4, NOBODY, FREE},
    {ACT_VOTE, 2, NOBODY, FREE},
    {ACT_POLL_END, 4, NOBODY, FREE},
    {ACT_TOPIC, 4, NOBODY, FREE},
    {ACT_INVITE, 4, NOBODY, FREE},
    {ACT_INVITE_REVOKE, 4, NOBODY, FREE},
    {ACT_POLICY, 5, NOBODY, FREE},
    {ACT_HOLD, 4, INSIDE, LOWER},
    {ACT_AUTO_ADMIT, 5, NOBODY, FREE},
    {ACT_TRUST, 4, INSIDE, FREE_SELF},
    {ACT_UNTRUST, 4, NOBODY, FREE},
    {ACT_NAME, 2, SELF, FREE},
    {ACT_RENAME, 4, INSIDE, LOWER},
    {ACT_BAN_CHECK, 4, INSIDE, LOWER},
    {ACT_BAN_RULE, 4, NOBODY, FREE},
    {ACT_BAN_EDIT, 4, NOBODY, FREE},
    {ACT_NOTE, 4, INSIDE, FREE},
    {ACT_NOTE_DELETE, 4, NOBODY, FREE},
    {ACT_SUCCESSION, 5, NOBODY, FREE},
    {ACT_CLAIM_CODE, 5, NOBODY, FREE},
    {ACT_CLAIM, 2, NOBODY, FREE},
    {ACT_PASSWORD, 5, NOBODY, FREE},
    {ACT_MAX_PEOPLE, 5, NOBODY, FREE},
    {ACT_MAX_SPEAKERS, 5, NOBODY, FREE},
    {ACT_NAME_HOSTS, 5, NOBODY, FREE},
    {ACT_ATTENDANCE, 4, NOBODY, FREE},
    {ACT_LEAVE, 0, SELF, FREE},
    {ACT_UNDO, 2, NOBODY, FREE},
    {ACT_END, 5, NOBODY, FREE},
    {ACT_END_CANCEL, 5, NOBODY, FREE},
};

/* Ranks in the words of the rule: monitor 1, audience 2, speaker 3, cohost 4, host 5, owner 6, operator 7. */
#define RANKS 7
static const enum role ROLE_OF[RANKS + 1] = {ROLE_NONE,   ROLE_MONITOR, ROLE_AUDIENCE, ROLE_SPEAKER,
                                             ROLE_COHOST, ROLE_HOST,    ROLE_OWNER,    ROLE_SYSTEM};

static void every_act_is_expected_once(void **state) {
  (void)state;
  int seen[ACT__COUNT] = {0};
  for (size_t i = 0; i < sizeof EXPECT / sizeof EXPECT[0]; i++)
    seen[EXPECT[i].act]++;
  for (int i = 0; i < ACT__COUNT; i++)
    assert_int_equal(seen[i], 1);
}

static enum err expected_on(enum act a, enum rule rule, int actor, int target, bool self) {
  if (self)
    return rule == LOWER_OR_SELF_ || rule == FREE_SELF ? ERR_OK : ERR_NOT_SELF;
  if (rule == LOWER_OR_SELF_ && actor < 4)
    return ERR_NOT_ALLOWED; /* on others these are a moderator's */
  if (rule >= LOWER && target >= actor)
    return ERR_RANK;
  bool heard = a == ACT_FLOOR_GIVE || a == ACT_ASK_UNMUTE || a == ACT_PRIORITY;
  if (target == 1 && (heard || (a == ACT_ROLE && actor != 7)))
    return ERR_NOT_ALLOWED; /* a monitor is never heard */
  if (target == 6 && a == ACT_BAN)
    return ERR_NOT_ALLOWED; /* not even by the operator */
  return ERR_OK;
}

struct cell {
  struct fixture f;
  uint32_t actor, target, waiting;
};

/* A room in which nearly every act would change something. */
static void cell_open(struct cell *c, int actor, int target, bool self) {
  fix_open(&c->f, true, HOST_GONE_CONTINUE);
  uint32_t boss = join(&c->f, "Boss", ROLE_OWNER);
  c->actor = 0;
  if (actor < 7) {
    assert_int_equal(act_num(&c->f, boss, ACT_LOBBY, 0), ERR_OK);
    c->actor = join(&c->f, "Actor", ROLE_OF[actor]);
    c->target = self ? c->actor : join(&c->f, "Target", ROLE_OF[target]);
    assert_int_equal(act_num(&c->f, boss, ACT_LOBBY, 1), ERR_OK);
  } else {
    assert_int_equal(act_num(&c->f, boss, ACT_LOBBY, 0), ERR_OK);
    c->target = join(&c->f, "Target", ROLE_OF[target]);
    assert_int_equal(act_num(&c->f, boss, ACT_LOBBY, 1), ERR_OK);
  }
  c->waiting = join(&c->f, "Waiting", ROLE_SPEAKER);
}

static bool is_permission(enum err e) {
  return e == ERR_NOT_ALLOWED || e == ERR_RANK || e == ERR_NOT_SELF || e == ERR_ONLY_SELF;
}

/* Both doors must answer alike: what greys out a key, and what the server refuses. */
static void cell_check(struct cell *c, enum act a, uint32_t target, enum err want, const char *what) {
  enum err got = room_allows(&c->f.r, c->actor, a, target);
  if (got != want)
    fail_msg("%s: allows says %s, expected %s", what, err_code(got), err_code(want));
  struct invite inv = {.role = ROLE_AUDIENCE, .hash = {1}};
  struct room_cmd cmd = {
      .act = a, .actor = c->actor, .targets = &target, .n_targets = target ? 1 : 0, .num = 1};
  cmd.num = a == ACT_ROLE ? (c->actor == 0 ? ROLE_HOST : ROLE_AUDIENCE) : 1;
  cmd.text = "text";
  cmd.invite = &inv;
  enum err e = fix_do(&c->f, &cmd);
  if (want != ERR_OK && e != want)
    fail_msg("%s: decide says %s, expected %s", what, err_code(e), err_code(want));
  if (want == ERR_OK && is_permission(e))
    fail_msg("%s: decide refuses with %s", what, err_code(e));
}

static void one_cell(size_t i, int actor, int target, bool self) {
  struct cell c;
  cell_open(&c, actor, target, self);
  enum act a = EXPECT[i].act;
  char what[96];
  (void)snprintf(what, sizeof what, "%s by rank %d on %d%s", ACTS[a].name, actor, target,
                 self ? " (self)" : "");
  uint32_t id = EXPECT[i].target == LOBBY ? c.waiting : EXPECT[i].target == NOBODY ? 0 : c.target;
  enum err want = ERR_OK;
  if (actor == 7 && EXPECT[i].target == SELF)
    want = ERR_ONLY_SELF;
  else if (actor < EXPECT[i].least)
    want = ERR_NOT_ALLOWED;
  else if (EXPECT[i].target == SELF)
    want = self ? ERR_OK : ERR_ONLY_SELF;
  else if (EXPECT[i].target == INSIDE)
    want = expected_on(a, EXPECT[i].rule, actor, target, self);
  cell_check(&c, a, id, want, what);
  fix_close(&c.f);
}

static void every_cell_of_the_matrix(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof EXPECT / sizeof EXPECT[0]; i++)
    for (int actor = 1; actor <= RANKS; actor++) {
      for (int target = 1; target <= 6; target++)
        one_cell(i, actor, target, false);
      if (actor < 7)
        one_cell(i, actor, actor, true);
    }
}

static void one_bad_target_refuses_the_whole_act(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t owner = join(&f, "Owner", ROLE_OWNER), co = join(&f, "Co", ROLE_COHOST),
           a = join(&f, "A", ROLE_SPEAKER);
  assert_int_equal(act_on2(&f, co, ACT_MUTE, a, owner), ERR_RANK);
  assert_int_equal(act_on2(&f, co, ACT_REMOVE, a, 99), ERR_NO_MEMBER);
  assert_int_equal(act_on2(&f, co, ACT_MUTE, a, 0), ERR_NO_MEMBER);
  assert_false(who(&f, a)->muted);
  assert_int_equal(act_on2(&f, co, ACT_MUTE, a, a), ERR_OK); /* named twice is once */
  assert_int_equal(f.last.v[0].n_targets, 1);
  assert_int_equal(act(&f, 77, ACT_HAND), ERR_NOT_JOINED);
  assert_int_equal(act(&f, co, ACT_REMOVE), ERR_BAD_ARG);
  assert_int_equal(act_on(&f, co, ACT_LOCK, a), ERR_BAD_ARG);
  fix_close(&f);
}

static void nobody_grants_more_than_his_own_rank(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t owner = join(&f, "Owner", ROLE_OWNER), co = join(&f, "Co", ROLE_COHOST),
           a = join(&f, "A", ROLE_SPEAKER);
  assert_int_equal(act_role(&f, co, a, ROLE_HOST), ERR_RANK);
  assert_int_equal(act_role(&f, co, a, ROLE_COHOST), ERR_OK);
  assert_int_equal(act_role(&f, co, a, ROLE_SPEAKER), ERR_RANK); /* now his equal */
  assert_int_equal(act_role(&f, owner, a, ROLE_OWNER), ERR_OK);
  assert_int_equal(act_role(&f, owner, a, ROLE_HOST), ERR_RANK);
  assert_int_equal(act_role(&f, 0, a, ROLE_HOST), ERR_OK); /* the operator may */
  assert_int_equal(act_role(&f, owner, co, ROLE_MONITOR), ERR_NOT_ALLOWED);
  assert_int_equal(act_role(&f, owner, co, ROLE_SYSTEM), ERR_BAD_ARG);
  assert_int_equal(act_role(&f, owner, co, ROLE_NONE), ERR_BAD_ARG);
  struct invite inv = {.role = ROLE_OWNER, .hash = {1}};
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_INVITE, .actor = co, .invite = &inv}), ERR_RANK);
  inv.role = ROLE_MONITOR;
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_INVITE, .actor = owner, .invite = &inv}),
                   ERR_NOT_ALLOWED);
  fix_close(&f);
}

static void names_of_acts_and_roles(void **state) {
  (void)state;
  assert_int_equal(act_find("mute_all"), ACT_MUTE_ALL);
  assert_int_equal(act_find("mute-all"), ACT_MUTE_ALL);
  assert_int_equal(act_find("mute"), ACT_MUTE);
  assert_int_equal(act_find("mut"), ACT__COUNT);
  assert_int_equal(act_find("mute_all_"), ACT__COUNT);
  assert_int_equal(act_find(""), ACT__COUNT);
  enum role r;
  assert_true(role_parse("cohost", &r) && r == ROLE_COHOST);
  assert_true(role_parse("monitor", &r) && r == ROLE_MONITOR);
  assert_false(role_parse("system", &r));
  assert_false(role_parse("none", &r));
  for (int i = 0; i < ACT__COUNT; i++) /* no two acts share a key or a name */
    for (int k = 0; k < i; k++) {
      assert_string_not_equal(ACTS[i].name, ACTS[k].name);
      assert_true(!ACTS[i].key[0] || strcmp(ACTS[i].key, ACTS[k].key) != 0);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_act_is_expected_once),
      cmocka_unit_test(every_cell_of_the_matrix),
      cmocka_unit_test(one_bad_target_refuses_the_whole_act),
      cmocka_unit_test(nobody_grants_more_than_his_own_rank),
      cmocka_unit_test(names_of_acts_and_roles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
