#include "core/media/secure.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define SHRINK_US (US_PER_S / 4) /* the last flight is kept and repeated when asked for */
#define SEQ_LATE 0xe000          /* from here to the end of a cycle RTP stays with its keys */
#define SEQ_PROVED 0x4000        /* from here to SEQ_LATE a number is of the keys' own cycle */
#define PACKET_MOST 2048         /* of what is tried under more than one key */
#define RECORD_EPOCH 3           /* offsets in a DTLS record: RFC 6347 section 4.1, 4.2.2 */
#define RECORD_MESSAGE 13
#define HELLO_RANDOM 27 /* after the handshake's header and the version: RFC 6347 section 4.3.2 */
#define HELLO_RANDOM_LEN 32
#define HELLO_GAP_US                                                                                         \
  (900 * US_PER_MS) /* anyone who can forge the address may send hellos: no more work than that */
enum { RECORD_HANDSHAKE = 22, CLIENT_HELLO = 1 };

struct secure {
  /* what a packet needs comes first */
  struct srtp_session *cur, *fresh, *old; /* `old` to `fresh` by age; RTP goes out under cur */
  bool confirmed;                         /* the other side has what `fresh` needs */
  bool waiting;                           /* RTP went out under cur though `fresh` is there */
  bool young; /* what is numbered late is older than the keys: it would begin a cycle nobody knows of */
  struct dtls_ctx *ctx;
  bool server;
  char hash[8];
  uint8_t fingerprint[64];
  size_t len;
  uint32_t recv_ssrc;
  struct dtls *dtls, *next; /* the association that is up, and one on its way */
  us_t shrink_at, old_until;
  us_t next_at;                    /* when a further association was begun last */
  uint8_t hello[HELLO_RANDOM_LEN]; /* the client's random of `next` */
  enum srtp_profile_id profile;
  enum secure_news news;
  bool failed;
};

static struct dtls *associate(const struct secure *s) {
  return dtls_create(s->ctx, s->server, s->hash, s->fingerprint, s->len);
}

struct secure *secure_create(struct dtls_ctx *ctx, bool server, const char *hash, const uint8_t *fingerprint,
                             size_t len, uint32_t recv_ssrc) {
  struct secure *s = calloc(1, sizeof *s);
  if (!s)
    return NULL;
  *s = (struct secure){.ctx = ctx, .server = server, .recv_ssrc = recv_ssrc, .old_until = US_NEVER};
  if (len <= sizeof s->fingerprint && strlen(hash) < sizeof s->hash) {
    s->len = len;
    memcpy(s->fingerprint, fingerprint, len);
    memcpy(s->hash, hash, strlen(hash) + 1);
    s->dtls = associate(s);
  }
  if (s->dtls)
    return s;
  free(s);
  return NULL;
}

/* ---- handshakes ---- */

static void forget_old(struct secure *s) {
  srtp_session_destroy(s->old);
  s->old = NULL;
  s->old_until = US_NEVER;
}

/* RTP goes over to the newest keys. */
static void take_fresh(struct secure *s) {
  forget_old(s);
  s->old = s->cur;
  s->cur = s->fresh;
  s->fresh = NULL;
  s->waiting = false;
}

static struct srtp_session *session_of(struct secure *s, struct dtls *d, us_t now) {
  struct dtls_keys keys;
  if (!dtls_take_keys(d, &keys))
    return NULL;
  uint32_t ssrc = s->cur ? srtp_session_ssrc(s->cur) : s->recv_ssrc;
  struct srtp_session *made = srtp_session_create(&keys, ssrc);
  s->profile = made ? keys.profile : s->profile;
  s->shrink_at = now + SHRINK_US;
  OPENSSL_cleanse(&keys, sizeof keys);
  return made;
}

static void advance_first(struct secure *s, us_t now) {
  if (dtls_state(s->dtls) == DTLS_DONE && !s->cur && !s->failed) {
    s->cur = session_of(s, s->dtls, now);
    s->failed = !s->cur;
    s->news = s->cur ? SECURE_UP : SECURE_FAILED;
  } else if (dtls_state(s->dtls) == DTLS_FAILED && !s->failed) {
    s->failed = true;
    s->news = SECURE_FAILED;
  }
}

