/* What hosts of other systems complain of, as far as the room alone decides it: docs/complaints.md lists all
 * 25, and where the others are tested. */
#include "room_fixture.h"

#include <arpa/inet.h>

/* ---- people who come with a device, an account, an invite, an address ---- */

static uint64_t invite(struct fixture *f, uint32_t host, uint8_t mark, enum role role, bool direct) {
  struct invite inv = {.role = role, .bypass = direct, .hash = {mark}};
  assert_int_equal(fix_do(f, &(struct room_cmd){.act = ACT_INVITE, .actor = host, .invite = &inv}), ERR_OK);
  return f->r.invites[f->r.n_invites - 1].id;
}

struct guest {
  const char *name, *user, *addr;
  uint8_t device, invite;
  enum role role;
};

static enum err enter(struct fixture *f, const struct guest *g, uint32_t *id) {
  uint8_t hash[32] = {g->invite}, addr[16] = {[10] = 0xff, [11] = 0xff};
  struct room_join j = {.name = g->name, .user = g->user ? g->user : "", .audio = true};
  j.role = g->role ? g->role : ROLE_SPEAKER;
  j.invite_hash = g->invite ? hash : NULL;
  j.device[0] = g->device;
  j.resume[0] = 0x55; /* as join() does: then resume() finds him */
  j.resume[1] = (uint8_t)(f->r.id_last + 1);
  if (g->addr && strchr(g->addr, ':'))
    assert_int_equal(inet_pton(AF_INET6, g->addr, addr), 1);
  else if (g->addr)
    assert_int_equal(inet_pton(AF_INET, g->addr, addr + 12), 1);
  j.addr = g->addr ? addr : NULL;
  return fix_enter(f, &j, id);
}

static uint32_t entered(struct fixture *f, struct guest g) {
  uint32_t id;
  assert_int_equal(enter(f, &g, &id), ERR_OK);
  return id;
}

static void refused(struct fixture *f, struct guest g, enum err want) {
  uint32_t id;
  assert_int_equal(enter(f, &g, &id), want);
}

static enum err ban(struct fixture *f, uint32_t actor, uint32_t whom, int64_t what, int64_t seconds) {
  struct room_cmd cmd = {.act = ACT_BAN, .actor = actor, .targets = &whom, .n_targets = 1, .text = "spam"};
  cmd.num = what;
  cmd.num2 = seconds;
  cmd.has_num = cmd.has_num2 = true;
  return fix_do(f, &cmd);
}

static enum err rule(struct fixture *f, uint32_t actor, const char *word) {
  return fix_do(f, &(struct room_cmd){.act = ACT_BAN_RULE, .actor = actor, .word = word});
}

/* ---- 1: one by one is no way to let a class in ---- */

static void complaint_01_admit_many_at_once(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_SPEAKER),
           b = join(&f, "B", ROLE_SPEAKER);
  for (int i = 0; i < 298; i++)
    join(&f, "pupil", ROLE_AUDIENCE);
  assert_int_equal(room_count(&f.r, PRESENCE_WAITING), 300);
  assert_int_equal(act_on2(&f, host, ACT_ADMIT, a, b), ERR_OK); /* fix_do: one act is one group of the log */
  assert_int_equal(count_events(&f, ROOM_EV_ADMITTED), 2);
  assert_int_equal(act(&f, host, ACT_ADMIT_ALL), ERR_OK);
  assert_int_equal(count_events(&f, ROOM_EV_ADMITTED), 298);
  for (size_t i = 0; i < f.last.n; i++)
    assert_int_equal(f.last.v[i].group, f.last.v[0].group);
  assert_int_equal(room_count(&f.r, PRESENCE_WAITING), 0);
  assert_int_equal(room_count(&f.r, PRESENCE_HERE), 301);
  fix_close(&f);
}

/* ---- 3 and 4: out means out, and only for whom it was meant ---- */

