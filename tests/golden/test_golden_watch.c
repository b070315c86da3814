/* Golden screens of `gavel watch`: the rooms, one room, one person, help, a filter, a slow line; sizes x
 * {utf8, ascii} x {colour, mono}. Text, then (colour) the style letter of each cell, then the cursor; mono is
 * the same text, which proves that no state is told by colour alone. UPDATE=1 writes them anew. */
#include "tests/unit/tui/watch_fixture.h"
#include "tui/watch_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/golden/golden_kit.h"

static void snapshot(struct wf *f, const char *what, int w, int h, bool ascii, bool colour) {
  struct canvas *c = canvas_create(w, h, ascii);
  watch_model_page(f->m, watch_view_rows(h));
  watch_inside_page(&f->u.in, watch_view_rows(h));
  watch_view(&(struct watch_scene){&f->u, c, pace_tier_info(PACE_FAST), f->now});
  compare_canvas(what, c, colour);
  canvas_destroy(c);
}

static void all_sizes(struct wf *f, const char *what) {
  static const int SIZES[][2] = {{160, 50}, {120, 40}, {80, 24}, {40, 12}};
  for (size_t i = 0; i < 16; i++)
    snapshot(f, what, SIZES[i / 4][0], SIZES[i / 4][1], i % 2 != 0, i / 2 % 2 == 0);
}

/* busy: the rooms of the fixture after two minutes in which some of it changed. */
static void busy(struct wf *f) {
  struct wf_room standup = WF_ROOMS[0], hall = WF_ROOMS[3];
  wf_begin(f, WF_ROOMS, WF_N);
  for (int i = 0; i < 20; i++) {
    wf_step(f, 5000);
    standup.loss_down = i < 6 ? 0 : i - 5;
    standup.people = 4 + i / 3;
    hall.people = 2000 + 40 * (i % 7);
    assert_int_equal(wf_change(f, &standup), ERR_OK);
    assert_int_equal(wf_change(f, &hall), ERR_OK);
  }
  assert_int_equal(wf_change(f, &WF_ROOMS[0]), ERR_OK);
  assert_int_equal(wf_change(f, &WF_ROOMS[3]), ERR_OK);
  wf_step(f, 1000);
}

static void look_into(struct wf *f) {
  wf_key(f, "Down");
  wf_key(f, "Enter");
  assert_int_equal(watch_pilot_take(&f->u), WATCH_ORDER_LOOK);
  json_t *o = wf_inside(&WF_ROOMS[0]);
  assert_int_equal(watch_inside_take(&f->u.in, o), ERR_OK);
  json_decref(o);
}

static void test_rooms(void **state) {
  (void)state;
  struct wf f;
  busy(&f);
  wf_key(&f, "Down");
  wf_key(&f, "Down");
  all_sizes(&f, "watch");
  snapshot(&f, "watch-readme", 80, 14, false, true);
  wf_key(&f, "/");
  wf_type(&f, "loss>1 app~e");
  snapshot(&f, "watch-filter", 80, 24, false, true);
  wf_key(&f, "Enter");
  wf_key(&f, ">");
  snapshot(&f, "watch-filtered", 80, 24, false, true);
  wf_key(&f, "/");
  wf_type(&f, " mos<<");
  wf_key(&f, "Enter");
  snapshot(&f, "watch-fault", 80, 24, true, true);
  wf_end(&f);
}

static void test_inside(void **state) {
  (void)state;
  struct wf f;
  busy(&f);
  look_into(&f);
  wf_key(&f, "Down");
  all_sizes(&f, "watch-room");
  wf_key(&f, "Enter");
  all_sizes(&f, "watch-person");
  wf_key(&f, "Esc");
  wf_key(&f, "l");
  wf_type(&f, "complaint about noise");
  snapshot(&f, "watch-listen", 80, 24, false, true);
  wf_end(&f);
}

static void test_help(void **state) {
  (void)state;
  struct wf f;
  wf_begin(&f, WF_ROOMS, WF_N);
  wf_key(&f, "?");
  all_sizes(&f, "watch-help");
  wf_end(&f);
}

/* Nothing known yet; no connection; held still; no room at all; a line of 2400 baud. */
static void test_states(void **state) {
  (void)state;
  struct wf f;
  wf_begin(&f, NULL, 0);
  f.m->fed = false;
  snapshot(&f, "watch-waiting", 80, 24, false, true);
  f.m->fed = true;
  snapshot(&f, "watch-empty", 80, 24, false, true);
  wf_end(&f);
  busy(&f);
  snprintf(f.u.server, sizeof f.u.server, "NO CONNECTION, trying again: cannot connect to the server");
  snprintf(f.m->server.state, sizeof f.m->server.state, "draining");
  snapshot(&f, "watch-lost", 80, 24, true, true);
  f.u.server[0] = '\0';
  wf_key(&f, "Space");
  snapshot(&f, "watch-paused", 40, 12, true, true);
  struct canvas *c = canvas_create(80, 24, true);
  watch_view(&(struct watch_scene){&f.u, c, pace_tier_info(PACE_2400), f.now});
  compare_canvas("watch-slow", c, false);
  canvas_destroy(c);
  wf_end(&f);
}

static void test_once(void **state) {
  (void)state;
  struct wf f;
  wf_begin(&f, WF_ROOMS, WF_N);
  char *text = watch_text_table(f.m, f.now);
  compare("watch-once", text);
  free(text);
  wf_end(&f);
}

static void test_readme(void **state) {
  (void)state;
  readme_shows("watch-readme-80x14-utf8-colour", "ttt");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rooms), cmocka_unit_test(test_inside),
                                     cmocka_unit_test(test_help),  cmocka_unit_test(test_states),
                                     cmocka_unit_test(test_once),  cmocka_unit_test(test_readme)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
