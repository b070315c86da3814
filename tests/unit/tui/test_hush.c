/* Standard error goes into the file and comes back, whoever writes: libc's stream or the bare descriptor. */
#include "tui/hush.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/gavel-hush-XXXXXX";

static int make(void **state) {
  (void)state;
  int fd = mkstemp(path);
  return fd < 0 ? -1 : close(fd);
}

static int drop(void **state) {
  (void)state;
  return unlink(path);
}

static size_t content(char *out, size_t cap) {
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  size_t n = fread(out, 1, cap - 1, f);
  out[n] = '\0';
  fclose(f);
  return n;
}

static bool same_file(int a, int b) {
  struct stat x, y;
  return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void test_goes_to_the_file_and_back(void **state) {
  (void)state;
  char text[256];
  int before = dup(STDERR_FILENO);
  for (int round = 0; round < 2; round++) { /* the second is appended */
    int saved = hush_begin(path);
    assert_true(saved >= 0);
    fprintf(stderr, "ALSA lib\n");
    assert_int_equal(write(STDERR_FILENO, "bare\n", 5), 5);
    hush_end(saved);
    assert_true(same_file(before, STDERR_FILENO));
  }
  content(text, sizeof text);
  assert_string_equal(text, "ALSA lib\nbare\nALSA lib\nbare\n");
  close(before);
}

static void test_without_a_file_nothing_is_said(void **state) {
  (void)state;
  struct stat st;
  int saved = hush_begin("/nonexistent/folder/log");
  assert_true(saved >= 0);
  assert_int_equal(fstat(STDERR_FILENO, &st), 0);
  bool device = S_ISCHR(st.st_mode) && !isatty(STDERR_FILENO);
  hush_end(saved);
  assert_true(device);
  hush_end(-1);
}

static void test_long_file_begins_anew(void **state) {
  (void)state;
  char text[64];
  assert_int_equal(truncate(path, HUSH_FILE_MAX + 1), 0);
  int saved = hush_begin(path);
  fprintf(stderr, "new\n");
  hush_end(saved);
  content(text, sizeof text);
  assert_string_equal(text, "new\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_goes_to_the_file_and_back),
                                     cmocka_unit_test(test_without_a_file_nothing_is_said),
                                     cmocka_unit_test(test_long_file_begins_anew)};
  return cmocka_run_group_tests(tests, make, drop);
}
