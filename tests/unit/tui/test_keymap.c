/* The key map: defaults, the user's file, shadowing, conflicts, reverse lookup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/keymap.h"

#include <stdbool.h>
#include <string.h>

static const struct keymap_default table[] = {
    {KEY_CONTEXT_GLOBAL, "help", "?"},
    {KEY_CONTEXT_GLOBAL, "help", "F1"},
    {KEY_CONTEXT_GLOBAL, "redraw", "Ctrl-l"},
    {KEY_CONTEXT_ROOM, "mute", "m"},
    {KEY_CONTEXT_ROOM, "mute", "Alt-a"},
    {KEY_CONTEXT_ROOM, "mute-all", "M"},
    {KEY_CONTEXT_ROOM, "hand", "h"},
    {KEY_CONTEXT_ROOM, "talk", "Space"},
    {KEY_CONTEXT_LIST, "up", "k"},
    {KEY_CONTEXT_INPUT, "complete", "Tab"},
    {KEY_CONTEXT_ROOM, "record", NULL},
};

static struct keymap *fresh(void) {
  return keymap_create(table, sizeof table / sizeof table[0]);
}

static const char *does(const struct keymap *km, enum key_context c, const char *name) {
  struct key k;
  assert_true(key_from_name(name, &k));
  const char *action = keymap_lookup(km, c, k);
  return action ? action : "-";
}

static void load(struct keymap *km, const char *text) {
  char why[256];
  enum err err = keymap_load_text(km, "keys", text, why);
  if (err)
    fail_msg("%s", why);
}

static void defaults_and_fall_through(void **state) {
  (void)state;
  struct keymap *km = fresh();
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "m"), "mute");
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "M"), "mute-all");
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "Alt-a"), "mute");
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "F1"), "help"); /* global */
  assert_string_equal(does(km, KEY_CONTEXT_LIST, "m"), "-");
  assert_string_equal(does(km, KEY_CONTEXT_INPUT, "Ctrl-l"), "redraw");
  assert_string_equal(does(km, KEY_CONTEXT_INPUT, "?"), "-"); /* text, whatever [global] says */
  struct key release = {.code = 'm', .phase = KEY_RELEASE};
  assert_string_equal(keymap_lookup(km, KEY_CONTEXT_ROOM, release), "mute");
  keymap_destroy(km);
}

static void user_file_replaces_and_unbinds(void **state) {
  (void)state;
  struct keymap *km = fresh();
  load(km,
       "# mine\n[room]\nmute = x F5\nhand = none\nunbind = F1\nrecord = Ctrl-r\n[list]\nup = Up Semicolon\n");
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "x"), "mute");
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "F5"), "mute");
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "m"), "-");
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "Alt-a"), "-");
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "h"), "-");
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "F1"), "-"); /* here, but still elsewhere */
  assert_string_equal(does(km, KEY_CONTEXT_LIST, "F1"), "help");
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "Ctrl-r"), "record");
  assert_string_equal(does(km, KEY_CONTEXT_LIST, ";"), "up");
  char out[160];
  assert_false(keymap_conflict(km, 0, out));
  keymap_destroy(km);
}

static void conflicts_are_told_by_name(void **state) {
  (void)state;
  struct keymap *km = fresh();
  char out[160];
  load(km, "[room]\nmute = h\n");
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "h"), "mute"); /* the user's wish wins */
  assert_true(keymap_conflict(km, 0, out));
  assert_string_equal(out, "[room] h: mute (line 2) instead of hand");
  assert_false(keymap_conflict(km, 1, out));
  load(km, "[room]\nhand = y\n"); /* settled: hand has a key of its own again */
  assert_false(keymap_conflict(km, 0, out));
  keymap_destroy(km);
  km = fresh();
  load(km, "[room]\nmute = h\nhand = m\n"); /* two swapped keys are no conflict */
  assert_false(keymap_conflict(km, 0, out));
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "m"), "hand");
  load(km, "[room]\nmute = t\nhand = t\n"); /* two of the user's own */
  assert_true(keymap_conflict(km, 0, out));
  assert_string_equal(out, "[room] t: hand (line 3) instead of mute");
  keymap_destroy(km);
}

