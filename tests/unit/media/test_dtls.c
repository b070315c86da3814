/* DTLS-SRTP on a virtual clock: two of ours over a bad network, and a plain OpenSSL client against our
 * server. */
#include "core/base/rng.h"
#include "core/media/dtls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MTU 1200
#define START (1000 * US_PER_S)

static struct cert small_a, small_b, big_a, big_b; /* the whole file uses these; made once */

/* A certificate of 3 kB, so that a flight takes several datagrams. */
static void make_big(struct cert *c) {
  assert_int_equal(cert_make("big.example", 1, c), ERR_OK);
  char text[2500];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_netscape_comment, text);
  assert_non_null(ext);
  assert_int_equal(X509_add_ext(c->x509, ext, -1), 1);
  X509_EXTENSION_free(ext);
  assert_true(X509_sign(c->x509, c->key, EVP_sha256()) > 0);
  unsigned len = 0;
  assert_int_equal(X509_digest(c->x509, EVP_sha256(), c->sha256, &len), 1);
}

static int make_certs(void **state) {
  (void)state;
  if (cert_make("a.example", 1, &small_a) != ERR_OK || cert_make("b.example", 1, &small_b) != ERR_OK)
    return -1;
  make_big(&big_a);
  make_big(&big_b);
  return 0;
}

static int free_certs(void **state) {
  (void)state;
  cert_free(&small_a);
  cert_free(&small_b);
  cert_free(&big_a);
  cert_free(&big_b);
  return 0;
}

enum fate { PASS, DROP, DOUBLE, HOLD }; /* HOLD: behind the next one of that direction */

struct net {
  struct dtls_ctx *ctx[2];
  struct dtls *end[2]; /* client, server */
  us_t now;
  unsigned sent;
  enum fate (*fate)(struct net *, unsigned index);
  unsigned drop_a, drop_b; /* of drop_two */
  struct rng rng;          /* of by_chance */
  const uint8_t
      *noise; /* delivered to the server, and to the client when noise_to_both, before each datagram */
  bool noise_to_both;
  size_t noise_len;
  uint8_t held[MTU];
  size_t held_len;
  int held_for;
};

static enum fate drop_two(struct net *n, unsigned index) {
  return index == n->drop_a || index == n->drop_b ? DROP : PASS;
}

static enum fate drop_all(struct net *n, unsigned index) {
  (void)n, (void)index;
  return DROP;
}

static enum fate by_chance(struct net *n, unsigned index) {
  (void)index;
  uint64_t r = rng_below(&n->rng, 100);
  return r < 20 ? DROP : r < 40 ? DOUBLE : r < 60 ? HOLD : PASS;
}

static struct net net_open(const struct cert *client, const struct cert *server, bool client_256,
                           bool server_256) {
  struct net n = {.now = START};
  n.ctx[0] = dtls_ctx_create(client, client_256);
  n.ctx[1] = dtls_ctx_create(server, server_256);
  assert_non_null(n.ctx[0]);
  assert_non_null(n.ctx[1]);
  n.end[0] = dtls_create(n.ctx[0], false, "sha-256", server->sha256, 32);
  n.end[1] = dtls_create(n.ctx[1], true, "SHA-256", client->sha256, 32);
  assert_non_null(n.end[0]);
  assert_non_null(n.end[1]);
  return n;
}

static void net_close(struct net *n) {
  for (int i = 0; i < 2; i++) {
    dtls_destroy(n->end[i]);
    dtls_ctx_destroy(n->ctx[i]);
  }
}

static void net_deliver(struct net *n, int to, const uint8_t *p, size_t len) {
  if (n->noise_len > 0) {
    dtls_handle_packet(n->end[1], n->now, n->noise, n->noise_len);
    if (n->noise_to_both)
      dtls_handle_packet(n->end[0], n->now, n->noise, n->noise_len);
  }
  dtls_handle_packet(n->end[to], n->now, p, len);
}

static void net_release(struct net *n) {
  size_t len = n->held_len;
  n->held_len = 0;
  if (len > 0)
    net_deliver(n, n->held_for, n->held, len);
}

