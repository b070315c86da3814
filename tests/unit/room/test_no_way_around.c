/* What someone tries who wants more than he may: to lock out his betters, to lift what holds him, to learn
 * who waits or which host it was, to vote twice, to keep what he wrote by leaving. */
#include "core/base/rng.h"
#include "room_fixture.h"

#include <stdlib.h>

struct guest {
  const char *name, *user;
  uint8_t device, addr; /* the last byte of 192.0.2.x; 0: unknown */
  const uint8_t *hash;  /* of his link */
  enum role role;
};

static enum err enter(struct fixture *f, struct guest g, uint32_t *id) {
  uint8_t addr[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = g.addr};
  struct room_join j = {.name = g.name, .user = g.user, .role = g.role, .audio = true};
  j.device[0] = g.device;
  j.invite_hash = g.hash;
  j.addr = g.addr ? addr : NULL;
  j.resume[0] = 0x55; /* as join() does: then resume() finds him */
  j.resume[1] = (uint8_t)(f->r.id_last + 1);
  return fix_enter(f, &j, id);
}

static uint32_t entered(struct fixture *f, struct guest g) {
  uint32_t id;
  assert_int_equal(enter(f, g, &id), ERR_OK);
  return id;
}

static enum err rule(struct fixture *f, uint32_t actor, const char *word, int64_t what) {
  return fix_do(
      f, &(struct room_cmd){.act = ACT_BAN_RULE, .actor = actor, .word = word, .num = what, .has_num = true});
}

static const struct invite *invite(struct fixture *f, uint32_t actor, enum role role) {
  struct invite inv = {.role = role, .bypass = true, .hash = {(uint8_t)(f->r.n_invites + 1), (uint8_t)role}};
  assert_int_equal(fix_do(f, &(struct room_cmd){.act = ACT_INVITE, .actor = actor, .invite = &inv}), ERR_OK);
  return &f->r.invites[f->r.n_invites - 1];
}

static enum err ban_by_address(struct fixture *f, uint32_t actor, uint32_t whom, uint8_t last) {
  struct cidr from = {.addr = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = last},
                      .bits = 128};
  return fix_do(f, &(struct room_cmd){.act = ACT_BAN,
                                      .actor = actor,
                                      .targets = &whom,
                                      .n_targets = 1,
                                      .flags = FLAG_ADDRESS,
                                      .cidrs = &from});
}

/* ---- bans ---- */

static void a_cohost_cannot_lock_out_a_host(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t owner = join(&f, "Owner", ROLE_OWNER), co = join(&f, "Co", ROLE_COHOST), id;
  const struct invite host_link = *invite(&f, owner, ROLE_HOST), co_link = *invite(&f, owner, ROLE_COHOST),
                      low_link = *invite(&f, owner, ROLE_SPEAKER);
  char word[40];
  (void)snprintf(word, sizeof word, "invite:%d", (int)host_link.id);
  assert_int_equal(rule(&f, co, word, BAN_JOIN), ERR_RANK);
  (void)snprintf(word, sizeof word, "invite:%d", (int)co_link.id);
  assert_int_equal(rule(&f, co, word, BAN_JOIN), ERR_RANK);
  (void)snprintf(word, sizeof word, "invite:%d", (int)low_link.id);
  assert_int_equal(rule(&f, co, word, BAN_JOIN), ERR_OK);
  assert_int_equal(rule(&f, co, "user:hanna@x", BAN_JOIN), ERR_OK);
  assert_int_equal(rule(&f, co, "cidr:192.0.2.0/24", BAN_JOIN), ERR_OK);
  uint32_t low = entered(&f, (struct guest){.name = "Low", .device = 3, .role = ROLE_SPEAKER});
  assert_int_equal(ban_by_address(&f, co, low, 9), ERR_OK);
  struct guest hanna = {.name = "Hanna", .user = "hanna@x", .addr = 9, .hash = host_link.hash};
  struct guest equal = {.name = "Equal", .user = "hanna@x", .addr = 9, .hash = co_link.hash};
  struct guest plain = {.name = "Plain", .addr = 9, .role = ROLE_SPEAKER};
  assert_int_equal(enter(&f, hanna, &id), ERR_OK);
  assert_int_equal(act(&f, id, ACT_LEAVE), ERR_OK);
  assert_int_equal(enter(&f, equal, &id), ERR_OK); /* nor, by a rule, his equal */
  assert_int_equal(enter(&f, plain, &id), ERR_BANNED);
  assert_int_equal(enter(&f, (struct guest){.name = "L", .hash = low_link.hash}, &id), ERR_BANNED);
  equal.device = 3; /* whom he banned comes with another link */
  equal.user = "";
  assert_int_equal(enter(&f, equal, &id), ERR_BANNED);
  assert_int_equal(rule(&f, 0, "user:hanna@x", BAN_JOIN), ERR_OK); /* the operator is above all */
  assert_int_equal(enter(&f, hanna, &id), ERR_BANNED);
  fix_close(&f);
}

