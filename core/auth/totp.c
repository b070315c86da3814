#include "core/auth/totp.h"

#include "core/auth/base32.h"
#include "core/base/bytes.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECOVERY_BYTES 10

/* RFC 4226 section 5.3: four bytes at the place that the last half byte names. */
static uint32_t truncate_hmac(const uint8_t *mac, unsigned n) {
  unsigned at = mac[n - 1] & 15;
  struct reader r = reader_of(mac + at, 4);
  return read_u32(&r) & 0x7fffffff;
}

uint32_t totp_at(enum totp_hash h, const uint8_t *secret, size_t n, uint64_t step, unsigned digits) {
  const EVP_MD *md = h == TOTP_SHA1 ? EVP_sha1() : h == TOTP_SHA256 ? EVP_sha256() : EVP_sha512();
  uint8_t counter[8], mac[EVP_MAX_MD_SIZE];
  unsigned len = sizeof mac;
  struct writer w = writer_of(counter, sizeof counter);
  write_u64(&w, step);
  assert(digits == 6 || digits == 8);
  if (!HMAC(md, secret, (int)n, counter, sizeof counter, mac, &len))
    abort();
  return truncate_hmac(mac, len) % (digits == 6 ? 1000000 : 100000000);
}

/* Six digits with blanks anywhere; false for anything else. */
static bool read_code(const char *typed, uint32_t *code) {
  unsigned n = 0;
  *code = 0;
  for (; *typed; typed++) {
    if (*typed == ' ')
      continue;
    if (*typed < '0' || *typed > '9' || ++n > TOTP_DIGITS)
      return false;
    *code = *code * 10 + (uint32_t)(*typed - '0');
  }
  return n == TOTP_DIGITS;
}

bool totp_check(const uint8_t secret[TOTP_SECRET], const char *typed, int64_t now_s, uint64_t *last_step) {
  uint32_t code;
  if (now_s < TOTP_STEP_S || !read_code(typed, &code))
    return false;
  uint64_t now = (uint64_t)now_s / TOTP_STEP_S, found = 0;
  for (uint64_t step = now - 1; step <= now + 1; step++) { /* all three, whichever is right: the same time */
    uint32_t want = totp_at(TOTP_SHA1, secret, TOTP_SECRET, step, TOTP_DIGITS);
    if (bytes_equal_ct(&want, &code, sizeof want) && step > *last_step && found == 0)
      found = step;
  }
  if (found != 0)
    *last_step = found;
  return found != 0;
}

#define LABEL_MAX 120 /* issuer and account in the URI: three of them and the secret fit */

/* Percent-encoded, all but the unreserved characters of RFC 3986 section 2.3; cut where it does not fit. */
static void encode_label(const char *text, char out[LABEL_MAX]) {
  size_t n = 0;
  out[0] = 0;
  for (; *text && n + 4 <= LABEL_MAX; text++) {
    unsigned char c = (unsigned char)*text;
    bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c);
    n += (size_t)snprintf(out + n, LABEL_MAX - n, plain ? "%c" : "%%%02X", c);
  }
}

void totp_uri(const uint8_t secret[TOTP_SECRET], const char *issuer, const char *account,
              char out[TOTP_URI_MAX]) {
  char text[BASE32_LEN(TOTP_SECRET) + 1], who[LABEL_MAX], whose[LABEL_MAX];
  base32_encode(secret, TOTP_SECRET, text);
  encode_label(issuer, whose);
  encode_label(account, who);
  snprintf(out, TOTP_URI_MAX, "otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d",
           whose, who, text, whose, TOTP_DIGITS, TOTP_STEP_S);
  explicit_bzero(text, sizeof text);
}

void totp_recovery_make(struct rng *rng, char out[TOTP_RECOVERY_MAX]) {
  uint8_t raw[RECOVERY_BYTES];
  char text[BASE32_LEN(RECOVERY_BYTES) + 1];
  rng->fill(rng, raw, sizeof raw);
  base32_encode(raw, sizeof raw, text);
  snprintf(out, TOTP_RECOVERY_MAX, "%.4s-%.4s-%.4s-%.4s", text, text + 4, text + 8, text + 12);
  for (char *p = out; *p; p++)
    *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
  explicit_bzero(raw, sizeof raw);
  explicit_bzero(text, sizeof text);
}

bool totp_recovery_hash(const char *typed, uint8_t out[32]) {
  char text[BASE32_LEN(RECOVERY_BYTES)];
  uint8_t raw[RECOVERY_BYTES];
  size_t n = 0;
  for (; *typed; typed++) {
    if (*typed == ' ' || *typed == '-')
      continue;
    if (n == sizeof text)
      return false;
    text[n++] = *typed;
  }
  bool right = n == sizeof text && base32_decode(text, n, raw, sizeof raw) == RECOVERY_BYTES;
  if (right)
    sha256(raw, sizeof raw, out);
  explicit_bzero(raw, sizeof raw);
  explicit_bzero(text, sizeof text);
  return right;
}