static void complaint_03_a_ban_outlasts_new_names_and_links(void **state) {
  (void)state;
  struct fixture f;
  uint32_t id;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  invite(&f, host, 1, ROLE_SPEAKER, false);
  uint64_t other = invite(&f, host, 2, ROLE_HOST, true);
  uint32_t troll = entered(&f, (struct guest){.name = "Troll", .device = 7, .invite = 1});
  assert_int_equal(act_on(&f, host, ACT_REMOVE, troll), ERR_OK); /* removed is not banned: both are there */
  assert_int_equal(enter(&f, &(struct guest){.name = "Troll", .device = 7, .invite = 1}, &troll), ERR_OK);
  struct cidr from = {.addr = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 9},
                      .bits = 128};
  struct room_cmd cmd = {.act = ACT_BAN, .actor = host, .targets = &troll, .n_targets = 1};
  cmd.flags = FLAG_ADDRESS;
  cmd.cidrs = &from;
  assert_int_equal(fix_do(&f, &cmd), ERR_OK);
  assert_null(room_member(&f.r, troll));
  assert_int_equal(resume(&f, troll), ERR_NO_RESUME); /* the old secret is worth nothing */
  refused(&f, (struct guest){.name = "Troll", .device = 7, .invite = 1}, ERR_BANNED);
  refused(&f, (struct guest){.name = "An angel", .device = 7, .invite = 2},
          ERR_BANNED); /* nor a host's link */
  refused(&f, (struct guest){.name = "New account", .user = "t@x", .device = 7}, ERR_BANNED);
  refused(&f, (struct guest){.name = "Wiped", .addr = "192.0.2.9", .invite = 1}, ERR_BANNED); /* "a cookie" */
  uint32_t known = entered(&f, (struct guest){.name = "Known", .user = "k@x", .device = 8});
  assert_int_equal(ban(&f, host, known, BAN_JOIN, 0), ERR_OK);
  refused(&f, (struct guest){.name = "Elsewhere", .user = "k@x", .device = 9}, ERR_BANNED);
  char word[32];
  snprintf(word, sizeof word, "invite:%llu", (unsigned long long)other);
  assert_int_equal(rule(&f, host, word), ERR_RANK); /* a link of his own rank is revoked, not banned */
  snprintf(word, sizeof word, "invite:%llu", (unsigned long long)invite(&f, host, 3, ROLE_COHOST, true));
  assert_int_equal(rule(&f, host, word), ERR_OK);
  refused(&f, (struct guest){.name = "Leaked link", .device = 30, .invite = 3}, ERR_BANNED);
  assert_int_equal(enter(&f, &(struct guest){.name = "Innocent", .device = 31, .invite = 1}, &id), ERR_OK);
  fix_close(&f);
}

/* Everything that ends someone's stay but the act of banning. */
static void complaint_04_only_the_act_of_banning_bans(void **state) {
  (void)state;
  struct fixture f;
  uint32_t id;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  struct guest g = {.name = "Gast", .device = 5};
  id = entered(&f, g);
  assert_int_equal(act_on(&f, host, ACT_DENY, id), ERR_OK);
  id = entered(&f, g);
  assert_int_equal(act_on(&f, host, ACT_ADMIT, id), ERR_OK);
  assert_int_equal(act(&f, id, ACT_END), ERR_NOT_ALLOWED); /* trying what one may not is no crime */
  assert_int_equal(act_on(&f, id, ACT_REMOVE, host), ERR_NOT_ALLOWED);
  assert_int_equal(act_role(&f, host, id, ROLE_AUDIENCE), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_HOLD, id), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_ADMIT, id), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_REMOVE, id), ERR_OK);
  id = entered(&f, g);
  drop(&f, id);
  f.now += ROOM_AWAY_MS;
  expire(&f);
  assert_null(room_member(&f.r, id));
  assert_int_equal(act(&f, host, ACT_LOCK), ERR_OK);
  refused(&f, g, ERR_ROOM_LOCKED);
  assert_int_equal(act(&f, host, ACT_UNLOCK), ERR_OK);
  for (uint32_t i = 0; i < ROOM_WAITING_MAX; i++)
    entered(&f, (struct guest){.name = "crowd"});
  refused(&f, g, ERR_LOBBY_FULL);
  assert_int_equal(act_num(&f, host, ACT_LOBBY, 0), ERR_OK);
  assert_int_equal(f.r.n_bans, 0);
  entered(&f, g);
  fix_close(&f);
}

/* "All phone users blocked": nothing known of two people does not make them one. And the owner stays out of
 * reach of his own staff. */
