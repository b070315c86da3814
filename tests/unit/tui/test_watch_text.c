/* What `gavel watch` says without a screen: sentences worth a line and none that are not; conditions by room.
 */
#include "tests/unit/tui/watch_fixture.h"
#include "tui/watch_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct watch_row row_of(const struct wf_room *r) {
  struct watch_row row;
  json_t *o = wf_row(r);
  assert_int_equal(watch_row_read(o, &row), ERR_OK);
  json_decref(o);
  return row;
}

static const char *says(const struct wf_room *before, const struct wf_room *after,
                        char out[WATCH_SENTENCE_MAX]) {
  struct watch_row a = {.room = ""}, b = {.room = ""};
  if (before)
    a = row_of(before);
  if (after)
    b = row_of(after);
  bool any = watch_text_change(before ? &a : NULL, after ? &b : NULL, out);
  return any ? out : "";
}

static void test_sentences(void **state) {
  (void)state;
  char s[WATCH_SENTENCE_MAX];
  struct wf_room a = {.name = "acme/standup", .people = 3, .lines = 3, .loss_up = 1, .mos = 41}, b = a;
  assert_string_equal(says(NULL, &a, s), "acme/standup has opened.");
  assert_string_equal(says(&a, NULL, s), "acme/standup is over.");
  b.talkers = 2; /* trembles */
  b.jitter = 9;
  b.loss_down = 1;
  b.mos = 42;
  b.minutes = 9;
  assert_string_equal(says(&a, &b, s), "");
  b.people = 4;
  b.waiting = 1;
  assert_string_equal(says(&a, &b, s), "acme/standup: 4 inside (3), 1 waits (0).");
  b.loss_down = 9;
  b.alerts = "loss";
  assert_string_equal(says(&a, &b, s),
                      "acme/standup: ALERT: loss, 4 inside (3), 1 waits (0), loss up/down 1/9 percent.");
  a = b;
  b.loss_down = 0;
  b.alerts = "no_host";
  b.mos = 29;
  assert_string_equal(says(&a, &b, s),
                      "acme/standup: alert over: loss, ALERT: no_host, loss up/down 1/0 percent, MOS 2.9.");
}

static const char *fails_with(struct wf *f, const char *condition, char out[WATCH_SENTENCE_MAX]) {
  return watch_text_fails(f->m, condition, f->now, out, NULL) ? out : "";
}

static void test_conditions(void **state) {
  (void)state;
  struct wf f;
  char s[WATCH_SENTENCE_MAX];
  wf_begin(&f, WF_ROOMS, WF_N);
  assert_string_equal(fails_with(&f, "loss>5%", s), "loss>5%: acme/standup (3/12)");
  assert_string_equal(fails_with(&f, "loss>50%", s), "");
  assert_string_equal(fails_with(&f, "waiting>2", s), "waiting>2: globex/all-hands (8), globex/lunch (3)");
  assert_string_equal(fails_with(&f, "app=acme mos<3", s), "app=acme mos<3: acme/standup (2.7)");
  assert_string_equal(fails_with(&f, "rooms<1", s), "");
  assert_string_equal(fails_with(&f, "rooms>6", s), "rooms>6: it is 7.0");
  assert_string_equal(fails_with(&f, "cpu>90%", s), "");
  assert_string_equal(fails_with(&f, "load>90%", s), "load>90%: it is 91.2");
  assert_string_equal(fails_with(&f, "cpu>90% loss>5", s), ""); /* both, or not at all */
  assert_string_equal(fails_with(&f, "cpu>40% loss>5", s), "cpu>40% loss>5: acme/standup (3/12)");
  json_t *rooms = json_array();
  assert_true(watch_text_fails(f.m, "people>=0", f.now, s, rooms));
  assert_int_equal(json_array_size(rooms), WF_N);
  assert_non_null(strstr(s, " and 2 more"));
  json_decref(rooms);
  wf_end(&f);
}

/* Columns stand under each other whatever the names hold, and no line ends in blanks. */
static void test_table(void **state) {
  (void)state;
  struct wf f;
  wf_begin(&f, WF_ROOMS, WF_N);
  char *text = watch_text_table(f.m, f.now), *save = NULL;
  char *line = strtok_r(text, "\n", &save);
  assert_string_equal(line, "conf.example.org: 7 rooms, 2841 people, 12 wait, 3 alerts, cpu 43%.");
  const char *head = strtok_r(NULL, "\n", &save);
  size_t people = (size_t)(strstr(head, "PEOPLE") - head) + 6, n = 0;
  while ((line = strtok_r(NULL, "\n", &save))) {
    assert_true(strlen(line) > people && line[people] == ' ' && line[people - 1] >= '0');
    assert_true(line[strlen(line) - 1] != ' ');
    n++;
  }
  assert_int_equal(n, WF_N);
  free(text);
  wf_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sentences), cmocka_unit_test(test_conditions),
                                     cmocka_unit_test(test_table)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
