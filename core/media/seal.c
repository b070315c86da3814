#include "core/media/seal.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SALT 12
#define KEY_MAX 32
#define RTP_HEADER 12
#define RTCP_CLEAR 8
#define RTCP_ENCRYPTED 0x80000000u
#define RTCP_INDEX_END 0x80000000u /* RFC 3711 section 3.2.1: 31 bits, then new keys */
#define HALF_CYCLE 0x8000
#define INDEX_END (UINT64_C(1) << 48)

enum label { LABEL_RTP_KEY = 0, LABEL_RTP_SALT = 2, LABEL_RTCP_KEY = 3, LABEL_RTCP_SALT = 5 };

/* ---- the thread's ciphers ---- */

struct ciphers {
  EVP_CIPHER_CTX *gcm[2]; /* 128, 256 */
};
static pthread_key_t ciphers_key; /* set once, then only read */

static void ciphers_free(void *p) {
  struct ciphers *c = p;
  EVP_CIPHER_CTX_free(c->gcm[0]);
  EVP_CIPHER_CTX_free(c->gcm[1]);
  free(c);
}

static void make_key(void) {
  if (pthread_key_create(&ciphers_key, ciphers_free) != 0)
    abort();
}

static struct ciphers *ciphers_make(void) {
  struct ciphers *c = calloc(1, sizeof *c);
  if (!c)
    return NULL;
  for (int i = 0; i < 2; i++) {
    c->gcm[i] = EVP_CIPHER_CTX_new();
    if (!c->gcm[i] ||
        EVP_EncryptInit_ex(c->gcm[i], i ? EVP_aes_256_gcm() : EVP_aes_128_gcm(), NULL, NULL, NULL) != 1) {
      ciphers_free(c);
      return NULL;
    }
  }
  if (pthread_setspecific(ciphers_key, c) == 0)
    return c;
  ciphers_free(c);
  return NULL;
}

static EVP_CIPHER_CTX *cipher_of(size_t key_len) {
  struct ciphers *c = pthread_getspecific(ciphers_key);
  if (!c)
    c = ciphers_make();
  return c ? c->gcm[key_len == 32] : NULL;
}

/* ---- keys ---- */

/* RFC 3711 section 4.3.1 with no derivation rate: AES counter mode over zeros, from salt XOR label. */
static bool derive(const uint8_t *master, size_t key_len, enum label label, uint8_t *out, size_t n) {
  static const uint8_t zero[KEY_MAX];
  uint8_t counter[16] = {0}; /* RFC 7714 section 11: a salt of 96 bits is filled up with zeros */
  int done = 0;
  memcpy(counter, master + key_len, SALT);
  counter[7] ^= (uint8_t)label;
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
  bool ok = ctx &&
            EVP_EncryptInit_ex(ctx, key_len == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(), NULL, master,
                               counter) == 1 &&
            EVP_EncryptUpdate(ctx, out, &done, zero, (int)n) == 1;
  EVP_CIPHER_CTX_free(ctx);
  return ok;
}

bool seal_begin(struct seal *s, enum srtp_profile_id profile, const uint8_t *master) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  *s = (struct seal){0};
  if (profile != PROFILE_AEAD_AES_128_GCM && profile != PROFILE_AEAD_AES_256_GCM)
    return false;
  pthread_once(&once, make_key);
  size_t len = profile == PROFILE_AEAD_AES_256_GCM ? 32 : 16;
  if (derive(master, len, LABEL_RTP_KEY, s->key, len) && derive(master, len, LABEL_RTP_SALT, s->salt, SALT) &&
      derive(master, len, LABEL_RTCP_KEY, s->rtcp_key, len) &&
      derive(master, len, LABEL_RTCP_SALT, s->rtcp_salt, SALT)) {
    s->key_len = (uint8_t)len;
    return true;
  }
  seal_end(s);
  return false;
}

/* ---- packets ---- */

/* The index that sequence number `seq` means (RFC 3711 appendix A); in the first half cycle none is older. */
static uint64_t index_of(const struct seal *s, uint16_t seq) {
  uint64_t near = (s->high & ~UINT64_C(0xffff)) | seq;
  if (s->high <= HALF_CYCLE)
    return seq;
  uint16_t high = (uint16_t)s->high;
  if (high < HALF_CYCLE)
    return seq - high > HALF_CYCLE ? near - 0x10000 : near;
  return high - HALF_CYCLE > seq ? near + 0x10000 : near;
}

