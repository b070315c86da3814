/* What hosts of other systems complain of, as far as screen and keys answer for it: docs/complaints.md. */
#include "core/base/rng.h"
#include "tests/unit/tui/room_fixture.h"
#include "tui/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* sees: the text is on the screen, which has no colours. */
static bool sees(struct fixture *f, const char *text) {
  struct canvas *c = fx_draw(f, 100, 30, true);
  char *all = canvas_text(c);
  bool found = strstr(all, text) != NULL;
  free(all);
  canvas_destroy(c);
  return found;
}

/* intents: how many of that kind wait; all are dropped. */
static size_t intents(struct fixture *f, enum intent_kind kind) {
  struct intent *i = malloc(sizeof *i);
  size_t n = 0;
  while (model_take(f->m, i))
    n += i->kind == kind;
  free(i);
  return n;
}

/* host_of: a room with a lobby, seen by its host. */
static struct fixture *host_of(bool lobby) {
  struct fixture *f = fx_create(lobby);
  fx_enter(f, fx_join(f, "carol", ROLE_HOST));
  return f;
}

static void leaves(struct fixture *f, uint32_t id) {
  assert_int_equal(fx_act(f, id, ACT_LEAVE, NULL, 0, 0, NULL), ERR_OK);
}

/* ---- 1 and 2: the lobby ---- */

static void complaint_01_marks_filter_and_one_key(void **state) {
  (void)state;
  struct fixture *f = host_of(true);
  char name[32];
  for (int i = 0; i < 40; i++) {
    snprintf(name, sizeof name, "%s %d", i % 4 ? "guest" : "class 7b", i);
    fx_join(f, name, ROLE_SPEAKER);
  }
  fx_type(f, "l"); /* to the lobby, two marked by hand */
  uint32_t first = f->m->cursor;
  fx_type(f, "tta");
  fx_pump(f);
  assert_int_equal(room_count(&f->server, PRESENCE_HERE), 3);
  assert_int_equal(room_member(&f->server, first)->presence, PRESENCE_HERE);
  fx_type(f, ":admit class*"); /* by pattern */
  fx_key(f, "Enter");
  fx_pump(f);
  for (size_t i = 0; i < f->server.n_members; i++)
    if (strncmp(f->server.members[i].name, "class", 5) == 0)
      assert_int_equal(f->server.members[i].presence, PRESENCE_HERE);
  assert_int_not_equal(room_count(&f->server, PRESENCE_WAITING), 0);
  fx_key(f, "Esc");
  fx_type(f, "A"); /* and all who are left */
  fx_pump(f);
  assert_int_equal(room_count(&f->server, PRESENCE_WAITING), 0);
  fx_destroy(f);
}

static void complaint_02_a_knock_is_not_missed(void **state) {
  (void)state;
  struct fixture *f = host_of(true);
  intents(f, INTENT_BELL);
  uint32_t ann = fx_join(f, "ann", ROLE_SPEAKER);
  struct intent *i = malloc(sizeof *i);
  size_t bells = 0, hooks = 0;
  while (model_take(f->m, i)) {
    bells += i->kind == INTENT_BELL;
    hooks += i->kind == INTENT_NOTIFY && strcmp(i->text2, "knock") == 0 && strstr(i->text, "ann") != NULL;
  }
  free(i);
  assert_int_equal(bells, 1);
  assert_int_equal(hooks, 1); /* for the title, the desktop, a script */
  assert_true(sees(f, "1 wait"));
  fx_join(f, "bea", ROLE_SPEAKER);
  assert_true(sees(f, "2 wait"));
  for (size_t minutes = 1; minutes <= 5; minutes++) { /* whatever the host is doing meanwhile */
    fx_key(f, minutes % 2 ? "c" : "Esc");
    bells = 0;
    for (int s = 0; s < 60; s++) {
      fx_step(f, 1000);
      bells += intents(f, INTENT_BELL);
    }
    assert_int_equal(bells, 2);
    assert_true(sees(f, "2 wait"));
  }
  fx_key(f, "Esc");
  leaves(f, ann);
  fx_type(f, "A");
  fx_pump(f);
  fx_step(f, 120000);
  assert_int_equal(intents(f, INTENT_BELL), 0); /* and it ends when it is done */
  assert_false(sees(f, "1 wait") || sees(f, "2 wait"));
  fx_destroy(f);
}

