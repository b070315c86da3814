/* What hosts of other systems complain of, as far as the room alone decides it: voices, hands, chat, names,
 * the lobby. */
#include "core/base/rng.h"
#include "room_fixture.h"

/* ---- 10 to 12: mute ---- */

static void complaint_10_mute_has_two_strengths(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_SPEAKER),
           b = join(&f, "B", ROLE_SPEAKER);
  assert_int_equal(act_on(&f, host, ACT_MUTE, a), ERR_OK);
  assert_false(room_may_send(&f.r, a));             /* what the media path asks, whatever his client thinks */
  assert_int_equal(act(&f, a, ACT_UNMUTE), ERR_OK); /* the weak one is a request */
  assert_int_equal(act_on(&f, host, ACT_FLOOR_TAKE, a), ERR_OK);
  assert_int_equal(act(&f, a, ACT_MUTE), ERR_OK);
  static const enum act TRICKS[] = {ACT_UNMUTE, ACT_HAND, ACT_UNDO, ACT_DECLINE, ACT_HAND_LOWER, ACT_CLAIM};
  for (size_t i = 0; i < sizeof TRICKS / sizeof TRICKS[0]; i++) {
    (void)!act(&f, a, TRICKS[i]);
    assert_false(room_may_send(&f.r, a)); /* the strong one sticks */
  }
  assert_int_equal(act_flags(&f, host, ACT_MUTE_ALL, FLAG_HOLD), ERR_OK);
  assert_int_equal(act(&f, b, ACT_UNMUTE), ERR_MUTED_ALL);
  assert_int_equal(act_on(&f, host, ACT_ASK_UNMUTE, b), ERR_OK); /* unless a host asks him */
  assert_int_equal(act(&f, b, ACT_UNMUTE), ERR_OK);
  assert_true(room_may_send(&f.r, b));
  fix_close(&f);
}

static void complaint_11_mute_all_knows_exceptions_and_newcomers(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, true, HOST_GONE_CONTINUE);
  uint32_t owner = join(&f, "Owner", ROLE_OWNER), co = join(&f, "Co", ROLE_COHOST);
  uint32_t id[5];
  for (int i = 0; i < 5; i++)
    id[i] = join(&f, "Speaker", ROLE_SPEAKER);
  uint32_t late = id[4];
  for (int i = 0; i < 4; i++)
    assert_int_equal(act_on(&f, co, ACT_ADMIT, id[i]), ERR_OK);
  uint32_t except[2] = {id[1], id[3]};
  struct room_cmd cmd = {.act = ACT_MUTE_ALL, .actor = co, .targets = except, .n_targets = 2};
  assert_int_equal(fix_do(&f, &cmd), ERR_OK);
  bool muted[5] = {true, false, true, false, true};
  assert_int_equal(act_on(&f, co, ACT_ADMIT, late), ERR_OK); /* who knocked before and comes in after */
  for (int i = 0; i < 5; i++)
    assert_int_equal(room_may_send(&f.r, id[i]), !muted[i]);
  assert_true(room_may_send(&f.r, owner) && room_may_send(&f.r, co)); /* not oneself, no host */
  assert_true(room_may_send(&f.r, join(&f, "Late host", ROLE_HOST)));
  assert_int_equal(act(&f, co, ACT_MUTE_LIFT), ERR_OK);
  assert_int_equal(act_num(&f, owner, ACT_LOBBY, 0), ERR_OK);
  assert_true(room_may_send(&f.r, join(&f, "After", ROLE_SPEAKER)));
  assert_false(room_may_send(&f.r, id[0])); /* lifting opens nobody's microphone */
  fix_close(&f);
}

