/* foreign_agora.c: Agora's AccessToken2, as AgoraIO/Tools packs it (little endian, texts after a 16-bit
 * length): "007" base64(deflate(text(signature) info)), info = text(appID) u32 issued u32 life u32 salt u16 n
 * service*, service = u16 type u16 n (u16 privilege u32 life)* and its own texts. Lives are seconds after
 * `issued`. */
#include "core/auth/token_private.h"
#include "core/base/bytes.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define DAY_S 86400
#define INFLATED_MAX 4096 /* a kilobyte of zeros deflates to nothing */
#define APP_ID 32
#define SIG 32

enum { RTC = 1, PRIV_JOIN = 1, PRIV_AUDIO = 2, PRIV_DATA = 4 };
/* Texts after the privileges of the services below which RTC may stand: 1 RTC, 2 RTM, 3 streaming, 4 FPA, 5
 * chat. */
static const uint8_t SERVICE_TEXTS[] = {0, 2, 1, 2, 0, 1};

static uint16_t le16(struct reader *r) {
  uint16_t v = read_u16(r);
  return (uint16_t)(v << 8 | v >> 8);
}

static uint32_t le32(struct reader *r) {
  uint32_t low = le16(r);
  return low | (uint32_t)le16(r) << 16;
}

static const char *text(struct reader *r, size_t *n) {
  *n = le16(r);
  return (const char *)read_bytes(r, *n);
}

/* unpack: bytes in out, or -1: not one whole zlib stream, or too much. */
static int unpack(uint8_t *in, size_t n, uint8_t *out, size_t cap) {
  z_stream z = {.next_in = in, .avail_in = (uInt)n, .next_out = out, .avail_out = (uInt)cap};
  if (inflateInit(&z) != Z_OK)
    return -1;
  bool whole = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0;
  inflateEnd(&z);
  return whole ? (int)(cap - z.avail_out) : -1;
}

const char *agora_open(const char *t, size_t n, struct token_open *o) {
  uint8_t packed[TOKEN_MAX];
  int len = token_b64(t + 3, n - 3, packed, sizeof packed);
  if (len < 0)
    return "base64";
  len = unpack(packed, (size_t)len, (uint8_t *)o->raw, INFLATED_MAX);
  if (len < 0)
    return "format";
  struct reader r = reader_of(o->raw, (size_t)len);
  const char *sig = text(&r, &o->n_sig);
  o->n_body = reader_left(&r);
  o->body = o->raw + (len - (int)o->n_body);
  size_t n_app;
  const char *app = text(&r, &n_app);
  o->issued = le32(&r);
  le32(&r);
  o->salt = le32(&r);
  if (!r.ok || !sig || o->n_sig != SIG)
    return "format";
  memcpy(o->sig, sig, SIG);
  return n_app == APP_ID && token_copy(o->issuer, sizeof o->issuer, app, n_app) ? NULL : "issuer";
}

static void put16(struct writer *w, unsigned v) {
  write_u8(w, v & 255);
  write_u8(w, v >> 8);
}

static void put32(struct writer *w, uint32_t v) {
  put16(w, v & 0xffff);
  put16(w, v >> 16);
}

static void put_text(struct writer *w, const void *p, size_t n) {
  put16(w, (unsigned)n);
  write_bytes(w, p, n);
}

/* sign: the certificate is never a MAC's key itself, only what the issue time and the salt make of it. */
static void sign(const struct token_key *key, uint32_t issued, uint32_t salt, const void *info, size_t n,
                 uint8_t out[64]) {
  uint8_t le[4], k1[64], k2[64];
  struct writer w = writer_of(le, 4);
  put32(&w, issued);
  token_hmac(EVP_sha256(), le, 4, key->secret, key->n_secret, k1);
  w = writer_of(le, 4);
  put32(&w, salt);
  token_hmac(EVP_sha256(), le, 4, k1, 32, k2);
  token_hmac(EVP_sha256(), k2, 32, info, n, out);
  OPENSSL_cleanse(k1, sizeof k1);
  OPENSSL_cleanse(k2, sizeof k2);
}

static bool check(const struct token_open *o, const struct token_key *key) {
  uint8_t mac[64];
  sign(key, o->issued, o->salt, o->body, o->n_body, mac);
  return bytes_equal_ct(mac, o->sig, SIG);
}

struct service {
  unsigned type, scopes;
  uint32_t join_s;
};