/* Who was made less before he was banned comes with what he had, not with what his old link says. */
static void a_lowered_host_brings_no_rank_back(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t owner = join(&f, "Owner", ROLE_OWNER), co = join(&f, "Co", ROLE_COHOST), id;
  const struct invite link = *invite(&f, owner, ROLE_HOST);
  struct guest bad = {.name = "Bad", .device = 5, .addr = 7, .hash = link.hash};
  id = entered(&f, bad);
  assert_int_equal(act_role(&f, owner, id, ROLE_AUDIENCE), ERR_OK);
  assert_int_equal(act_on(&f, co, ACT_BAN, id), ERR_OK);
  assert_int_equal(enter(&f, bad, &id), ERR_BANNED);
  fix_close(&f);
}

static void nobody_lifts_what_holds_himself_or_a_better_made(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), co = join(&f, "Co", ROLE_COHOST);
  uint32_t a = entered(&f, (struct guest){.name = "A", .device = 1, .role = ROLE_SPEAKER});
  uint32_t b = entered(&f, (struct guest){.name = "B", .device = 2, .role = ROLE_SPEAKER});
  struct room_cmd speak = {.act = ACT_BAN, .targets = &a, .n_targets = 1, .num = BAN_SPEAK, .has_num = true};
  speak.actor = co;
  assert_int_equal(fix_do(&f, &speak), ERR_OK);
  int64_t own = (int64_t)f.r.bans[0].id;
  speak.actor = host;
  speak.targets = &b;
  assert_int_equal(fix_do(&f, &speak), ERR_OK);
  int64_t of_host = (int64_t)f.r.bans[1].id;
  assert_int_equal(act_role(&f, host, a, ROLE_COHOST), ERR_OK); /* silenced still */
  assert_int_equal(act_num(&f, a, ACT_UNBAN, own), ERR_NOT_ALLOWED);
  struct room_cmd edit = {.act = ACT_BAN_EDIT, .actor = a, .num = own, .num2 = 1, .has_num2 = true};
  assert_int_equal(fix_do(&f, &edit), ERR_NOT_ALLOWED);
  edit = (struct room_cmd){.act = ACT_BAN_EDIT, .actor = co, .num = of_host, .num2 = 1, .has_num2 = true};
  assert_int_equal(fix_do(&f, &edit), ERR_RANK);
  assert_int_equal(act_num(&f, co, ACT_UNBAN, of_host), ERR_RANK);
  assert_int_equal(act_num(&f, co, ACT_UNBAN, own), ERR_OK);
  assert_int_equal(act_num(&f, 0, ACT_UNBAN, of_host), ERR_OK);
  fix_close(&f);
}

/* Found by looking at each pair, as it was once done. */
static bool also_slowly(const struct room *r, const struct member *m, const uint32_t *ids, size_t n) {
  bool hit = false;
  for (size_t i = 0; i < n; i++) {
    const struct member *t = room_member(r, ids[i]);
    if (ids[i] == m->id)
      return false;
    if (!t)
      continue;
    bool users = t->user[0] && m->user[0];
    hit = hit || (users ? strcmp(t->user, m->user) == 0 : m->device[0] && m->device[0] == t->device[0]);
  }
  return hit && m->role != ROLE_OWNER;
}

static void whom_a_ban_hits_also_is_found_in_order(void **state) {
  (void)state;
  struct rng rng;
  rng_seed(&rng, 10);
  static const char *const USERS[] = {"", "", "a@x", "b@x", "c@x"};
  for (int life = 0; life < 200; life++) {
    struct fixture f;
    fix_open(&f, false, HOST_GONE_CONTINUE);
    for (int i = 0; i < 30; i++)
      entered(&f, (struct guest){.name = "P",
                                 .user = USERS[rng_below(&rng, 5)],
                                 .device = (uint8_t)rng_below(&rng, 12),
                                 .role = rng_below(&rng, 9) ? ROLE_SPEAKER : ROLE_OWNER});
    uint32_t ids[8], out[30];
    size_t n = rng_below(&rng, 9), k = 0;
    for (size_t i = 0; i < n; i++)
      ids[i] = (uint32_t)(1 + rng_below(&rng, 33));
    size_t found = room_ban_also(&f.r, ids, n, out, 30);
    for (size_t i = 0; i < f.r.n_members; i++)
      if (also_slowly(&f.r, &f.r.members[i], ids, n)) {
        assert_true(k < found);
        assert_int_equal(out[k++], f.r.members[i].id);
      }
    assert_int_equal(k, found);
    fix_close(&f);
  }
}