static void net_send(struct net *n, int to, const uint8_t *p, size_t len) {
  assert_true(len <= MTU);
  enum fate f = n->fate != NULL ? n->fate(n, n->sent) : PASS;
  n->sent++;
  if (f == HOLD && n->held_len == 0) {
    memcpy(n->held, p, n->held_len = len);
    n->held_for = to;
    return;
  }
  if (f != DROP)
    net_deliver(n, to, p, len);
  if (f == DOUBLE)
    net_deliver(n, to, p, len);
  net_release(n);
}

static bool net_move(struct net *n) {
  uint8_t p[MTU];
  bool moved = false;
  for (int from = 0; from < 2; from++)
    for (size_t len; (len = dtls_poll_packet(n->end[from], p, sizeof p)) > 0; moved = true)
      net_send(n, !from, p, len);
  return moved;
}

/* Runs until nobody has anything to send nor to wait for. All time is virtual. */
static void net_run(struct net *n) {
  dtls_start(n->end[0], n->now);
  for (;;) {
    while (net_move(n))
      ;
    us_t a = dtls_next_timeout(n->end[0]), b = dtls_next_timeout(n->end[1]), next = a < b ? a : b;
    if (next == US_NEVER)
      return;
    assert_true(next > n->now);
    n->now = next;
    net_release(n);
    dtls_handle_timeout(n->end[0], n->now);
    dtls_handle_timeout(n->end[1], n->now);
  }
}

static void assert_same_keys(struct net *n, enum srtp_profile_id profile) {
  struct dtls_keys c, s;
  for (int i = 0; i < 2; i++)
    assert_int_equal(dtls_state(n->end[i]), DTLS_DONE);
  assert_true(dtls_take_keys(n->end[0], &c));
  assert_true(dtls_take_keys(n->end[1], &s));
  assert_int_equal(c.profile, profile);
  assert_int_equal(s.profile, profile);
  assert_int_equal(c.len, s.len);
  assert_memory_equal(c.send, s.recv, c.len);
  assert_memory_equal(c.recv, s.send, c.len);
  assert_memory_not_equal(c.send, c.recv, c.len);
  assert_false(dtls_take_keys(n->end[0], &c));
}

static void test_handshake(void **state) {
  (void)state;
  struct net n = net_open(&small_a, &small_b, false, false);
  struct dtls_keys k;
  assert_int_equal(dtls_state(n.end[0]), DTLS_NEW);
  assert_int_equal(dtls_next_timeout(n.end[1]), US_NEVER);
  assert_false(dtls_take_keys(n.end[0], &k));
  net_run(&n);
  assert_int_equal(n.now, START); /* nothing was lost: no timer ran */
  assert_int_equal(n.sent, 4);
  assert_same_keys(&n, PROFILE_AEAD_AES_256_GCM);
  assert_string_equal(srtp_profile_text(PROFILE_AEAD_AES_256_GCM), "AEAD_AES_256_GCM");
  net_close(&n);
}

static void test_bad_arguments(void **state) {
  (void)state;
  struct dtls_ctx *c = dtls_ctx_create(&small_a, false);
  uint8_t hash[64] = {0};
  assert_null(dtls_create(c, true, "sha-1", hash, 20));
  assert_null(dtls_create(c, true, "md5", hash, 16));
  assert_null(dtls_create(c, true, "sha-256", hash, 31));
  assert_null(dtls_create(c, true, "sha-256", hash, 64));
  dtls_ctx_destroy(c);
}

static void test_other_hashes(void **state) {
  (void)state;
  static const char *const names[] = {"sha-384", "sha-512"};
  for (int i = 0; i < 2; i++) {
    struct net n = net_open(&small_a, &small_b, true, true);
    uint8_t hash[64];
    unsigned len = 0;
    assert_int_equal(X509_digest(small_a.x509, i == 0 ? EVP_sha384() : EVP_sha512(), hash, &len), 1);
    dtls_destroy(n.end[1]);
    n.end[1] = dtls_create(n.ctx[1], true, names[i], hash, len);
    net_run(&n);
    assert_same_keys(&n, PROFILE_AEAD_AES_256_GCM);
    net_close(&n);
  }
}

