/* The command line: what is taken, what is refused and why, the link gone from argv, the exit codes. */
#include "tui/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static char state_home[] = "/tmp/gavel-options-XXXXXX";

static int own_state(void **state) {
  (void)state;
  return mkdtemp(state_home) != NULL && setenv("XDG_STATE_HOME", state_home, 1) == 0 ? 0 : -1;
}

static int forget_state(void **state) {
  char path[128];
  (void)state;
  snprintf(path, sizeof path, "%s/gavel/install-id", state_home);
  unlink(path);
  snprintf(path, sizeof path, "%s/gavel", state_home);
  rmdir(path);
  return rmdir(state_home);
}

/* parse: words separated by blanks, as the shell would hand them over; argv stays readable in `args`. */
static char args[512];
static bool parse(const char *line, struct options *o, bool *help, char why[256]) {
  char *argv[32];
  int argc = 0;
  snprintf(args, sizeof args, "%s", line);
  for (char *rest = args, *word; (word = strsep(&rest, " ")) != NULL && argc < 31;)
    if (*word != '\0')
      argv[argc++] = word;
  argv[argc] = NULL;
  why[0] = '\0';
  return options_parse(argc, argv, o, help, why);
}

static void test_join_takes_the_link_out_of_argv(void **state) {
  (void)state;
  struct options o;
  bool help;
  char why[256];
  assert_true(
      parse("join https://example.org:7000/j/standup#i=" SECRET " --name bob --readonly", &o, &help, why));
  assert_string_equal(o.front.client.link.host, "example.org");
  assert_int_equal(o.front.client.link.port, 7000);
  assert_string_equal(o.front.client.link.room, "standup");
  assert_true(o.front.client.link.has_secret);
  assert_string_equal(o.front.client.name, "bob");
  assert_true(o.front.readonly);
  for (size_t i = 0; i + 6 < sizeof args; i++)
    assert_memory_not_equal(args + i, "DA0ODx", 6);
}