/* ---- who speaks ---- */

static void nobody_turns_a_host_down(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), co = join(&f, "Co", ROLE_COHOST),
           other = join(&f, "Other", ROLE_COHOST), a = join(&f, "A", ROLE_SPEAKER);
  assert_int_equal(act_on_num(&f, co, ACT_GAIN, host, -20), ERR_RANK);
  assert_int_equal(act_on_num(&f, co, ACT_GAIN, other, -20), ERR_RANK);
  assert_int_equal(act_on_num(&f, co, ACT_GAIN, a, -20), ERR_OK);
  assert_int_equal(act_on_num(&f, co, ACT_GAIN, co, 3), ERR_OK);
  assert_int_equal(act_on_num(&f, host, ACT_GAIN, co, -3), ERR_OK);
  assert_int_equal(act_on(&f, co, ACT_PRIORITY, host), ERR_OK);
  fix_close(&f);
}

static void as_many_speak_as_may_and_no_more(void **state) {
  (void)state;
  struct fixture f;
  uint32_t ids[60];
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  for (int i = 0; i < 60; i++)
    ids[i] = join(&f, "P", i % 6 == 5 ? ROLE_COHOST : ROLE_AUDIENCE);
  assert_int_equal(act_num(&f, host, ACT_MAX_SPEAKERS, 49), ERR_OK);
  struct room_cmd cmd = {.act = ACT_FLOOR_GIVE, .actor = host, .targets = ids, .n_targets = 60};
  assert_int_equal(fix_do(&f, &cmd), ERR_SPEAKERS_FULL);
  assert_int_equal(act_num(&f, host, ACT_MAX_SPEAKERS, 50), ERR_OK);
  assert_int_equal(fix_do(&f, &cmd), ERR_OK);
  assert_int_equal(act_role(&f, host, ids[5], ROLE_SPEAKER), ERR_OK); /* he counts from then on: no place */
  assert_false(who(&f, ids[5])->floor);
  fix_close(&f);
}

/* ---- who waits, and where ---- */

static void a_name_says_nothing_of_who_waits(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_SPEAKER),
           w = join(&f, "Wanda", ROLE_SPEAKER);
  assert_int_equal(act_on(&f, host, ACT_ADMIT, a), ERR_OK);
  assert_int_equal(act_text(&f, a, ACT_NAME, "wanda"), ERR_OK);
  assert_string_equal(who(&f, a)->name, "wanda");
  assert_int_equal(f.last.n, 1);
  assert_string_equal(who(&f, w)->name, "Wanda");
  assert_int_equal(act_on(&f, host, ACT_ADMIT, w), ERR_OK); /* now it is needed */
  assert_string_equal(who(&f, w)->name, "Wanda (2)");
  uint32_t x = join(&f, "Xenia", ROLE_SPEAKER);
  const struct invite direct = *invite(&f, host, ROLE_SPEAKER);
  uint32_t y = entered(&f, (struct guest){.name = "Xenia", .hash = direct.hash});
  assert_string_equal(who(&f, y)->name, "Xenia");
  assert_int_equal(act_on(&f, host, ACT_HOLD, y), ERR_OK); /* two there: hosts must tell them apart */
  assert_string_equal(who(&f, y)->name, "Xenia (2)");
  for (size_t i = 0; i < f.last.n; i++)
    assert_true(f.last.v[i].kind == ROOM_EV_HELD || !room_event_visible(&f.r, &f.last.v[i], a));
  assert_int_equal(act(&f, host, ACT_ADMIT_ALL), ERR_OK);
  assert_true(strcmp(who(&f, x)->name, who(&f, y)->name) != 0);
  fix_close(&f);
}

static void who_is_put_back_stands_behind_who_came_before(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_SPEAKER);
  assert_int_equal(act_on(&f, host, ACT_ADMIT, a), ERR_OK);
  f.now += 1000;
  uint32_t b = join(&f, "B", ROLE_SPEAKER), c = join(&f, "C", ROLE_SPEAKER); /* at the same time: by id */
  f.now += 1000;
  assert_int_equal(act_on(&f, host, ACT_HOLD, a), ERR_OK);
  assert_int_equal(room_lobby_place(&f.r, b), 1);
  assert_int_equal(room_lobby_place(&f.r, c), 2);
  assert_int_equal(room_lobby_place(&f.r, a), 3);
  fix_close(&f);
}

