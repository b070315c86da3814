/* Keys out of bytes: every sequence, split at every byte, gives the same keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sequence {
  const char *bytes, *keys; /* names, separated by blanks; ":repeat" and ":release" for phases */
};

/* From xterm's ctlseqs, rxvt's rxvtRef, the Linux console's and the kitty protocol's documents. */
static const struct sequence sequences[] = {
    {"a", "a"},
    {"M", "M"},
    {" ", "Space"},
    {"\r", "Enter"},
    {"\n", "Enter"},
    {"\t", "Tab"},
    {"\177", "Bksp"},
    {"\b", "Bksp"},
    {"\003", "Ctrl-c"},
    {"\014", "Ctrl-l"},
    {"\032", "Ctrl-z"},
    {"\034", "Ctrl-\\"},
    {"\037", "Ctrl-_"},
    {"\033a", "Alt-a"},
    {"\033A", "Alt-A"},
    {"\033\177", "Alt-Bksp"},
    {"\033\r", "Alt-Enter"},
    {"\033\003", "Ctrl-Alt-c"},
    {"\303\251", "é"},
    {"\033\303\251", "Alt-é"},
    {"\346\274\242\360\237\230\200x", "漢 😀 x"},
    {"\033[A\033[B\033[C\033[D", "Up Down Right Left"},
    {"\033OA\033OB\033OC\033OD", "Up Down Right Left"},
    {"\033[H\033[F\033OH\033OF", "Home End Home End"},
    {"\033[1~\033[4~\033[7~\033[8~", "Home End Home End"},
    {"\033[2~\033[3~\033[5~\033[6~", "Ins Del PgUp PgDn"},
    {"\033OP\033OQ\033OR\033OS", "F1 F2 F3 F4"},
    {"\033[11~\033[12~\033[13~\033[14~", "F1 F2 F3 F4"},
    {"\033[[A\033[[B\033[[E", "F1 F2 F5"},
    {"\033[15~\033[17~\033[18~\033[19~\033[20~\033[21~\033[23~\033[24~", "F5 F6 F7 F8 F9 F10 F11 F12"},
    {"\033[1;5A\033[1;2C\033[1;3D\033[1;6B", "Ctrl-Up Shift-Right Alt-Left Ctrl-Shift-Down"},
    {"\033[3;5~\033[15;2~", "Ctrl-Del Shift-F5"},
    {"\033[1;2P\033[1;8S", "Shift-F1 Ctrl-Alt-Shift-F4"},
    {"\033O5A\033O2P", "Ctrl-Up Shift-F1"},
    {"\033[a\033[d\033Oa\033Oc", "Shift-Up Shift-Left Ctrl-Up Ctrl-Right"},
    {"\033[3$\033[5^\033[6@", "Shift-Del Ctrl-PgUp Ctrl-Shift-PgDn"},
    {"\033\033[A", "Alt-Up"},
    {"\033\033OP", "Alt-F1"},
    {"\033[Z", "Shift-Tab"},
    {"\033OM\033Oj\033Op\033Oy", "Enter * 0 9"},
    {"\033[I\033[O", "<in> <out>"},
    {"\033[0n", "<receipt>"},
    {"\033[?0u\033[?27u", "<kitty 0> <kitty 27>"},
    {"\033[97u\033[97;5u\033[97;3u", "a Ctrl-a Alt-a"},
    {"\033[27u\033[13u\033[9u\033[127u\033[9;2u", "Esc Enter Tab Bksp Shift-Tab"},
    {"\033[32;;32u\033[32;1:2;32u\033[32;1:3u", "Space Space:repeat Space:release"},
    {"\033[97;2;65u\033[97:65;2u\033[97;2u", "A A A"},
    {"\033[109;6u", "Ctrl-Shift-m"},
    {"\033[97;65;97u\033[97;129;97u", "a a"}, /* Caps Lock and Num Lock do not count */
    {"\033[0;;28450:23383u", "漢 字"},        /* an input method's text */
    {"\033[1;1:3Q\033[Q", "F2:release F2"},
    {"\033[57399u\033[57414u\033[57417u", "0 Enter Left"},
    {"\033[27;5;105~", "Ctrl-i"},
    /* what means nothing here vanishes, and what follows is not lost */
    {"\033[97;9ux", "x"},     /* Super */
    {"\033[57441;2ux", "x"},  /* the Shift key itself */
    {"\033[?62;22cx", "x"},   /* device attributes */
    {"\033[?2026;2$yx", "x"}, /* a mode report */
    {"\033[<0;10;10Mx", "x"}, /* a mouse */
    {"\033[99~x", "x"},
    {"\033[12;40Rx", "x"}, /* a cursor position is not F3 */
    {"\033[>1;10;0cx", "x"},
    {"\033]11;rgb:0000/0000/0000\033\\x", "x"},
    {"\033]11;rgb:0000/0000/0000\007x", "x"},
    {"\033P1$r0m\033\\x", "x"},
    {"\033_Gi=1;OK\033\\x", "x"},
    {"\377x\300\200y\355\240\200z", "x y z"},
    {"\342\202x", "x"},
    {"\302\205x", "x"},     /* a C1 control as UTF-8 */
    {"\342\200\256x", "x"}, /* a bidi override */
    {"\033[1;\003", "Ctrl-c"},
    {"\033[1\033[A", "Up"},
    {"\033[111111111111111111111111111111111111111111111111111111111111111111111111111111~x", "x"},
    {"\033[4294967297Ax", "x"},
};
#define SEQUENCES_N (sizeof sequences / sizeof sequences[0])

