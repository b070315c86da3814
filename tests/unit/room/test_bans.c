/* Bans: what they hold on to, from what they keep, how long; rules. */
#include "room_fixture.h"

#include <arpa/inet.h>

static struct room_join person(const char *name, const char *user, uint8_t device) {
  struct room_join j = {.name = name, .user = user, .role = ROLE_SPEAKER, .audio = true};
  j.device[0] = device;
  return j;
}

static uint32_t enter(struct fixture *f, const char *name, const char *user, uint8_t device, enum err want) {
  struct room_join j = person(name, user, device);
  uint32_t id;
  assert_int_equal(fix_enter(f, &j, &id), want);
  return id;
}

static void address(uint8_t out[16], const char *text) {
  memset(out, 0, 16);
  if (strchr(text, ':')) {
    assert_int_equal(inet_pton(AF_INET6, text, out), 1);
    return;
  }
  out[10] = out[11] = 0xff;
  assert_int_equal(inet_pton(AF_INET, text, out + 12), 1);
}

static enum err from(struct fixture *f, const char *addr, uint32_t *id) {
  uint8_t a[16];
  struct room_join j = person("Someone", "", 0);
  address(a, addr);
  j.addr = a;
  return fix_enter(f, &j, id);
}

static enum err ban(struct fixture *f, uint32_t actor, uint32_t who_, int64_t what, int64_t seconds) {
  return fix_do(f, &(struct room_cmd){.act = ACT_BAN,
                                      .actor = actor,
                                      .targets = &who_,
                                      .n_targets = 1,
                                      .num = what,
                                      .has_num = true,
                                      .num2 = seconds,
                                      .has_num2 = seconds != 0,
                                      .text = "why"});
}

static enum err rule(struct fixture *f, uint32_t actor, const char *word, int64_t what) {
  return fix_do(
      f, &(struct room_cmd){.act = ACT_BAN_RULE, .actor = actor, .word = word, .num = what, .has_num = true});
}

static void rules_are_read(void **state) {
  (void)state;
  static const struct {
    const char *text, *addr;
    int bits;
  } GOOD[] = {
      {"cidr:192.0.2.77", "192.0.2.77", 128},        {"cidr:192.0.2.77/32", "192.0.2.77", 128},
      {"cidr:192.0.2.77/24", "192.0.2.0", 120},      {"cidr:10.255.1.2/9", "10.128.0.0", 105},
      {"cidr:10.1.2.3/8", "10.0.0.0", 104},          {"cidr:2001:db8::1", "2001:db8::", 64},
      {"cidr:2001:db8::1/128", "2001:db8::1", 128},  {"cidr:2001:db8:ffff::/33", "2001:db8:8000::", 33},
      {"cidr:::ffff:192.0.2.77", "192.0.2.77", 128}, {"cidr:::ffff:192.0.2.77/104", "192.0.0.0", 104},
      {"cidr:2001:db8:1::5/32", "2001:db8::", 32},
  };
  struct ban b;
  uint8_t want[16];
  for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
    if (!room_ban_rule(GOOD[i].text, &b))
      fail_msg("%s is refused", GOOD[i].text);
    address(want, GOOD[i].addr);
    assert_memory_equal(b.cidr.addr, want, 16);
    assert_int_equal(b.cidr.bits, GOOD[i].bits);
    assert_true(!b.user[0] && !b.invite);
  }
  assert_true(room_ban_rule("user:alice@x", &b));
  assert_string_equal(b.user, "alice@x");
  assert_true(room_ban_rule("invite:42", &b) && b.invite == 42 && b.cidr.bits == 0);
  static const char *const BAD[] = {"",
                                    "user:",
                                    "user:a\nb",
                                    "alice",
                                    "USER:x",
                                    "invite:",
                                    "invite:0",
                                    "invite:-1",
                                    "invite:1x",
                                    "invite:99999999999999999999",
                                    "cidr:",
                                    "cidr:/8",
                                    "cidr:192.0.2.1/",
                                    "cidr:192.0.2.1/0",
                                    "cidr:192.0.2.1/7",
                                    "cidr:192.0.2.1/33",
                                    "cidr:192.0.2.1/24x",
                                    "cidr:192.0.2/24",
                                    "cidr:2001:db8::/31",
                                    "cidr:2001:db8::/129",
                                    "cidr:::ffff:192.0.2.1/32",
                                    "cidr:::ffff:192.0.2.1/103",
                                    "cidr:host.example",
                                    "cidr:2001:db8:0000:0000:0000:0000:0000:0001:0002:0003:0004:0005"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (room_ban_rule(BAD[i], &b))
      fail_msg("%s is taken", BAD[i]);
  char longest[8 + ROOM_USER_MAX] = "user:";
  memset(longest + 5, 'u', ROOM_USER_MAX);
  assert_true(room_ban_rule(longest, &b));
  longest[5 + ROOM_USER_MAX] = 'u';
  assert_false(room_ban_rule(longest, &b));
}