/* ---- who it was ---- */

static void hidden_hosts_stay_hidden(void **state) {
  (void)state;
  struct fixture f;
  struct room_event seen;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_SPEAKER),
           b = join(&f, "B", ROLE_SPEAKER);
  assert_int_equal(act(&f, host, ACT_ADMIT_ALL), ERR_OK);
  assert_int_equal(act_num(&f, host, ACT_NAME_HOSTS, 0), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_MUTE, a), ERR_OK);
  assert_int_equal(drop(&f, a), ERR_OK);
  assert_int_equal(resume(&f, a), ERR_OK);
  assert_int_equal(f.last.v[0].entry->muted_by, host);
  for (int k = 0; k < 2; k++) {
    assert_true(room_event_as_seen(&f.r, &f.last.v[0], k ? a : b, &seen));
    assert_int_equal(seen.entry->muted_by, ROOM_SOME_HOST);
    assert_int_equal(seen.actor, a);
    room_event_free(&seen);
  }
  assert_false(room_event_as_seen(&f.r, &f.last.v[0], host, &seen));
  assert_int_equal(act(&f, b, ACT_MUTE), ERR_OK);
  assert_int_equal(drop(&f, b), ERR_OK);
  assert_int_equal(resume(&f, b), ERR_OK); /* by himself: that is no secret */
  assert_false(room_event_as_seen(&f.r, &f.last.v[0], a, &seen));
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_POLL, .actor = host, .text = "q|a|b"}), ERR_OK);
  assert_int_equal(act(&f, host, ACT_POLL_END), ERR_OK);
  for (size_t i = 0; i < f.last.n; i++) {
    bool other = room_event_as_seen(&f.r, &f.last.v[i], a, &seen);
    assert_int_not_equal(other ? seen.actor : f.last.v[i].actor, host);
    if (other)
      room_event_free(&seen);
  }
  assert_int_equal(f.r.chat[f.r.n_chat - 1].from, 0); /* as a snapshot has it */
  assert_string_equal(f.r.chat[f.r.n_chat - 1].name, "operator");
  fix_close(&f);
}

/* ---- what is said and voted ---- */

static void a_closed_side_room_takes_its_words_along(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_SPEAKER),
           b = join(&f, "B", ROLE_SPEAKER);
  assert_int_equal(act_num(&f, host, ACT_BREAKOUTS, 3), ERR_OK);
  assert_int_equal(act_on_num(&f, host, ACT_MOVE, a, 3), ERR_OK);
  assert_int_equal(act_on_num(&f, host, ACT_MOVE, b, 1), ERR_OK);
  assert_int_equal(act_text(&f, a, ACT_CHAT, "our secret"), ERR_OK);
  assert_int_equal(act_text(&f, b, ACT_CHAT, "of one"), ERR_OK);
  assert_int_equal(act_text(&f, host, ACT_CHAT, "to all"), ERR_OK);
  assert_int_equal(act_num(&f, host, ACT_BREAKOUTS, 2), ERR_OK);
  assert_int_equal(f.r.n_chat, 2);
  assert_string_equal(f.r.chat[0].text, "of one");
  assert_int_equal(act_num(&f, host, ACT_BREAKOUTS, 0), ERR_OK);
  assert_int_equal(f.r.n_chat, 1);
  assert_string_equal(f.r.chat[0].text, "to all");
  fix_close(&f);
}

