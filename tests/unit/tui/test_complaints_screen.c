/* What hosts of other systems complain of: noise, names, colours, keys: docs/complaints.md. */
#include "tests/unit/tui/room_fixture.h"
#include "tui/line.h"
#include "tui/pages.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char *screen_of(struct fixture *f, bool ascii) {
  struct canvas *c = fx_draw(f, 100, 30, ascii);
  char *all = canvas_text(c);
  canvas_destroy(c);
  assert_non_null(all);
  return all;
}

/* takes: how many intents of that kind wait; all are dropped. */
static size_t takes(struct fixture *f, enum intent_kind kind) {
  struct intent *i = malloc(sizeof *i);
  size_t n = 0;
  while (model_take(f->m, i))
    n += i->kind == kind;
  free(i);
  return n;
}

/* ---- 21: who comes and goes ---- */

static size_t loud_lines(const struct fixture *f) {
  size_t n = 0;
  for (size_t i = 0; i < f->m->n_lines; i++)
    n += !f->m->lines[i].quiet;
  return n;
}

static void complaint_21_a_crowd_makes_no_noise(void **state) {
  (void)state;
  struct fixture *f = fx_create(false);
  uint32_t carol = fx_join(f, "carol", ROLE_HOST);
  fx_enter(f, carol);
  for (int i = 0; i < 60; i++)
    fx_join(f, "guest", ROLE_AUDIENCE);
  size_t before = loud_lines(f), lines = f->m->n_lines;
  takes(f, INTENT_BELL);
  for (int i = 0; i < 200; i++) { /* come, fall off the line, come back, go */
    uint32_t id = fx_join(f, "late", ROLE_AUDIENCE);
    fx_drop(f, id);
    assert_int_equal(fx_act(f, id, ACT_LEAVE, NULL, 0, 0, NULL), ERR_OK);
  }
  assert_int_equal(takes(f, INTENT_BELL), 0); /* never a sound, in a room of any size */
  assert_int_equal(loud_lines(f), before);    /* nothing between the messages */
  assert_true(f->m->n_lines > lines);         /* but the log has it */
  fx_destroy(f);
}

static char heard[64][SAY_MAX];
static size_t n_heard;
static void hear(void *ctx, const char *text) {
  (void)ctx;
  if (n_heard < 64)
    snprintf(heard[n_heard], SAY_MAX, "%.390s", text);
  n_heard++;
}

/* to_line: an act of the room as line mode is told of it. */
static void to_line(struct fixture *f, struct line *l, struct room_events *evs) {
  for (size_t i = 0; i < evs->n; i++) {
    struct client_event ev = {.kind = CLIENT_EV_EVENT, .event = calloc(1, sizeof *ev.event)};
    room_apply(&f->server, &evs->v[i]);
    room_event_copy(ev.event, &evs->v[i]);
    line_event(l, &ev, f->now, f->wall_ms);
  }
  room_events_free(evs);
}

static void line_joins(struct fixture *f, struct line *l, const char *name) {
  struct room_events evs = {0};
  struct room_join j = {.name = name, .role = ROLE_AUDIENCE};
  assert_int_equal(room_decide_join(&f->server, &j, f->wall_ms, &evs), ERR_OK);
  to_line(f, l, &evs);
}

static void passes(struct fixture *f, struct line *l, int seconds) {
  for (int s = 0; s < seconds; s++) {
    fx_step(f, 1000);
    line_tick(l, f->now);
  }
}

static void complaint_21_a_crowd_is_one_sentence(void **state) {
  (void)state;
  struct fixture *f = fx_create(false);
  struct line l;
  uint32_t carol = fx_join(f, "carol", ROLE_HOST);
  line_init(&l, &f->ctl, hear, NULL);
  fx_enter(f, carol);
  passes(f, &l, 30);
  n_heard = 0;
  for (int i = 0; i < 5; i++)
    line_joins(f, &l, "pupil");
  passes(f, &l, 15);
  assert_int_equal(n_heard, 1);
  assert_non_null(strstr(heard[0], "5"));
  n_heard = 0;
  for (int i = 0; i < 300; i++)
    line_joins(f, &l, "pupil");
  passes(f, &l, 15);
  assert_in_range(n_heard, 1, 2);
  fx_destroy(f);
}

/* ---- 22: names on the screen ---- */

static void complaint_22_a_name_draws_nothing_but_itself(void **state) {
  (void)state;
  static const char *const NAMES[] = {"\u202ebob\u202c", "b\u200bob", "bob\u2069", "\x1b[31mbob",
                                      "bo\u0301\u0301\u0301\u0301\u0301\u0301\u0301b"};
  struct fixture *f = fx_create(false);
  fx_enter(f, fx_join(f, "carol", ROLE_HOST));
  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
    assert_int_not_equal(fx_join(f, NAMES[i], ROLE_SPEAKER), 0);
    char *all = screen_of(f, false);
    for (const char *p = all, *end = all + strlen(all); p < end;) {
      uint32_t cp = text_utf8_next(&p, end);
      assert_true(cp == '\n' || text_cp_safe(cp));
    }
    free(all);
  }
  for (size_t a = 1; a < f->m->room.n_members; a++) /* and no two are the same */
    for (size_t b = 0; b < a; b++)
      assert_string_not_equal(f->m->room.members[a].name, f->m->room.members[b].name);
  fx_destroy(f);
}