static void complaint_04_a_ban_hits_no_bystander_and_no_owner(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t owner = entered(&f, (struct guest){.name = "Owner", .device = 9, .role = ROLE_OWNER});
  uint32_t host = join(&f, "Host", ROLE_HOST);
  uint32_t p1 = entered(&f, (struct guest){.name = "Phone 1"}),
           p2 = entered(&f, (struct guest){.name = "Phone 2"});
  assert_int_equal(ban(&f, host, p1, BAN_JOIN, 0), ERR_OK);
  assert_non_null(room_member(&f.r, p2));
  entered(&f, (struct guest){.name = "Phone 3"});
  assert_int_equal(ban(&f, host, owner, BAN_JOIN, 0), ERR_RANK);
  assert_int_equal(ban(&f, host, owner, BAN_SPEAK, 0), ERR_RANK);
  uint32_t twin = entered(&f, (struct guest){.name = "Same laptop", .device = 9});
  assert_int_equal(ban(&f, host, twin, BAN_JOIN, 0), ERR_OK);
  assert_non_null(room_member(&f.r, owner));
  assert_int_equal(rule(&f, host, "cidr:198.51.100.0/24"), ERR_OK);
  assert_int_equal(act(&f, owner, ACT_LEAVE), ERR_OK);
  struct guest back = {.name = "Owner", .device = 9, .addr = "198.51.100.4", .role = ROLE_OWNER};
  owner = entered(&f, back);
  assert_true(room_may_send(&f.r, owner));
  fix_close(&f);
}

static void complaint_05_bans_are_seen_edited_and_end(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), also[4];
  uint32_t bob = entered(&f, (struct guest){.name = "Bob", .device = 1}),
           eve = entered(&f, (struct guest){.name = "Eve", .device = 1});
  assert_int_equal(act_on(&f, host, ACT_BAN_CHECK, bob), ERR_OK); /* a rehearsal changes nothing */
  assert_int_equal(f.r.n_bans, 0);
  assert_int_equal(room_ban_also(&f.r, &bob, 1, also, 4), 1);
  assert_int_equal(also[0], eve);
  assert_int_equal(ban(&f, host, bob, BAN_JOIN, 60), ERR_OK);
  const struct ban *b = &f.r.bans[0];
  assert_string_equal(b->name, "Bob");
  assert_string_equal(b->reason, "spam");
  assert_int_equal(b->by, host);
  assert_int_equal(b->until_ms, f.now + 60000);
  struct room_cmd edit = {.act = ACT_BAN_EDIT, .actor = host, .num = (int64_t)b->id, .has_num = true};
  edit.num2 = 3600;
  edit.has_num2 = true;
  edit.text = "an hour is enough";
  assert_int_equal(fix_do(&f, &edit), ERR_OK);
  assert_string_equal(f.r.bans[0].reason, "an hour is enough");
  f.now += 3599999;
  expire(&f);
  refused(&f, (struct guest){.name = "Bob", .device = 1}, ERR_BANNED);
  f.now += 1;
  expire(&f);
  bob = entered(&f, (struct guest){.name = "Bob", .device = 1});
  assert_int_equal(ban(&f, host, bob, BAN_JOIN, 0), ERR_OK);
  assert_int_equal(act_num(&f, host, ACT_UNBAN, (int64_t)f.r.bans[0].id), ERR_OK);
  entered(&f, (struct guest){.name = "Bob", .device = 1});
  fix_close(&f);
}

static void complaint_05_one_ipv6_home_is_one_home(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  assert_int_equal(rule(&f, host, "cidr:2001:db8:77:1::abcd"), ERR_OK); /* no bits: the whole home, /64 */
  refused(&f, (struct guest){.name = "x", .addr = "2001:db8:77:1:ffff:1:2:3"}, ERR_BANNED);
  entered(&f, (struct guest){.name = "neighbour", .addr = "2001:db8:77:2::abcd"});
  assert_int_equal(rule(&f, host, "cidr:2001:db8:88:1::5/128"), ERR_OK); /* or one machine in it */
  refused(&f, (struct guest){.name = "x", .addr = "2001:db8:88:1::5"}, ERR_BANNED);
  entered(&f, (struct guest){.name = "flatmate", .addr = "2001:db8:88:1::6"});
  assert_int_equal(rule(&f, host, "cidr:203.0.113.9"), ERR_OK);
  refused(&f, (struct guest){.name = "x", .addr = "203.0.113.9"}, ERR_BANNED);
  entered(&f, (struct guest){.name = "next door", .addr = "203.0.113.8"});
  fix_close(&f);
}

/* ---- 6 and 7: the connection is not the person ---- */