static void reverse_lookup_shows_keys_that_work(void **state) {
  (void)state;
  struct keymap *km = fresh();
  char out[24];
  assert_true(keymap_key(km, KEY_CONTEXT_ROOM, "mute", 0, out));
  assert_string_equal(out, "m");
  assert_true(keymap_key(km, KEY_CONTEXT_ROOM, "mute", 1, out));
  assert_string_equal(out, "Alt-a");
  assert_false(keymap_key(km, KEY_CONTEXT_ROOM, "mute", 2, out));
  assert_false(keymap_key(km, KEY_CONTEXT_ROOM, "record", 0, out));
  assert_true(keymap_key(km, KEY_CONTEXT_INPUT, "help", 0, out));
  assert_string_equal(out, "F1"); /* not "?": it is text there */
  load(km, "[room]\nhand = ?\n");
  assert_true(keymap_key(km, KEY_CONTEXT_ROOM, "help", 0, out));
  assert_string_equal(out, "F1"); /* "?" is shadowed here */
  assert_true(keymap_key(km, KEY_CONTEXT_GLOBAL, "help", 0, out));
  assert_string_equal(out, "?");
  keymap_destroy(km);
}

/* LOBBY and CHAT ask ROOM, that asks LIST, and all ask GLOBAL; the nearest wins, an unbound key stops. */
static void contexts_ask_the_next(void **state) {
  (void)state;
  struct keymap *km = fresh();
  char out[24];
  assert_string_equal(does(km, KEY_CONTEXT_LOBBY, "m"), "mute");
  assert_string_equal(does(km, KEY_CONTEXT_CHAT, "k"), "up");
  assert_string_equal(does(km, KEY_CONTEXT_ROOM, "k"), "up");
  assert_string_equal(does(km, KEY_CONTEXT_LOBBY, "Ctrl-l"), "redraw");
  assert_string_equal(does(km, KEY_CONTEXT_CONFIRM, "m"), "-");
  assert_string_equal(does(km, KEY_CONTEXT_HELP, "k"), "-"); /* typed there */
  load(km, "[lobby]\nhand = m\nunbind = k\n[list]\nup = k PgUp\n");
  assert_string_equal(does(km, KEY_CONTEXT_LOBBY, "m"), "hand");
  assert_string_equal(does(km, KEY_CONTEXT_CHAT, "m"), "mute");
  assert_string_equal(does(km, KEY_CONTEXT_LOBBY, "k"), "-");
  assert_string_equal(does(km, KEY_CONTEXT_HELP, "PgUp"), "up");
  assert_true(keymap_key(km, KEY_CONTEXT_CHAT, "up", 1, out));
  assert_string_equal(out, "PgUp");
  assert_true(keymap_key(km, KEY_CONTEXT_LOBBY, "up", 0, out)); /* k is none there */
  assert_string_equal(out, "PgUp");
  assert_false(keymap_conflict(km, 0, (char[160]){0}));
  keymap_destroy(km);
}

static void bad_files_say_line_and_nearest_name(void **state) {
  (void)state;
  static const struct {
    const char *text, *line, *hint;
  } bad[] = {
      {"[room]\n\nmuet = m\n", "keys:3:", "did you mean mute?"},
      {"[rom]\nmute = m\n", "keys:2:", "did you mean room?"},
      {"mute = m\n", "keys:1:", "no section"},
      {"[room]\nmute = F13\n", "keys:2:", "no key \"F13\""},
      {"[room]\nmute = m Hyper-x\n", "keys:2:", "Hyper-x"},
      {"[room]\nunbnd = m\n", "keys:2:", "did you mean unbind?"},
      {"[input]\ncomplete = c\n", "keys:2:", "is text"},
      {"[help]\nup = k\n", "keys:2:", "is text in [help]"},
      {"[room]\nmute\n", "keys:2:", "name = value"},
      {"[room\nmute = m\n", "keys:1:", "name = value"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct keymap *km = fresh();
    char why[256];
    assert_int_equal(keymap_load_text(km, "keys", bad[i].text, why), ERR_BAD_CONFIG);
    if (!strstr(why, bad[i].line) || !strstr(why, bad[i].hint))
      fail_msg("case %zu: %s", i, why);
    keymap_destroy(km);
  }
}

static void a_missing_file_is_told(void **state) {
  (void)state;
  struct keymap *km = fresh();
  char why[256];
  assert_int_equal(keymap_load(km, "/nonexistent/keys", why), ERR_IO);
  assert_non_null(strstr(why, "/nonexistent/keys"));
  keymap_destroy(km);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_and_fall_through),  cmocka_unit_test(user_file_replaces_and_unbinds),
      cmocka_unit_test(conflicts_are_told_by_name), cmocka_unit_test(reverse_lookup_shows_keys_that_work),
      cmocka_unit_test(contexts_ask_the_next),      cmocka_unit_test(bad_files_say_line_and_nearest_name),
      cmocka_unit_test(a_missing_file_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
