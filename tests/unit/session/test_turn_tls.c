/* The TLS hop to relays, against a TLS server of this process: what goes through, what does not, and how it
 * ends. */
#include "core/base/clock.h"
#include "core/session/turn_tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BURST (6u << 20)
#define PATIENCE_US (20 * US_PER_S)

enum manner { ECHO, SILENT, SAY_AND_CLOSE, COUNT };
struct relay { /* a TLS server for one connection, in a thread of its own */
  enum manner manner;
  int listener;
  uint16_t port;
  SSL_CTX *ctx;
  pthread_t thread;
  atomic_size_t got; /* bytes inside TLS */
  atomic_bool over;
};

/* ---- certificates ---- */

static EVP_PKEY *key;
static char pem_path[64];

static X509 *make_cert(const char *san) {
  X509 *x = X509_new();
  X509_NAME *n = X509_get_subject_name(x);
  assert_int_equal(X509_set_version(x, 2), 1);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -60);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)"relay", -1, -1, 0);
  X509_set_issuer_name(x, n);
  X509_set_pubkey(x, key);
  X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
  assert_non_null(e);
  X509_add_ext(x, e, -1);
  X509_EXTENSION_free(e);
  assert_true(X509_sign(x, key, EVP_sha256()) > 0);
  return x;
}

/* The only authority there is from now on; NULL: another one. */
static void trust(X509 *x) {
  X509 *other = x ? NULL : make_cert("DNS:elsewhere.example");
  FILE *f = fopen(pem_path, "w");
  assert_non_null(f);
  assert_int_equal(PEM_write_X509(f, x ? x : other), 1);
  assert_int_equal(fclose(f), 0);
  X509_free(other);
}

/* ---- the relay ---- */

static void serve(struct relay *r, SSL *ssl) {
  static char buf[16384];
  int n;
  if (r->manner == SAY_AND_CLOSE) {
    memset(buf, 'z', sizeof buf);
    for (size_t sent = 0; sent < BURST; sent += sizeof buf)
      if (SSL_write(ssl, buf, sizeof buf) <= 0)
        return;
    SSL_shutdown(ssl);
    return;
  }
  while ((n = SSL_read(ssl, buf, sizeof buf)) > 0) {
    atomic_fetch_add(&r->got, (size_t)n);
    if (r->manner == ECHO && SSL_write(ssl, buf, n) <= 0)
      return;
  }
}

static void *run_relay(void *arg) {
  struct relay *r = arg;
  int fd = accept(r->listener, NULL, NULL);
  if (fd >= 0 && r->manner == SILENT) { /* until the other side has had enough */
    char c;
    while (read(fd, &c, 1) > 0)
      ;
  } else if (fd >= 0) {
    SSL *ssl = SSL_new(r->ctx);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1)
      serve(r, ssl);
    SSL_free(ssl);
  }
  if (fd >= 0)
    close(fd);
  atomic_store(&r->over, true);
  return NULL;
}

static void relay_start(struct relay *r, enum manner manner, X509 *cert) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t n = sizeof a;
  *r = (struct relay){.manner = manner, .ctx = SSL_CTX_new(TLS_server_method())};
  assert_int_equal(SSL_CTX_use_certificate(r->ctx, cert), 1);
  assert_int_equal(SSL_CTX_use_PrivateKey(r->ctx, key), 1);
  r->listener = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(r->listener, (struct sockaddr *)&a, n), 0);
  assert_int_equal(listen(r->listener, 4), 0);
  assert_int_equal(getsockname(r->listener, (struct sockaddr *)&a, &n), 0);
  r->port = ntohs(a.sin_port);
  assert_int_equal(pthread_create(&r->thread, NULL, run_relay, r), 0);
}

static void relay_end(struct relay *r) {
  shutdown(r->listener, SHUT_RDWR);
  pthread_join(r->thread, NULL);
  close(r->listener);
  SSL_CTX_free(r->ctx);
}

/* ---- our side ---- */

static gboolean tick(gpointer user) {
  (void)user;
  return G_SOURCE_CONTINUE; /* so that iterations end */
}