/* One act of a moderator with whatever it takes; the text does for all that want one. */
static struct room_cmd anything(struct rng *rng, uint32_t actor, const uint32_t *target, enum act a) {
  static const struct secret SECRET = {.hash = {1}};
  static const struct invite INVITE = {.role = ROLE_SPEAKER, .hash = {9}};
  bool takes = ACTS[a].target != TARGET_NONE && rng_below(rng, 8) > 0;
  return (struct room_cmd){
      .act = a,
      .actor = actor,
      .targets = takes ? target : NULL,
      .n_targets = takes,
      .num = a == ACT_ROLE ? (int64_t)(1 + rng_below(rng, 6)) : (int64_t)rng_below(rng, 3),
      .num2 = (int64_t)rng_below(rng, 90),
      .has_num = true,
      .has_num2 = true,
      .flags = (unsigned)rng_below(rng, 64),
      .text = "Which; or | this | that; or both",
      .word = "invite:1",
      .secret = a == ACT_CLAIM || a == ACT_CLAIM_CODE || a == ACT_PASSWORD ? &SECRET : NULL,
      .invite = &INVITE};
}

/* Four moderators do all they can, in any order, also to each other, for as long as he is there; that one
 * time of his own he muted himself. */
static void complaint_12_nobody_opens_anothers_microphone(void **state) {
  (void)state;
  struct rng rng;
  size_t done[ACT__COUNT] = {0};
  for (uint64_t seed = 1; seed <= 400; seed++) {
    struct fixture f;
    rng_seed(&rng, seed);
    fix_open(&f, seed % 2, HOST_GONE_CONTINUE);
    uint32_t mods[4] = {join(&f, "Owner", ROLE_OWNER), join(&f, "Host", ROLE_HOST),
                        join(&f, "Co", ROLE_COHOST), 0};
    struct room_join j = {.name = "Him", .role = seed % 3 ? ROLE_SPEAKER : ROLE_COHOST, .device = {1}};
    uint32_t him;
    assert_int_equal(fix_enter(&f, &j, &him), ERR_OK);
    if (who(&f, him)->presence == PRESENCE_WAITING)
      assert_int_equal(act_on(&f, 0, ACT_ADMIT, him), ERR_OK);
    assert_int_equal(act(&f, him, ACT_MUTE), ERR_OK);
    assert_int_equal(act(&f, him, ACT_HAND), ERR_OK);
    for (int i = 0; i < 120 && room_member(&f.r, him) && !f.r.ended; i++) {
      enum act a = (enum act)rng_below(&rng, ACT__COUNT);
      uint32_t on = rng_below(&rng, 5) > 0 ? him : mods[rng_below(&rng, 3)];
      struct room_cmd cmd = anything(&rng, mods[rng_below(&rng, 4)], &on, a);
      done[a] += fix_do(&f, &cmd) == ERR_OK;
      f.now += (int64_t)rng_below(&rng, 3000);
      expire(&f);
      if (room_may_send(&f.r, him))
        fail_msg("seed %d: %s opened his microphone", (int)seed, ACTS[a].name);
    }
    fix_close(&f);
  }
  static const enum act BY_ID[] = {ACT_UNMUTE,    ACT_DECLINE,       ACT_BAN_EDIT, ACT_UNBAN,
                                   ACT_CHAT_EDIT, ACT_CHAT_DELETE,   ACT_PIN,      ACT_NOTE_DELETE,
                                   ACT_UNTRUST,   ACT_INVITE_REVOKE, ACT_UNPIN};
  for (int a = 0; a < ACT__COUNT;
       a++) { /* the walk has been everywhere but at what needs an id, or is his own */
    bool skip = false;
    for (size_t k = 0; k < sizeof BY_ID / sizeof BY_ID[0]; k++)
      skip = skip || BY_ID[k] == (enum act)a;
    if (!done[a] && !skip)
      fail_msg("%s was never done", ACTS[a].name);
  }
}