static void complaint_11_marked_people_are_left_out(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->cursor = DAVE; /* only under the cursor: no exception */
  model_mark(f->m, ERIN);
  model_mark(f->m, JOSE);
  fx_type(f, "M");
  fx_pump(f);
  assert_true(f->server.mute_all);
  assert_false(room_member(&f->server, ERIN)->muted || room_member(&f->server, JOSE)->muted);
  assert_false(room_member(&f->server, CAROL)->muted || room_member(&f->server, GRETE)->muted);
  assert_true(room_member(&f->server, DAVE)->muted && room_member(&f->server, KEIKO)->muted);
  fx_destroy(f);
}

/* ---- 12 and 13: asked, and told ---- */

static void complaint_12_being_asked_opens_nothing(void **state) {
  (void)state;
  static const char *const NOT_YES[] = {"n", "Esc", "Enter", "m", "q", "Space"};
  for (size_t i = 0; i <= sizeof NOT_YES / sizeof NOT_YES[0]; i++) {
    struct fixture *f = fx_create(false);
    fx_join(f, "alice", ROLE_HOST);
    uint32_t bob = fx_join(f, "bob", ROLE_SPEAKER);
    fx_enter(f, bob);
    assert_int_equal(fx_act(f, bob, ACT_MUTE, &bob, 1, 0, NULL), ERR_OK);
    assert_int_equal(fx_act(f, 1, ACT_ASK_UNMUTE, &bob, 1, 0, NULL), ERR_OK);
    fx_step(f, 1000);
    assert_string_equal(f->m->ask.text, "alice asks you to unmute. Unmute?");
    if (i < sizeof NOT_YES / sizeof NOT_YES[0])
      fx_key(f, NOT_YES[i]);
    else
      fx_step(f, 31000); /* no answer is No */
    fx_pump(f);
    assert_int_equal(f->m->mode, MODE_KEYS);
    assert_true(room_member(&f->server, bob)->muted);
    assert_false(f->m->gate);
    fx_destroy(f);
  }
}

static void told(struct fixture *f, uint32_t host, enum act act, int64_t num, const char *why,
                 const char *words) {
  uint32_t me = f->me;
  assert_int_equal(fx_act(f, host, act, &me, 1, num, why), ERR_OK);
  assert_string_equal(f->m->toast, words);
  assert_string_equal(f->m->lines[f->m->n_lines - 1].text, words); /* and stays in the log */
}

static void complaint_13_told_who_did_it_and_why(void **state) {
  (void)state;
  struct fixture *f = fx_create(false);
  fx_join(f, "alice", ROLE_HOST);
  uint32_t bob = fx_join(f, "bob", ROLE_SPEAKER);
  fx_enter(f, bob);
  told(f, 1, ACT_MUTE, 0, "typing", "alice muted you: typing (you may unmute).");
  assert_int_equal(fx_act(f, bob, ACT_UNMUTE, NULL, 0, 0, NULL), ERR_OK);
  told(f, 1, ACT_MUTE, 0, NULL, "alice muted you (you may unmute).");
  told(f, 1, ACT_FLOOR_TAKE, 0, "two minutes are over",
       "alice took the floor from you: two minutes are over.");
  told(f, 1, ACT_ROLE, ROLE_AUDIENCE, "as agreed", "alice made you audience: as agreed.");
  told(f, 0, ACT_FLOOR_GIVE, 0, NULL, "The operator gave you the floor.");
  fx_destroy(f);
}

/* Where the room keeps its hosts' names to itself, "a host" did it. The fixture hands events over as the room
 * has them, so they are made here as the server tells them. */
