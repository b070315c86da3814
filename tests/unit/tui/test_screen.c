/* The screen at any size, with hostile names, after random keys; and how little a talk mark changes. */
#include "tests/unit/tui/room_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint32_t seed = 7;
static uint32_t chance(uint32_t n) {
  seed = seed * 1664525u + 1013904223u;
  return (seed >> 8) % n;
}

/* check_canvas: the cursor is inside, and no cell holds anything a terminal would obey. */
static void check_canvas(const struct canvas *c) {
  assert_in_range(c->cursor_x, 0, c->w - 1);
  assert_in_range(c->cursor_y, 0, c->h - 1);
  for (int i = 0; i < c->w * c->h; i++) {
    const char *p = c->cells[i].text, *end = p + strlen(p);
    while (p < end)
      assert_true(text_cp_safe(text_utf8_next(&p, end)));
  }
}

static void draw_at(struct fixture *f, int w, int h, enum pace_tier tier) {
  struct canvas *c = canvas_create(w, h, chance(2) != 0);
  screen_draw(&(struct scene){f->m, c, f->keys, pace_tier_info(tier), f->now});
  check_canvas(c);
  canvas_destroy(c);
}

static void test_any_size(void **state) {
  (void)state;
  static const char *const KEYS[] = {"Esc", ":", "?", "x", "c", "Tab", "s", "z", "v", "Down", "PgDn"};
  struct fixture *f = fx_busy();
  for (size_t k = 0; k < sizeof KEYS / sizeof KEYS[0]; k++) {
    fx_key(f, "Esc");
    fx_key(f, KEYS[k]);
    for (int i = 0; i < 60; i++)
      draw_at(f, 1 + (int)chance(200), 1 + (int)chance(60), (enum pace_tier)chance(PACE__COUNT));
    for (int n = 1; n < 12; n++) {
      draw_at(f, n, 24, PACE_FAST);
      draw_at(f, 80, n, PACE_FAST);
      draw_at(f, n, n, PACE_2400);
    }
  }
  static const enum client_state STATES[] = {CLIENT_CONNECTING, CLIENT_LOBBY, CLIENT_RECONNECTING,
                                             CLIENT_ENDED};
  for (size_t s = 0; s < 4; s++) {
    fx_state(f, STATES[s], ERR_REMOVED, "");
    for (int i = 0; i < 60; i++)
      draw_at(f, 1 + (int)chance(200), 1 + (int)chance(60), PACE_FAST);
  }
  fx_destroy(f);
}

/* hostile: an event as a broken or evil server might send it; the client's own filters must hold. */
static void hostile(struct fixture *f, const char *name, const char *text) {
  struct member *entry = calloc(1, sizeof *entry);
  struct client_event ev = {.kind = CLIENT_EV_EVENT, .event = calloc(1, sizeof *ev.event)};
  entry->id = f->m->room.id_last + 1;
  entry->role = ROLE_SPEAKER;
  entry->presence = PRESENCE_HERE;
  snprintf(entry->name, sizeof entry->name, "%s", name);
  *ev.event = (struct room_event){
      .seq = f->m->room.seq + 1, .kind = ROOM_EV_JOINED, .actor = entry->id, .entry = entry};
  uint32_t id = entry->id;
  model_update(f->m, &ev, f->now);
  ev = (struct client_event){.kind = CLIENT_EV_EVENT, .event = calloc(1, sizeof *ev.event)};
  *ev.event =
      (struct room_event){.seq = f->m->room.seq + 1, .kind = ROOM_EV_CHAT, .actor = id, .text = strdup(text)};
  model_update(f->m, &ev, f->now);
  f->m->cursor = id;
}