/* The one exception: a host takes his own mute back, in the seconds of undo, and nothing has come between. */
static void complaint_12_undo_takes_back_ones_own_mute_only(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), co = join(&f, "Co", ROLE_COHOST),
           a = join(&f, "A", ROLE_SPEAKER);
  assert_int_equal(act_on(&f, host, ACT_MUTE, a), ERR_OK);
  assert_int_equal(act(&f, co, ACT_UNDO), ERR_NOTHING); /* not another's */
  assert_int_equal(act(&f, host, ACT_UNDO), ERR_OK);
  assert_true(room_may_send(&f.r, a));
  assert_int_equal(act_on(&f, host, ACT_MUTE, a), ERR_OK);
  assert_int_equal(act(&f, a, ACT_UNMUTE), ERR_OK);
  assert_int_equal(act(&f, a, ACT_MUTE), ERR_OK); /* now it is his */
  (void)!act(&f, host, ACT_UNDO);
  assert_false(room_may_send(&f.r, a));
  assert_int_equal(act(&f, a, ACT_UNMUTE), ERR_OK);
  assert_int_equal(act_on(&f, host, ACT_MUTE, a), ERR_OK);
  f.now += ROOM_UNDO_MS + 1;
  assert_int_equal(act(&f, host, ACT_UNDO), ERR_TOO_LATE);
  assert_false(room_may_send(&f.r, a));
  fix_close(&f);
}

/* ---- 14: hands ---- */

#define VIEWERS 3
struct hands {
  struct fixture f;
  struct room seen[VIEWERS];
  uint32_t viewer[VIEWERS];
};

/* What the last act meant to each viewer, as the server tells it; `all`: as his snapshot had it. */
static void tell(struct hands *h, bool all) {
  for (size_t v = 0; v < VIEWERS; v++)
    for (size_t i = 0; i < h->f.last.n; i++) {
      struct room_event form = {0};
      const struct room_event *ev = &h->f.last.v[i];
      if (!all && !room_event_visible(&h->f.r, ev, h->viewer[v]))
        continue;
      bool other = !all && room_event_as_seen(&h->f.r, ev, h->viewer[v], &form);
      room_apply(&h->seen[v], other ? &form : ev);
      room_event_free(&form);
    }
}

static void everyone_agrees(struct hands *h) {
  for (size_t i = 0; i < h->f.r.n_members; i++) {
    uint32_t id = h->f.r.members[i].id;
    for (size_t v = 0; v < VIEWERS; v++)
      assert_int_equal(room_hand_place(&h->seen[v], id), room_hand_place(&h->f.r, id));
  }
}

static void complaint_14_one_queue_of_hands_for_all(void **state) {
  (void)state;
  static struct hands h;
  struct rng rng;
  uint32_t queue[64];
  size_t n = 0;
  rng_seed(&rng, 14);
  fix_open(&h.f, false, HOST_GONE_CONTINUE);
  for (size_t v = 0; v < VIEWERS; v++) {
    room_init(&h.seen[v]);
    h.viewer[v] = (uint32_t)v + 1;
  }
  tell(&h, true);
  static const enum role FIRST[VIEWERS] = {ROLE_HOST, ROLE_SPEAKER, ROLE_AUDIENCE};
  for (size_t v = 0; v < VIEWERS; v++) {
    join(&h.f, "Viewer", FIRST[v]);
    tell(&h, true);
  }
  for (int i = 0; i < 400; i++) {
    uint32_t id = 1 + (uint32_t)rng_below(&rng, h.f.r.id_last);
    bool up = rng_below(&rng, 3) > 0;
    if (i % 9 == 0) {
      join(&h.f, "Newcomer", ROLE_AUDIENCE);
      tell(&h, false);
    }
    if (up && !who(&h.f, id)->hand && n < 64) {
      assert_int_equal(act(&h.f, id, ACT_HAND), ERR_OK);
      queue[n++] = id;
      assert_int_equal(room_hand_place(&h.f.r, id), n); /* he sees his place */
    } else if (!up && n > 0 && queue[0] != 1) {
      assert_int_equal(act(&h.f, 1, ACT_NEXT), ERR_OK);
      assert_true(who(&h.f, queue[0])->floor);
      assert_int_equal(who(&h.f, queue[0])->hand, 0);
      memmove(queue, queue + 1, --n * sizeof queue[0]);
    } else {
      continue;
    }
    tell(&h, false);
    everyone_agrees(&h);
    for (size_t k = 0; k < n; k++)
      assert_int_equal(room_hand_place(&h.f.r, queue[k]), k + 1);
  }
  for (size_t v = 0; v < VIEWERS; v++)
    room_free(&h.seen[v]);
  fix_close(&h.f);
}

