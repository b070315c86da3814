/* The input line: editing, UTF-8, history, secrets, scrolling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/lineedit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum lineedit_result press(struct lineedit *le, const char *name) {
  struct key k;
  assert_true(key_from_name(name, &k));
  return lineedit_key(le, k);
}

/* type: names of keys, separated by blanks. */
static void type(struct lineedit *le, const char *names) {
  char copy[512], *save = NULL;
  snprintf(copy, sizeof copy, "%s", names);
  for (char *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save))
    press(le, name);
}

static void expect(const struct lineedit *le, const char *text, size_t cursor) {
  assert_string_equal(lineedit_text(le), text);
  assert_int_equal(lineedit_cursor(le), cursor);
}

static void editing(void **state) {
  (void)state;
  struct lineedit *le = lineedit_create(200, false);
  type(le, "h e l l o Space w o r l d");
  expect(le, "hello world", 11);
  type(le, "Alt-b Bksp , Space");
  expect(le, "hello, world", 7);
  type(le, "Home Del H End !");
  expect(le, "Hello, world!", 13);
  type(le, "Ctrl-w");
  expect(le, "Hello, ", 7);
  type(le, "Ctrl-y Ctrl-y Ctrl-a Alt-f Ctrl-k");
  expect(le, "Hello,", 6);
  type(le, "Ctrl-u Ctrl-y Left Left Ctrl-d");
  expect(le, "Hell,", 4);
  type(le, "Home Alt-d");
  expect(le, "", 0);
  type(le, "a b Ctrl-Left x Ctrl-Right y");
  expect(le, "xaby", 4);
  lineedit_set(le, "/mut");
  lineedit_replace(le, 1, "mute ");
  expect(le, "/mute ", 6);
  lineedit_destroy(le);
}

static void combining_and_wide_characters_move_whole(void **state) {
  (void)state;
  struct lineedit *le = lineedit_create(200, false);
  const char *text = "e\314\201\314\247漢b";
  lineedit_insert(le, text, strlen(text));
  type(le, "Left");
  assert_int_equal(lineedit_cursor(le), 8);
  type(le, "Left");
  assert_int_equal(lineedit_cursor(le), 5);
  type(le, "Left");
  assert_int_equal(lineedit_cursor(le), 0); /* e and both its marks */
  type(le, "Right Bksp");
  expect(le, "漢b", 0);
  type(le, "Del");
  expect(le, "b", 0);
  lineedit_set(le, "a \314\201b"); /* a mark on the blank: no cursor between them */
  type(le, "Alt-b");
  assert_int_equal(lineedit_cursor(le), 1);
  lineedit_destroy(le);
}

static void what_comes_in_is_clean(void **state) {
  (void)state;
  struct lineedit *le = lineedit_create(200, false);
  static const char dirty[] = "\314\201a\nb\tc\033[2J\342\200\256\342\200\213\377\355\240\200d";
  lineedit_insert(le, dirty, sizeof dirty - 1);
  assert_string_equal(lineedit_text(le), "a b c[2Jd");
  lineedit_destroy(le);
}

static void limit_is_kept_on_a_character(void **state) {
  (void)state;
  struct lineedit *le = lineedit_create(5, false);
  assert_int_equal(lineedit_insert(le, "漢字", 6), LINEEDIT_FULL);
  expect(le, "漢", 3);
  assert_int_equal(press(le, "a"), LINEEDIT_CHANGED);
  assert_int_equal(press(le, "b"), LINEEDIT_CHANGED);
  assert_int_equal(press(le, "c"), LINEEDIT_FULL);
  expect(le, "漢ab", 5);
  lineedit_destroy(le);
}