static void test_hostile_text(void **state) {
  (void)state;
  static const char *const TEXTS[] = {"\x1b[2J\x1b]0;owned\x07",
                                      "\xc2\x9b"
                                      "31m",
                                      "a\xe2\x80\xae"
                                      "bob",
                                      "\xe2\x80\x8b\xe2\x80\x8b",
                                      "\xff\xfe\x80 broken",
                                      "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
                                      "line\nline\r\nline",
                                      "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
                                      "%s%n%d"};
  struct fixture *f = fx_busy();
  for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
    hostile(f, TEXTS[i], TEXTS[i]);
    fx_state(f, CLIENT_JOINED, ERR_OK, TEXTS[i]);
    model_toast(f->m, f->now, STYLE_WARN, TEXTS[i]);
    for (int k = 0; k < 20; k++)
      draw_at(f, 1 + (int)chance(130), 1 + (int)chance(40), PACE_FAST);
    fx_key(f, "x");
    draw_at(f, 80, 24, PACE_FAST);
    fx_key(f, "Esc");
  }
  fx_state(f, CLIENT_ENDED, ERR_REMOVED, TEXTS[0]);
  draw_at(f, 80, 24, PACE_FAST);
  fx_destroy(f);
}

static void test_random_keys(void **state) {
  (void)state;
  static const char *const NAMES[] = {"Up",    "Down",  "PgUp",   "PgDn", "Tab",   "Shift-Tab",
                                      "Enter", "Esc",   "Space",  "Home", "End",   "Backspace",
                                      "F1",    "Alt-a", "Ctrl-l", "Left", "Delete"};
  struct fixture *f = fx_busy();
  for (int i = 0; i < 4000; i++) {
    struct key k = {.code = 32 + chance(95), .phase = (uint8_t)(chance(8) == 0 ? KEY_RELEASE : KEY_PRESS)};
    if (chance(3) == 0)
      assert_true(key_from_name(NAMES[chance(sizeof NAMES / sizeof NAMES[0])], &k));
    pilot_key(&f->ctl, k, NULL, f->now);
    fx_step(f, (int)chance(400));
    if (chance(4) == 0)
      fx_pump(f);
    if (chance(8) == 0)
      draw_at(f, 1 + (int)chance(130), 1 + (int)chance(40), (enum pace_tier)chance(PACE__COUNT));
  }
  fx_destroy(f);
}

/* A talk mark may cost 100 bytes: with a cursor move of 8 and a colour change of 8 that is a row's piece, not
 * a row more. */
static void test_talk_mark_is_small(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct canvas *before = fx_draw(f, 80, 24, false);
  fx_talks(f, ERIN, 30);
  struct canvas *after = fx_draw(f, 80, 24, false);
  int changed = 0, rows = 0, last_row = -1;
  for (int i = 0; i < 80 * 24; i++)
    if (strcmp(before->cells[i].text, after->cells[i].text) != 0 ||
        before->cells[i].style != after->cells[i].style) {
      changed++;
      rows += i / 80 != last_row;
      last_row = i / 80;
    }
  assert_int_equal(rows, 1);
  assert_in_range(changed, 1, 24);
  canvas_destroy(before);
  canvas_destroy(after);
  fx_destroy(f);
}

static void test_wrap(void **state) {
  (void)state;
  size_t next;
  assert_int_equal(view_wrap("hello world", 8, &next), 5);
  assert_int_equal(next, 6);
  assert_int_equal(view_wrap("hello", 5, &next), 5);
  assert_int_equal(next, 5);
  assert_int_equal(view_wrap("abcdefgh", 3, &next), 3);
  assert_int_equal(next, 3);
  assert_int_equal(view_wrap("ab\ncd", 10, &next), 2);
  assert_int_equal(next, 3);
  assert_int_equal(view_wrap("\xe6\x81\xb5\xe5\xad\x90", 1, &next),
                   3);             /* wider than the row, but it goes on */
  for (int i = 0; i < 2000; i++) { /* every text ends */
    char text[64];
    size_t steps = 0;
    for (size_t k = 0; k < 63; k++)
      text[k] = (char)("ab \n\xc3\xa9\xe6"[chance(7)]);
    text[63] = '\0';
    for (const char *p = text; *p != '\0'; p += next, steps++)
      view_wrap(p, 1 + chance(10), &next);
    assert_in_range(steps, 1, 63);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_size), cmocka_unit_test(test_hostile_text),
                                     cmocka_unit_test(test_random_keys),
                                     cmocka_unit_test(test_talk_mark_is_small), cmocka_unit_test(test_wrap)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
