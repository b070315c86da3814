/* Connections that are silent: whose owner is gone without a word (his line, his machine) ends, whose owner
 * answers pings stays. Over real sockets: the kernel says when something came last. */
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/server/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SILENT_MS 600
#define PATIENCE_US (30 * US_PER_S)
#define OP_PING 9
#define OP_PONG 10

struct ear {
  SSL *tls;
  int fd;
  unsigned pings;
  bool joined, ended;
  uint8_t in[65536];
  size_t n;
};

static void send_frame(struct ear *e, uint8_t opcode, const void *p, size_t n) {
  uint8_t f[1024] = {(uint8_t)(0x80 | opcode), 0xfe, (uint8_t)(n >> 8), (uint8_t)n}; /* masked with zeros */
  if (n < 126)
    f[1] = (uint8_t)(0x80 | n);
  size_t head = (n < 126 ? 2 : 4) + 4;
  assert_true(head + n <= sizeof f);
  if (n > 0)
    memcpy(f + head, p, n);
  assert_int_equal(SSL_write(e->tls, f, (int)(head + n)), head + n);
}

static void connect_to(struct ear *e, SSL_CTX *ctx, const struct server *s) {
  static const char UPGRADE[] = "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
                                "Upgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: gavel.1\r\n\r\n";
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(server_port(s))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  char c = 0, last[4] = "";
  e->fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(connect(e->fd, (struct sockaddr *)&to, sizeof to), 0);
  e->tls = SSL_new(ctx);
  assert_int_equal(SSL_set_fd(e->tls, e->fd), 1);
  assert_int_equal(SSL_connect(e->tls), 1);
  assert_int_equal(SSL_write(e->tls, UPGRADE, sizeof UPGRADE - 1), sizeof UPGRADE - 1);
  while (memcmp(last, "\r\n\r\n", 4) != 0) {
    assert_int_equal(SSL_read(e->tls, &c, 1), 1);
    memmove(last, last + 1, 3);
    last[3] = c;
  }
}

static void join(struct ear *e, const struct link *l, const char *name) {
  char secret[48], text[400];
  b64url_encode(l->secret, sizeof l->secret, secret);
  int n = snprintf(text, sizeof text,
                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"room.join\",\"params\":{\"room\":\"den\","
                   "\"name\":\"%s\",\"invite\":\"%s\"}}",
                   name, secret);
  send_frame(e, 1, text, (size_t)n);
}

/* The frames that are there whole. */
static void take_frames(struct ear *e, bool answers) {
  for (;;) {
    size_t len = e->n > 1 ? e->in[1] : 0, head = 2;
    if (len == 126) {
      len = e->n > 3 ? (size_t)e->in[2] << 8 | e->in[3] : 65535;
      head = 4;
    }
    if (e->n < head + len)
      return;
    e->joined = e->joined || ((e->in[0] & 15) == 1 && len > 0);
    if ((e->in[0] & 15) == OP_PING) {
      e->pings++;
      if (answers)
        send_frame(e, OP_PONG, e->in + head, len);
    }
    e->n -= head + len;
    memmove(e->in, e->in + head + len, e->n);
  }
}

static void listen_once(struct ear *e, bool answers) {
  int n = SSL_read(e->tls, e->in + e->n, (int)(sizeof e->in - e->n));
  e->ended = n <= 0;
  e->n += n > 0 ? (size_t)n : 0;
  take_frames(e, answers);
}

static void who_is_gone_is_hung_up_on_and_who_answers_is_not(void **state) {
  static struct ear gone, alive;
  struct server_config c;
  struct server *s = NULL;
  struct link host, guest;
  char why[256] = "";
  (void)state;
  server_config_default(&c);
  c.listen = "127.0.0.1";
  c.port = 0;
  c.database = ":memory:";
  c.silent_ms = SILENT_MS;
  assert_int_equal(server_start(&c, &s, why), ERR_OK);
  assert_int_equal(server_room_create(s, "den", false, &host, &guest), ERR_OK);
  SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
  connect_to(&gone, ctx, s);
  connect_to(&alive, ctx, s);
  join(&gone, &guest, "gone");
  join(&alive, &guest, "alive");

  us_t began = clock_now(), ended = 0;
  while (!gone.ended || alive.pings < 4) {
    struct pollfd p[] = {{alive.fd, POLLIN, 0}, {gone.ended ? -1 : gone.fd, POLLIN, 0}};
    assert_true(clock_now() - began < PATIENCE_US);
    assert_true(poll(p, 2, 1000) >= 0);
    if (p[0].revents)
      listen_once(&alive, true);
    if (p[1].revents)
      listen_once(&gone, false);
    assert_false(alive.ended);
    ended = gone.ended && !ended ? clock_now() : ended;
  }
  assert_true(alive.joined && gone.joined);
  assert_int_equal(gone.pings, 1); /* it was asked, and had time to answer */
  assert_true(ended - began > SILENT_MS * 3 / 2 * US_PER_MS);

  SSL_free(gone.tls);
  SSL_free(alive.tls);
  SSL_CTX_free(ctx);
  close(gone.fd);
  close(alive.fd);
  server_stop(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_is_gone_is_hung_up_on_and_who_answers_is_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