static void leaving_saves_no_message(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), co = join(&f, "Co", ROLE_COHOST),
           gone = join(&f, "Gone", ROLE_SPEAKER), left = join(&f, "Left", ROLE_HOST),
           held = join(&f, "Held", ROLE_SPEAKER), silent = join(&f, "Silent", ROLE_SPEAKER);
  uint32_t writers[3] = {gone, left, held};
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(act_text(&f, writers[i], ACT_CHAT, "spam"), ERR_OK);
  assert_int_equal(act_num(&f, host, ACT_PIN, (int64_t)f.r.chat[0].id), ERR_OK);
  assert_int_equal(act_on(&f, co, ACT_REMOVE, gone), ERR_OK);
  assert_int_equal(act(&f, left, ACT_LEAVE), ERR_OK);
  assert_int_equal(act(&f, silent, ACT_LEAVE), ERR_OK);
  assert_int_equal(act_on(&f, co, ACT_HOLD, held), ERR_OK);
  assert_int_equal(act_on(&f, co, ACT_CHAT_PURGE, silent), ERR_NO_MEMBER);
  assert_int_equal(act_on(&f, co, ACT_CHAT_PURGE, left), ERR_RANK); /* a host wrote it */
  assert_int_equal(act_on(&f, host, ACT_CHAT_PURGE, left), ERR_RANK);
  assert_int_equal(act_on(&f, 0, ACT_CHAT_PURGE, left), ERR_OK);
  assert_int_equal(act_on(&f, co, ACT_CHAT_PURGE, held), ERR_OK);
  assert_int_equal(act_on(&f, co, ACT_CHAT_PURGE, gone), ERR_OK);
  assert_int_equal(f.r.pin, 0);
  for (size_t i = 0; i < 3; i++)
    assert_true(f.r.chat[i].deleted);
  assert_int_equal(act(&f, co, ACT_UNDO), ERR_NOTHING); /* a purge is for good */
  fix_close(&f);
}

static void one_person_one_vote(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  struct guest g = {.name = "G", .device = 7, .role = ROLE_SPEAKER};
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_POLL, .actor = host, .text = "q|a|b"}), ERR_OK);
  for (int i = 0; i < 5; i++) { /* comes, votes, goes, comes again */
    uint32_t id = entered(&f, g);
    assert_int_equal(act_num(&f, id, ACT_VOTE, 1), ERR_OK);
    assert_int_equal(f.r.poll.count[0], 1);
    assert_int_equal(i % 2 ? act(&f, id, ACT_LEAVE) : act_on(&f, host, ACT_REMOVE, id), ERR_OK);
    assert_int_equal(f.r.poll.count[0], 0);
  }
  uint32_t one = entered(&f, g), two = entered(&f, g);
  assert_int_equal(act_num(&f, one, ACT_VOTE, 1), ERR_OK);
  assert_int_equal(act_num(&f, two, ACT_VOTE, 2), ERR_NO_CHANGE); /* from another window */
  assert_int_equal(act_num(&f, one, ACT_VOTE, 2), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_HOLD, one), ERR_OK);
  assert_int_equal(f.r.poll.n_votes, 0);
  assert_int_equal(act_num(&f, two, ACT_VOTE, 2), ERR_OK);
  assert_int_equal(act(&f, host, ACT_POLL_END), ERR_OK);
  assert_int_equal(act(&f, two, ACT_LEAVE), ERR_OK); /* what was counted stays */
  assert_int_equal(f.r.poll.count[1], 1);
  fix_close(&f);
}

/* ---- undo ---- */

static void no_time_that_has_passed_comes_back(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST);
  assert_int_equal(act_num(&f, host, ACT_BREAKOUTS, 2), ERR_OK);
  static const struct {
    enum act act;
    enum room_ev kind;
  } TIMES[] = {{ACT_END, ROOM_EV_ENDING}, {ACT_RECALL, ROOM_EV_RECALL}};
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(act_num2(&f, host, TIMES[i].act, 5), ERR_OK);
    assert_int_equal(act_num2(&f, host, TIMES[i].act, 600), ERR_OK);
    f.now += 6000;
    assert_int_equal(act(&f, host, ACT_UNDO), ERR_OK); /* and not: at once */
    assert_int_equal(room_setting(&f.r, TIMES[i].kind), 0);
    expire(&f);
    assert_int_equal(f.last.n, 0);
    int64_t at = f.now + 60000;
    assert_int_equal(act_num2(&f, host, TIMES[i].act, 60), ERR_OK);
    assert_int_equal(act_num2(&f, host, TIMES[i].act, 600), ERR_OK);
    assert_int_equal(act(&f, host, ACT_UNDO), ERR_OK);
    assert_int_equal(room_setting(&f.r, TIMES[i].kind), at);
  }
  fix_close(&f);
}

#define T(test) cmocka_unit_test(test)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(a_cohost_cannot_lock_out_a_host),
      T(a_lowered_host_brings_no_rank_back),
      T(nobody_lifts_what_holds_himself_or_a_better_made),
      T(whom_a_ban_hits_also_is_found_in_order),
      T(nobody_turns_a_host_down),
      T(as_many_speak_as_may_and_no_more),
      T(a_name_says_nothing_of_who_waits),
      T(who_is_put_back_stands_behind_who_came_before),
      T(hidden_hosts_stay_hidden),
      T(a_closed_side_room_takes_its_words_along),
      T(leaving_saves_no_message),
      T(one_person_one_vote),
      T(no_time_that_has_passed_comes_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