/* False: used before, or so old that nobody knows. */
static bool index_take(struct seal *s, uint64_t index) {
  if (index >= INDEX_END) /* also one before the first */
    return false;
  if (s->used == 0 || index > s->high) {
    uint64_t step = index - s->high;
    s->used = s->used == 0 || step >= SEAL_LATE ? 1 : s->used << step | 1;
    s->high = index;
    return true;
  }
  uint64_t back = s->high - index;
  if (back >= SEAL_LATE || s->used >> back & 1)
    return false;
  s->used |= UINT64_C(1) << back;
  return true;
}

struct part {
  const uint8_t *p;
  size_t n;
};

/* One AEAD: both parts of the associated data, the text to `out`, the tag behind it. */
static bool encrypt(size_t key_len, const uint8_t *key, const uint8_t *iv, struct part aad, struct part aad2,
                    uint8_t *out, struct part text) {
  EVP_CIPHER_CTX *ctx = cipher_of(key_len);
  int done = 0;
  return ctx && EVP_EncryptInit_ex(ctx, NULL, NULL, key, iv) == 1 &&
         EVP_EncryptUpdate(ctx, NULL, &done, aad.p, (int)aad.n) == 1 &&
         (aad2.n == 0 || EVP_EncryptUpdate(ctx, NULL, &done, aad2.p, (int)aad2.n) == 1) &&
         (text.n == 0 || EVP_EncryptUpdate(ctx, out, &done, text.p, (int)text.n) == 1) &&
         EVP_EncryptFinal_ex(ctx, out + text.n, &done) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG, out + text.n) == 1;
}

static void put_u32(uint8_t *p, uint32_t v) {
  for (int i = 0; i < 4; i++)
    p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void mask(uint8_t iv[SALT], const uint8_t *salt) {
  for (int i = 0; i < SALT; i++)
    iv[i] ^= salt[i];
}

enum err seal_rtp(struct seal *s, uint8_t *out, size_t head, const uint8_t *payload, size_t len, size_t *n,
                  size_t cap) {
  assert(head >= RTP_HEADER);
  if (head + len + SEAL_TAG > cap || len > INT32_MAX)
    return ERR_FULL;
  uint64_t index = index_of(s, (uint16_t)(out[2] << 8 | out[3]));
  if (!index_take(s, index))
    return ERR_SRTP_REPLAY;
  uint8_t iv[SALT] = {0}; /* RFC 7714 section 8.1: SSRC, rollover counter, sequence number */
  memcpy(iv + 2, out + 8, 4);
  put_u32(iv + 6, (uint32_t)(index >> 16));
  memcpy(iv + 10, out + 2, 2);
  mask(iv, s->salt);
  struct part none = {0}, aad = {out, head}, text = {payload, len};
  if (!encrypt(s->key_len, s->key, iv, aad, none, out + head, text))
    return ERR_NOMEM;
  *n = head + len + SEAL_TAG;
  return ERR_OK;
}

enum err seal_rtcp(struct seal *s, uint8_t *p, size_t *n, size_t cap) {
  if (*n < RTCP_CLEAR || *n + SEAL_RTCP_TRAILER > cap || *n > INT32_MAX)
    return *n < RTCP_CLEAR ? ERR_BAD_RTP : ERR_FULL;
  if (s->rtcp_index + 1 >= RTCP_INDEX_END)
    return ERR_SRTP_REPLAY;
  uint8_t iv[SALT] = {0}, word[4];
  uint32_t index = ++s->rtcp_index;
  put_u32(word, RTCP_ENCRYPTED | index);
  memcpy(iv + 2, p + 4, 4); /* RFC 7714 section 9.1 */
  put_u32(iv + 8, index);
  mask(iv, s->rtcp_salt);
  struct part aad = {p, RTCP_CLEAR}, aad2 = {word, 4}, text = {p + RTCP_CLEAR, *n - RTCP_CLEAR};
  if (!encrypt(s->key_len, s->rtcp_key, iv, aad, aad2, p + RTCP_CLEAR, text))
    return ERR_NOMEM;
  memcpy(p + *n + SEAL_TAG, word, 4);
  *n += SEAL_RTCP_TRAILER;
  return ERR_OK;
}

void seal_end(struct seal *s) {
  OPENSSL_cleanse(s, sizeof *s);
}