/* ---- 17: chat ---- */

static enum err delete (struct fixture *f, uint32_t actor, uint64_t message) {
  return act_num(f, actor, ACT_CHAT_DELETE, (int64_t)message);
}

static void complaint_17_chat_is_the_hosts_to_limit_and_to_clean(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t host = join(&f, "Host", ROLE_HOST), a = join(&f, "A", ROLE_SPEAKER),
           b = join(&f, "B", ROLE_SPEAKER);
  static const struct {
    enum chat_mode mode;
    enum err all, one;
  } WANT[] = {{CHAT_MODE_OFF, ERR_CHAT_OFF, ERR_CHAT_OFF},
              {CHAT_MODE_PRIVATE, ERR_CHAT_OFF, ERR_OK},
              {CHAT_MODE_PUBLIC, ERR_OK, ERR_CHAT_OFF},
              {CHAT_MODE_ALL, ERR_OK, ERR_OK}};
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(act_num(&f, host, ACT_CHAT_MODE, WANT[i].mode), ERR_OK);
    assert_int_equal(act_text(&f, a, ACT_CHAT, "to all"), WANT[i].all);
    assert_int_equal(act_msg(&f, a, b, "to one"), WANT[i].one);
    assert_int_equal(act_text(&f, a, ACT_CHAT_HOSTS, "help"), ERR_OK); /* calling for help always works */
    assert_int_equal(act_text(&f, host, ACT_CHAT, "the host speaks"), ERR_OK);
  }
  assert_int_equal(act_text(&f, a, ACT_CHAT_MODE, "all"), ERR_NOT_ALLOWED);
  uint64_t mine = f.r.seq;
  assert_int_equal(delete (&f, a, mine), ERR_NOT_ALLOWED);
  assert_int_equal(act_text(&f, a, ACT_CHAT, "rude"), ERR_OK);
  uint64_t rude = f.r.seq;
  assert_int_equal(delete (&f, b, rude), ERR_NOT_ALLOWED);
  assert_int_equal(delete (&f, host, rude), ERR_OK);
  assert_string_equal(room_chat_by_id(&f.r, rude)->text, "");
  assert_int_equal(act_on(&f, host, ACT_CHAT_PURGE, a), ERR_OK); /* also what he wrote in private */
  for (size_t i = 0; i < f.r.n_chat; i++)
    assert_true((f.r.chat[i].from == a) == f.r.chat[i].deleted);
  assert_int_equal(act(&f, host, ACT_CHAT_CLEAR), ERR_OK);
  for (size_t i = 0; i < f.r.n_chat; i++)
    assert_string_equal(f.r.chat[i].text, "");
  assert_int_equal(act_num2(&f, host, ACT_SLOW, 30), ERR_OK);
  f.now += 30000;
  assert_int_equal(act_text(&f, a, ACT_CHAT, "one"), ERR_OK);
  assert_int_equal(act_text(&f, a, ACT_CHAT, "two"), ERR_SLOW_MODE);
  f.now += 30000;
  assert_int_equal(act_num(&f, host, ACT_LINKS, 0), ERR_OK);
  assert_int_equal(act_text(&f, a, ACT_CHAT, "buy at https://spam.example/x"), ERR_LINKS_OFF);
  assert_int_equal(act_text(&f, a, ACT_CHAT, "fine then"), ERR_OK);
  fix_close(&f);
}

/* ---- 19: who listens ---- */