static void test_wrong_fingerprint(void **state) {
  (void)state;
  for (int who = 0; who < 2; who++) {
    struct net n = net_open(&small_a, &small_b, false, false);
    uint8_t hash[32];
    struct dtls_keys k;
    memcpy(hash, who == 0 ? small_b.sha256 : small_a.sha256, 32);
    hash[31] ^= 1;
    dtls_destroy(n.end[who]);
    n.end[who] = dtls_create(n.ctx[who], who == 1, "sha-256", hash, 32);
    net_run(&n);
    assert_int_equal(n.now, START); /* an alert, no waiting */
    assert_int_equal(dtls_state(n.end[who]), DTLS_FAILED);
    assert_int_equal(dtls_failure(n.end[who]), ERR_FINGERPRINT);
    assert_int_equal(dtls_state(n.end[!who]), DTLS_FAILED);
    assert_int_equal(dtls_failure(n.end[!who]), ERR_DTLS);
    assert_false(dtls_take_keys(n.end[0], &k) || dtls_take_keys(n.end[1], &k));
    net_close(&n);
  }
}

/* Every datagram and every pair of datagrams lost, retransmissions included. */
static void lose_pairs(const struct cert *a, const struct cert *b, unsigned count) {
  for (unsigned i = 0; i < count; i++)
    for (unsigned j = i; j < count; j++) {
      struct net n = net_open(a, b, false, false);
      n.fate = drop_two;
      n.drop_a = i;
      n.drop_b = j;
      net_run(&n);
      assert_in_range(n.now - START, 200 * US_PER_MS, 3 * US_PER_S);
      assert_same_keys(&n, PROFILE_AEAD_AES_256_GCM);
      net_close(&n);
    }
}

static void test_loss(void **state) {
  (void)state;
  lose_pairs(&small_a, &small_b, 4);
}

static void test_loss_in_long_flights(void **state) {
  (void)state;
  struct net n = net_open(&big_a, &big_b, false, false);
  net_run(&n);
  assert_int_equal(n.now, START);
  assert_in_range(n.sent, 8, 12);
  lose_pairs(&big_a, &big_b, n.sent);
  net_close(&n);
}

static void test_lost_duplicated_reordered(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 150; seed++) {
    struct net n =
        seed % 2 ? net_open(&small_a, &small_b, false, false) : net_open(&big_a, &big_b, false, false);
    n.fate = by_chance;
    rng_seed(&n.rng, seed);
    net_run(&n);
    if (dtls_state(n.end[0]) != DTLS_DONE || dtls_state(n.end[1]) != DTLS_DONE)
      fail_msg("seed %d", (int)seed);
    assert_same_keys(&n, PROFILE_AEAD_AES_256_GCM);
    net_close(&n);
  }
}

static void test_gives_up(void **state) {
  (void)state;
  struct net n = net_open(&small_a, &small_b, false, false);
  n.fate = drop_all;
  net_run(&n);
  assert_int_equal(n.now, START + 30 * US_PER_S);
  assert_int_equal(n.sent, 13); /* at 0, 0.2, 0.6, 1.4, 3.0 s, then each 3 s */
  assert_int_equal(dtls_state(n.end[0]), DTLS_FAILED);
  assert_int_equal(dtls_failure(n.end[0]), ERR_DTLS);
  assert_int_equal(dtls_state(n.end[1]), DTLS_NEW);
  net_close(&n);

  n = net_open(&small_a, &small_b, false, false); /* the server, when nobody answers its hello */
  uint8_t p[MTU];
  dtls_start(n.end[0], n.now);
  dtls_handle_packet(n.end[1], n.now, p, dtls_poll_packet(n.end[0], p, sizeof p));
  n.fate = drop_all;
  net_run(&n);
  assert_int_equal(dtls_failure(n.end[1]), ERR_DTLS);
  net_close(&n);
}

/* The hello of ES2023-01: well formed, offers only NULL_WITH_NULL_NULL. `seq` makes it a new record or
 * message. */
static size_t null_hello(uint8_t *p, uint8_t record_seq, uint8_t message_seq) {
  static const uint8_t body[] = {0xfe, 0xfd, 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                 13,   14,   15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
                                 27,   28,   29, 30, 31, 32, 0,  0,  0,  2,  0,  0,  1,  0};
  const uint8_t n = sizeof body;
  const uint8_t head[25] = {22, 0xfe, 0xff, 0, 0, 0,           0, 0, 0, 0, record_seq, 0, (uint8_t)(n + 12),
                            1,  0,    0,    n, 0, message_seq, 0, 0, 0, 0, 0,          n};
  memcpy(p, head, sizeof head);
  memcpy(p + sizeof head, body, n);
  return sizeof head + n;
}

