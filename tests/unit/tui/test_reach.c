/* Commands that reach a running client through its socket: none is lost, and each gets its own answer. */
#include "tests/unit/tui/room_fixture.h"
#include "tui/reach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MANY 40

static char folder[64];

static int setup(void **state) {
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/gavel-reach-XXXXXX");
  return mkdtemp(folder) != NULL ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  return rmdir(folder);
}

static FILE *dial(void) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  snprintf(a.sun_path, sizeof a.sun_path, "%s/me.sock", folder);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
  return fdopen(fd, "r+");
}

/* More commands at once than may wait to be carried out: each is, in order, and answered with its own reply.
 */
static void test_many_at_once(void **state) {
  (void)state;
  struct fixture *f = fx_busy();
  struct reach r;
  char why[256] = "", topic[32], line[4096];
  uint32_t ticket = 0;
  size_t n = 0;
  assert_true(reach_open(&r, &f->ctl, folder, "me", NULL, why));
  FILE *them = dial();
  f->m->n_outbox = 0;
  for (int i = 0; i < MANY; i++)
    fprintf(them, "topic item %d\n", i);
  fflush(them);
  struct intent i;
  while (reach_run(&r, f->now))
    while (model_take(f->m, &i)) {
      if (i.kind != INTENT_ACT)
        continue;
      snprintf(topic, sizeof topic, "item %zu", n++);
      assert_string_equal(i.order.text, topic);
      reach_sent(&r, &i, ++ticket);
    }
  assert_int_equal(n, MANY);
  char data[2000];
  memset(data, 'x', sizeof data - 1);
  data[sizeof data - 1] = '\0';
  for (uint32_t t = 1; t <= MANY; t++) { /* what does not fit into the text comes whole */
    struct client_event ev = {.kind = CLIENT_EV_REPLY, .ticket = t, .data = t == 1 ? data : NULL};
    snprintf(ev.text, sizeof ev.text, "%.600s", t == 1 ? data : "done");
    reach_reply(&r, &ev);
  }
  for (int k = 0; k < MANY; k++) {
    assert_non_null(fgets(line, sizeof line, them));
    json_t *o = json_loads(line, 0, NULL);
    assert_true(json_is_true(json_object_get(o, "ok")));
    assert_string_equal(json_string_value(json_object_get(o, "text")), k == 0 ? data : "done");
    json_decref(o);
  }
  fclose(them);
  reach_close(&r);
  fx_destroy(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_many_at_once, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
