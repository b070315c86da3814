/* The control socket and the hook: real sockets and processes in a scratch folder; every wait is a poll with
 * a deadline. */
#include "tui/hook.h"
#include "tui/remote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static int setup(void **state) {
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/gavel-remote-XXXXXX");
  return mkdtemp(folder) != NULL ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  return rmdir(folder); /* fails when a socket was left behind */
}

static int dial(const char *name) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  snprintf(a.sun_path, sizeof a.sun_path, "%s/%s.sock", folder, name);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

/* next: the next line within five seconds. */
static bool next(struct remote *r, struct remote_line *line) {
  for (int i = 0; i < 50; i++) {
    struct pollfd p = {.fd = remote_fd(r), .events = POLLIN};
    if (remote_next(r, line))
      return true;
    if (poll(&p, 1, 5000) != 1)
      return false;
  }
  return false;
}

static void test_commands(void **state) {
  (void)state;
  char why[256] = "", path[128], answer[64] = "";
  struct stat st;
  struct remote_line line;
  struct remote *r = remote_open(folder, "me", why);
  assert_non_null(r);
  snprintf(path, sizeof path, "%s/me.sock", folder);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  assert_null(remote_open(folder, "me", why)); /* one is alive there */
  assert_non_null(strstr(why, "me"));
  assert_int_equal(stat(path, &st), 0);
  int fd = dial("me");
  assert_true(fd >= 0);
  assert_int_equal(write(fd, "mute bob\nadm", 12), 12);
  assert_true(next(r, &line));
  assert_string_equal(line.text, "mute bob");
  assert_false(remote_next(r, &line)); /* half a line is none */
  remote_answer(r, line.conn, "{\"ok\":true}");
  assert_int_equal(read(fd, answer, sizeof answer - 1), 12);
  assert_string_equal(answer, "{\"ok\":true}\n");
  assert_int_equal(write(fd, "it\n", 3), 3);
  assert_true(next(r, &line));
  assert_string_equal(line.text, "admit");
  assert_false(remote_watched(r));
  remote_watch(r, line.conn);
  assert_true(remote_watched(r));
  remote_tell(r, "{}");
  assert_int_equal(read(fd, answer, sizeof answer - 1), 3);
  close(fd);
  struct pollfd gone = {.fd = remote_fd(r), .events = POLLIN};
  assert_int_equal(poll(&gone, 1, 5000), 1);
  assert_false(remote_next(r, &line));
  assert_false(remote_watched(r));
  remote_answer(r, line.conn, "{}"); /* gone: ignored */
  remote_close(r);
  assert_int_equal(stat(path, &st), -1);
}

/* A line without end, and more connections than there are seats, cost only those who sent them. */
static void test_abuse(void **state) {
  (void)state;
  char why[256], flood[REMOTE_LINE_MAX + 100];
  struct remote_line line;
  struct remote *r = remote_open(folder, "me", why);
  assert_non_null(r);
  int loud = dial("me");
  memset(flood, 'x', sizeof flood);
  assert_int_equal(write(loud, flood, sizeof flood), (ssize_t)sizeof flood);
  assert_false(remote_next(r, &line));
  struct pollfd p = {.fd = loud, .events = POLLIN | POLLHUP};
  assert_int_equal(poll(&p, 1, 5000), 1);
  assert_true(p.revents & POLLHUP);
  int many[REMOTE_CONNS_MAX + 3];
  for (size_t i = 0; i < REMOTE_CONNS_MAX + 3; i++) {
    many[i] = dial("me");
    assert_false(remote_next(r, &line));
  }
  assert_int_equal(write(many[0], "hand\n", 5), 5);
  assert_true(next(r, &line));
  assert_string_equal(line.text, "hand");
  for (size_t i = 0; i < REMOTE_CONNS_MAX + 3; i++)
    close(many[i]);
  close(loud);
  remote_close(r);
}

