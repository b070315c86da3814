/* golden_kit.h: what the golden tests share: a file compared with what is drawn now, or written anew with
 * UPDATE=1; a canvas as text, styles and cursor. Include it after cmocka.h. */
#ifndef GAVEL_TESTS_GOLDEN_KIT_H
#define GAVEL_TESTS_GOLDEN_KIT_H

#include "tui/canvas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline char *slurp(const char *path) {
  FILE *f = fopen(path, "rb");
  char *text = NULL;
  size_t len = 0;
  if (f == NULL)
    return NULL;
  if (getdelim(&text, &len, '\0', f) < 0 && text != NULL)
    text[0] = '\0';
  fclose(f);
  return text;
}

static inline void compare_file(const char *file, const char *text) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", GAVEL_SRCDIR, file);
  if (getenv("UPDATE") != NULL) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return;
  }
  char *want = slurp(path);
  if (want == NULL || strcmp(want, text) != 0)
    print_error("%s differs; it is now:\n%s\n", path, text);
  assert_non_null(want);
  assert_string_equal(want, text);
  free(want);
}

static inline void compare(const char *name, const char *text) {
  char file[128];
  snprintf(file, sizeof file, "tests/golden/%s.txt", name);
  compare_file(file, text);
}

/* compare_canvas: the golden WHAT-WxH-CHARSET-COLOURS. */
static inline void compare_canvas(const char *what, const struct canvas *c, bool colour) {
  char name[96], cursor[64], *all;
  char *text = canvas_text(c), *styles = canvas_styles(c);
  snprintf(name, sizeof name, "%s-%dx%d-%s-%s", what, c->w, c->h, c->ascii ? "ascii" : "utf8",
           colour ? "colour" : "mono");
  snprintf(cursor, sizeof cursor, "cursor %d,%d %s\n", c->cursor_x, c->cursor_y,
           c->cursor_shown ? "shown" : "hidden");
  assert_true(asprintf(&all, "%s\n%s\n%s", text, colour ? styles : "", cursor) > 0);
  compare(name, all);
  free(all);
  free(text);
  free(styles);
}

/* readme_shows: the screen of a golden stands in README.md, line by line; `styles`: how its styles begin. */
static inline void readme_shows(const char *golden, const char *styles) {
  char path[256], mark[64];
  snprintf(path, sizeof path, "%s/tests/golden/%s.txt", GAVEL_SRCDIR, golden);
  snprintf(mark, sizeof mark, "\n\n%s", styles);
  char *readme = slurp(GAVEL_SRCDIR "/README.md"), *screen = slurp(path);
  assert_non_null(readme);
  assert_non_null(screen);
  char *end = strstr(screen, mark);
  assert_non_null(end);
  end[1] = '\0';
  assert_non_null(strstr(readme, screen));
  free(readme);
  free(screen);
}

#endif