static void test_noise(void **state) {
  (void)state;
  uint8_t noise[80];
  struct rng r;
  rng_seed(&r, 1);
  for (unsigned kind = 0; kind < 300; kind++) {
    struct net n = net_open(&small_a, &small_b, false, false);
    r.fill(&r, noise, sizeof noise);
    n.noise = noise;
    n.noise_to_both = true;
    n.noise_len = kind < 256 ? 1 : 1 + kind % 60;
    if (kind < 256)
      noise[0] = (uint8_t)kind;
    else if (kind % 2)
      memcpy(noise, "\x16\xfe\xfd", 3);
    net_run(&n);
    assert_int_equal(n.now, START);
    assert_same_keys(&n, PROFILE_AEAD_AES_256_GCM);
    net_close(&n);
  }
}

static void test_null_hello(void **state) {
  (void)state;
  for (uint8_t seq = 0; seq < 60; seq += 20) {
    uint8_t p[100], out[MTU];
    size_t len = null_hello(p, seq, 0);
    struct net n = net_open(&small_a, &small_b, false, false);
    for (int i = 0; i < 50; i++) { /* before: no answer, no state */
      dtls_handle_packet(n.end[1], n.now, p, len);
      assert_int_equal(dtls_poll_packet(n.end[1], out, sizeof out), 0);
      assert_int_equal(dtls_state(n.end[1]), DTLS_NEW);
      assert_int_equal(dtls_next_timeout(n.end[1]), US_NEVER);
    }
    n.noise = p; /* and during */
    n.noise_len = len;
    net_run(&n);
    assert_same_keys(&n, PROFILE_AEAD_AES_256_GCM);
    for (int i = 0; i < 50; i++) /* and after */
      dtls_handle_packet(n.end[1], n.now, p, len);
    assert_int_equal(dtls_state(n.end[1]), DTLS_DONE);
    net_close(&n);
  }
}

/* Cuts the only message of a ClientHello datagram into two DTLS fragments at `cut`, RFC 6347 section 4.2.3.
 */
static void split_hello(const uint8_t *p, size_t len, size_t cut, uint8_t out[2][MTU], size_t out_len[2]) {
  size_t body = len - 25;
  for (int i = 0; i < 2; i++) {
    size_t from = i == 0 ? 0 : cut, n = i == 0 ? cut : body - cut;
    memcpy(out[i], p, 25);
    memcpy(out[i] + 25, p + 25 + from, n);
    out[i][10] = (uint8_t)(p[10] + 60 * i); /* a number the client will not use again */
    out[i][11] = (uint8_t)((n + 12) >> 8);
    out[i][12] = (uint8_t)(n + 12);
    out[i][20] = (uint8_t)(from >> 8);
    out[i][21] = (uint8_t)from;
    out[i][23] = (uint8_t)(n >> 8);
    out[i][24] = (uint8_t)n;
    out_len[i] = 25 + n;
  }
}

static void test_fragmented_hello(void **state) {
  (void)state;
  for (int swapped = 0; swapped < 2; swapped++)
    for (size_t cut = 1; cut < 120; cut += 37) {
      struct net n = net_open(&small_a, &small_b, false, false);
      uint8_t hello[MTU], part[2][MTU];
      size_t part_len[2];
      dtls_start(n.end[0], n.now);
      size_t len = dtls_poll_packet(n.end[0], hello, sizeof hello);
      assert_true(len > 25 + cut);
      split_hello(hello, len, cut, part, part_len);
      dtls_handle_packet(n.end[1], n.now, part[swapped], part_len[swapped]);
      assert_int_equal(dtls_state(n.end[1]), DTLS_NEW);
      dtls_handle_packet(n.end[1], n.now, part[!swapped], part_len[!swapped]);
      assert_int_equal(dtls_state(n.end[1]), DTLS_HANDSHAKE);
      net_run(&n);
      assert_int_equal(n.now, START);
      assert_same_keys(&n, PROFILE_AEAD_AES_256_GCM);
      net_close(&n);
    }
}

