/* An operator's console and a server it cannot trust: a Unix socket in a scratch folder whose other end the
 * test holds: lines in pieces, several at once, nonsense, hanging up. Every wait is a poll with a deadline.
 */
#include "core/session/ops_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct far_end {
  char folder[64], path[100];
  int listening, fd;
  struct ops_client *c;
};

static void far_open(struct far_end *f) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  snprintf(f->folder, sizeof f->folder, "/tmp/gavel-ops-XXXXXX");
  assert_non_null(mkdtemp(f->folder));
  snprintf(f->path, sizeof f->path, "%s/sock", f->folder);
  snprintf(a.sun_path, sizeof a.sun_path, "%s", f->path);
  f->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(f->listening, (struct sockaddr *)&a, sizeof a), 0);
  assert_int_equal(listen(f->listening, 4), 0);
  f->c = ops_client_socket(f->path);
  f->fd = -1;
}

static void far_close(struct far_end *f) {
  ops_client_destroy(f->c);
  if (f->fd >= 0)
    close(f->fd);
  close(f->listening);
  unlink(f->path);
  rmdir(f->folder);
}

static void next(struct far_end *f, struct ops_event *ev) {
  while (!ops_client_poll(f->c, ev)) {
    struct pollfd p = {.fd = ops_client_fd(f->c), .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
  }
}

static void connected(struct far_end *f) {
  struct ops_event ev;
  ops_client_connect(f->c);
  if (f->fd >= 0)
    close(f->fd);
  f->fd = accept(f->listening, NULL, NULL);
  assert_true(f->fd >= 0);
  next(f, &ev);
  assert_int_equal(ev.kind, OPS_OPENED);
}

static void far_says(struct far_end *f, const char *text) {
  assert_int_equal(send(f->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void test_talks(void **state) {
  (void)state;
  struct far_end f;
  struct ops_event ev;
  char got[200] = "";
  far_open(&f);
  connected(&f);
  json_int_t id = ops_client_ask(f.c, "ops.watch", json_pack("{s:i}", "interval_ms", 500));
  assert_int_equal(id, 1);
  assert_true(read(f.fd, got, sizeof got - 1) > 0);
  assert_string_equal(
      got, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ops.watch\",\"params\":{\"interval_ms\":500}}\n");
  far_says(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"res");
  assert_false(ops_client_poll(f.c, &ev));
  far_says(
      &f, "ult\":{\"rooms\":[]}}\n{\"jsonrpc\":\"2.0\",\"method\":\"ops\",\"params\":{\"gone\":[\"a\"]}}\n{");
  next(&f, &ev);
  assert_int_equal(ev.kind, OPS_MESSAGE);
  assert_int_equal(ev.in.kind, RPC_RESULT);
  assert_int_equal(ev.in.id, 1);
  json_decref(ev.in.root);
  next(&f, &ev);
  assert_int_equal(ev.in.kind, RPC_NOTIFY);
  assert_string_equal(ev.in.method, "ops");
  json_decref(ev.in.root);
  assert_false(ops_client_poll(f.c, &ev));
  close(f.fd);
  f.fd = -1;
  next(&f, &ev);
  assert_int_equal(ev.kind, OPS_CLOSED);
  assert_int_equal(ev.why, ERR_CONNECT);
  assert_int_equal(ops_client_fd(f.c), -1);
  assert_false(ops_client_poll(f.c, &ev)); /* once */
  connected(&f);                           /* and what was half said before is forgotten */
  far_says(&f, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n");
  next(&f, &ev);
  assert_int_equal(ev.in.id, 7);
  json_decref(ev.in.root);
  far_close(&f);
}

static void test_nonsense_closes(void **state) {
  (void)state;
  static const char *const BAD[] = {"\n", "hello\n", "{}\n", "[1]\n",
                                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ops\",\"params\":{}}\n"};
  struct far_end f;
  struct ops_event ev;
  far_open(&f);
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    connected(&f);
    far_says(&f, BAD[i]);
    next(&f, &ev);
    assert_int_equal(ev.kind, OPS_CLOSED);
    assert_int_equal(ev.why, ERR_PROTOCOL);
  }
  far_close(&f);
}

/* long_line: a notification with n - 1 numbers; returns its length. */
static size_t long_line(char *text, size_t cap, size_t n) {
  FILE *to = fmemopen(text, cap, "w");
  assert_non_null(to);
  fputs("{\"jsonrpc\":\"2.0\",\"method\":\"ops\",\"params\":{\"v\":[1", to);
  for (size_t i = 2; i < n; i++)
    fputs(",1", to);
  fputs("]}}\n", to);
  size_t len = (size_t)ftell(to);
  fclose(to);
  return len;
}

/* A long feed in one line: it grows to what is needed and comes whole. */
static void test_long_line(void **state) {
  (void)state;
  struct far_end f;
  struct ops_event ev;
  size_t n = 100000, at = 0;
  char *text = malloc(n * 4);
  assert_non_null(text);
  size_t len = long_line(text, n * 4, n);
  far_open(&f);
  connected(&f);
  while (at < len) {
    ssize_t k = send(f.fd, text + at, len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (k > 0)
      at += (size_t)k;
    else
      assert_false(ops_client_poll(f.c, &ev));
  }
  next(&f, &ev);
  assert_int_equal(ev.kind, OPS_MESSAGE);
  assert_int_equal(json_array_size(json_object_get(ev.in.params, "v")), n - 1);
  json_decref(ev.in.root);
  free(text);
  far_close(&f);
}

static void test_nobody_there(void **state) {
  (void)state;
  struct ops_event ev;
  char path[300];
  memset(path, 'x', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  for (int i = 0; i < 2; i++) {
    struct ops_client *c = ops_client_socket(i ? path : "/tmp/gavel-there-is-no-such/sock");
    ops_client_connect(c);
    assert_true(ops_client_poll(c, &ev));
    assert_int_equal(ev.kind, OPS_CLOSED);
    assert_int_equal(ev.why, ERR_CONNECT);
    assert_true(ev.text[0] != '\0');
    ops_client_ask(c, "ops.watch", NULL); /* lost, without harm */
    ops_client_destroy(c);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_talks), cmocka_unit_test(test_nonsense_closes),
                                     cmocka_unit_test(test_long_line), cmocka_unit_test(test_nobody_there)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