/* read_service: a privilege without a life of its own (0) lives as long as the token; what has lived `age_s`
 * already is left out, but for joining, which is the token's own end. */
static struct service read_service(struct reader *r, uint32_t life_s, int64_t age_s) {
  struct service s = {.type = le16(r), .join_s = life_s};
  for (unsigned n = le16(r); n > 0 && r->ok; n--) {
    unsigned what = le16(r);
    uint32_t priv_s = le32(r);
    if (what == PRIV_JOIN) {
      s.scopes |= SCOPE_JOIN;
      s.join_s = priv_s && priv_s < s.join_s ? priv_s : s.join_s;
    } else if (priv_s == 0 || priv_s > age_s) {
      s.scopes |= what == PRIV_AUDIO ? SCOPE_SPEAK : what == PRIV_DATA ? SCOPE_CHAT : 0U;
    }
  }
  return s;
}

static const char *read_claims(const struct token_open *o, unsigned ceiling, int64_t now_s,
                               struct token_claims *out) {
  (void)ceiling;
  struct reader r = reader_of(o->body, o->n_body);
  struct service s = {0};
  size_t n;
  text(&r, &n);
  out->iat_s = le32(&r);
  uint32_t life_s = le32(&r);
  le32(&r);
  for (unsigned left = le16(&r); left > 0 && s.type != RTC; left--) {
    s = read_service(&r, life_s, now_s - out->iat_s);
    for (unsigned i = 0; s.type != RTC && s.type < sizeof SERVICE_TEXTS && i < SERVICE_TEXTS[s.type]; i++)
      text(&r, &n);
    if (s.type == 0 || s.type >= sizeof SERVICE_TEXTS)
      return "claims";
  }
  const char *channel = text(&r, &n);
  if (!r.ok || s.type != RTC || !(s.scopes & SCOPE_JOIN) || out->iat_s == 0)
    return "claims";
  if (!token_copy(out->room, sizeof out->room, channel, n))
    return "room";
  const char *uid = text(&r, &n);
  if (!r.ok)
    return "claims";
  if (n == 0) /* for any uid */
    token_anonymous(o->sig, SIG, out->subject);
  else if (!token_copy(out->subject, sizeof out->subject, uid, n))
    return "subject";
  out->exp_s = out->iat_s + s.join_s;
  out->scopes = s.scopes;
  return NULL;
}

static void put_privileges(struct writer *w, unsigned scopes, uint32_t life_s) {
  static const struct {
    unsigned scope, privilege;
  } known[] = {{SCOPE_JOIN, PRIV_JOIN}, {SCOPE_SPEAK, PRIV_AUDIO}, {SCOPE_CHAT, PRIV_DATA}};
  unsigned n = 0;
  for (size_t i = 0; i < 3; i++)
    n += (scopes & known[i].scope) != 0;
  put16(w, n);
  for (size_t i = 0; i < 3; i++)
    if (scopes & known[i].scope) {
      put16(w, known[i].privilege);
      put32(w, life_s);
    }
}

static char *mint(const struct token_key *key, const struct token_claims *c, const struct token_extra *x,
                  const char **why) {
  uint8_t info[512], all[640], packed[1024], mac[64];
  uLongf n_packed = sizeof packed;
  int64_t life_s = c->exp_s - c->iat_s;
  if (c->iat_s > UINT32_MAX || life_s <= 0 || life_s > DAY_S) {
    *why = "ttl";
    return NULL;
  }
  struct writer w = writer_of(info, sizeof info);
  put_text(&w, key->issuer, strlen(key->issuer));
  put32(&w, (uint32_t)c->iat_s);
  put32(&w, (uint32_t)life_s);
  put32(&w, x->nonce);
  put16(&w, 1);
  put16(&w, RTC);
  put_privileges(&w, c->scopes, (uint32_t)life_s);
  put_text(&w, c->room, strlen(c->room));
  put_text(&w, c->subject, strlen(c->subject));
  size_t n = writer_len(&w);
  sign(key, (uint32_t)c->iat_s, x->nonce, info, n, mac);
  w = writer_of(all, sizeof all);
  put_text(&w, mac, SIG);
  write_bytes(&w, info, n);
  if (!w.ok || compress(packed, &n_packed, all, writer_len(&w)) != Z_OK)
    return NULL;
  return token_b64_make("007", packed, n_packed);
}

const struct token_ops TOKEN_OPS_AGORA = {check, read_claims, mint, DAY_S, DAY_S, TOKEN_LEEWAY_S};