/* The last flight is lost and the server has already given its SSL object up. */
static void test_shrunk_server_repeats(void **state) {
  (void)state;
  struct net n = net_open(&small_a, &small_b, false, false);
  n.fate = drop_two;
  n.drop_a = n.drop_b = 3;
  dtls_start(n.end[0], n.now);
  while (net_move(&n))
    ;
  assert_int_equal(dtls_state(n.end[0]), DTLS_HANDSHAKE);
  assert_int_equal(dtls_state(n.end[1]), DTLS_DONE);
  dtls_shrink(n.end[1]);
  net_run(&n);
  assert_int_equal(n.now, START + 200 * US_PER_MS);
  assert_same_keys(&n, PROFILE_AEAD_AES_256_GCM);

  uint8_t finished[14] = {22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 1, 0}, out[MTU];
  unsigned answers = 0;
  for (int ms = 0; ms < 1000; ms++) {
    n.now += US_PER_MS;
    dtls_handle_packet(n.end[1], n.now, finished, sizeof finished);
    while (dtls_poll_packet(n.end[1], out, sizeof out) > 0)
      answers++;
    dtls_handle_packet(n.end[0], n.now, finished, sizeof finished); /* the client must not: they would loop */
    assert_int_equal(dtls_poll_packet(n.end[0], out, sizeof out), 0);
  }
  assert_int_equal(answers, 10);
  net_close(&n);
}

/* A client that is not ours: plain OpenSSL, its own profile list, perhaps no certificate. */
struct plain {
  SSL_CTX *ctx;
  SSL *ssl;
  struct dtls_ctx *server_ctx;
  struct dtls *server;
};

static int accept_any(X509_STORE_CTX *store, void *arg) {
  (void)store, (void)arg;
  return 1;
}

static struct plain plain_open(const char *profiles, bool with_cert, bool min_256) {
  struct plain c = {.ctx = SSL_CTX_new(DTLS_client_method()),
                    .server_ctx = dtls_ctx_create(&small_b, min_256)};
  assert_non_null(c.ctx);
  SSL_CTX_set_cert_verify_callback(c.ctx, accept_any, NULL);
  if (profiles != NULL)
    assert_int_equal(SSL_CTX_set_tlsext_use_srtp(c.ctx, profiles), 0);
  if (with_cert) {
    assert_int_equal(SSL_CTX_use_certificate(c.ctx, small_a.x509), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(c.ctx, small_a.key), 1);
  }
  c.ssl = SSL_new(c.ctx);
  BIO *in = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(c.ssl, in, BIO_new(BIO_s_mem()));
  SSL_set_options(c.ssl, SSL_OP_NO_QUERY_MTU);
  SSL_set_mtu(c.ssl, MTU);
  SSL_set_connect_state(c.ssl);
  c.server = dtls_create(c.server_ctx, true, "sha-256", small_a.sha256, 32);
  assert_non_null(c.server);
  return c;
}

static void plain_flush(struct plain *c) {
  char *p = NULL;
  long n = BIO_get_mem_data(SSL_get_wbio(c->ssl), &p);
  if (n > 0)
    dtls_handle_packet(c->server, START, (const uint8_t *)p, (size_t)n);
  BIO_reset(SSL_get_wbio(c->ssl));
}

static void plain_run(struct plain *c) {
  for (int i = 0; i < 6; i++) {
    uint8_t p[MTU];
    SSL_do_handshake(c->ssl);
    plain_flush(c);
    for (size_t n; (n = dtls_poll_packet(c->server, p, sizeof p)) > 0;)
      BIO_write(SSL_get_rbio(c->ssl), p, (int)n);
  }
  ERR_clear_error();
}

static void plain_close(struct plain *c) {
  SSL_free(c->ssl);
  SSL_CTX_free(c->ctx);
  dtls_destroy(c->server);
  dtls_ctx_destroy(c->server_ctx);
}