static void a_rule_of_addresses_keeps_its_part_of_the_world_out(void **state) {
  (void)state;
  struct fixture f;
  uint32_t id;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  assert_int_equal(rule(&f, host, "cidr:198.51.100.128/25", BAN_JOIN), ERR_OK);
  assert_int_equal(rule(&f, host, "cidr:::1/32", BAN_JOIN), ERR_OK); /* not the mapped IPv4 inside */
  assert_int_equal(rule(&f, host, "cidr:2001:db8:8000::/33", BAN_SPEAK), ERR_OK);
  assert_int_equal(rule(&f, host, "cidr:nonsense", BAN_JOIN), ERR_BAD_ARG);
  assert_int_equal(rule(&f, host, NULL, BAN_JOIN), ERR_BAD_ARG);
  assert_int_equal(rule(&f, host, "user:x", 2), ERR_BAD_ARG);
  assert_int_equal(from(&f, "198.51.100.128", &id), ERR_BANNED);
  assert_int_equal(from(&f, "198.51.100.255", &id), ERR_BANNED);
  assert_int_equal(from(&f, "198.51.100.127", &id), ERR_OK);
  assert_int_equal(from(&f, "198.51.101.128", &id), ERR_OK);
  assert_int_equal(from(&f, "::2", &id), ERR_BANNED);
  assert_int_equal(from(&f, "2001:db8:7fff::1", &id), ERR_OK);
  assert_int_equal(who(&f, id)->silenced, 0);
  assert_int_equal(from(&f, "2001:db8:8000::1", &id), ERR_OK);
  assert_int_equal(who(&f, id)->silenced, f.r.bans[2].id);
  assert_false(who(&f, id)->floor);
  fix_close(&f);
}

/* Addresses come in the caller's order, which is not that of the ids. */
static void a_ban_may_hold_on_to_the_address(void **state) {
  (void)state;
  struct fixture f;
  uint32_t id;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  uint32_t a = enter(&f, "A", "a@x", 1, ERR_OK), b = enter(&f, "B", "", 0, ERR_OK),
           c = enter(&f, "C", "", 3, ERR_OK);
  struct cidr cidrs[3] = {{.bits = 0}, {.bits = 128}, {.bits = 120}};
  address(cidrs[1].addr, "192.0.2.7");
  address(cidrs[2].addr, "203.0.113.0");
  struct room_cmd cmd = {.act = ACT_BAN,
                         .actor = host,
                         .targets = (const uint32_t[]){c, b, a},
                         .n_targets = 3,
                         .flags = FLAG_ADDRESS,
                         .cidrs = cidrs};
  assert_int_equal(fix_do(&f, &cmd), ERR_OK);
  assert_string_equal(f.r.bans[0].name, "A");
  assert_int_equal(f.r.bans[0].cidr.bits, 120);
  assert_int_equal(f.r.bans[1].cidr.bits, 128);
  assert_int_equal(f.r.bans[2].cidr.bits, 0);
  assert_int_equal(from(&f, "192.0.2.7", &id), ERR_BANNED);
  assert_int_equal(from(&f, "192.0.2.8", &id), ERR_OK);
  assert_int_equal(from(&f, "203.0.113.200", &id), ERR_BANNED);
  fix_close(&f);
}