static void describe(const struct input *in, struct key k, char *out, size_t cap) {
  char name[24];
  size_t n = strlen(out);
  key_name(k, name);
  if (k.code == KEY_PASTE)
    snprintf(out + n, cap - n, "<paste %s>", input_paste(in));
  else if (k.code == KEY_KITTY)
    snprintf(out + n, cap - n, "<kitty %d>", k.mods);
  else
    snprintf(out + n, cap - n, "%s%s",
             k.code == KEY_FOCUS_IN    ? "<in>"
             : k.code == KEY_FOCUS_OUT ? "<out>"
             : k.code == KEY_RECEIPT   ? "<receipt>"
                                       : name,
             k.phase == KEY_REPEAT    ? ":repeat"
             : k.phase == KEY_RELEASE ? ":release"
                                      : "");
}

static void collect(struct input *in, us_t now, char *out, size_t cap) {
  struct key k;
  while (input_poll(in, now, &k)) {
    if (*out)
      strncat(out, " ", cap - strlen(out) - 1);
    describe(in, k, out, cap);
  }
}

/* keys_of: the keys of a, then (after a poll) of b; all at one time. */
static void keys_of(const char *a, size_t an, const char *b, size_t bn, char *out, size_t cap) {
  struct input *in = input_create();
  out[0] = '\0';
  input_feed(in, 5, a, an);
  collect(in, 5, out, cap);
  input_feed(in, 5, b, bn);
  collect(in, 5, out, cap);
  input_destroy(in);
}

static void every_sequence_at_every_split(void **state) {
  (void)state;
  for (size_t i = 0; i < SEQUENCES_N; i++) {
    size_t n = strlen(sequences[i].bytes);
    for (size_t split = 0; split <= n; split++) {
      char got[512];
      keys_of(sequences[i].bytes, split, sequences[i].bytes + split, n - split, got, sizeof got);
      if (strcmp(got, sequences[i].keys) != 0)
        fail_msg("sequence %zu split at %zu: \"%s\" instead of \"%s\"", i, split, got, sequences[i].keys);
    }
  }
}

static void all_sequences_byte_by_byte(void **state) {
  (void)state;
  struct input *in = input_create();
  for (size_t i = 0; i < SEQUENCES_N; i++) {
    char got[512] = "";
    for (const char *p = sequences[i].bytes; *p; p++) {
      input_feed(in, 5, p, 1);
      collect(in, 5, got, sizeof got);
    }
    assert_string_equal(got, sequences[i].keys); /* and nothing is left over for the next */
  }
  input_destroy(in);
}

static void lone_escape_is_decided_in_time(void **state) {
  (void)state;
  struct input *in = input_create();
  struct key k;
  assert_true(input_next_timeout(in) == US_NEVER);
  input_feed(in, 1000, "\033", 1);
  assert_false(input_poll(in, 1000 + INPUT_ESC_MS * US_PER_MS - 1, &k));
  assert_true(input_next_timeout(in) == 1000 + INPUT_ESC_MS * US_PER_MS);
  assert_true(input_poll(in, 1000 + INPUT_ESC_MS * US_PER_MS, &k));
  assert_int_equal(k.code, KEY_ESC);
  assert_int_equal(k.mods, 0);
  assert_true(input_next_timeout(in) == US_NEVER);
  char got[64] = "";
  input_feed(in, 0, "\033\033", 2);
  collect(in, US_PER_S, got, sizeof got);
  assert_string_equal(got, "Esc Esc");
  input_destroy(in);
}

static void introducer_alone_is_alt(void **state) {
  (void)state;
  static const struct sequence alone[] = {
      {"\033[", "Alt-["}, {"\033O", "Alt-O"}, {"\033P", "Alt-P"}, {"\033]", "Alt-]"}};
  for (size_t i = 0; i < 4; i++) {
    struct input *in = input_create();
    char got[64] = "";
    input_feed(in, 0, alone[i].bytes, 2);
    collect(in, 0, got, sizeof got);
    assert_string_equal(got, "");
    collect(in, INPUT_ESC_MS * US_PER_MS, got, sizeof got);
    assert_string_equal(got, alone[i].keys);
    input_destroy(in);
  }
}

static void broken_sequence_does_not_eat_typing(void **state) {
  (void)state;
  static const char *const broken[] = {"\033[1;", "\033]0;title", "\342\202", "\033[[", "\033O1"};
  for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
    struct input *in = input_create();
    char got[64] = "";
    input_feed(in, 0, broken[i], strlen(broken[i]));
    collect(in, 2 * US_PER_S, got, sizeof got);
    input_feed(in, 2 * US_PER_S, "hi", 2);
    collect(in, 2 * US_PER_S, got, sizeof got);
    assert_string_equal(got, "h i");
    input_destroy(in);
  }
}