static void test_profiles(void **state) {
  (void)state;
  static const struct {
    const char *offer;
    enum srtp_profile_id usual, strict; /* strict: with min_256 */
  } rows[] = {{"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM", PROFILE_AEAD_AES_256_GCM,
               PROFILE_AEAD_AES_256_GCM},
              {"SRTP_AEAD_AES_256_GCM", PROFILE_AEAD_AES_256_GCM, PROFILE_AEAD_AES_256_GCM},
              {"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", PROFILE_AEAD_AES_128_GCM, PROFILE_NONE},
              {"SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80", PROFILE_AES128_CM_SHA1_80, PROFILE_NONE},
              {"SRTP_AES128_CM_SHA1_32", PROFILE_NONE, PROFILE_NONE},
              {NULL, PROFILE_NONE, PROFILE_NONE}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (int strict = 0; strict < 2; strict++) {
      struct plain c = plain_open(rows[i].offer, true, strict);
      enum srtp_profile_id expected = strict ? rows[i].strict : rows[i].usual;
      struct dtls_keys k;
      plain_run(&c);
      if (expected == PROFILE_NONE) {
        assert_int_equal(dtls_state(c.server), DTLS_FAILED);
        assert_int_equal(dtls_failure(c.server), ERR_NO_SRTP);
        assert_false(dtls_take_keys(c.server, &k));
      } else {
        uint8_t block[92];
        assert_int_equal(dtls_state(c.server), DTLS_DONE);
        assert_true(dtls_take_keys(c.server, &k));
        assert_int_equal(k.profile, expected);
        assert_int_equal(
            SSL_export_keying_material(c.ssl, block, 2 * k.len, "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0), 1);
        size_t key = k.len - (expected == PROFILE_AES128_CM_SHA1_80 ? 14 : 12), salt = k.len - key;
        assert_memory_equal(k.recv, block, key); /* the client's write key is what we read with */
        assert_memory_equal(k.send, block + key, key);
        assert_memory_equal(k.recv + key, block + 2 * key, salt);
        assert_memory_equal(k.send + key, block + 2 * key + salt, salt);
      }
      plain_close(&c);
    }
}

static void test_no_client_certificate(void **state) {
  (void)state;
  struct plain c = plain_open("SRTP_AEAD_AES_256_GCM", false, false);
  plain_run(&c);
  assert_int_equal(dtls_state(c.server), DTLS_FAILED);
  assert_int_equal(dtls_failure(c.server), ERR_DTLS);
  plain_close(&c);
}

static void test_after_the_handshake(void **state) {
  (void)state;
  for (int shrunk = 0; shrunk < 2; shrunk++) {
    struct plain c = plain_open("SRTP_AEAD_AES_256_GCM", true, false);
    uint8_t out[MTU];
    plain_run(&c);
    if (shrunk)
      dtls_shrink(c.server);
    assert_int_equal(SSL_write(c.ssl, "data", 4), 4);
    plain_flush(&c);
    uint8_t forged_alert[15] = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40};
    dtls_handle_packet(c.server, START, forged_alert, sizeof forged_alert);
    assert_int_equal(dtls_state(c.server), DTLS_DONE);
    SSL_shutdown(c.ssl);
    plain_flush(&c);
    assert_int_equal(dtls_state(c.server), shrunk ? DTLS_DONE : DTLS_CLOSED);
    plain_flush(&c); /* anything later is ignored */
    dtls_handle_packet(c.server, START, forged_alert, sizeof forged_alert);
    assert_int_equal(dtls_poll_packet(c.server, out, sizeof out), 0);
    plain_close(&c);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_handshake),
                                     cmocka_unit_test(test_bad_arguments),
                                     cmocka_unit_test(test_other_hashes),
                                     cmocka_unit_test(test_wrong_fingerprint),
                                     cmocka_unit_test(test_loss),
                                     cmocka_unit_test(test_loss_in_long_flights),
                                     cmocka_unit_test(test_lost_duplicated_reordered),
                                     cmocka_unit_test(test_gives_up),
                                     cmocka_unit_test(test_noise),
                                     cmocka_unit_test(test_null_hello),
                                     cmocka_unit_test(test_fragmented_hello),
                                     cmocka_unit_test(test_shrunk_server_repeats),
                                     cmocka_unit_test(test_profiles),
                                     cmocka_unit_test(test_no_client_certificate),
                                     cmocka_unit_test(test_after_the_handshake)};
  return cmocka_run_group_tests(tests, make_certs, free_certs);
}
