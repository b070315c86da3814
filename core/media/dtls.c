#include "core/media/dtls.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#define RECORD_HEADER 13 /* type 1, version 2, epoch 2, sequence 6, length 2: RFC 6347 section 4.1 */
#define UDP_MAX 65535
#define FIRST_WAIT (200 * US_PER_MS)
#define LONGEST_WAIT (3 * US_PER_S)
#define GIVE_UP_AFTER (30 * US_PER_S)
#define REPEAT_GAP (100 * US_PER_MS)

enum record_type { RECORD_CCS = 20, RECORD_HANDSHAKE = 22, RECORD_LOWEST = 20, RECORD_HIGHEST = 63 };

static const struct profile {
  enum srtp_profile_id id;
  unsigned long openssl_id;
  size_t key_len, salt_len;
  const char *text;
} profiles[] = {{PROFILE_AEAD_AES_256_GCM, SRTP_AEAD_AES_256_GCM, 32, 12, "AEAD_AES_256_GCM"},
                {PROFILE_AEAD_AES_128_GCM, SRTP_AEAD_AES_128_GCM, 16, 12, "AEAD_AES_128_GCM"},
                {PROFILE_AES128_CM_SHA1_80, SRTP_AES128_CM_SHA1_80, 16, 14, "AES128_CM_SHA1_80"}};
#define PROFILE_COUNT (sizeof profiles / sizeof *profiles)

const char *srtp_profile_text(enum srtp_profile_id p) {
  for (size_t i = 0; i < PROFILE_COUNT; i++)
    if (profiles[i].id == p)
      return profiles[i].text;
  return "none";
}

struct dtls_ctx {
  SSL_CTX *ssl;
};

struct dtls {
  SSL *ssl;                /* NULL once failed or shrunk */
  struct timeval *ssl_due; /* OpenSSL's own timer, inside *ssl: see note_timer */
  bool server, peer_ok;    /* peer_ok: his certificate has the announced fingerprint */
  enum dtls_state state;
  enum err failure;
  const EVP_MD *md;
  uint8_t fingerprint[EVP_MAX_MD_SIZE];
  us_t wait, due, deadline; /* of the retransmission, of the handshake */
  us_t repeated_at;         /* when the last flight was last repeated */
  uint8_t *flight;          /* what we sent last, whole records */
  size_t flight_len, flight_sent;
  bool have_keys;
  struct dtls_keys keys;
};

/* In place of X.509 verification, which says nothing about a self-signed certificate: only the fingerprint
 * counts (RFC 5763 section 5). Here and not after the handshake, so that the peer gets an alert instead of
 * silence. */
static int verify_fingerprint(X509_STORE_CTX *store, void *arg) {
  (void)arg;
  SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  struct dtls *d = SSL_get_app_data(ssl);
  uint8_t hash[EVP_MAX_MD_SIZE];
  unsigned len = 0;
  d->peer_ok = X509_digest(X509_STORE_CTX_get0_cert(store), d->md, hash, &len) == 1 &&
               CRYPTO_memcmp(hash, d->fingerprint, len) == 0;
  if (!d->peer_ok) {
    d->failure = ERR_FINGERPRINT;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  }
  return d->peer_ok;
}

