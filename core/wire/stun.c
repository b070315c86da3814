#include "core/wire/stun.h"

#include "core/base/bytes.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
  HEADER_LEN = 20,
  INTEGRITY_LEN = 24,  /* with its attribute header */
  FINGERPRINT_LEN = 8, /* with its attribute header */
  HMAC_LEN = 20
};
#define COOKIE UINT32_C(0x2112A442)
#define FINGERPRINT_XOR UINT32_C(0x5354554E)

enum {
  BINDING_REQUEST = 0x0001,
  BINDING_INDICATION = 0x0011,
  BINDING_SUCCESS = 0x0101,
  BINDING_ERROR = 0x0111
};

enum {
  ATTR_MAPPED_ADDRESS = 0x0001,
  ATTR_USERNAME = 0x0006,
  ATTR_INTEGRITY = 0x0008,
  ATTR_ERROR_CODE = 0x0009,
  ATTR_UNKNOWN_ATTRIBUTES = 0x000A,
  ATTR_XOR_MAPPED_ADDRESS = 0x0020,
  ATTR_PRIORITY = 0x0024,
  ATTR_USE_CANDIDATE = 0x0025,
  ATTR_OPTIONAL = 0x8000, /* from here on an unknown attribute may be ignored */
  ATTR_FINGERPRINT = 0x8028,
  ATTR_CONTROLLED = 0x8029,
  ATTR_CONTROLLING = 0x802A
};

/* CRC-32 of ISO 3309 a nibble at a time: a check is about 100 bytes, so a big table would only cost cache. */
static uint32_t stun_crc32(const uint8_t *p, size_t n) {
  static const uint32_t nibble[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                      0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                      0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < n; i++) {
    crc ^= p[i];
    crc = nibble[crc & 15] ^ (crc >> 4);
    crc = nibble[crc & 15] ^ (crc >> 4);
  }
  return ~crc;
}

bool stun_looks_like(const uint8_t *p, size_t n) {
  struct reader r = reader_of(p, n);
  uint16_t type = read_u16(&r);
  read_u16(&r);
  return read_u32(&r) == COOKIE && n >= HEADER_LEN && type < 0x0400;
}

static bool stun_read_mapped(struct reader *v, size_t len, struct stun *out) {
  read_u8(v);
  unsigned family = read_u8(v);
  uint16_t port = read_u16(v) ^ (uint16_t)(COOKIE >> 16);
  if (family == 1 && len == 8) {
    struct sockaddr_in *a = (struct sockaddr_in *)&out->mapped;
    a->sin_family = AF_INET;
    a->sin_port = htons(port);
    a->sin_addr.s_addr = htonl(read_u32(v) ^ COOKIE);
  } else if (family == 2 && len == 20) {
    struct sockaddr_in6 *a = (struct sockaddr_in6 *)&out->mapped;
    a->sin6_family = AF_INET6;
    a->sin6_port = htons(port);
    uint32_t cookie = htonl(COOKIE);
    uint8_t pad[16];
    memcpy(pad, &cookie, 4);
    memcpy(pad + 4, out->tid, 12);
    for (int i = 0; i < 16; i++)
      a->sin6_addr.s6_addr[i] = (uint8_t)(read_u8(v) ^ pad[i]);
  } else {
    return false;
  }
  out->has_mapped = true;
  return true;
}

static bool stun_read_error(struct reader *v, size_t len, struct stun *out) {
  read_u16(v);
  unsigned hundreds = read_u8(v) & 7u, rest = read_u8(v);
  out->error_code = (int)(hundreds * 100 + rest);
  return len >= 4 && hundreds >= 3 && hundreds <= 6 && rest <= 99;
}

/* One attribute; false refuses the message. Of a repeated attribute the first counts (RFC 8489 section 14).
 */