static void complaint_13_or_that_a_host_did_it(void **state) {
  (void)state;
  struct fixture *f = fx_create(false);
  fx_join(f, "alice", ROLE_HOST);
  uint32_t bob = fx_join(f, "bob", ROLE_SPEAKER);
  fx_enter(f, bob);
  fx_does(f, 1, "name_hosts off");
  struct room_events evs = {0};
  struct room_cmd cmd = {.act = ACT_MUTE, .actor = 1, .targets = &bob, .n_targets = 1, .text = "noise"};
  assert_int_equal(room_decide(&f->server, &cmd, f->wall_ms, &evs), ERR_OK);
  struct client_event ev = {.kind = CLIENT_EV_EVENT, .event = calloc(1, sizeof *ev.event)};
  assert_true(room_event_as_seen(&f->server, &evs.v[0], bob, ev.event));
  model_update(f->m, &ev, f->now);
  assert_string_equal(f->m->toast, "A host muted you: noise (you may unmute).");
  room_events_free(&evs);
  fx_destroy(f);
}

static void complaint_14_the_raiser_sees_his_place(void **state) {
  (void)state;
  struct fixture *f = fx_create(false);
  fx_join(f, "alice", ROLE_HOST);
  uint32_t bob = fx_join(f, "bob", ROLE_SPEAKER), cid = fx_join(f, "cid", ROLE_SPEAKER);
  fx_enter(f, bob);
  fx_does(f, 1, "hand"); /* a host stands in the same queue */
  fx_does(f, cid, "hand");
  fx_type(f, "h");
  fx_pump(f);
  assert_string_equal(f->m->toast, "You raised a hand, number 3.");
  assert_true(sees(f, "hand 3"));
  size_t n;
  const uint32_t *hands = model_hands(f->m, &n);
  assert_int_equal(n, 3);
  assert_true(hands[0] == 1 && hands[1] == cid && hands[2] == bob);
  fx_does(f, 1, "next");
  fx_does(f, 1, "next");
  assert_true(sees(f, "hand 1"));
  fx_destroy(f);
}

/* ---- 15: the row is not the person ---- */

static struct rng rng;
static uint32_t below(uint32_t n) {
  return (uint32_t)rng_below(&rng, n);
}

/* upheaval: what may happen between looking and pressing; never to the person looked at. */
static void upheaval(struct fixture *f, uint32_t keep) {
  char name[16];
  uint32_t id = 2 + below(f->server.id_last);
  bool other = id != keep && room_member(&f->server, id) != NULL;
  snprintf(name, sizeof name, "n%u", below(1000));
  switch (below(8)) {
  case 0:
  case 1:
    fx_join(f, name, below(2) ? ROLE_SPEAKER : ROLE_AUDIENCE);
    break;
  case 2:
    if (other && f->server.n_members > 6)
      leaves(f, id);
    break;
  case 3:
    (void)!fx_act(f, 1, ACT_RENAME, &id, 1, 0, name);
    break;
  case 4:
    (void)!fx_act(f, id, ACT_HAND, NULL, 0, 0, NULL);
    break;
  case 5:
    fx_talks(f, id, 10);
    fx_step(f, (int)below(6000));
    break;
  case 6:
    model_sort_set(f->m, (enum model_sort)below(SORT__COUNT));
    break;
  default:
    if (f->m->mode == MODE_KEYS)
      model_group_set(f->m, below(2) != 0);
  }
}