static void cut(struct fixture *f, uint32_t id) {
  assert_int_equal(drop(f, id), ERR_OK);
  f->now += ROOM_AWAY_MS - 1;
  expire(f);
  assert_int_equal(resume(f, id), ERR_OK);
}

static void complaint_06_reconnecting_keeps_the_role(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_LOBBY);
  uint32_t host = join(&f, "Host", ROLE_HOST), g = join(&f, "Guest", ROLE_SPEAKER);
  uint32_t h = join(&f, "Held", ROLE_SPEAKER), last = join(&f, "Last", ROLE_SPEAKER);
  assert_int_equal(act_on2(&f, host, ACT_ADMIT, g, h), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_HOLD, h), ERR_OK);
  assert_int_equal(act(&f, g, ACT_HAND), ERR_OK);
  assert_int_equal(act(&f, host, ACT_HAND), ERR_OK);
  assert_int_equal(act_role(&f, host, g, ROLE_COHOST), ERR_OK);
  size_t place = room_lobby_place(&f.r, h);
  cut(&f, host); /* alone with his own lobby: he is not locked out of it */
  assert_int_equal(who(&f, host)->presence, PRESENCE_HERE);
  assert_int_equal(who(&f, host)->role, ROLE_HOST);
  cut(&f, g);
  assert_int_equal(who(&f, g)->presence, PRESENCE_HERE);
  assert_int_equal(who(&f, g)->role, ROLE_COHOST);
  assert_int_equal(room_hand_place(&f.r, g), 1);
  assert_int_equal(room_hand_place(&f.r, host), 2);
  cut(&f, h); /* who was put back waits on, in his place */
  assert_int_equal(who(&f, h)->presence, PRESENCE_WAITING);
  assert_int_equal(room_lobby_place(&f.r, h), place);
  assert_int_equal(resume(&f, last), ERR_OK);
  assert_int_equal(who(&f, last)->presence, PRESENCE_WAITING);
  fix_close(&f);
}

static void complaint_07_restrictions_outlast_the_connection(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t owner = join(&f, "Owner", ROLE_OWNER), host = join(&f, "Host", ROLE_HOST);
  uint32_t low = join(&f, "Low", ROLE_HOST), out = join(&f, "Floorless", ROLE_SPEAKER),
           muted = join(&f, "Muted", ROLE_SPEAKER);
  uint32_t shut = entered(&f, (struct guest){.name = "Silenced", .device = 4});
  assert_int_equal(act_role(&f, owner, low, ROLE_AUDIENCE), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_FLOOR_TAKE, out), ERR_OK);
  assert_int_equal(ban(&f, host, shut, BAN_SPEAK, 0), ERR_OK);
  assert_int_equal(act_flags(&f, host, ACT_MUTE_ALL, FLAG_HOLD), ERR_OK);
  for (int again = 0; again < 2; again++) {
    cut(&f, low);
    cut(&f, out);
    cut(&f, muted);
    cut(&f, shut);
    assert_int_equal(who(&f, low)->role, ROLE_AUDIENCE);
    assert_int_equal(act(&f, out, ACT_UNMUTE), ERR_NO_FLOOR);
    assert_int_equal(act(&f, muted, ACT_UNMUTE), ERR_MUTED_ALL);
    assert_int_equal(act(&f, shut, ACT_UNMUTE), ERR_SILENCED);
    uint32_t all[4] = {low, out, muted, shut};
    for (int i = 0; i < 4; i++)
      assert_false(room_may_send(&f.r, all[i]));
  }
  assert_int_equal(act(&f, shut, ACT_LEAVE), ERR_OK); /* and the ban also a new beginning under a new name */
  shut = entered(&f, (struct guest){.name = "Somebody new", .device = 4});
  assert_int_equal(act(&f, shut, ACT_HAND), ERR_SILENCED);
  assert_int_equal(act_on(&f, host, ACT_FLOOR_GIVE, shut), ERR_SILENCED);
  assert_false(room_may_send(&f.r, shut));
  fix_close(&f);
}

/* A client that was killed has lost its ticket: the same device with the same invite, while the seat it left
 * is still kept, comes in as it was put. */
