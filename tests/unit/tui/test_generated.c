/* Manual pages and completions in docs/ are what the programs print from their tables. UPDATE=1 writes them
 * anew. */
#include "tui/command.h"
#include "tui/completion.h"
#include "tui/manual.h"
#include "tui/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_file(const char *path) {
  FILE *f = fopen(path, "re");
  size_t cap = 1 << 20;
  char *text = calloc(1, cap);
  assert_non_null(text);
  if (f != NULL) {
    text[fread(text, 1, cap - 1, f)] = '\0';
    fclose(f);
  }
  return text;
}

/* unroff: "\\-" is a hyphen. */
static void unroff(char *text) {
  char *to = text;
  for (const char *p = text; *p != '\0'; p++)
    if (p[0] != '\\' || p[1] != '-')
      *to++ = *p;
  *to = '\0';
}

static void compare(const char *path, char *made) {
  assert_non_null(made);
  if (getenv("UPDATE") != NULL) {
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(made, f) >= 0);
    assert_int_equal(fclose(f), 0);
  }
  char *kept = read_file(path);
  if (strcmp(kept, made) != 0)
    fail_msg("%s is stale: UPDATE=1 writes it anew", path);
  free(kept);
  free(made);
}

static void test_manuals(void **state) {
  (void)state;
  compare("docs/man/gavel.1", manual_page("gavel"));
  compare("docs/man/gavelctl.1", manual_page("gavelctl"));
  assert_null(manual_page("bash"));
}

static void test_completions(void **state) {
  (void)state;
  compare("docs/completion/gavel.bash", completion_script("bash"));
  compare("docs/completion/_gavel", completion_script("zsh"));
  compare("docs/completion/gavel.fish", completion_script("fish"));
  assert_null(completion_script("csh"));
}

/* Whatever is in the tables is in each text: a row cannot be forgotten. */
static void test_every_row(void **state) {
  (void)state;
  char *page = manual_page("gavel"), *ctl = manual_page("gavelctl"), *bash = completion_script("bash"),
       title[32];
  unroff(page);
  unroff(ctl);
  for (size_t i = 0; i < COMMANDS_COUNT; i++) {
    command_title(&COMMANDS[i], title);
    assert_non_null(strstr(page, title));
    if (COMMANDS[i].act != ACT__COUNT) {
      assert_non_null(strstr(ctl, title));
      assert_non_null(strstr(bash, title));
    }
  }
  for (const struct option_row *o = OPTIONS; o->name != NULL; o++)
    assert_non_null(strstr(bash, o->name));
  free(page);
  free(ctl);
  free(bash);
}

/* The page of the server is written by hand: it must name each option and setting that the server knows. */
static void test_gaveld_page(void **state) {
  (void)state;
  char *page = read_file("docs/man/gaveld.1"), *main_c = read_file("core/server/main_gaveld.c"),
       *config = read_file("core/server/config.c"), name[64], *p;
  size_t found = 0;
  unroff(page);
  for (p = strstr(main_c, "LONG[] = {"); p != NULL && (p = strstr(p, "{\"")) != NULL; p++)
    if (sscanf(p, "{\"%60[^\"]\"", name) == 1 && ++found > 0 && strstr(page, name) == NULL)
      fail_msg("gaveld.1 does not name --%s", name);
  assert_true(found >= 10);
  for (p = strstr(config, "KEYS[] = {"), found = 0; p != NULL && (p = strstr(p, "(\"")) != NULL; p++)
    if (sscanf(p, "(\"%*[^\"]\", \"%60[^\"]\"", name) == 1 && ++found > 0 && strstr(page, name) == NULL)
      fail_msg("gaveld.1 does not name the setting %s", name);
  assert_true(found >= 10);
  free(page);
  free(main_c);
  free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_manuals), cmocka_unit_test(test_completions),
                                     cmocka_unit_test(test_every_row), cmocka_unit_test(test_gaveld_page)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