static void test_login_takes_a_host_or_a_link(void **state) {
  (void)state;
  struct options o;
  bool help;
  char why[256];
  assert_true(parse("login example.org:8443", &o, &help, why));
  assert_string_equal(o.front.client.link.host, "example.org");
  assert_int_equal(o.front.client.link.port, 8443);
  assert_false(o.front.client.link.has_pin);
  assert_true(parse("logout https://[2001:db8::1]", &o, &help, why));
  assert_string_equal(o.front.client.link.host, "2001:db8::1");
  assert_int_equal(o.front.client.link.port, 443);
  assert_true(parse("login h --pin AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &o, &help, why));
  assert_true(o.front.client.link.has_pin);
  assert_true(parse("login https://example.org/j/standup#i=" SECRET, &o, &help, why));
  for (size_t i = 0; i + 6 < sizeof args; i++)
    assert_memory_not_equal(args + i, "DA0ODx", 6);
  static const char *const BAD[] = {"login",     "login a b",       "logout",         "login h:70000",
                                    "login h/x", "login h --pin x", "login http://h", "login user@h"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (parse(BAD[i], &o, &help, why) || !why[0])
      fail_msg("accepted: %s", BAD[i]);
}

static void test_sound_processing_can_be_switched_off(void **state) {
  (void)state;
  struct options o;
  bool help;
  char why[256];
  assert_true(parse("host standup", &o, &help, why));
  assert_true(o.front.client.aec && o.front.client.ns && o.front.client.agc);
  assert_true(parse("host standup --no-aec --no-agc", &o, &help, why));
  assert_true(!o.front.client.aec && o.front.client.ns && !o.front.client.agc);
}

static void test_host(void **state) {
  (void)state;
  struct options o;
  bool help;
  char why[256];
  assert_true(parse(
      "host standup --listen 127.0.0.1 --port 7000 --media-port 7002 --no-lobby --forget --play a.wav --json",
      &o, &help, why));
  assert_string_equal(o.room, "standup");
  assert_int_equal(o.port, 7000);
  assert_int_equal(o.media_port, 7002);
  assert_false(o.lobby);
  assert_true(o.forget);
  assert_string_equal(o.front.client.input, "file:a.wav");
  assert_true(o.front.client.mic_open);
  assert_int_equal(o.front.kind, FRONT_HEADLESS);
  assert_true(parse("host", &o, &help, why));
  assert_true(text_slug_valid(o.room));
  assert_true(o.lobby);
  assert_true(parse("host --help", &o, &help, why));
  assert_true(help);
  assert_true(parse("demo --line", &o, &help, why));
  assert_int_equal(o.front.kind, FRONT_LINE);
}

static void test_refused(void **state) {
  (void)state;
  static const char *const BAD[] = {"join",
                                    "join a b",
                                    ("join http://example.org/j/x#i=" SECRET),
                                    "host Stand_Up!",
                                    "host a b",
                                    "demo room",
                                    "host --port 65536",
                                    "host --port -1",
                                    "host --port 7x",
                                    "host --port",
                                    "host --frobnicate",
                                    "host --no-audio --require-audio",
                                    "host --name \xff"};
  struct options o;
  bool help;
  char why[256];
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    if (parse(BAD[i], &o, &help, why))
      fail_msg("taken: %s", BAD[i]);
    assert_true(strlen(why) > 10);
  }
}

static void test_install_id_is_kept_private(void **state) {
  (void)state;
  struct options a, b;
  bool help;
  char why[256], path[512];
  struct stat st;
  assert_true(parse("demo", &a, &help, why) && parse("demo", &b, &help, why));
  assert_int_equal(strlen(a.device_id), 32);
  assert_string_equal(a.device_id, b.device_id);
  assert_true(options_state_path("install-id", path, why));
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_exit_codes(void **state) {
  (void)state;
  assert_int_equal(exit_of(ERR_OK), 0);
  assert_int_equal(exit_of(ERR_CONNECT), 2);
  assert_int_equal(exit_of(ERR_CERT), 2);
  assert_int_equal(exit_of(ERR_DENIED), 3);
  assert_int_equal(exit_of(ERR_BANNED), 3);
  assert_int_equal(exit_of(ERR_ROOM_LOCKED), 3);
  assert_int_equal(exit_of(ERR_REMOVED), 4);
  assert_int_equal(exit_of(ERR_ROOM_ENDED), 5);
  assert_int_equal(exit_of(ERR_NO_DEVICE), 6);
  assert_int_equal(exit_of(ERR_PROTOCOL), 7);
}

static void test_watch(void **state) {
  (void)state;
  struct options o;
  bool help;
  char why[256];
  assert_true(parse("watch", &o, &help, why));
  assert_string_equal(o.watch.server, "gavel.sock");
  assert_int_equal(o.watch.interval_ms, 1000);
  assert_true(parse(
      "watch https://example.org:9443 --once --json --fail-if loss>5% --fail-if rooms<1 --interval 250ms", &o,
      &help, why));
  assert_string_equal(o.watch.server, "https://example.org:9443");
  assert_true(o.watch.once);
  assert_int_equal(o.front.kind, FRONT_HEADLESS);
  assert_int_equal(o.watch.n_fail, 2);
  assert_string_equal(o.watch.fail[1], "rooms<1");
  assert_int_equal(o.watch.interval_ms, 250);
  assert_true(parse("watch --interval 10s", &o, &help, why));
  assert_int_equal(o.watch.interval_ms, 10000);
  assert_false(parse("watch --fail-if loss>>5", &o, &help, why));
  assert_string_equal(why, "--fail-if 'loss>>5', character 6: a number is wanted here");
  static const char *const BAD[] = {"watch a b",
                                    "watch --interval 0",
                                    "watch --interval 11",
                                    "watch --interval 1h",
                                    "watch --interval 249ms",
                                    "watch --interval -1",
                                    "watch --fail-if cpu>",
                                    "demo --once",
                                    "host --fail-if loss>5",
                                    "join --interval 1 x"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    if (parse(BAD[i], &o, &help, why))
      fail_msg("accepted: %s", BAD[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_join_takes_the_link_out_of_argv),
                                     cmocka_unit_test(test_login_takes_a_host_or_a_link),
                                     cmocka_unit_test(test_watch),
                                     cmocka_unit_test(test_sound_processing_can_be_switched_off),
                                     cmocka_unit_test(test_host),
                                     cmocka_unit_test(test_refused),
                                     cmocka_unit_test(test_install_id_is_kept_private),
                                     cmocka_unit_test(test_exit_codes)};
  return cmocka_run_group_tests(tests, own_state, forget_state);
}