static void a_ban_for_a_time_ends(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = enter(&f, "A", "a@x", 1, ERR_OK);
  uint32_t b = enter(&f, "B", "b@x", 2, ERR_OK);
  assert_int_equal(ban(&f, host, a, BAN_JOIN, -1), ERR_BAD_ARG);
  assert_int_equal(ban(&f, host, a, BAN_JOIN, ROOM_SECONDS_MAX + 1), ERR_BAD_ARG);
  assert_int_equal(ban(&f, host, a, 7, 60), ERR_BAD_ARG);
  assert_int_equal(ban(&f, host, a, BAN_JOIN, 60), ERR_OK);
  assert_int_equal(ban(&f, host, b, BAN_JOIN, 0), ERR_OK);
  assert_int_equal(f.r.bans[0].until_ms, f.now + 60000);
  assert_int_equal(room_next_expiry(&f.r), f.now + 60000);
  f.now += 59999;
  expire(&f);
  assert_int_equal(f.last.n, 0);
  enter(&f, "A", "a@x", 9, ERR_BANNED);
  f.now++;
  expire(&f);
  assert_int_equal(count_events(&f, ROOM_EV_UNBANNED), 1);
  assert_int_equal(f.last.v[0].actor, 0);
  assert_int_equal(room_next_expiry(&f.r), INT64_MAX);
  enter(&f, "A", "a@x", 9, ERR_OK);
  enter(&f, "B", "b@x", 9, ERR_BANNED);
  fix_close(&f);
}

static void a_speak_ban_silences_and_he_stays(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = enter(&f, "A", "a@x", 1, ERR_OK);
  assert_int_equal(act(&f, a, ACT_HAND), ERR_OK);
  assert_int_equal(ban(&f, host, a, BAN_SPEAK, 0), ERR_OK);
  uint64_t id = f.r.bans[0].id;
  assert_true(who(&f, a)->silenced == id && !who(&f, a)->floor && !who(&f, a)->hand);
  assert_int_equal(count_events(&f, ROOM_EV_SILENCED), 1);
  assert_string_equal(f.last.v[f.last.n - 1].text, "why");
  assert_false(room_may_send(&f.r, a));
  assert_true(room_may_hear(&f.r, a));
  assert_int_equal(act(&f, a, ACT_HAND), ERR_SILENCED);
  assert_int_equal(act_on(&f, host, ACT_FLOOR_GIVE, a), ERR_SILENCED);
  assert_int_equal(act(&f, host, ACT_UNDO), ERR_NOTHING); /* a ban is lifted by unban */
  assert_int_equal(act(&f, a, ACT_LEAVE), ERR_OK);
  a = enter(&f, "A", "a@x", 5, ERR_OK); /* leaving does not help */
  assert_true(who(&f, a)->silenced == id && !who(&f, a)->floor);
  assert_int_equal(act_num(&f, host, ACT_UNBAN, (int64_t)id), ERR_OK);
  assert_int_equal(who(&f, a)->silenced, 0);
  assert_int_equal(act_on(&f, host, ACT_FLOOR_GIVE, a), ERR_OK);
  assert_true(room_may_send(&f.r, a));
  fix_close(&f);
}

static void of_two_speak_bans_the_longer_one_holds(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = enter(&f, "A", "", 0, ERR_OK),
           b = enter(&f, "B", "b@x", 2, ERR_OK);
  assert_int_equal(ban(&f, host, a, BAN_SPEAK, 60), ERR_OK); /* a guest nothing is known of */
  assert_int_equal(ban(&f, host, a, BAN_SPEAK, 0), ERR_OK);
  assert_int_equal(who(&f, a)->silenced, f.r.bans[1].id);
  assert_int_equal(ban(&f, host, a, BAN_SPEAK, 30), ERR_OK);
  assert_int_equal(who(&f, a)->silenced, f.r.bans[1].id);
  assert_int_equal(count_events(&f, ROOM_EV_SILENCED), 0);
  assert_int_equal(ban(&f, host, b, BAN_SPEAK, 60), ERR_OK);
  assert_int_equal(rule(&f, host, "user:b@x", BAN_SPEAK), ERR_OK);
  uint64_t forever = f.r.bans[4].id;
  assert_int_equal(who(&f, b)->silenced, forever);
  assert_int_equal(act_num(&f, host, ACT_UNBAN, (int64_t)forever), ERR_OK);
  assert_int_equal(who(&f, b)->silenced, f.r.bans[3].id); /* the other one holds still */
  f.now += 60000;
  expire(&f);
  expire(&f);
  expire(&f);
  assert_int_equal(f.r.n_bans, 1);
  assert_int_equal(who(&f, b)->silenced, 0);
  assert_int_equal(who(&f, a)->silenced, f.r.bans[0].id);
  fix_close(&f);
}