static void complaint_19_a_monitor_listens_announced_and_does_nothing(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t owner = join(&f, "Owner", ROLE_OWNER), g = join(&f, "Guest", ROLE_AUDIENCE);
  struct invite inv = {.role = ROLE_MONITOR, .hash = {1}};
  struct room_cmd make = {.act = ACT_INVITE, .actor = owner, .invite = &inv};
  assert_int_equal(fix_do(&f, &make), ERR_NOT_ALLOWED); /* the operator's alone, who answers for it */
  assert_int_equal(act_role(&f, owner, g, ROLE_MONITOR), ERR_NOT_ALLOWED);
  uint32_t mon = join(&f, "Supervisor", ROLE_MONITOR);
  assert_int_equal(count_events(&f, ROOM_EV_JOINED), 1);
  assert_true(room_event_visible(&f.r, &f.last.v[0], g)); /* nobody listens unseen */
  assert_int_equal(f.last.v[0].entry->role, ROLE_MONITOR);
  assert_true(room_may_hear(&f.r, mon));
  assert_false(room_may_send(&f.r, mon));
  assert_int_equal(room_view_of(&f.r, mon), VIEW_MEMBER); /* no private chat, no notes, no lobby */
  for (int a = 0; a < ACT__COUNT; a++) {
    bool on = ACTS[a].target != TARGET_NONE && ACTS[a].target != TARGET_SELF;
    enum err e =
        fix_do(&f, &(struct room_cmd){.act = (enum act)a, .actor = mon, .targets = &g, .n_targets = on});
    if (e == ERR_OK)
      assert_int_equal(a, ACT_LEAVE); /* all he can do is go */
    if (e == ERR_OK)
      mon = join(&f, "Supervisor", ROLE_MONITOR);
  }
  fix_close(&f);
}

/* ---- 22: names ---- */

static const char *named(struct fixture *f, const char *name) {
  return who(f, join(f, name, ROLE_SPEAKER))->name;
}

static void complaint_22_nobody_wears_the_name_of_another(void **state) {
  (void)state;
  struct fixture f;
  uint32_t id;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  join(&f, "Alice", ROLE_HOST);
  assert_string_equal(named(&f, "Alice"), "Alice (2)");
  assert_string_equal(named(&f, "ALICE"), "ALICE (3)");
  assert_string_equal(named(&f, "  Ali\u200bce "), "Alice (4)");    /* zero width space */
  assert_string_equal(named(&f, "Al\u00adice\u2060"), "Alice (5)"); /* soft hyphen, word joiner */
  assert_string_equal(named(&f, "\u202eAlice\u202c"), "Alice (6)"); /* right-to-left override */
  assert_string_equal(named(&f, "\x1b[2JAl\aice"), "[2JAlice");     /* no escape sequence survives */
  assert_string_equal(named(&f, "Alice (2)"), "Alice (2) (2)");
  assert_string_equal(named(&f, "operator"), "operator (2)"); /* nor that of the house */
  static const char *const NOBODY[] = {"", "   ", "\u200b\u200d", "\t\n", "\xff\xfe", "\u115f"};
  for (size_t i = 0; i < sizeof NOBODY / sizeof NOBODY[0]; i++) {
    struct room_join j = {.name = NOBODY[i], .role = ROLE_SPEAKER};
    assert_int_equal(fix_enter(&f, &j, &id), ERR_BAD_NAME);
  }
  id = join(&f, "Bob", ROLE_SPEAKER);
  assert_int_equal(act_text(&f, id, ACT_NAME, "alice"), ERR_OK);
  assert_string_equal(who(&f, id)->name, "alice (7)"); /* nor by changing it later */
  fix_close(&f);
}

/* A letter of another script that looks the same is another name: it cannot be forbidden without forbidding
 * half the world's names, so it is made to show. */
