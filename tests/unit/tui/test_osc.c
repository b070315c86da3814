/* Strings that reach outside the window: exact bytes, and text that cannot break out of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/text.h"
#include "tui/osc.h"

#include <stdlib.h>
#include <string.h>

static void titles(void **state) {
  (void)state;
  char out[256];
  size_t n = osc_title(out, sizeof out, "(MIC) standup - 12 here");
  assert_string_equal(out, "\033]2;(MIC) standup - 12 here\033\\");
  assert_int_equal(n, strlen(out));
  assert_int_equal(osc_title(out, 10, "too long"), 0);
}

static void text_cannot_break_out(void **state) {
  (void)state;
  char out[512];
  osc_title(out, sizeof out, "a\033\\\033]52;c;ZXZpbA==\007b\302\234c\342\200\256d\ne");
  assert_string_equal(out, "\033]2;a\\]52;c;ZXZpbA==bcd e\033\\");
  osc_notice(out, sizeof out, OSC_NOTICE_777, "x;y\033z", false);
  assert_string_equal(out, "\033]777;notify;gavel;x,yz\033\\");
  osc_notice(out, sizeof out, OSC_NOTICE_9, "4;1;50", false); /* OSC 9 ; 4 would be a progress bar */
  assert_string_equal(out, "\033]9;gavel: 4,1,50\033\\");
}

static void long_text_is_cut_on_a_character(void **state) {
  (void)state;
  char out[512], text[1000] = "";
  for (int i = 0; i < 300; i++)
    assert_true(text_append(text, sizeof text, "漢"));
  size_t n = osc_title(out, sizeof out, text);
  assert_true(n > OSC_TEXT_MAX - 8 && n <= OSC_TEXT_MAX + 6);
  assert_memory_equal(out + n - 5, "漢\033\\", 5);
}

static void notices_in_tmux_are_wrapped(void **state) {
  (void)state;
  char out[256];
  size_t n = osc_notice(out, sizeof out, OSC_NOTICE_9, "admitted", true);
  assert_string_equal(out, "\033Ptmux;\033\033]9;gavel: admitted\033\033\\\033\\");
  assert_int_equal(n, strlen(out));
  assert_int_equal(osc_notice(out, 20, OSC_NOTICE_9, "admitted", true), 0);
  assert_int_equal(osc_notice_kind("xterm-256color", NULL), OSC_NOTICE_9);
  assert_int_equal(osc_notice_kind("rxvt-unicode-256color", NULL), OSC_NOTICE_777);
  assert_int_equal(osc_notice_kind("xterm-256color", "7006"), OSC_NOTICE_777);
  assert_int_equal(osc_notice_kind(NULL, NULL), OSC_NOTICE_9);
}

/* RFC 4648 section 10. */
static void clipboard_is_base64(void **state) {
  (void)state;
  static const char *const vectors[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
  for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
    char out[64], want[64] = "\033]52;c;";
    assert_true(text_append(want, sizeof want, vectors[i][1]) && text_append(want, sizeof want, "\033\\"));
    assert_int_equal(osc_copy(out, sizeof out, vectors[i][0], false), strlen(want));
    assert_string_equal(out, want);
  }
  char out[128];
  osc_copy(out, sizeof out, "foo", true);
  assert_string_equal(out, "\033]52;c;Zm9v\033\\\033Ptmux;\033\033]52;c;Zm9v\033\033\\\033\\");
}

static void clipboard_is_limited(void **state) {
  (void)state;
  char *out = malloc(OSC_SIZE_MAX), *text = malloc(OSC_COPY_MAX + 2);
  memset(text, 'x', OSC_COPY_MAX + 1);
  text[OSC_COPY_MAX] = '\0';
  assert_int_not_equal(osc_copy(out, OSC_SIZE_MAX, text, true), 0); /* the stated room suffices */
  assert_int_equal(osc_copy(out, OSC_SIZE_MAX / 2, text, true), 0);
  text[OSC_COPY_MAX] = 'x';
  text[OSC_COPY_MAX + 1] = '\0';
  assert_int_equal(osc_copy(out, OSC_SIZE_MAX, text, false), 0); /* refused, not cut */
  free(out);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(titles),
      cmocka_unit_test(text_cannot_break_out),
      cmocka_unit_test(long_text_is_cut_on_a_character),
      cmocka_unit_test(notices_in_tmux_are_wrapped),
      cmocka_unit_test(clipboard_is_base64),
      cmocka_unit_test(clipboard_is_limited),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