static void who_waits_may_be_banned_from_speaking_unseen(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), w = enter(&f, "W", "w@x", 1, ERR_OK);
  uint32_t a = enter(&f, "A", "a@x", 2, ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_ADMIT, a), ERR_OK);
  struct room_cmd cmd = {.act = ACT_BAN,
                         .actor = host,
                         .targets = (const uint32_t[]){w, a},
                         .n_targets = 2,
                         .num = BAN_SPEAK,
                         .has_num = true};
  struct room_events out = {0};
  assert_int_equal(room_decide(&f.r, &cmd, f.now, &out), ERR_OK);
  size_t seen = 0, n = 0;
  for (size_t i = 0; i < out.n; i++)
    if (out.v[i].kind == ROOM_EV_SILENCED) {
      n++;
      seen += room_event_visible(&f.r, &out.v[i], a);
      assert_true(room_event_visible(&f.r, &out.v[i], host));
    } else if (out.v[i].kind == ROOM_EV_BANNED) {
      assert_false(room_event_visible(&f.r, &out.v[i], a));
    }
  assert_true(n == 2 && seen == 1);
  room_events_free(&out);
  assert_int_equal(fix_do(&f, &cmd), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_ADMIT, w), ERR_OK);
  assert_true(who(&f, w)->silenced && !who(&f, w)->floor);
  fix_close(&f);
}

static void a_rule_hits_those_here_and_spares_rank(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  struct room_join j = person("Owner", "x@x", 0);
  uint32_t owner, co, a = enter(&f, "A", "x@x", 1, ERR_OK), b = enter(&f, "B", "y@x", 2, ERR_OK);
  j.role = ROLE_OWNER;
  assert_int_equal(fix_enter(&f, &j, &owner), ERR_OK);
  j.role = ROLE_COHOST;
  assert_int_equal(fix_enter(&f, &j, &co), ERR_OK);
  assert_int_equal(rule(&f, co, "user:x@x", BAN_JOIN), ERR_OK);
  assert_null(room_member(&f.r, a));
  assert_non_null(room_member(&f.r, co));
  assert_non_null(room_member(&f.r, owner));
  assert_non_null(room_member(&f.r, b));
  assert_int_equal(rule(&f, 0, "user:x@x", BAN_JOIN), ERR_OK); /* the operator outranks all */
  assert_null(room_member(&f.r, co));
  assert_non_null(room_member(&f.r, owner)); /* and yet */
  assert_int_equal(rule(&f, owner, "user:nobody", BAN_SPEAK), ERR_OK);
  assert_int_equal(f.last.n, 1);
  fix_close(&f);
}

static void a_rule_on_an_invite_holds_all_who_used_it(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), id;
  struct invite inv = {.role = ROLE_SPEAKER, .bypass = true, .hash = {7}};
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_INVITE, .actor = host, .invite = &inv}), ERR_OK);
  struct room_join j = {.name = "One", .invite_hash = inv.hash};
  char word[32];
  (void)snprintf(word, sizeof word, "invite:%d", (int)f.r.invites[0].id);
  assert_int_equal(fix_enter(&f, &j, &id), ERR_OK);
  assert_int_equal(rule(&f, host, word, BAN_SPEAK), ERR_OK);
  assert_true(who(&f, id)->silenced && !who(&f, id)->floor);
  assert_int_equal(rule(&f, host, word, BAN_JOIN), ERR_OK);
  assert_null(room_member(&f.r, id));
  assert_int_equal(fix_enter(&f, &j, &id), ERR_BANNED);
  enter(&f, "Other", "", 0, ERR_OK);
  fix_close(&f);
}