static void advance_next(struct secure *s, us_t now) {
  if (!s->next || (dtls_state(s->next) != DTLS_DONE && dtls_state(s->next) != DTLS_FAILED))
    return;
  struct srtp_session *made = session_of(s, s->next, now);
  if (!made) { /* forgotten: the old keys stay */
    dtls_destroy(s->next);
    s->next = NULL;
    s->news = SECURE_REKEY_FAILED;
    return;
  }
  dtls_destroy(s->dtls);
  s->dtls = s->next;
  s->next = NULL;
  if (s->fresh && s->confirmed) { /* no RTP went out since */
    take_fresh(s);
  } else { /* the client never had these */
    srtp_session_destroy(s->fresh);
    s->fresh = NULL;
  }
  s->fresh = made;
  s->confirmed = !s->server;
  s->news = SECURE_REKEYED;
}

static void advance(struct secure *s, us_t now) {
  advance_first(s, now);
  advance_next(s, now);
}

void secure_start(struct secure *s, us_t now) {
  dtls_start(s->dtls, now);
  advance(s, now);
}

void secure_rekey(struct secure *s, us_t now) {
  if (s->next || !s->cur || s->server || s->waiting || !(s->next = associate(s)))
    return;
  dtls_start(s->next, now);
}

/* The first message of an association, in clear. */
static bool is_hello(const uint8_t *p, size_t n) {
  return n > RECORD_MESSAGE && p[0] == RECORD_HANDSHAKE && p[RECORD_EPOCH] == 0 && p[RECORD_EPOCH + 1] == 0 &&
         p[RECORD_MESSAGE] == CLIENT_HELLO;
}

/* A hello of a further association. One that got nowhere makes place for another: it may have been forged. */
static void take_hello(struct secure *s, us_t now, const uint8_t *p, size_t n) {
  bool stuck = s->next && !dtls_peer_known(s->next) && n >= HELLO_RANDOM + HELLO_RANDOM_LEN &&
               memcmp(s->hello, p + HELLO_RANDOM, HELLO_RANDOM_LEN) != 0;
  if (s->waiting || (s->next && !stuck) || now - s->next_at < HELLO_GAP_US)
    return;
  dtls_destroy(s->next);
  s->next = associate(s);
  s->next_at = now;
  if (n >= HELLO_RANDOM + HELLO_RANDOM_LEN)
    memcpy(s->hello, p + HELLO_RANDOM, HELLO_RANDOM_LEN);
}

void secure_handle_dtls(struct secure *s, us_t now, const uint8_t *p, size_t n) {
  if (s->server && s->cur && is_hello(p, n)) {
    take_hello(s, now, p, n);
    if (!s->next) /* the association that is up has no use for it */
      return;
  }
  dtls_handle_packet(s->next ? s->next : s->dtls, now, p, n);
  advance(s, now);
}

size_t secure_poll(struct secure *s, uint8_t *out, size_t cap) {
  size_t n = dtls_poll_packet(s->dtls, out, cap);
  return n == 0 && s->next ? dtls_poll_packet(s->next, out, cap) : n;
}

void secure_handle_timeout(struct secure *s, us_t now) {
  dtls_handle_timeout(s->dtls, now);
  if (s->next)
    dtls_handle_timeout(s->next, now);
  advance(s, now);
  if (s->cur && s->shrink_at <= now) {
    dtls_shrink(s->dtls);
    s->shrink_at = US_NEVER;
  }
  if (s->old_until <= now)
    forget_old(s);
}

us_t secure_next_timeout(const struct secure *s) {
  us_t due = dtls_next_timeout(s->dtls), next = s->next ? dtls_next_timeout(s->next) : US_NEVER;
  due = next < due ? next : due;
  due = s->cur && s->shrink_at < due ? s->shrink_at : due;
  return s->old_until < due ? s->old_until : due;
}

enum secure_news secure_news(struct secure *s) {
  enum secure_news news = s->news;
  s->news = SECURE_NOTHING;
  return news;
}

bool secure_up(const struct secure *s) {
  return s->cur != NULL;
}