static bool configure(SSL_CTX *ssl, const struct cert *c, bool min_256) {
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_NO_QUERY_MTU);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_CTX_set_cert_verify_callback(ssl, verify_fingerprint, NULL);
  const char *srtp = min_256 ? "SRTP_AEAD_AES_256_GCM"
                             : "SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";
  return SSL_CTX_set_min_proto_version(ssl, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(ssl, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(ssl, "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"
                                      "ECDHE-ECDSA-CHACHA20-POLY1305") == 1 &&
         SSL_CTX_set1_groups_list(ssl, "X25519:P-256:P-384") == 1 && /* P-256 is the certificate's */
         SSL_CTX_set_tlsext_use_srtp(ssl, srtp) == 0 &&              /* 0 is success here */
         SSL_CTX_use_certificate(ssl, c->x509) == 1 && SSL_CTX_use_PrivateKey(ssl, c->key) == 1;
}

struct dtls_ctx *dtls_ctx_create(const struct cert *c, bool min_256) {
  struct dtls_ctx *ctx = calloc(1, sizeof *ctx);
  if (ctx == NULL)
    return NULL;
  ctx->ssl = SSL_CTX_new(DTLS_method());
  if (ctx->ssl != NULL && configure(ctx->ssl, c, min_256))
    return ctx;
  ERR_clear_error();
  dtls_ctx_destroy(ctx);
  return NULL;
}

void dtls_ctx_destroy(struct dtls_ctx *c) {
  if (c == NULL)
    return;
  SSL_CTX_free(c->ssl);
  free(c);
}

/* OpenSSL 3.0 times retransmission by the wall clock and by itself; we time it by the injected clock. So its
 * timer is put an hour ahead, and when ours is due we set it into the past and let it retransmit. OpenSSL
 * tells its BIO where that timer lives; since 3.2 it tells of a copy instead. There dtls_handle_timeout sends
 * the same records again, which is weaker: of what came out of order, a peer may drop them as replays. */
static long note_timer(BIO *b, int oper, const char *arg, size_t len, int cmd, long argl, int ret,
                       size_t *done) {
  (void)len, (void)argl, (void)done;
  if (oper == BIO_CB_CTRL && cmd == BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT && OpenSSL_version_num() < 0x30200000UL)
    ((struct dtls *)(void *)BIO_get_callback_arg(b))->ssl_due = (struct timeval *)(uintptr_t)arg;
  return ret;
}

static unsigned far_off(SSL *ssl, unsigned us) {
  (void)ssl, (void)us;
  return (unsigned)(3600 * US_PER_S);
}

static bool ssl_open(struct dtls *d, SSL_CTX *ctx) {
  SSL *ssl = SSL_new(ctx);
  BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
  if (ssl == NULL || in == NULL || out == NULL) {
    BIO_free(in);
    BIO_free(out);
    SSL_free(ssl);
    return false;
  }
  BIO_set_mem_eof_return(in, -1);
  BIO_set_callback_ex(in, note_timer);
  BIO_set_callback_arg(in, (char *)d);
  SSL_set_bio(ssl, in, out);
  SSL_set_app_data(ssl, d);
  SSL_set_mtu(ssl, DTLS_DATAGRAM_MAX);
  DTLS_set_timer_cb(ssl, far_off);
  if (d->server)
    SSL_set_accept_state(ssl);
  else
    SSL_set_connect_state(ssl);
  d->ssl = ssl;
  return true;
}

static void ssl_close(struct dtls *d) {
  SSL_free(d->ssl);
  d->ssl = NULL;
  d->ssl_due = NULL;
}

static const EVP_MD *hash_by_name(const char *name) {
  if (strcasecmp(name, "sha-256") == 0)
    return EVP_sha256();
  if (strcasecmp(name, "sha-384") == 0)
    return EVP_sha384();
  return strcasecmp(name, "sha-512") == 0 ? EVP_sha512() : NULL;
}

struct dtls *dtls_create(struct dtls_ctx *c, bool server, const char *hash, const uint8_t *fingerprint,
                         size_t len) {
  const EVP_MD *md = hash_by_name(hash);
  if (md == NULL || len != (size_t)EVP_MD_get_size(md))
    return NULL;
  struct dtls *d = calloc(1, sizeof *d);
  if (d == NULL)
    return NULL;
  d->server = server;
  d->md = md;
  memcpy(d->fingerprint, fingerprint, len);
  d->due = d->deadline = US_NEVER;
  if (!ssl_open(d, c->ssl)) {
    free(d);
    return NULL;
  }
  return d;
}

static void fail(struct dtls *d, enum err why) {
  ssl_close(d);
  d->state = DTLS_FAILED;
  d->failure = why;
  d->due = d->deadline = US_NEVER;
}

/* Takes what OpenSSL wrote: in place of the last flight, or behind it while that was not sent yet. */
static bool collect_flight(struct dtls *d) {
  BIO *out = SSL_get_wbio(d->ssl);
  char *data = NULL;
  long n = BIO_get_mem_data(out, &data);
  if (n <= 0)
    return false;
  size_t keep = d->flight_sent < d->flight_len ? d->flight_len : 0;
  uint8_t *grown = realloc(d->flight, keep + (size_t)n);
  if (grown != NULL) { /* else as if lost on the way */
    memcpy(grown + keep, data, (size_t)n);
    d->flight = grown;
    d->flight_len = keep + (size_t)n;
    d->flight_sent = keep != 0 ? d->flight_sent : 0;
  }
  (void)BIO_reset(out);
  return grown != NULL;
}

/* RFC 5764 section 4.2: client key, server key, client salt, server salt. */
static bool export_keys(struct dtls *d, const struct profile *p) {
  static const char label[] = "EXTRACTOR-dtls_srtp";
  uint8_t block[2 * sizeof d->keys.send];
  size_t k = p->key_len, s = p->salt_len;
  assert(2 * (k + s) <= sizeof block);
  if (SSL_export_keying_material(d->ssl, block, 2 * (k + s), label, sizeof label - 1, NULL, 0, 0) != 1)
    return false;
  uint8_t *client = d->server ? d->keys.recv : d->keys.send;
  uint8_t *server = d->server ? d->keys.send : d->keys.recv;
  memcpy(client, block, k);
  memcpy(server, block + k, k);
  memcpy(client + k, block + 2 * k, s);
  memcpy(server + k, block + 2 * k + s, s);
  OPENSSL_cleanse(block, sizeof block);
  d->keys.profile = p->id;
  d->keys.len = k + s;
  d->have_keys = true;
  return true;
}

static void finish(struct dtls *d, us_t now) {
  const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(d->ssl);
  const struct profile *p = NULL;
  for (size_t i = 0; i < PROFILE_COUNT && chosen != NULL; i++)
    if (profiles[i].openssl_id == chosen->id)
      p = &profiles[i];
  if (!d->peer_ok)
    fail(d, ERR_FINGERPRINT);
  else if (p == NULL) /* OpenSSL finishes the handshake without a common profile */
    fail(d, ERR_NO_SRTP);
  else if (!export_keys(d, p))
    fail(d, ERR_DTLS);
  else {
    d->state = DTLS_DONE;
    d->due = d->deadline = US_NEVER;
    d->repeated_at = now;
  }
}

/* A hello that breaks a server which has not answered yet may come from anybody who can forge an address:
 * start afresh in silence, the true peer's hello is still to come or will be repeated. */
static void start_afresh(struct dtls *d) {
  SSL_CTX *ctx = SSL_get_SSL_CTX(d->ssl);
  SSL_CTX_up_ref(ctx);
  ssl_close(d);
  if (!ssl_open(d, ctx))
    fail(d, ERR_NOMEM);
  SSL_CTX_free(ctx);
}

static void advance(struct dtls *d, us_t now) {
  ERR_clear_error();
  int r = SSL_do_handshake(d->ssl);
  bool broke = r != 1 && SSL_get_error(d->ssl, r) != SSL_ERROR_WANT_READ;
  ERR_clear_error();
  if (broke && d->server && d->state == DTLS_NEW) {
    start_afresh(d);
    return;
  }
  if (collect_flight(d)) {
    d->wait = FIRST_WAIT;
    d->due = now + d->wait;
    if (d->state == DTLS_NEW)
      d->deadline = now + GIVE_UP_AFTER;
    d->state = DTLS_HANDSHAKE;
  }
  if (r == 1)
    finish(d, now);
  else if (broke)
    fail(d, d->failure != ERR_OK ? d->failure : ERR_DTLS);
}

void dtls_start(struct dtls *d, us_t now) {
  if (!d->server && d->state == DTLS_NEW)
    advance(d, now);
}

static void feed(struct dtls *d, const uint8_t *p, size_t n) {
  BIO *in = SSL_get_rbio(d->ssl);
  (void)BIO_reset(in); /* a memory BIO is a stream: never let a rest run into the next datagram */
  (void)BIO_write(in, p, (int)n);
}

/* After the handshake: whoever sent the last flight, the server, repeats it when asked (RFC 6347
 * section 4.2.4). */
static void handle_late(struct dtls *d, us_t now, const uint8_t *p, size_t n) {
  if (p[0] == RECORD_HANDSHAKE || p[0] == RECORD_CCS) {
    if (d->server && now - d->repeated_at >= REPEAT_GAP) {
      d->repeated_at = now;
      d->flight_sent = 0;
    }
    return;
  }
  if (d->ssl == NULL)
    return;
  uint8_t ignored[2048];
  int r;
  feed(d, p, n);
  ERR_clear_error();
  while ((r = SSL_read(d->ssl, ignored, sizeof ignored)) > 0)
    ;
  if (SSL_get_error(d->ssl, r) != SSL_ERROR_WANT_READ) /* an authentic close_notify or fatal alert */
    d->state = DTLS_CLOSED;
  ERR_clear_error();
  (void)BIO_reset(SSL_get_wbio(d->ssl)); /* we have nothing to say, and the last flight must stay as it is */
}

void dtls_handle_packet(struct dtls *d, us_t now, const uint8_t *p, size_t n) {
  if (n < RECORD_HEADER || n > UDP_MAX || p[0] < RECORD_LOWEST || p[0] > RECORD_HIGHEST)
    return;
  bool open = d->state == DTLS_HANDSHAKE || (d->state == DTLS_NEW && d->server);
  if (d->state == DTLS_DONE)
    handle_late(d, now, p, n);
  else if (open) {
    feed(d, p, n);
    advance(d, now);
  }
}

void dtls_handle_timeout(struct dtls *d, us_t now) {
  if (d->state != DTLS_HANDSHAKE || now < dtls_next_timeout(d))
    return;
  if (now >= d->deadline) {
    fail(d, ERR_DTLS);
    return;
  }
  d->wait = d->wait * 2 < LONGEST_WAIT ? d->wait * 2 : LONGEST_WAIT;
  d->due = now + d->wait;
  if (d->ssl_due == NULL || !timerisset(d->ssl_due)) {
    d->flight_sent = 0;
    return;
  }
  *d->ssl_due = (struct timeval){.tv_sec = 1};
  if (DTLSv1_handle_timeout(d->ssl) < 0)
    fail(d, ERR_DTLS);
  else
    (void)collect_flight(d);
  ERR_clear_error();
}

us_t dtls_next_timeout(const struct dtls *d) {
  return d->due < d->deadline ? d->due : d->deadline;
}

size_t dtls_poll_packet(struct dtls *d, uint8_t *out, size_t cap) {
  size_t left = d->flight_len - d->flight_sent, take = 0;
  if (left == 0)
    return 0;
  const uint8_t *p = d->flight + d->flight_sent;
  while (take < left) {
    size_t record = RECORD_HEADER + (size_t)(p[take + 11] << 8 | p[take + 12]);
    if (take > 0 && take + record > DTLS_DATAGRAM_MAX)
      break;
    take += record;
  }
  assert(take <= left && take <= cap);
  memcpy(out, p, take);
  d->flight_sent += take;
  return take;
}

enum dtls_state dtls_state(const struct dtls *d) {
  return d->state;
}

bool dtls_peer_known(const struct dtls *d) {
  return d->peer_ok;
}

enum err dtls_failure(const struct dtls *d) {
  return d->failure;
}

bool dtls_take_keys(struct dtls *d, struct dtls_keys *out) {
  if (d->state != DTLS_DONE || !d->have_keys)
    return false;
  *out = d->keys;
  OPENSSL_cleanse(&d->keys, sizeof d->keys);
  d->have_keys = false;
  return true;
}

void dtls_shrink(struct dtls *d) {
  if (d->state == DTLS_DONE || d->state == DTLS_CLOSED)
    ssl_close(d);
}

void dtls_destroy(struct dtls *d) {
  if (d == NULL)
    return;
  ssl_close(d);
  free(d->flight);
  OPENSSL_cleanse(d, sizeof *d);
  free(d);
}
