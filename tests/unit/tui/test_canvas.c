/* The grid: clipping, wide characters, marks, hostile text, and what goldens read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/text.h"
#include "tui/canvas.h"

#include <stdlib.h>
#include <string.h>

static void expect_text(struct canvas *c, const char *want) {
  char *got = canvas_text(c);
  assert_string_equal(got, want);
  free(got);
}

static void expect_styles(struct canvas *c, const char *want) {
  char *got = canvas_styles(c);
  assert_string_equal(got, want);
  free(got);
}

static void text_is_put_clipped_and_cut(void **state) {
  (void)state;
  struct canvas *c = canvas_create(10, 3, false);
  assert_int_equal(canvas_put(c, 1, 0, 20, STYLE_HOST, "alice"), 5);
  assert_int_equal(canvas_put(c, 0, 1, 4, STYLE_NORMAL, "abcdef"), 4);
  assert_int_equal(canvas_put(c, 7, 1, 99, STYLE_NORMAL, "ghijkl"), 3);
  assert_int_equal(canvas_put(c, -2, 2, 99, STYLE_DIM, "12345"), 5);
  assert_int_equal(canvas_put(c, 10, 0, 5, STYLE_DIM, "x"), 0);
  assert_int_equal(canvas_put(c, 0, 0, 0, STYLE_DIM, "x"), 0);
  canvas_put(c, 0, 3, 5, STYLE_DIM, "below");
  canvas_put(c, 0, -1, 5, STYLE_DIM, "above");
  expect_text(c, " alice\nabc…   gh…\n345\n");
  expect_styles(c, ".hhhhh\n\nddd\n");
  canvas_clear(c);
  expect_text(c, "\n\n\n");
  canvas_destroy(c);
}

static void exactly_fitting_text_is_not_cut(void **state) {
  (void)state;
  struct canvas *c = canvas_create(5, 1, false);
  assert_int_equal(canvas_put(c, 0, 0, 5, STYLE_NORMAL, "12345"), 5);
  expect_text(c, "12345\n");
  canvas_destroy(c);
}

static void wide_characters_own_two_cells(void **state) {
  (void)state;
  struct canvas *c = canvas_create(6, 1, false);
  assert_int_equal(canvas_put(c, 0, 0, 6, STYLE_TITLE, "漢字a"), 5);
  assert_int_equal(c->cells[0].width, 2);
  assert_int_equal(c->cells[1].width, 0);
  assert_string_equal(c->cells[1].text, "");
  expect_text(c, "漢字a\n");
  expect_styles(c, "ttttt\n");
  canvas_put(c, 1, 0, 1, STYLE_NORMAL, "x"); /* the right half goes: so does the left */
  expect_text(c, " x字a\n");
  canvas_put(c, 2, 0, 1, STYLE_NORMAL, "y"); /* the left half goes: so does the right */
  expect_text(c, " xy a\n");
  canvas_clear(c);
  assert_int_equal(canvas_put(c, 0, 0, 4, STYLE_NORMAL, "漢字漢"),
                   3); /* no half character before the ellipsis */
  expect_text(c, "漢…\n");
  canvas_clear(c);
  canvas_put(c, -1, 0, 9, STYLE_NORMAL, "漢b"); /* clipped in the middle */
  expect_text(c, " b\n");
  canvas_clear(c);
  canvas_put(c, 5, 0, 9, STYLE_NORMAL, "漢");
  expect_text(c, "     …\n");
  canvas_destroy(c);
}

static void marks_join_their_base_and_are_limited(void **state) {
  (void)state;
  struct canvas *c = canvas_create(8, 1, false);
  assert_int_equal(canvas_put(c, 0, 0, 8, STYLE_NORMAL, "\314\201e\314\201x"),
                   2); /* a mark without a base vanishes */
  assert_string_equal(c->cells[0].text, "e\314\201");
  char zalgo[64] = "z";
  for (int i = 0; i < 12; i++)
    assert_true(text_append(zalgo, sizeof zalgo, "\314\266"));
  assert_int_equal(canvas_put(c, 0, 0, 8, STYLE_NORMAL, zalgo), 1);
  assert_int_equal(strlen(c->cells[0].text), 1 + 4 * 2);
  canvas_destroy(c);
}

static void hostile_text_cannot_act(void **state) {
  (void)state;
  struct canvas *c = canvas_create(40, 1, false);
  /* an escape sequence, C1 CSI, a bidi override, zero width space and joiner, BOM, tag, invalid bytes, tab
   * and newline */
  canvas_put(
      c, 0, 0, 40, STYLE_NORMAL,
      "a\033[2J\302\233b\342\200\256c\342\200\213\342\200\215d\357\273\277\363\240\201\201e\377f\tg\nh\177");
  expect_text(c, "a[2Jbcde\357\277\275f g h\n");
  canvas_destroy(c);
}

static void ascii_mode_keeps_columns(void **state) {
  (void)state;
  struct canvas *c = canvas_create(12, 4, true);
  canvas_box(c, (struct rect){0, 0, 12, 3}, STYLE_BORDER, "hé");
  assert_int_equal(canvas_put(c, 1, 1, 10, STYLE_NORMAL, "e\314\201漢…"), 4);
  canvas_put(c, 0, 3, 4, STYLE_NORMAL, "abcdef");
  expect_text(c, "+- h? -----+\n|e???      |\n+----------+\nabc~\n");
  expect_styles(c, "bbbbbbbbbbbb\nb..........b\nbbbbbbbbbbbb\n\n");
  canvas_destroy(c);
}

static void boxes_lines_and_restyling(void **state) {
  (void)state;
  struct canvas *c = canvas_create(10, 4, false);
  canvas_box(c, (struct rect){1, 0, 8, 3}, STYLE_BORDER, "Help me now");
  canvas_hline(c, 0, 3, 99, STYLE_DIM);
  canvas_style(c, (struct rect){-5, 3, 7, 9}, STYLE_FOCUS);
  expect_text(c, " ┌─ H… ─┐\n │      │\n └──────┘\n──────────\n");
  expect_styles(c, ".bbbbbbbb\n.b......b\n.bbbbbbbb\nffdddddddd\n");
  canvas_fill(c, (struct rect){2, 1, 100, 1}, STYLE_OK, "漢");  /* only single columns fill */
  canvas_box(c, (struct rect){0, 0, 1, 1}, STYLE_BORDER, NULL); /* too small: nothing */
  canvas_vline(c, 9, -3, 99, STYLE_BORDER);
  expect_text(c, " ┌─ H… ─┐│\n │       │\n └──────┘│\n─────────│\n");
  canvas_destroy(c);
}

static void sizes_are_kept_sane(void **state) {
  (void)state;
  struct canvas *c = canvas_create(-3, 0, false);
  assert_int_equal(c->w, 1);
  assert_int_equal(c->h, 1);
  canvas_put(c, 0, 0, 5, STYLE_NORMAL, "long");
  expect_text(c, "…\n");
  canvas_destroy(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_is_put_clipped_and_cut),
      cmocka_unit_test(exactly_fitting_text_is_not_cut),
      cmocka_unit_test(wide_characters_own_two_cells),
      cmocka_unit_test(marks_join_their_base_and_are_limited),
      cmocka_unit_test(hostile_text_cannot_act),
      cmocka_unit_test(ascii_mode_keeps_columns),
      cmocka_unit_test(boxes_lines_and_restyling),
      cmocka_unit_test(sizes_are_kept_sane),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