/* An answer larger than any socket buffer arrives whole, while others are served; without end it does not. */
static void test_long_answers(void **state) {
  (void)state;
  enum { LONG = 6000000 };
  char why[256];
  struct remote_line line;
  struct remote *r = remote_open(folder, "me", why);
  assert_non_null(r);
  char *text = malloc(LONG + 1), *got = malloc(2 * LONG);
  assert_true(text != NULL && got != NULL);
  for (size_t i = 0; i < LONG; i++)
    text[i] = (char)('a' + i % 23);
  text[LONG] = '\0';
  int slow = dial("me"), other = dial("me");
  assert_int_equal(write(slow, "attendance\n", 11), 11);
  assert_true(next(r, &line));
  remote_answer(r, line.conn, text);
  remote_answer(r, line.conn, "{}");
  assert_int_equal(write(other, "hand\n", 5), 5);
  assert_true(next(r, &line));
  assert_string_equal(line.text, "hand");
  size_t n = 0;
  while (n < LONG + 4) {
    struct pollfd p = {.fd = slow, .events = POLLIN};
    assert_false(remote_next(r, &line));
    assert_int_equal(poll(&p, 1, 5000), 1);
    ssize_t k = read(slow, got + n, 2 * LONG - n);
    assert_true(k > 0);
    n += (size_t)k;
  }
  assert_int_equal(n, LONG + 4);
  assert_memory_equal(got, text, LONG);
  assert_memory_equal(got + LONG, "\n{}\n", 4);
  struct pollfd quiet = {.fd = remote_fd(r), .events = POLLIN};
  assert_int_equal(poll(&quiet, 1, 0), 0); /* nothing waits: nobody is woken */
  assert_int_equal(write(slow, "again\n", 6), 6);
  assert_true(next(r, &line));
  remote_answer(r, line.conn, text);
  remote_answer(r, line.conn, text); /* more than may wait */
  n = 0;
  for (ssize_t k; (k = read(slow, got, LONG)) > 0;)
    n += (size_t)k;
  assert_true(n < LONG);
  close(slow);
  close(other);
  remote_close(r);
  free(text);
  free(got);
}

static void test_stale_and_bad(void **state) {
  (void)state;
  char why[256], path[128];
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  snprintf(a.sun_path, sizeof a.sun_path, "%s/dead.sock", folder);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
  close(fd); /* as after a crash: the file stays */
  struct remote *r = remote_open(folder, "dead", why);
  assert_non_null(r);
  remote_close(r);
  assert_null(remote_open(folder, "../x", why));
  assert_null(remote_open(folder, "", why));
  /* a folder that others may enter is refused */
  char open_folder[400], state_dir[128];
  snprintf(state_dir, sizeof state_dir, "%s/s", folder);
  snprintf(path, sizeof path, "%s/s/run", folder);
  assert_int_equal(mkdir(state_dir, 0700), 0);
  assert_int_equal(mkdir(path, 0755), 0);
  assert_false(remote_folder(NULL, state_dir, open_folder));
  assert_int_equal(chmod(path, 0700), 0);
  assert_true(remote_folder(NULL, state_dir, open_folder));
  assert_string_equal(open_folder, path);
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(rmdir(state_dir), 0);
}

/* What the network says arrives on standard input, whatever it holds. */
static void test_hook(void **state) {
  (void)state;
  char command[256], got[256] = "", path[128];
  snprintf(path, sizeof path, "%s/out", folder);
  assert_int_equal(mkfifo(path, 0600), 0);
  int fd = open(path, O_RDONLY | O_NONBLOCK);
  assert_true(fd >= 0);
  snprintf(command, sizeof command, "cat >%s", path);
  struct hook h = {.command = command};
  assert_true(hook_run(&h, "{\"text\":\"$(reboot); `x` 'y\"}"));
  size_t n = 0;
  while (n < sizeof got - 1 && strchr(got, '\n') == NULL) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    ssize_t k = read(fd, got + n, sizeof got - 1 - n);
    if (k < 0 && errno == EAGAIN)
      continue;
    assert_true(k >= 0);
    n += (size_t)k;
  }
  assert_string_equal(got, "{\"text\":\"$(reboot); `x` 'y\"}\n");
  close(fd);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(waitpid(h.running[0], NULL, 0), h.running[0]);
  struct hook none = {0};
  assert_false(hook_run(&none, "{}"));
}

/* No more than so many at once: those that hang do not add up. */
static void test_hook_limit(void **state) {
  (void)state;
  struct hook h = {.command = "exec tail -f /dev/null"};
  for (int i = 0; i < HOOK_RUNNING_MAX; i++)
    assert_true(hook_run(&h, "{}"));
  assert_false(hook_run(&h, "{}"));
  for (int i = 0; i < HOOK_RUNNING_MAX; i++) {
    assert_int_equal(kill(h.running[i], SIGKILL), 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)h.running[i], &info, WEXITED | WNOWAIT), 0);
  }
  assert_true(hook_run(&h, "{}"));
  assert_int_equal(kill(h.running[0], SIGKILL), 0);
  assert_int_equal(waitpid(h.running[0], NULL, 0), h.running[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_commands, setup, teardown),
      cmocka_unit_test_setup_teardown(test_abuse, setup, teardown),
      cmocka_unit_test_setup_teardown(test_long_answers, setup, teardown),
      cmocka_unit_test_setup_teardown(test_stale_and_bad, setup, teardown),
      cmocka_unit_test_setup_teardown(test_hook, setup, teardown),
      cmocka_unit_test(test_hook_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
