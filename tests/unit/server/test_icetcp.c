/* The media port's TCP side over loopback: who may have how many connections and for how long, and what a
 * reader who does not read gets. The time is the test's. */
#include "core/base/addr.h"
#include "core/server/shell_icetcp.h"
#include "core/wire/framing.h"
#include "core/wire/stun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct kit {
  int udp; /* whose port it takes */
  struct sockaddr_in at;
  struct icetcp *t;
  us_t now;
  bool answers; /* checks, like the media port */
  unsigned n_taken;
  struct sockaddr_carrier last;
};

static const uint8_t CHECK[] = {0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 7,
                                7, 7,  7, 7, 7, 7, 7,    7,    7,    7,    7};
static const uint8_t RUBBISH[] = {0, 3, 0xff, 0xff, 0xff};

static void take(void *ctx, const struct sockaddr_carrier *from, uint8_t *p, size_t n) {
  struct kit *k = ctx;
  k->n_taken++;
  k->last = *from;
  if (k->answers && stun_looks_like(p, n))
    icetcp_send(k->t, k->now, from, p, n);
}

static void serve(struct kit *k) {
  struct pollfd p = {icetcp_fd(k->t), POLLIN, 0};
  while (poll(&p, 1, 0) > 0)
    icetcp_serve(k->t, k->now, take, k);
}

static int set_up(void **state) {
  static struct kit kit;
  socklen_t n = sizeof kit.at;
  kit = (struct kit){.now = 100 * US_PER_S, .answers = true};
  kit.at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  kit.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bool ok = kit.udp >= 0 && bind(kit.udp, (struct sockaddr *)&kit.at, n) == 0 &&
            getsockname(kit.udp, (struct sockaddr *)&kit.at, &n) == 0;
  *state = &kit;
  return ok && icetcp_open(kit.udp, &kit.t) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state) {
  struct kit *k = *state;
  icetcp_close(k->t);
  return close(k->udp);
}

/* A connection from that address of this machine. */
static int dial(struct kit *k, const char *from) {
  struct sockaddr_in a = {.sin_family = AF_INET};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(inet_pton(AF_INET, from, &a.sin_addr), 1);
  assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&k->at, sizeof k->at), 0);
  assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
  serve(k);
  return fd;
}

static void say(struct kit *k, int fd, const void *p, size_t n) {
  assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
  serve(k);
}

static bool answered(struct kit *k, int fd) {
  uint8_t buf[sizeof CHECK];
  say(k, fd, CHECK, sizeof CHECK);
  return recv(fd, buf, sizeof buf, MSG_DONTWAIT) == sizeof CHECK && memcmp(buf, CHECK, sizeof buf) == 0;
}

