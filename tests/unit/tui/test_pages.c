/* Pages: lists with the numbers that acts take, search, help by group, what a keys file breaks. */
#include "tests/unit/tui/room_fixture.h"
#include "tui/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

static void contains(char *page, const char *const *parts, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strstr(page, parts[i]) == NULL)
      fail_msg("%s is not in:\n%s", parts[i], page);
  free(page);
}
#define CONTAINS(page, ...)                                                                                  \
  contains((page), (const char *const[]){__VA_ARGS__},                                                       \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void apply(struct fixture *f, struct room_event *ev) {
  ev->seq = ++f->server.seq + 100;
  f->server.seq = ev->seq;
  ev->ts_ms = f->wall_ms;
  room_apply(&f->m->room, ev);
}

static void test_lists_have_the_numbers(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  f->m->wall_ms_at_0 = f->wall_ms - f->now / US_PER_MS;
  f->m->now = f->now;
  struct ban ban = {.id = 41,
                    .by = CAROL,
                    .what = BAN_SPEAK,
                    .name = "mallory",
                    .reason = "spam",
                    .until_ms = f->wall_ms + 7200000};
  struct ban soon = {
      .id = 43, .by = CAROL, .what = BAN_SPEAK, .name = "eve", .until_ms = f->wall_ms + 275000};
  struct ban rule = {.id = 42, .by = 0, .user = "eve@example.org"};
  apply(f, &(struct room_event){.kind = ROOM_EV_BANNED, .actor = CAROL, .ban = &ban});
  apply(f, &(struct room_event){.kind = ROOM_EV_BANNED, .ban = &rule});
  apply(f, &(struct room_event){.kind = ROOM_EV_BANNED, .ban = &soon});
  char digits[24];
  assert_int_equal(f->m->room.n_bans, 3);
  snprintf(digits, sizeof digits, "%llu  ", (unsigned long long)f->m->room.bans[0].id);
  CONTAINS(pages_bans(f->m), digits, "mallory: may not speak for 2 h more: spam (by you)",
           "user:eve@example.org: may not come in for good (by the operator)",
           "eve: may not speak for 4 min 35 s more", "3 banned.");
  apply(f, &(struct room_event){.kind = ROOM_EV_NOTED,
                                .actor = CAROL,
                                .targets = (uint32_t[]){BOB},
                                .n_targets = 1,
                                .text = (char[]){"was late"}});
  CONTAINS(pages_notes(f->m), "  on bob: was late (by ", "1 note.");
  CONTAINS(pages_trusted(f->m), "0 need not wait");
  struct invite v = {.id = 77, .role = ROLE_SPEAKER, .uses_left = 3};
  apply(f, &(struct room_event){.kind = ROOM_EV_INVITE, .actor = CAROL, .invite = &v});
  CONTAINS(pages_invites(f->m), "  as speaker, valid for good, for 3 more", "1 invite links.");
  fx_destroy(f);
}

static void test_search(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  CONTAINS(pages_search(f->m, "RELEASE"), "bob: who owns the release notes?",
           "1 found in the last 3 messages.");
  CONTAINS(pages_search(f->m, "dave"), "dave to you (private): may I say something", "1 found");
  CONTAINS(pages_search(f->m, "zebra"), "0 found");
  assert_false(pilot_line(&f->ctl, "search", f->now));
  fx_destroy(f);
}

static void test_help_by_group(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  CONTAINS(pages_help(f->m, f->keys, ""), "lobby:\n", "voice:\n", "people:\n", "chat:\n", "room:\n",
           "screen:\n", "M Alt-m");
  char *page = pages_help(f->m, f->keys, "voice"); /* a group's name shows the group */
  assert_non_null(strstr(page, "mute-all"));
  assert_null(strstr(page, "admit-all"));
  free(page);
  assert_ptr_equal(pages_help_at("slow mode", 0), command_of_act(ACT_SLOW));
  assert_null(pages_help_at("slow mode", pages_help_count("slow mode")));
  f->m->readonly = true;
  CONTAINS(pages_help(f->m, f->keys, "topic"), "(read-only)");
  fx_destroy(f);
}

static char *check(const char *text, bool *ok) {
  char path[] = "/tmp/gavel-keys-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
  char *page = pages_conflicts(path, ok);
  unlink(path);
  return page;
}

static void test_keys_files_are_checked(void **state) {
  (void)state;
  bool ok;
  char *page = check("[room]\nlock = m\n", &ok);
  assert_true(ok);
  CONTAINS(page, "[room] m: lock (line 2) instead of mute", "mute has no key any more", "can be used.");
  page = check("[lobby]\nadmit = w\n[room]\nsort = none\n", &ok);
  assert_true(ok);
  assert_null(strstr(page, "instead of"));
  CONTAINS(page, "sort has no key any more");
  page = check("[ops]\nmute = x\n", &ok);
  assert_false(ok);
  CONTAINS(page, "there is no section [ops]");
  page = check("[room]\nmuet = x\n", &ok);
  assert_false(ok);
  CONTAINS(page, ":2:", "did you mean mute?");
  free(pages_conflicts("/nonexistent/keys", &ok));
  assert_false(ok);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_lists_have_the_numbers),
                                     cmocka_unit_test(test_search), cmocka_unit_test(test_help_by_group),
                                     cmocka_unit_test(test_keys_files_are_checked)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