enum err secure_failure(const struct secure *s) {
  return dtls_state(s->dtls) == DTLS_FAILED ? dtls_failure(s->dtls) : ERR_NO_SRTP;
}

enum srtp_profile_id secure_profile(const struct secure *s) {
  return s->profile;
}

/* ---- packets ---- */

/* The keys for a packet with this sequence number; NULL while not up, and for one from before them. */
static struct srtp_session *outbound(struct secure *s, unsigned seq) {
  if (s->fresh && s->confirmed && seq < SEQ_LATE) {
    take_fresh(s);
    s->young = true;
  }
  s->waiting = s->fresh && s->confirmed;
  s->young = s->young && (seq < SEQ_PROVED || seq >= SEQ_LATE);
  return s->young && seq >= SEQ_LATE ? NULL : s->cur;
}

enum err secure_protect(struct secure *s, uint8_t *p, size_t *n, size_t cap) {
  struct srtp_session *out = outbound(s, *n > 3 ? (unsigned)(p[2] << 8 | p[3]) : 0);
  return out ? srtp_session_protect(out, p, n, cap) : ERR_AGAIN;
}

enum err secure_seal(struct secure *s, uint8_t *out, size_t head, const uint8_t *payload, size_t len,
                     size_t *n, size_t cap) {
  struct srtp_session *under = outbound(s, (unsigned)(out[2] << 8 | out[3]));
  return under ? srtp_session_seal(under, out, head, payload, len, n, cap) : ERR_AGAIN;
}

enum err secure_protect_rtcp(struct secure *s, uint8_t *p, size_t *n, size_t cap) {
  if (!s->cur)
    return ERR_AGAIN;
  return srtp_session_protect_rtcp(s->fresh && s->confirmed ? s->fresh : s->cur, p, n, cap);
}

typedef enum err unprotect_fn(struct srtp_session *s, uint8_t *p, size_t *n);

/* Under the newest keys first. A packet that does not open is spoilt, so each further key gets a copy.
 * Returns under which it opened in *under. */
static enum err open_any(struct secure *s, unprotect_fn *unprotect, uint8_t *p, size_t *n,
                         struct srtp_session **under) {
  struct srtp_session *keys[3] = {s->fresh, s->cur, s->old};
  uint8_t copy[PACKET_MOST];
  size_t len = *n;
  enum err first = ERR_AGAIN;
  bool several = (s->fresh || s->old) && len <= sizeof copy;
  if (several)
    memcpy(copy, p, len);
  for (unsigned i = 0; i < 3; i++) {
    if (!keys[i])
      continue;
    if (first != ERR_AGAIN) {
      if (!several)
        break;
      memcpy(p, copy, len);
      *n = len;
    }
    enum err e = unprotect(keys[i], p, n);
    if (e == ERR_OK) {
      *under = keys[i];
      return ERR_OK;
    }
    first = first == ERR_AGAIN || e == ERR_SRTP_REPLAY ? e : first; /* what was seen already was no forgery */
  }
  return first;
}

enum err secure_unprotect(struct secure *s, us_t now, uint8_t *p, size_t *n) {
  struct srtp_session *under = NULL;
  enum err e = open_any(s, srtp_session_unprotect, p, n, &under);
  if (e != ERR_OK)
    return e;
  if (under == s->fresh && under)
    s->confirmed = true;
  if (under == s->cur && s->old && s->old_until == US_NEVER)
    s->old_until = now + SECURE_OLD_US;
  return ERR_OK;
}

enum err secure_unprotect_rtcp(struct secure *s, uint8_t *p, size_t *n) {
  struct srtp_session *under = NULL;
  enum err e = open_any(s, srtp_session_unprotect_rtcp, p, n, &under);
  if (e == ERR_OK && under == s->fresh && under)
    s->confirmed = true;
  return e;
}

void secure_prefetch(const struct secure *s) {
  srtp_session_prefetch(s->cur);
}

void secure_destroy(struct secure *s) {
  if (!s)
    return;
  dtls_destroy(s->dtls);
  dtls_destroy(s->next);
  srtp_session_destroy(s->old);
  srtp_session_destroy(s->cur);
  srtp_session_destroy(s->fresh);
  free(s);
}