static GMainContext *context_new(void) {
  GMainContext *c = g_main_context_new();
  GSource *s = g_timeout_source_new(5);
  g_source_set_callback(s, tick, NULL, NULL);
  g_source_attach(s, c);
  g_source_unref(s);
  return c;
}

static int dial(int family, uint16_t port) {
  struct sockaddr_in v4 = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 v6 = {
      .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int rc = family == AF_INET ? connect(fd, (struct sockaddr *)&v4, sizeof v4)
                             : connect(fd, (struct sockaddr *)&v6, sizeof v6);
  assert_int_equal(rc, 0);
  return fd;
}

/* Sends `n` bytes of a pattern and reads until the end or `want` bytes; returns how many came. 'z' or the
 * pattern itself: anything else fails. */
static size_t talk(GMainContext *c, int fd, size_t n, size_t want, bool echo) {
  static char out[65536], in[65536];
  size_t sent = 0, got = 0;
  us_t until = clock_now() + PATIENCE_US;
  for (size_t i = 0; i < sizeof out; i++)
    out[i] = (char)('A' + i % 23);
  while (got < want) {
    assert_true(clock_now() < until);
    g_main_context_iteration(c, TRUE);
    if (sent < n) {
      size_t at = sent % sizeof out, len = sizeof out - at < n - sent ? sizeof out - at : n - sent;
      ssize_t k = send(fd, out + at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
      sent += k > 0 ? (size_t)k : 0;
    }
    ssize_t k = recv(fd, in, sizeof in, MSG_DONTWAIT);
    if (k == 0 || (k < 0 && errno != EAGAIN))
      break;
    for (ssize_t i = 0; i < k; i++)
      assert_int_equal(in[i], echo ? out[(got + (size_t)i) % sizeof out] : 'z');
    got += k > 0 ? (size_t)k : 0;
  }
  return got;
}

static void run_until(GMainContext *c, atomic_bool *flag) {
  us_t until = clock_now() + PATIENCE_US;
  while (!atomic_load(flag)) {
    assert_true(clock_now() < until);
    g_main_context_iteration(c, TRUE);
  }
}

/* ---- tests ---- */

static void echo_by(int family, const char *host, const char *san, size_t n) {
  struct relay r;
  GMainContext *c = context_new();
  X509 *x = make_cert(san);
  trust(x);
  relay_start(&r, ECHO, x);
  struct turn_tls *t = turn_tls_create(c, family, host, r.port);
  assert_non_null(t);
  int fd = dial(family, turn_tls_port(t));
  assert_int_equal(talk(c, fd, n, n, true), n);
  assert_int_equal(atomic_load(&r.got), n);
  close(fd); /* ours ends: so does the relay's */
  run_until(c, &r.over);
  assert_int_equal(turn_tls_error(t), ERR_OK);
  turn_tls_destroy(t);
  relay_end(&r);
  X509_free(x);
  g_main_context_unref(c);
}

static void test_through(void **state) {
  (void)state;
  echo_by(AF_INET, "localhost", "DNS:localhost", 1000);
  echo_by(AF_INET, "127.0.0.1", "IP:127.0.0.1", 1000);
  echo_by(AF_INET6, "localhost", "DNS:localhost", 1000);
}

static void test_bursts(void **state) {
  (void)state;
  echo_by(AF_INET, "localhost", "DNS:localhost", BURST);
}

/* Refused: not a byte of ours gets there, and our end is closed. */
static void refused(const char *host, const char *san, bool trusted) {
  struct relay r;
  GMainContext *c = context_new();
  X509 *x = make_cert(san);
  trust(trusted ? x : NULL);
  relay_start(&r, ECHO, x);
  struct turn_tls *t = turn_tls_create(c, AF_INET, host, r.port);
  int fd = dial(AF_INET, turn_tls_port(t));
  assert_int_equal(talk(c, fd, 100, 100, true), 0);
  assert_int_equal(turn_tls_error(t), ERR_CERT);
  run_until(c, &r.over);
  assert_int_equal(atomic_load(&r.got), 0);
  close(fd);
  turn_tls_destroy(t);
  relay_end(&r);
  X509_free(x);
  g_main_context_unref(c);
}

static void test_wrong_certificates(void **state) {
  (void)state;
  refused("localhost", "DNS:localhost", false);              /* nobody we trust */
  refused("localhost", "DNS:elsewhere.example", true);       /* another name */
  refused("127.0.0.1", "DNS:127.0.0.1,DNS:localhost", true); /* an address is no name */
  refused("localhost", "DNS:loc*", true);
}

static void test_relay_closes(void **state) {
  (void)state;
  struct relay r;
  GMainContext *c = context_new();
  X509 *x = make_cert("DNS:localhost");
  trust(x);
  relay_start(&r, SAY_AND_CLOSE, x);
  struct turn_tls *t = turn_tls_create(c, AF_INET, "localhost", r.port);
  int fd = dial(AF_INET, turn_tls_port(t));
  size_t all = (BURST + 16383) / 16384 * 16384;
  assert_int_equal(talk(c, fd, 0, all + 1, false), all); /* every byte, then the end */
  assert_int_equal(turn_tls_error(t), ERR_OK);
  close(fd);
  turn_tls_destroy(t);
  relay_end(&r);
  X509_free(x);
  g_main_context_unref(c);
}

static void test_last_words(void **state) { /* what was said before we ended arrives */
  (void)state;
  struct relay r;
  GMainContext *c = context_new();
  X509 *x = make_cert("DNS:localhost");
  trust(x);
  relay_start(&r, COUNT, x);
  struct turn_tls *t = turn_tls_create(c, AF_INET, "localhost", r.port);
  int fd = dial(AF_INET, turn_tls_port(t));
  char words[20000];
  memset(words, 'w', sizeof words);
  assert_int_equal(send(fd, words, sizeof words, 0), sizeof words);
  us_t until = clock_now() + PATIENCE_US;
  while (atomic_load(&r.got) == 0) {
    assert_true(clock_now() < until);
    g_main_context_iteration(c, TRUE);
  }
  assert_int_equal(send(fd, words, sizeof words, 0), sizeof words);
  close(fd);
  run_until(c, &r.over);
  assert_int_equal(atomic_load(&r.got), 2 * sizeof words);
  turn_tls_destroy(t);
  relay_end(&r);
  X509_free(x);
  g_main_context_unref(c);
}

static void test_half_open(void **state) {
  (void)state;
  struct relay r;
  GMainContext *c = context_new();
  X509 *x = make_cert("DNS:localhost");
  relay_start(&r, SILENT, x);
  struct turn_tls *t = turn_tls_create(c, AF_INET, "localhost", r.port);
  int fd = dial(AF_INET, turn_tls_port(t));
  us_t began = clock_now();
  assert_int_equal(talk(c, fd, 10, 10, true), 0);
  assert_int_equal(turn_tls_error(t), ERR_CONNECT);
  assert_true(clock_now() - began < 10 * US_PER_S);
  run_until(c, &r.over);
  close(fd);
  turn_tls_destroy(t);
  relay_end(&r);
  X509_free(x);
  g_main_context_unref(c);
}

/* At one of its addresses somebody takes connections and says nothing of TLS: then it is the other one. */
static void test_another_address(void **state) {
  (void)state;
  struct relay r;
  GMainContext *c = context_new();
  X509 *x = make_cert("DNS:localhost");
  trust(x);
  relay_start(&r, ECHO, x);
  struct sockaddr_in6 a = {
      .sin6_family = AF_INET6, .sin6_port = htons(r.port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  int other = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  assert_int_equal(setsockopt(other, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0);
  assert_int_equal(bind(other, (struct sockaddr *)&a, sizeof a), 0);
  assert_int_equal(listen(other, 4), 0);
  struct turn_tls *t = turn_tls_create(c, AF_INET, "localhost", r.port);
  int fd = dial(AF_INET, turn_tls_port(t));
  assert_int_equal(talk(c, fd, 100, 100, true), 100);
  assert_int_equal(atomic_load(&r.got), 100);
  close(fd);
  run_until(c, &r.over);
  turn_tls_destroy(t);
  close(other);
  relay_end(&r);
  X509_free(x);
  g_main_context_unref(c);
}

static void test_nobody_there(void **state) {
  (void)state;
  static const char *const HOSTS[] = {"localhost", "name.invalid"};
  for (size_t i = 0; i < 2; i++) {
    struct relay r;
    GMainContext *c = context_new();
    X509 *x = make_cert("DNS:localhost");
    relay_start(&r, SILENT, x);
    relay_end(&r); /* its port is free again */
    struct turn_tls *t = turn_tls_create(c, AF_INET, HOSTS[i], r.port);
    int fd = dial(AF_INET, turn_tls_port(t));
    assert_int_equal(talk(c, fd, 10, 10, true), 0);
    assert_int_equal(turn_tls_error(t), ERR_CONNECT);
    close(fd);
    turn_tls_destroy(t);
    X509_free(x);
    g_main_context_unref(c);
  }
}

/* Another process of this machine gets nothing, and takes nothing from us. */
static void test_stranger(void **state) {
  (void)state;
  struct relay r;
  GMainContext *c = context_new();
  X509 *x = make_cert("DNS:localhost");
  trust(x);
  relay_start(&r, ECHO, x);
  struct turn_tls *t = turn_tls_create(c, AF_INET, "localhost", r.port);
  int told[2], fd;
  char ok = 0;
  assert_int_equal(pipe(told), 0);
  uint16_t port = turn_tls_port(t);
  pid_t child = fork();
  if (child == 0) { /* connects, and is hung up on: then 'y' */
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char b;
    fd = socket(AF_INET, SOCK_STREAM, 0);
    ok = connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && read(fd, &b, 1) <= 0 ? 'y' : 'n';
    _exit(write(told[1], &ok, 1) == 1 ? 0 : 1);
  }
  close(told[1]);
  us_t until = clock_now() + PATIENCE_US;
  GPollFD poll = {told[0], G_IO_IN, 0};
  while (g_poll(&poll, 1, 0) == 0) {
    assert_true(clock_now() < until);
    g_main_context_iteration(c, TRUE);
  }
  assert_int_equal(read(told[0], &ok, 1), 1);
  assert_int_equal(ok, 'y');
  assert_int_equal(waitpid(child, NULL, 0), child);
  fd = dial(AF_INET, port);
  assert_int_equal(talk(c, fd, 100, 100, true), 100);
  close(fd);
  close(told[0]);
  turn_tls_destroy(t);
  relay_end(&r);
  X509_free(x);
  g_main_context_unref(c);
}

/* It may go away at any moment, also while its name is looked up; a second connection is not taken. */
static void test_destroy(void **state) {
  (void)state;
  struct relay r;
  X509 *x = make_cert("DNS:localhost");
  trust(x);
  for (int turns = 0; turns < 12; turns++) {
    GMainContext *c = context_new();
    relay_start(&r, ECHO, x);
    struct turn_tls *t = turn_tls_create(c, AF_INET, "localhost", r.port);
    int fd = dial(AF_INET, turn_tls_port(t));
    for (int i = 0; i < turns; i++)
      g_main_context_iteration(c, TRUE);
    turn_tls_destroy(t);
    close(fd);
    for (int i = 0; i < 4; i++) /* the resolver's answer comes to nobody */
      g_main_context_iteration(c, TRUE);
    relay_end(&r);
    g_main_context_unref(c);
  }
  X509_free(x);
}

static int set_up(void **state) {
  (void)state;
  signal(SIGPIPE, SIG_IGN);
  key = EVP_EC_gen("P-256");
  snprintf(pem_path, sizeof pem_path, "/tmp/gavel-turn-tls-XXXXXX");
  int fd = mkstemp(pem_path);
  if (!key || fd < 0)
    return -1;
  close(fd);
  return setenv("SSL_CERT_FILE", pem_path, 1) || setenv("SSL_CERT_DIR", "/nonexistent", 1);
}

static int tear_down(void **state) {
  (void)state;
  EVP_PKEY_free(key);
  return remove(pem_path);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_through),
                                     cmocka_unit_test(test_bursts),
                                     cmocka_unit_test(test_wrong_certificates),
                                     cmocka_unit_test(test_relay_closes),
                                     cmocka_unit_test(test_last_words),
                                     cmocka_unit_test(test_half_open),
                                     cmocka_unit_test(test_another_address),
                                     cmocka_unit_test(test_nobody_there),
                                     cmocka_unit_test(test_stranger),
                                     cmocka_unit_test(test_destroy)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