/* ---- 23: one bell for the crowd at the door ---- */

static void complaint_23_a_flood_of_knocks_rings_once(void **state) {
  (void)state;
  struct fixture *f = fx_create(true);
  fx_enter(f, fx_join(f, "carol", ROLE_HOST));
  size_t bells = 0;
  for (int i = 0; i < 300; i++) {
    fx_join(f, "knocker", ROLE_SPEAKER);
    bells += takes(f, INTENT_BELL);
    fx_step(f, 10);
  }
  assert_int_equal(bells, 1);
  size_t n; /* one list, in order, on the screen as at the server */
  const uint32_t *ids = model_lobby(f->m, &n);
  assert_int_equal(n, 300);
  for (size_t i = 0; i < n; i++)
    assert_int_equal(room_lobby_place(&f->server, ids[i]), i + 1);
  fx_destroy(f);
}

/* ---- 24: words, not colours ---- */

enum look {
  PLAIN,
  MUTED,
  BY_HOST,
  FLOORLESS,
  HAND,
  TALKS,
  AWAY,
  HOST,
  COHOST,
  MARKED,
  CHOSEN,
  SILENCED,
  LOOK__COUNT
};

static struct fixture *looking(enum look look) {
  struct fixture *f = fx_create(false);
  fx_enter(f, fx_join(f, "carol", ROLE_OWNER));
  uint32_t bob = fx_join(f, "bob", look == HOST ? ROLE_HOST : look == COHOST ? ROLE_COHOST : ROLE_SPEAKER);
  static const char *const LINES[LOOK__COUNT] = {
      [BY_HOST] = "mute bob", [FLOORLESS] = "floor-take bob", [SILENCED] = "ban bob speak"};
  if (LINES[look] != NULL)
    fx_does(f, 1, LINES[look]);
  if (look == MUTED || look == HAND)
    assert_int_equal(fx_act(f, bob, look == HAND ? ACT_HAND : ACT_MUTE, NULL, 0, 0, NULL), ERR_OK);
  if (look == AWAY)
    fx_drop(f, bob);
  if (look == TALKS)
    for (int i = 0; i < 3; i++)
      fx_talks(f, bob, 10);
  if (look == MARKED)
    model_mark(f->m, bob);
  if (look == CHOSEN)
    f->m->cursor = bob;
  return f;
}

/* row_of_bob: his line of the list, in ASCII and without any style. */
static void row_of_bob(enum look look, char out[64]) {
  struct fixture *f = looking(look);
  char *all = screen_of(f, true);
  const char *line = all, *bob = strstr(line, "bob");
  for (const char *end; (end = strchr(line, '\n')) != NULL && end < bob; line = end + 1)
    ;
  assert_non_null(bob);
  assert_in_range(bob - line, 0, 12); /* in the list, not in the chat */
  snprintf(out, 64, "%.25s", line);
  free(all);
  fx_destroy(f);
}

static void complaint_24_every_state_has_a_sign_without_colour(void **state) {
  (void)state;
  char row[LOOK__COUNT][64];
  for (int i = 0; i < LOOK__COUNT; i++) {
    row_of_bob((enum look)i, row[i]);
    for (int k = 0; k < i; k++)
      if (strcmp(row[i], row[k]) == 0)
        fail_msg("%d and %d both read \"%s\"", i, k, row[i]);
  }
}

/* A whole turn of moderation in lines: complete sentences, no escape sequences, and silence when nothing
 * happens. */
static void complaint_24_line_mode_says_it_in_sentences(void **state) {
  (void)state;
  static const struct {
    const char *typed, *said;
  } TURNS[] = {{"/admit ann", "You let ann in."},
               {"/mute ann too loud", "You muted ann: too loud"},
               {"/floor-give ann", "You gave ann the floor"},
               {"/lock", "You locked the room"},
               {"/mute ghost", "ghost"}};
  struct fixture *f = fx_create(true);
  struct line l;
  uint32_t carol = fx_join(f, "carol", ROLE_HOST);
  line_init(&l, &f->ctl, hear, NULL);
  fx_enter(f, carol);
  passes(f, &l, 30);
  n_heard = 0;
  line_joins(f, &l, "ann");
  passes(f, &l, 3);
  assert_int_equal(n_heard, 1);
  assert_non_null(strstr(heard[0], "ann is waiting to come in."));
  for (size_t i = 0; i < sizeof TURNS / sizeof TURNS[0]; i++) {
    struct intent *in = malloc(sizeof *in);
    n_heard = 0;
    line_input(&l, TURNS[i].typed, f->now);
    while (model_take(f->m, in))
      if (in->kind == INTENT_ACT) {
        struct room_cmd cmd;
        struct room_events evs = {0};
        act_order_cmd(&in->order, &cmd);
        cmd.actor = carol;
        assert_int_equal(room_decide(&f->server, &cmd, f->wall_ms, &evs), ERR_OK);
        to_line(f, &l, &evs);
      }
    free(in);
    passes(f, &l, 3);
    assert_true(n_heard > 0);
    assert_non_null(strstr(heard[0], TURNS[i].said));
    for (const char *p = heard[0]; *p != '\0'; p++)
      assert_false(iscntrl((unsigned char)*p));
  }
  n_heard = 0;
  passes(f, &l, 600);
  assert_int_equal(n_heard, 0); /* nothing ticks, nothing is painted again */
  fx_destroy(f);
}