static void complaint_07_a_killed_client_is_no_clean_slate(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  invite(&f, host, 1, ROLE_SPEAKER, false);
  struct guest g = {.name = "Gast", .device = 3, .invite = 1};
  uint32_t old = entered(&f, g);
  assert_int_equal(act_role(&f, host, old, ROLE_AUDIENCE), ERR_OK);
  drop(&f, old);
  uint32_t id = entered(&f, g);
  assert_int_equal(who(&f, id)->role, ROLE_AUDIENCE);
  assert_false(room_may_send(&f.r, id));
  g = (struct guest){.name = "Other", .device = 4, .invite = 1};
  old = entered(&f, g);
  assert_int_equal(act_on(&f, host, ACT_FLOOR_TAKE, old), ERR_OK);
  drop(&f, old);
  id = entered(&f, g);
  assert_int_equal(who(&f, id)->role, ROLE_SPEAKER);
  assert_false(room_may_send(&f.r, id));
  assert_int_equal(act_on(&f, host, ACT_FLOOR_GIVE, id), ERR_OK); /* a host can set it right */
  id = entered(&f, (struct guest){.name = "Stranger", .device = 5, .invite = 1});
  assert_true(room_may_send(&f.r, id));
  fix_close(&f);
}

/* Nor does leaving politely and coming back by the same link. */
static void complaint_07_leaving_gives_nothing_back(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  invite(&f, host, 1, ROLE_COHOST, false);
  invite(&f, host, 2, ROLE_SPEAKER, true);
  struct guest low = {.name = "Low", .device = 3, .invite = 1},
               mute = {.name = "Mute", .device = 4, .invite = 2},
               back = {.name = "Back", .device = 5, .invite = 2};
  uint32_t a = entered(&f, low), b = entered(&f, mute), c = entered(&f, back);
  assert_int_equal(act_role(&f, host, a, ROLE_AUDIENCE), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_FLOOR_TAKE, b), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_HOLD, c), ERR_OK);
  for (int again = 0; again < 3; again++) {
    assert_int_equal(act(&f, a, ACT_LEAVE), ERR_OK);
    assert_int_equal(act(&f, b, ACT_LEAVE), ERR_OK);
    assert_int_equal(act(&f, c, ACT_LEAVE), ERR_OK);
    low.name = again ? "Quite new" : "New";
    a = entered(&f, low);
    b = entered(&f, mute);
    c = entered(&f, back);
    assert_int_equal(who(&f, a)->role, ROLE_AUDIENCE);
    assert_int_equal(who(&f, b)->role, ROLE_SPEAKER);
    assert_false(room_may_send(&f.r, b));
    assert_int_equal(who(&f, c)->presence, PRESENCE_WAITING); /* although his link leads past the lobby */
  }
  assert_int_equal(act_on(&f, host, ACT_ADMIT, c), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_FLOOR_GIVE, b), ERR_OK);
  assert_int_equal(act(&f, b, ACT_LEAVE), ERR_OK);
  assert_int_equal(act(&f, c, ACT_LEAVE), ERR_OK);
  assert_true(room_may_send(&f.r, entered(&f, mute))); /* what a host gave back stays as well */
  assert_true(room_may_send(&f.r, entered(&f, back)));
  assert_true(room_may_send(&f.r, entered(&f, (struct guest){.name = "Else", .device = 9, .invite = 2})));
  fix_close(&f);
}

/* ---- 8: only downwards ---- */

static void complaint_08_no_rank_acts_on_its_equal_or_better(void **state) {
  (void)state;
  static const enum role ROLES[] = {ROLE_COHOST, ROLE_HOST, ROLE_OWNER};
  static const enum act ACTS_ON[] = {ACT_REMOVE, ACT_BAN,        ACT_HOLD, ACT_MUTE,       ACT_FLOOR_TAKE,
                                     ACT_RENAME, ACT_HAND_LOWER, ACT_MOVE, ACT_CHAT_PURGE, ACT_ROLE};
  for (size_t a = 0; a < 3; a++)
    for (size_t t = 0; t < 3; t++)
      for (size_t k = 0; k < sizeof ACTS_ON / sizeof ACTS_ON[0]; k++) {
        struct fixture f;
        fix_open(&f, false, HOST_GONE_CONTINUE);
        uint32_t actor = join(&f, "Actor", ROLES[a]), target = join(&f, "Target", ROLES[t]);
        struct room_cmd cmd = {.act = ACTS_ON[k], .actor = actor, .targets = &target, .n_targets = 1};
        cmd.num = ACTS_ON[k] == ACT_ROLE ? ROLE_AUDIENCE : 0;
        cmd.text = "name";
        enum err e = fix_do(&f, &cmd);
        assert_true(a > t ? e != ERR_RANK : e == ERR_RANK);
        assert_int_equal(who(&f, actor)->role, ROLES[a]);
        fix_close(&f);
      }
}