static void keys_it_does_not_want(void **state) {
  (void)state;
  struct lineedit *le = lineedit_create(50, false);
  static const char *const unused[] = {"Left", "Home", "Bksp", "Del",   "Up",     "Down",
                                       "F1",   "Esc",  "Tab",  "Alt-m", "Ctrl-c", "PgUp"};
  for (size_t i = 0; i < sizeof unused / sizeof unused[0]; i++)
    assert_int_equal(press(le, unused[i]), LINEEDIT_UNUSED);
  struct key release = {.code = 'a', .phase = KEY_RELEASE};
  assert_int_equal(lineedit_key(le, release), LINEEDIT_UNUSED);
  assert_true(lineedit_is_empty(le));
  assert_int_equal(press(le, "Enter"), LINEEDIT_SUBMIT);
  press(le, "x");
  assert_int_equal(press(le, "Left"), LINEEDIT_CHANGED);
  assert_int_equal(press(le, "F1"), LINEEDIT_UNUSED);
  lineedit_destroy(le);
}

static void history_keeps_the_draft(void **state) {
  (void)state;
  struct lineedit *le = lineedit_create(50, false);
  static const char *const lines[] = {"one", "two", "two", ""};
  for (int i = 0; i < 4; i++) {
    lineedit_set(le, lines[i]);
    lineedit_accept(le);
  }
  type(le, "d r a f t Up");
  expect(le, "two", 3);
  type(le, "Up");
  expect(le, "one", 3);
  type(le, "Up Ctrl-p");
  expect(le, "one", 3);
  type(le, "Down Down");
  expect(le, "draft", 5);
  type(le, "Down");
  expect(le, "draft", 5);
  for (int i = 0; i < 3 * LINEEDIT_HISTORY; i++) {
    char line[16];
    snprintf(line, sizeof line, "%d", i);
    lineedit_set(le, line);
    lineedit_accept(le);
  }
  for (int i = 0; i < 2 * LINEEDIT_HISTORY; i++)
    press(le, "Up");
  expect(le, "200", 3); /* the oldest of the last hundred */
  lineedit_destroy(le);
}

static void secrets_are_not_shown_nor_kept(void **state) {
  (void)state;
  struct lineedit *le = lineedit_create(50, true);
  type(le, "p w é");
  struct canvas *c = canvas_create(10, 1, false);
  lineedit_draw(le, c, 0, 0, 10, STYLE_INPUT, true);
  char *text = canvas_text(c);
  assert_string_equal(text, "***\n");
  free(text);
  canvas_destroy(c);
  type(le, "Ctrl-u Ctrl-y");
  assert_true(lineedit_is_empty(le));
  type(le, "p w");
  lineedit_accept(le);
  assert_int_equal(press(le, "Up"), LINEEDIT_UNUSED);
  lineedit_destroy(le);
}

static void expect_drawn(struct lineedit *le, int w, const char *want, int cursor) {
  struct canvas *c = canvas_create(12, 1, false);
  lineedit_draw(le, c, 1, 0, w, STYLE_INPUT, true);
  char *text = canvas_text(c);
  assert_string_equal(text, want);
  assert_int_equal(c->cursor_x, 1 + cursor);
  assert_true(c->cursor_shown);
  free(text);
  canvas_destroy(c);
}

static void long_lines_scroll(void **state) {
  (void)state;
  struct lineedit *le = lineedit_create(200, false);
  expect_drawn(le, 6, "\n", 0);
  lineedit_set(le, "12345");
  expect_drawn(le, 6, " 12345\n", 5);
  lineedit_set(le, "1234567890");
  expect_drawn(le, 6, " 67890\n", 5);
  type(le, "Left Left");
  expect_drawn(le, 6, " 67890\n", 3);
  type(le, "Home");
  expect_drawn(le, 6, " 12345…\n", 0);
  lineedit_set(le, "漢字漢字漢");
  expect_drawn(le, 6, " 字漢\n", 4);
  type(le, "Ctrl-u");
  expect_drawn(le, 6, "\n", 0);
  lineedit_destroy(le);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(editing),
      cmocka_unit_test(combining_and_wide_characters_move_whole),
      cmocka_unit_test(what_comes_in_is_clean),
      cmocka_unit_test(limit_is_kept_on_a_character),
      cmocka_unit_test(keys_it_does_not_want),
      cmocka_unit_test(history_keeps_the_draft),
      cmocka_unit_test(secrets_are_not_shown_nor_kept),
      cmocka_unit_test(long_lines_scroll),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