static bool stun_read_attr(unsigned type, const uint8_t *value, size_t len, struct stun *out) {
  struct reader v = reader_of(value, len);
  switch (type) {
  case ATTR_USERNAME:
    if (!out->username) {
      out->username = (const char *)value;
      out->username_len = len;
    }
    return true;
  case ATTR_ERROR_CODE:
    return out->error_code || stun_read_error(&v, len, out);
  case ATTR_XOR_MAPPED_ADDRESS:
    return out->has_mapped || stun_read_mapped(&v, len, out);
  case ATTR_PRIORITY:
    if (!out->has_priority)
      out->priority = read_u32(&v);
    out->has_priority = true;
    return len == 4;
  case ATTR_USE_CANDIDATE:
    out->use_candidate = true;
    return len == 0;
  case ATTR_CONTROLLED:
  case ATTR_CONTROLLING:
    if (out->controlled || out->controlling)
      return false;
    out->controlled = type == ATTR_CONTROLLED;
    out->controlling = !out->controlled;
    out->tie_breaker = read_u64(&v);
    return len == 8;
  case ATTR_MAPPED_ADDRESS:
  case ATTR_UNKNOWN_ATTRIBUTES:
    return true;
  default:
    return type >= ATTR_OPTIONAL;
  }
}

/* The attributes up to FINGERPRINT, which must be the last. Those behind MESSAGE-INTEGRITY are walked for
 * their form but not read: nobody vouches for them (RFC 8489 section 14.5). */
static bool stun_read_attrs(const uint8_t *p, size_t n, struct stun *out) {
  struct reader r = reader_of(p, n - FINGERPRINT_LEN);
  read_bytes(&r, HEADER_LEN);
  while (reader_left(&r) > 0) {
    size_t at = (size_t)(r.p - p);
    unsigned type = read_u16(&r);
    size_t len = read_u16(&r);
    const uint8_t *value = read_bytes(&r, (len + 3) & ~(size_t)3);
    if (!value || type == ATTR_FINGERPRINT)
      return false;
    if (out->integrity_at)
      continue;
    if (type != ATTR_INTEGRITY) {
      if (!stun_read_attr(type, value, len, out))
        return false;
    } else if (len == HMAC_LEN) {
      out->integrity_at = at;
    } else {
      return false;
    }
  }
  return r.ok;
}

static bool stun_fingerprint_ok(const uint8_t *p, size_t n) {
  struct reader r = reader_of(p + n - FINGERPRINT_LEN, FINGERPRINT_LEN);
  return read_u16(&r) == ATTR_FINGERPRINT && read_u16(&r) == 4 &&
         read_u32(&r) == (stun_crc32(p, n - FINGERPRINT_LEN) ^ FINGERPRINT_XOR);
}

enum err stun_parse(const uint8_t *p, size_t n, struct stun *out) {
  *out = (struct stun){0};
  if (!stun_looks_like(p, n) || n > STUN_MAX || n < HEADER_LEN + FINGERPRINT_LEN)
    return ERR_BAD_STUN;
  struct reader r = reader_of(p, n);
  unsigned type = read_u16(&r);
  if (read_u16(&r) != n - HEADER_LEN || n % 4 != 0)
    return ERR_BAD_STUN;
  read_u32(&r);
  memcpy(out->tid, read_bytes(&r, sizeof out->tid), sizeof out->tid);
  out->request = type == BINDING_REQUEST;
  out->success = type == BINDING_SUCCESS;
  out->error = type == BINDING_ERROR;
  if (!out->request && !out->success && !out->error && type != BINDING_INDICATION)
    return ERR_BAD_STUN;
  return stun_fingerprint_ok(p, n) && stun_read_attrs(p, n, out) ? ERR_OK : ERR_BAD_STUN;
}

/* HMAC-SHA1 over the first `at` bytes as if the message ended right behind MESSAGE-INTEGRITY (RFC 8489 14.5).
 */
static void stun_hmac(const uint8_t *p, size_t at, const char *password, uint8_t mac[HMAC_LEN]) {
  uint8_t head[STUN_MAX];
  memcpy(head, p, at);
  struct writer w = writer_of(head + 2, 2);
  write_u16(&w, (unsigned)(at + INTEGRITY_LEN - HEADER_LEN));
  unsigned len = HMAC_LEN;
  const void *made = HMAC(EVP_sha1(), password, (int)strlen(password), head, at, mac, &len);
  assert(made && len == HMAC_LEN);
}

bool stun_check(const uint8_t *p, size_t n, const struct stun *s, const char *password) {
  if (!s->integrity_at)
    return false;
  assert(n <= STUN_MAX && s->integrity_at + INTEGRITY_LEN <= n);
  uint8_t mac[HMAC_LEN];
  stun_hmac(p, s->integrity_at, password, mac);
  return bytes_equal_ct(mac, p + s->integrity_at + 4, HMAC_LEN);
}