static bool ended(int fd) {
  uint8_t b;
  ssize_t n = recv(fd, &b, 1, MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void pass(struct kit *k, us_t us) {
  k->now += us;
  icetcp_timeout(k->t, k->now);
}

static void one_address_does_not_take_the_others_places(void **state) {
  struct kit *k = *state;
  int fd[ICETCP_KNOWN_ADDRESS_MAX + 1];
  for (size_t i = 0; i < ICETCP_KNOWN_ADDRESS_MAX; i++) {
    fd[i] = dial(k, "127.0.0.1");
    assert_true(answered(k, fd[i]));
  }
  fd[ICETCP_KNOWN_ADDRESS_MAX] = dial(k, "127.0.0.1");
  assert_false(answered(k, fd[ICETCP_KNOWN_ADDRESS_MAX]));
  int other = dial(k, "127.0.0.2");
  assert_true(answered(k, other));
  close(fd[0]); /* and when one goes, there is a place again */
  serve(k);
  assert_true(answered(k, fd[ICETCP_KNOWN_ADDRESS_MAX]));
  for (size_t i = 1; i <= ICETCP_KNOWN_ADDRESS_MAX; i++)
    close(fd[i]);
  close(other);
}

/* Words that nobody answers do not keep a connection: its person may be gone, or never have been one. */
static void it_stays_as_long_as_something_is_sent_to_it(void **state) {
  struct kit *k = *state;
  int idle = dial(k, "127.0.0.1"), busy = dial(k, "127.0.0.1");
  assert_true(answered(k, idle));
  assert_true(answered(k, busy));
  for (int i = 0; i < 8; i++) {
    pass(k, ICETCP_IDLE_US / 4);
    (void)!send(idle, RUBBISH, sizeof RUBBISH, MSG_NOSIGNAL); /* fails once it is gone */
    serve(k);
    assert_true(answered(k, busy));
  }
  assert_true(ended(idle));
  assert_false(ended(busy));
  close(idle);
  close(busy);
}

static void who_says_nothing_goes_and_leaves_no_trace(void **state) {
  struct kit *k = *state;
  struct linger hard = {1, 0};
  for (int i = 0; i < 300; i++) { /* reset at once, after half a check, after one */
    int fd = dial(k, "127.0.0.1");
    if (i % 3 > 0)
      say(k, fd, CHECK, i % 3 == 1 ? sizeof CHECK / 2 : sizeof CHECK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    close(fd);
    serve(k);
  }
  assert_int_equal(icetcp_due(k->t), US_NEVER); /* there are no connections any more */
  int slow = dial(k, "127.0.0.1");
  for (size_t i = 0; i + 1 < sizeof CHECK; i++) { /* a byte now and then buys no time */
    say(k, slow, CHECK + i, 1);
    pass(k, ICETCP_FIRST_US / sizeof CHECK);
  }
  assert_false(ended(slow));
  pass(k, ICETCP_FIRST_US);
  assert_true(ended(slow));
  assert_int_equal(icetcp_due(k->t), US_NEVER);
  close(slow);
}

/* What the socket does not take is lost as a whole: what arrives are datagrams. */
static void who_reads_late_gets_whole_datagrams(void **state) {
  struct kit *k = *state;
  uint8_t sent[CARRIER_DATAGRAM_MAX], frame[CARRIER_DATAGRAM_MAX], buf[700];
  struct framing f = {.buf = frame, .cap = sizeof frame};
  unsigned got = 0, tries = 3000, quiet = 0;
  int fd = dial(k, "127.0.0.1");
  assert_true(answered(k, fd));
  for (unsigned i = 0; i < tries || quiet < 100; i++) {
    size_t len = 1 + i * 37 % sizeof sent;
    memset(sent, (int)len & 0xff, len);
    if (i < tries)
      icetcp_send(k->t, k->now, &k->last, sent, len);
    serve(k);
    ssize_t n = i % 16 == 0 || i >= tries ? recv(fd, buf, sizeof buf, MSG_DONTWAIT) : -1;
    quiet = n > 0 ? 0 : quiet + 1;
    const uint8_t *p = buf;
    size_t left = n > 0 ? (size_t)n : 0;
    bool bad = false;
    while (framing_feed(&f, &p, &left, &len, &bad)) {
      got++;
      for (size_t j = 0; j < len; j++)
        assert_int_equal(frame[j], len & 0xff);
    }
    assert_false(bad);
  }
  assert_true(got > 0 && got < tries);
  assert_true(answered(k, fd));
  close(fd);
}

static void what_is_no_check_ends_it_before_one(void **state) {
  struct kit *k = *state;
  k->answers = false;
  uint8_t big[2 + STUN_MAX + 1] = {(STUN_MAX + 1) >> 8, (STUN_MAX + 1) & 0xff};
  int rubbish = dial(k, "127.0.0.1"), large = dial(k, "127.0.0.1"), wrong = dial(k, "127.0.0.1");
  say(k, rubbish, RUBBISH, sizeof RUBBISH);
  assert_true(ended(rubbish));
  say(k, large, big, sizeof big);
  assert_true(ended(large));
  say(k, wrong, CHECK, sizeof CHECK); /* a check that is not answered: taken, and the time runs on */
  assert_int_equal(k->n_taken, 1);
  pass(k, ICETCP_FIRST_US);
  assert_true(ended(wrong));
  close(rubbish);
  close(large);
  close(wrong);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(one_address_does_not_take_the_others_places), TEST(it_stays_as_long_as_something_is_sent_to_it),
      TEST(who_says_nothing_goes_and_leaves_no_trace), TEST(who_reads_late_gets_whole_datagrams),
      TEST(what_is_no_check_ends_it_before_one)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