/* Everything that has a key also has a name to type: no act needs the screen. */
static void complaint_24_every_act_has_a_name(void **state) {
  (void)state;
  char why[SAY_MAX], title[32];
  for (int a = 0; a < ACT__COUNT; a++) {
    command_title(command_of_act((enum act)a), title);
    assert_ptr_equal(command_find(title, strlen(title), why), command_of_act((enum act)a));
    assert_true(ACTS[a].help[0] != '\0');
  }
}

/* ---- 25: keys ---- */

static void complaint_25_letters_are_text_while_one_types(void **state) {
  (void)state;
  static const char *const OPEN[] = {"c", ":", "s", "?"};
  for (size_t i = 0; i < sizeof OPEN / sizeof OPEN[0]; i++) {
    struct fixture *f = fx_busy();
    char typed[100] = "";
    takes(f, INTENT_ACT);
    f->m->cursor = BOB;
    fx_type(f, OPEN[i]);
    enum model_mode mode = f->m->mode;
    for (char ch = '!'; ch <= '~'; ch++) {
      char one[2] = {ch, '\0'};
      fx_type(f, one);
      assert_true(text_append(typed, sizeof typed, one));
    }
    fx_type(f, " ");
    assert_true(text_append(typed, sizeof typed, " "));
    assert_int_equal(f->m->mode, mode);
    assert_non_null(model_edit(f->m));
    assert_string_equal(lineedit_text(model_edit(f->m)), typed);
    assert_false(f->m->gate); /* the talk key is a blank */
    assert_int_equal(takes(f, INTENT_ACT), 0);
    assert_int_equal(f->m->ask.kind, ASK_NOTHING);
    fx_destroy(f);
  }
}

static void complaint_25_a_held_talk_key_is_let_go_wherever_one_is(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct key down = {.code = ' '}, up = {.code = ' ', .phase = KEY_RELEASE};
  f->ctl.releases = true;
  f->m->level = 127;
  pilot_key(&f->ctl, down, NULL, f->now);
  assert_true(f->m->gate);
  fx_step(f, 2000);
  fx_type(f, ":"); /* now typing */
  pilot_key(&f->ctl, up, NULL, f->now);
  fx_step(f, 1000);
  assert_false(f->m->gate); /* not stuck on air */
  fx_destroy(f);
}

static bool loads(struct fixture *f, const char *text, char why[256]) {
  return keymap_load_text(f->keys, "keys", text, why) == ERR_OK;
}

static void complaint_25_keys_are_the_users_own(void **state) {
  (void)state;
  char why[256], conflict[160];
  struct fixture *f = fx_busy();
  assert_true(loads(f, "[room]\nlock = F7\n", why));
  assert_false(keymap_conflict(f->keys, 0, conflict));
  fx_type(f, "L");
  fx_pump(f);
  assert_false(f->server.locked); /* the old key is free */
  fx_key(f, "F7");
  fx_pump(f);
  assert_true(f->server.locked);
  char *help = pages_help(f->m, f->keys, "lock");
  assert_non_null(strstr(help, "F7")); /* and the list of keys says so */
  free(help);
  assert_true(loads(f, "[room]\ntopic = h\n", why)); /* taken from the hand: told by name */
  assert_true(keymap_conflict(f->keys, 0, conflict));
  assert_non_null(strstr(conflict, "hand"));
  assert_non_null(strstr(conflict, "topic"));
  assert_false(loads(f, "[input]\nmute = m\n", why)); /* a letter while typing cannot be had at all */
  assert_true(why[0] != '\0');
  assert_false(loads(f, "[room]\nmute_al = m\n", why)); /* a slip is told with the nearest name */
  assert_non_null(strstr(why, "did you mean mute_all?"));
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(complaint_21_a_crowd_makes_no_noise),
      cmocka_unit_test(complaint_21_a_crowd_is_one_sentence),
      cmocka_unit_test(complaint_22_a_name_draws_nothing_but_itself),
      cmocka_unit_test(complaint_23_a_flood_of_knocks_rings_once),
      cmocka_unit_test(complaint_24_every_state_has_a_sign_without_colour),
      cmocka_unit_test(complaint_24_line_mode_says_it_in_sentences),
      cmocka_unit_test(complaint_24_every_act_has_a_name),
      cmocka_unit_test(complaint_25_letters_are_text_while_one_types),
      cmocka_unit_test(complaint_25_a_held_talk_key_is_let_go_wherever_one_is),
      cmocka_unit_test(complaint_25_keys_are_the_users_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