static void a_ban_is_edited(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = enter(&f, "A", "a@x", 1, ERR_OK);
  assert_int_equal(ban(&f, host, a, BAN_JOIN, 0), ERR_OK);
  struct room_cmd cmd = {.act = ACT_BAN_EDIT, .actor = host, .num = (int64_t)f.r.bans[0].id};
  assert_int_equal(fix_do(&f, &cmd), ERR_NO_CHANGE);
  cmd.num2 = -5;
  assert_int_equal(fix_do(&f, &cmd), ERR_BAD_ARG);
  cmd.num2 = 3600;
  assert_int_equal(fix_do(&f, &cmd), ERR_OK);
  assert_int_equal(f.r.bans[0].until_ms, f.now + 3600000);
  assert_string_equal(f.r.bans[0].reason, "why");
  cmd.num2 = 0;
  cmd.text = "spam again";
  assert_int_equal(fix_do(&f, &cmd), ERR_OK);
  assert_int_equal(f.r.bans[0].until_ms, 0);
  assert_string_equal(f.r.bans[0].reason, "spam again");
  cmd.num = 12345;
  assert_int_equal(fix_do(&f, &cmd), ERR_NOTHING);
  fix_close(&f);
}

static void whom_else_a_ban_would_hit(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  uint32_t a = enter(&f, "A", "a@x", 1, ERR_OK), a2 = enter(&f, "A2", "a@x", 5, ERR_OK),
           guest = enter(&f, "G", "", 1, ERR_OK);
  enter(&f, "B", "b@x", 1, ERR_OK); /* a known other person at the same machine */
  enter(&f, "N", "", 0, ERR_OK);
  uint32_t out[8];
  assert_int_equal(act_on(&f, host, ACT_BAN_CHECK, a), ERR_OK);
  assert_int_equal(f.last.n, 0);
  assert_int_equal(act_on(&f, a, ACT_BAN_CHECK, a2), ERR_NOT_ALLOWED);
  assert_int_equal(room_ban_also(&f.r, &a, 1, out, 8), 2);
  assert_true(out[0] == a2 && out[1] == guest);
  assert_int_equal(room_ban_also(&f.r, &a, 1, out, 1), 1);
  assert_int_equal(room_ban_also(&f.r, (const uint32_t[]){a, a2, 99}, 3, out, 8), 1);
  assert_int_equal(room_ban_also(&f.r, &host, 1, out, 8), 0);
  fix_close(&f);
}

static void the_list_is_limited(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = enter(&f, "A", "a@x", 1, ERR_OK);
  char word[32];
  for (int i = 0; i < ROOM_BANS_MAX; i++) {
    (void)snprintf(word, sizeof word, "user:%d", i);
    assert_int_equal(rule(&f, host, word, BAN_JOIN), ERR_OK);
  }
  assert_int_equal(rule(&f, host, "user:more", BAN_JOIN), ERR_FULL);
  assert_int_equal(ban(&f, host, a, BAN_SPEAK, 0), ERR_FULL);
  assert_int_equal(who(&f, a)->silenced, 0);
  fix_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rules_are_read),
      cmocka_unit_test(a_rule_of_addresses_keeps_its_part_of_the_world_out),
      cmocka_unit_test(a_ban_may_hold_on_to_the_address),
      cmocka_unit_test(a_ban_for_a_time_ends),
      cmocka_unit_test(a_speak_ban_silences_and_he_stays),
      cmocka_unit_test(of_two_speak_bans_the_longer_one_holds),
      cmocka_unit_test(who_waits_may_be_banned_from_speaking_unseen),
      cmocka_unit_test(a_rule_hits_those_here_and_spares_rank),
      cmocka_unit_test(a_rule_on_an_invite_holds_all_who_used_it),
      cmocka_unit_test(a_ban_is_edited),
      cmocka_unit_test(whom_else_a_ban_would_hit),
      cmocka_unit_test(the_list_is_limited),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