static void complaint_22_what_only_looks_alike_is_told_apart(void **state) {
  (void)state;
  struct fixture f;
  fix_open(&f, false, HOST_GONE_CONTINUE);
  uint32_t real = join(&f, "Alice", ROLE_HOST), fake = join(&f, "\u0410lice", ROLE_SPEAKER); /* Cyrillic A */
  assert_string_not_equal(who(&f, real)->name, who(&f, fake)->name);
  assert_string_equal(who(&f, fake)->name, "\u0410lice (2)");
  assert_string_equal(named(&f, "Al\u0456c\u0435"), "Al\u0456c\u0435 (3)"); /* Cyrillic i and e */
  assert_string_equal(named(&f, "\u0410\u043b\u0438\u0441\u0430"), "\u0410\u043b\u0438\u0441\u0430");
  join(&f, "Jos\u00e9 \u1ebf", ROLE_SPEAKER);
  assert_string_equal(named(&f, "Jose\u0301 e\u0302\u0301"),
                      "Jose\u0301 e\u0302\u0301 (2)");                    /* accents apart */
  assert_string_equal(named(&f, "Jos\u00e8 \u1ebf"), "Jos\u00e8 \u1ebf"); /* another accent is another name */
  assert_string_equal(named(&f, "Bi11"), "Bi11");
  assert_string_equal(named(&f, "BiIl"), "BiIl (2)");
  assert_string_equal(named(&f, "\uff22\uff49\uff4c\uff4c"), "\uff22\uff49\uff4c\uff4c (3)"); /* full width */
  fix_close(&f);
}

/* ---- 23: the lobby ---- */

static void complaint_23_one_queue_and_nobody_slips_past_it(void **state) {
  (void)state;
  struct fixture f;
  uint32_t id;
  fix_open(&f, true, HOST_GONE_LOBBY);
  struct invite direct = {.role = ROLE_SPEAKER, .bypass = true, .hash = {7}};
  assert_int_equal(fix_do(&f, &(struct room_cmd){.act = ACT_INVITE, .invite = &direct}), ERR_OK);
  uint8_t hash[32] = {7};
  struct room_join early = {.name = "Early", .invite_hash = hash};
  assert_int_equal(fix_enter(&f, &early, &id), ERR_OK);
  assert_int_equal(who(&f, id)->presence, PRESENCE_WAITING); /* before the first host nobody is inside */
  assert_false(room_may_hear(&f.r, id));
  for (size_t place = 2; place <= ROOM_WAITING_MAX; place++)
    assert_int_equal(room_lobby_place(&f.r, join(&f, "Next", ROLE_SPEAKER)), place);
  assert_int_equal(fix_enter(&f, &early, &id), ERR_LOBBY_FULL); /* a flood ends here */
  uint32_t host = join(&f, "Host", ROLE_HOST);                  /* but never shuts the host out */
  assert_int_equal(who(&f, host)->presence, PRESENCE_HERE);
  assert_int_equal(act_on2(&f, host, ACT_DENY, 1, 2), ERR_OK);
  assert_int_equal(room_lobby_place(&f.r, 3), 1); /* the others move up, in one line */
  assert_int_equal(room_lobby_place(&f.r, ROOM_WAITING_MAX), ROOM_WAITING_MAX - 2);
  assert_int_equal(fix_enter(&f, &early, &id), ERR_OK);
  assert_int_equal(who(&f, id)->presence, PRESENCE_HERE); /* now his link is good */
  fix_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(complaint_10_mute_has_two_strengths),
      cmocka_unit_test(complaint_11_mute_all_knows_exceptions_and_newcomers),
      cmocka_unit_test(complaint_12_nobody_opens_anothers_microphone),
      cmocka_unit_test(complaint_12_undo_takes_back_ones_own_mute_only),
      cmocka_unit_test(complaint_14_one_queue_of_hands_for_all),
      cmocka_unit_test(complaint_17_chat_is_the_hosts_to_limit_and_to_clean),
      cmocka_unit_test(complaint_19_a_monitor_listens_announced_and_does_nothing),
      cmocka_unit_test(complaint_22_nobody_wears_the_name_of_another),
      cmocka_unit_test(complaint_22_what_only_looks_alike_is_told_apart),
      cmocka_unit_test(complaint_23_one_queue_and_nobody_slips_past_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