static void paste_is_cleaned_at_every_split(void **state) {
  (void)state;
  static const char bytes[] = "x\033[200~one\rtwo\r\nthree\tq\033[31m\001\342\200\256\377\033[20\033[201~y";
  size_t n = sizeof bytes - 1;
  for (size_t split = 0; split <= n; split++) {
    char got[256];
    keys_of(bytes, split, bytes + split, n - split, got, sizeof got);
    assert_string_equal(got, "x <paste one\ntwo\nthree q[31m[20> y");
  }
}

static void paste_has_a_limit_and_an_end(void **state) {
  (void)state;
  struct input *in = input_create();
  struct key k;
  char block[1000];
  memset(block, 'p', sizeof block);
  input_feed(in, 0, "\033[200~", 6);
  for (int i = 0; i < 100; i++) {
    input_feed(in, 0, block, sizeof block);
    assert_false(input_poll(in, 0, &k));
  }
  input_feed(in, 0, "\033[201~", 6);
  assert_true(input_poll(in, 0, &k));
  assert_int_equal(k.code, KEY_PASTE);
  assert_int_equal(strlen(input_paste(in)), INPUT_PASTE_MAX);
  input_feed(in, 0, "\033[200~lost", 10); /* its end never comes */
  assert_false(input_poll(in, US_PER_S, &k));
  assert_true(input_poll(in, 10 * US_PER_S, &k));
  assert_string_equal(input_paste(in), "lost");
  input_destroy(in);
}

static void escape_before_an_event_is_a_key(void **state) {
  (void)state;
  char got[64];
  keys_of("\033", 1, "\033[O", 3, got, sizeof got);
  assert_string_equal(got, "Esc <out>");
  keys_of("\033\033[200~a\033[201~", 14, "", 0, got, sizeof got);
  assert_string_equal(got, "Esc <paste a>");
}

static void too_many_bytes_are_dropped(void **state) {
  (void)state;
  struct input *in = input_create();
  char *block = malloc(200000);
  memset(block, 'k', 200000);
  input_feed(in, 0, block, 200000);
  struct key k;
  size_t n = 0;
  while (input_poll(in, 0, &k))
    n++;
  assert_int_equal(n, 65536);
  input_feed(in, 0, "z", 1);
  assert_true(input_poll(in, 0, &k));
  assert_int_equal(k.code, 'z');
  free(block);
  input_destroy(in);
}

static void names_round_trip(void **state) {
  (void)state;
  static const uint32_t codes[] = {'a', 'Z', '-', ';', '?', ' ', 0xe9, 0x1f600};
  for (unsigned mods = 0; mods < 8; mods++) {
    for (uint32_t i = 0; i < 8 + (KEY_F12 - KEY_ESC) + 1; i++) {
      struct key k = key_normal(i < 8 ? codes[i] : KEY_ESC + i - 8, mods, KEY_PRESS), back;
      char name[24];
      key_name(k, name);
      assert_true(name[0]);
      assert_true(key_from_name(name, &back));
      assert_int_equal(back.code, k.code);
      assert_int_equal(back.mods, k.mods);
    }
  }
}

static void names_are_forgiving_but_not_loose(void **state) {
  (void)state;
  static const struct {
    const char *in, *out;
  } good[] = {{"ctrl-L", "Ctrl-l"},     {"shift-alt-up", "Alt-Shift-Up"},
              {"Backspace", "Bksp"},    {"pageup", "PgUp"},
              {"Semicolon", ";"},       {"Shift-a", "A"},
              {"BackTab", "Shift-Tab"}, {"f12", "F12"},
              {"Alt--", "Alt--"},       {"escape", "Esc"}};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    struct key k;
    char name[24];
    assert_true(key_from_name(good[i].in, &k));
    key_name(k, name);
    assert_string_equal(name, good[i].out);
  }
  static const char *const bad[] = {"",     "F13", "F0",           "Ctrl-", "ab",      "Hyper-a",
                                    "\001", " ",   "\342\200\256", "\377",  "\314\201"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct key k;
    if (key_from_name(bad[i], &k))
      fail_msg("%zu is no key", i);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_sequence_at_every_split),
      cmocka_unit_test(all_sequences_byte_by_byte),
      cmocka_unit_test(lone_escape_is_decided_in_time),
      cmocka_unit_test(introducer_alone_is_alt),
      cmocka_unit_test(broken_sequence_does_not_eat_typing),
      cmocka_unit_test(paste_is_cleaned_at_every_split),
      cmocka_unit_test(paste_has_a_limit_and_an_end),
      cmocka_unit_test(escape_before_an_event_is_a_key),
      cmocka_unit_test(too_many_bytes_are_dropped),
      cmocka_unit_test(names_round_trip),
      cmocka_unit_test(names_are_forgiving_but_not_loose),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