const char *stun_ufrag_local(const struct stun *s, size_t *n) {
  const char *colon = s->username_len ? memchr(s->username, ':', s->username_len) : NULL;
  if (!colon)
    return NULL;
  *n = (size_t)(colon - s->username);
  size_t rest = s->username_len - *n - 1;
  if (*n == 0 || rest == 0 || memchr(colon + 1, ':', rest))
    return NULL;
  return s->username;
}

static void stun_start(struct writer *w, unsigned type, const uint8_t tid[12]) {
  write_u16(w, type);
  write_u16(w, 0); /* the length: stun_finish knows it */
  write_u32(w, COOKIE);
  write_bytes(w, tid, 12);
}

static void stun_attr(struct writer *w, unsigned type, const void *value, size_t len) {
  static const uint8_t zero[4];
  write_u16(w, type);
  write_u16(w, (unsigned)len);
  write_bytes(w, value, len);
  write_bytes(w, zero, (4 - len % 4) % 4);
}

static size_t stun_finish(struct writer *w, const char *password) {
  size_t at = writer_len(w);
  if (!w->ok || at + INTEGRITY_LEN + FINGERPRINT_LEN > STUN_MAX)
    return 0;
  uint8_t mac[HMAC_LEN];
  stun_hmac(w->start, at, password, mac);
  stun_attr(w, ATTR_INTEGRITY, mac, sizeof mac);
  struct writer length = writer_of(w->start + 2, 2);
  write_u16(&length, (unsigned)(at + INTEGRITY_LEN + FINGERPRINT_LEN - HEADER_LEN));
  uint32_t crc = stun_crc32(w->start, writer_len(w)) ^ FINGERPRINT_XOR;
  write_u16(w, ATTR_FINGERPRINT);
  write_u16(w, 4);
  write_u32(w, crc);
  return w->ok ? writer_len(w) : 0;
}

size_t stun_build_request(uint8_t *out, size_t cap, const uint8_t tid[12], const char *username,
                          const char *password, bool controlling, uint64_t tie_breaker, uint32_t priority,
                          bool use_candidate) {
  struct writer w = writer_of(out, cap);
  stun_start(&w, BINDING_REQUEST, tid);
  stun_attr(&w, ATTR_USERNAME, username, strlen(username));
  write_u16(&w, controlling ? ATTR_CONTROLLING : ATTR_CONTROLLED);
  write_u16(&w, 8);
  write_u64(&w, tie_breaker);
  write_u16(&w, ATTR_PRIORITY);
  write_u16(&w, 4);
  write_u32(&w, priority);
  if (use_candidate)
    stun_attr(&w, ATTR_USE_CANDIDATE, "", 0);
  return stun_finish(&w, password);
}

size_t stun_build_success(uint8_t *out, size_t cap, const uint8_t tid[12], const struct sockaddr *mapped,
                          const char *password) {
  assert(mapped->sa_family == AF_INET || mapped->sa_family == AF_INET6);
  struct writer w = writer_of(out, cap);
  stun_start(&w, BINDING_SUCCESS, tid);
  bool v6 = mapped->sa_family == AF_INET6;
  const struct sockaddr_in *a4 = (const struct sockaddr_in *)(const void *)mapped;
  const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)(const void *)mapped;
  write_u16(&w, ATTR_XOR_MAPPED_ADDRESS);
  write_u16(&w, v6 ? 20 : 8);
  write_u16(&w, v6 ? 2 : 1);
  write_u16(&w, ntohs(v6 ? a6->sin6_port : a4->sin_port) ^ (unsigned)(COOKIE >> 16));
  if (v6) {
    struct reader r = reader_of(&a6->sin6_addr, 16);
    write_u32(&w, read_u32(&r) ^ COOKIE);
    for (int i = 0; i < 12; i++)
      write_u8(&w, (unsigned)(read_u8(&r) ^ tid[i]));
  } else {
    write_u32(&w, ntohl(a4->sin_addr.s_addr) ^ COOKIE);
  }
  return stun_finish(&w, password);
}

size_t stun_build_error(uint8_t *out, size_t cap, const uint8_t tid[12], int code, const char *password) {
  assert(code >= 300 && code <= 699);
  struct writer w = writer_of(out, cap);
  stun_start(&w, BINDING_ERROR, tid);
  const uint8_t value[4] = {0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100)};
  stun_attr(&w, ATTR_ERROR_CODE, value, sizeof value);
  return stun_finish(&w, password);
}