static void complaint_08_moderators_can_be_demoted(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), co = join(&f, "Co", ROLE_COHOST),
           g = join(&f, "G", ROLE_SPEAKER);
  assert_int_equal(act_role(&f, co, g, ROLE_HOST), ERR_RANK); /* nobody gives more than he has */
  assert_int_equal(act_role(&f, co, host, ROLE_AUDIENCE), ERR_RANK);
  assert_int_equal(act_role(&f, host, co, ROLE_SPEAKER), ERR_OK);
  assert_int_equal(act(&f, co, ACT_MUTE_ALL), ERR_NOT_ALLOWED);
  fix_close(&f);
}

/* ---- 9: the host's train enters a tunnel ---- */

static void complaint_09_a_room_without_host_does_as_told(void **state) {
  (void)state;
  static const enum host_policy HOW[] = {HOST_GONE_CONTINUE, HOST_GONE_LOBBY, HOST_GONE_END};
  for (size_t i = 0; i < 3; i++) {
    struct fixture f;
    fix_open(&f, false, HOW[i]);
    uint32_t host = join(&f, "Host", ROLE_HOST), g = join(&f, "Guest", ROLE_SPEAKER);
    drop(&f, host);
    f.now += ROOM_AWAY_MS - 1; /* a tunnel is no departure */
    expire(&f);
    assert_int_equal(who(&f, join(&f, "Meanwhile", ROLE_SPEAKER))->presence, PRESENCE_HERE);
    f.now += 1;
    expire(&f);
    enum presence want = HOW[i] == HOST_GONE_LOBBY ? PRESENCE_WAITING : PRESENCE_HERE;
    assert_int_equal(who(&f, join(&f, "Late", ROLE_SPEAKER))->presence, want);
    f.now += ROOM_GONE_MS;
    expire(&f);
    assert_int_equal(f.r.ended, HOW[i] == HOST_GONE_END);
    assert_int_equal(room_may_send(&f.r, g), HOW[i] != HOST_GONE_END);
    fix_close(&f);
  }
}

static void complaint_09_hosts_have_heirs(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_END);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_SPEAKER),
           b = join(&f, "B", ROLE_AUDIENCE);
  struct secret code = {.salt = {1}, .hash = {2}}, wrong = {.salt = {1}, .hash = {3}};
  assert_int_equal(act_on2(&f, host, ACT_SUCCESSION, b, a), ERR_OK);
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_CLAIM_CODE, .actor = host, .secret = &code}),
                   ERR_OK);
  assert_int_equal(act(&f, host, ACT_LEAVE), ERR_OK);
  expire(&f);
  assert_int_equal(who(&f, b)->role, ROLE_HOST); /* the first named, not the first who came */
  assert_int_equal(who(&f, a)->role, ROLE_SPEAKER);
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_CLAIM, .actor = a, .secret = &wrong}),
                   ERR_BAD_CODE);
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_CLAIM, .actor = a, .secret = &code}), ERR_OK);
  assert_int_equal(who(&f, a)->role, ROLE_HOST);
  f.now += 2 * ROOM_GONE_MS;
  expire(&f);
  assert_false(f.r.ended);
  fix_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(complaint_01_admit_many_at_once),
      cmocka_unit_test(complaint_03_a_ban_outlasts_new_names_and_links),
      cmocka_unit_test(complaint_04_only_the_act_of_banning_bans),
      cmocka_unit_test(complaint_04_a_ban_hits_no_bystander_and_no_owner),
      cmocka_unit_test(complaint_05_bans_are_seen_edited_and_end),
      cmocka_unit_test(complaint_05_one_ipv6_home_is_one_home),
      cmocka_unit_test(complaint_06_reconnecting_keeps_the_role),
      cmocka_unit_test(complaint_07_restrictions_outlast_the_connection),
      cmocka_unit_test(complaint_07_a_killed_client_is_no_clean_slate),
      cmocka_unit_test(complaint_07_leaving_gives_nothing_back),
      cmocka_unit_test(complaint_08_no_rank_acts_on_its_equal_or_better),
      cmocka_unit_test(complaint_08_moderators_can_be_demoted),
      cmocka_unit_test(complaint_09_a_room_without_host_does_as_told),
      cmocka_unit_test(complaint_09_hosts_have_heirs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