static void complaint_15_the_act_hits_whom_one_chose(void **state) {
  (void)state;
  rng_seed(&rng, 15);
  for (int round = 0; round < 300; round++) {
    struct fixture *f = host_of(false);
    for (int i = 0; i < 8; i++)
      fx_join(f, "somebody", ROLE_SPEAKER);
    fx_step(f, 3000);
    for (uint32_t i = 1 + below(8); i > 0; i--)
      fx_key(f, "Down");
    uint32_t chosen = f->m->cursor;
    char name[TEXT_NAME_MAX + 1], question[200];
    for (uint32_t i = below(12); i > 0; i--)
      upheaval(f, chosen);
    assert_int_equal(f->m->cursor, chosen);
    snprintf(name, sizeof name, "%s", room_member(&f->server, chosen)->name);
    fx_key(f, "x");
    bool alike = strstr(f->m->ask.text, "(#") != NULL;
    snprintf(question, sizeof question, alike ? "Remove %s (#%u) from standup?" : "Remove %s from standup?",
             name, chosen);
    assert_string_equal(f->m->ask.text, question); /* by name, and where names are alike by number */
    for (uint32_t i = below(12); i > 0; i--)
      upheaval(f, chosen);
    size_t before = f->server.n_members;
    assert_int_equal(f->m->mode, MODE_ASK);
    fx_key(f, "y");
    fx_pump(f);
    assert_null(room_member(&f->server, chosen));
    assert_int_equal(f->server.n_members, before - 1);
    fx_destroy(f);
  }
}

/* When the one under the cursor goes, the key does nothing rather than reach his neighbour. */
static void complaint_15_who_is_gone_has_no_stand_in(void **state) {
  (void)state;
  static const char *const KEYS[] = {"x", "B", "F", "H", "R", "d", "a", "U", "f"};
  for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
    for (int lobby = 0; lobby < 2; lobby++) {
      struct fixture *f = host_of(true);
      uint32_t id[3];
      for (int k = 0; k < 3; k++)
        id[k] = fx_join(f, "somebody", ROLE_SPEAKER);
      if (!lobby)
        fx_does(f, 1, "admit_all");
      fx_type(f, lobby ? "l" : "p");
      while (f->m->cursor != id[1])
        fx_key(f, "Down");
      leaves(f, id[1]);
      uint64_t seq = f->server.seq;
      fx_key(f, KEYS[i]);
      fx_key(f, "y");
      fx_key(f, "Enter");
      fx_pump(f);
      if (f->server.seq != seq)
        fail_msg("%s in the %s reached somebody else", KEYS[i], lobby ? "lobby" : "list");
      fx_destroy(f);
    }
}

/* ---- 16: 5000 names ---- */

static void complaint_16_a_part_of_the_name_finds_one_of_5000(void **state) {
  (void)state;
  struct fixture *f = host_of(false);
  char name[32];
  for (int i = 0; i < 4998; i++) {
    snprintf(name, sizeof name, "Person %04d %c%c", i, 'a' + i % 26, 'k' + i % 7);
    fx_join(f, name, ROLE_AUDIENCE);
  }
  uint32_t wanted = fx_join(f, "\u015eule Zimmermann", ROLE_AUDIENCE);
  assert_int_not_equal(wanted, 0);
  size_t n, waiting;
  uint32_t ids[4];
  fx_type(f, "sZIM");
  n = model_list(f->m, ids, 4, &waiting);
  assert_int_equal(n, 1);
  assert_int_equal(ids[0], wanted);
  assert_true(sees(f, "Zimmermann"));
  fx_key(f, "Enter");
  assert_int_equal(f->m->cursor, wanted); /* and she is the one chosen */
  fx_key(f, "Esc");
  assert_int_equal(model_list(f->m, ids, 4, &waiting), 5000);
  fx_type(f, "sperson 499");
  assert_int_equal(model_list(f->m, ids, 4, &waiting), 8);
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(complaint_01_marks_filter_and_one_key),
      cmocka_unit_test(complaint_02_a_knock_is_not_missed),
      cmocka_unit_test(complaint_11_marked_people_are_left_out),
      cmocka_unit_test(complaint_12_being_asked_opens_nothing),
      cmocka_unit_test(complaint_13_told_who_did_it_and_why),
      cmocka_unit_test(complaint_13_or_that_a_host_did_it),
      cmocka_unit_test(complaint_14_the_raiser_sees_his_place),
      cmocka_unit_test(complaint_15_the_act_hits_whom_one_chose),
      cmocka_unit_test(complaint_15_who_is_gone_has_no_stand_in),
      cmocka_unit_test(complaint_16_a_part_of_the_name_finds_one_of_5000),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
