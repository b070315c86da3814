#include "core/media/srtp_plug.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#define SALT_GCM 12
#define SALT_ICM 14 /* libsrtp hands counter mode key || salt as one key */
#define TAG_LEN 16
#define SHA1_LEN 20

struct plug_cipher {
  srtp_cipher_t base; /* base.state is this struct */
  EVP_CIPHER_CTX *ctx;
  const EVP_CIPHER *cipher;
  int aes_len, tag_len;
  uint8_t salt[16];
};

static srtp_err_status_t status_of(int ok, srtp_err_status_t otherwise) {
  return ok == 1 ? srtp_err_status_ok : otherwise;
}

static srtp_err_status_t cipher_new(srtp_cipher_pointer_t *out, int key_len, const srtp_cipher_type_t *type,
                                    const EVP_CIPHER *cipher, int aes_len, int tag_len) {
  struct plug_cipher *p = OPENSSL_zalloc(sizeof *p);
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
  if (p == NULL || ctx == NULL) {
    OPENSSL_free(p);
    EVP_CIPHER_CTX_free(ctx);
    return srtp_err_status_alloc_fail;
  }
  p->base = (srtp_cipher_t){.type = type, .state = p, .key_len = key_len, .algorithm = (int)type->id};
  p->ctx = ctx;
  p->cipher = cipher;
  p->aes_len = aes_len;
  p->tag_len = tag_len;
  *out = &p->base;
  return srtp_err_status_ok;
}

static srtp_err_status_t cipher_free(srtp_cipher_pointer_t c) {
  struct plug_cipher *p = c->state;
  EVP_CIPHER_CTX_free(p->ctx);
  OPENSSL_clear_free(p, sizeof *p);
  return srtp_err_status_ok;
}

/* AES-GCM, RFC 7714. Order of calls: init once, then for each packet set_iv, set_aad, encrypt + get_tag or
 * decrypt. */

static srtp_err_status_t gcm_alloc(srtp_cipher_pointer_t *out, int key_len, int tag_len) {
  if (tag_len != TAG_LEN && tag_len != TAG_LEN / 2) /* libsrtp's own test vectors have short tags too */
    return srtp_err_status_bad_param;
  if (key_len == 16 + SALT_GCM)
    return cipher_new(out, key_len, &srtp_plug_gcm_128, EVP_aes_128_gcm(), 16, tag_len);
  if (key_len == 32 + SALT_GCM)
    return cipher_new(out, key_len, &srtp_plug_gcm_256, EVP_aes_256_gcm(), 32, tag_len);
  return srtp_err_status_bad_param;
}

static srtp_err_status_t gcm_init(void *state, const uint8_t *key) {
  struct plug_cipher *p = state;
  return status_of(EVP_CipherInit_ex(p->ctx, p->cipher, NULL, key, NULL, 1), srtp_err_status_init_fail);
}

static srtp_err_status_t gcm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction) {
  struct plug_cipher *p = state;
  int encrypt = direction == srtp_direction_encrypt;
  return status_of(EVP_CipherInit_ex(p->ctx, NULL, NULL, NULL, iv, encrypt), srtp_err_status_init_fail);
}

static srtp_err_status_t gcm_set_aad(void *state, const uint8_t *aad, uint32_t n) {
  struct plug_cipher *p = state;
  int done = 0;
  return status_of(EVP_CipherUpdate(p->ctx, NULL, &done, aad, (int)n), srtp_err_status_algo_fail);
}

static srtp_err_status_t gcm_encrypt(void *state, uint8_t *buf, unsigned *n) {
  struct plug_cipher *p = state;
  int done = 0;
  return status_of(EVP_CipherUpdate(p->ctx, buf, &done, buf, (int)*n), srtp_err_status_cipher_fail);
}

static srtp_err_status_t gcm_get_tag(void *state, uint8_t *tag, uint32_t *n) {
  struct plug_cipher *p = state;
  int done = 0;
  if (EVP_CipherFinal_ex(p->ctx, tag, &done) != 1 ||
      EVP_CIPHER_CTX_ctrl(p->ctx, EVP_CTRL_AEAD_GET_TAG, p->tag_len, tag) != 1)
    return srtp_err_status_algo_fail;
  *n = (uint32_t)p->tag_len;
  return srtp_err_status_ok;
}

static srtp_err_status_t gcm_decrypt(void *state, uint8_t *buf, unsigned *n) {
  struct plug_cipher *p = state;
  if (*n < (unsigned)p->tag_len)
    return srtp_err_status_bad_param;
  unsigned text_len = *n - (unsigned)p->tag_len;
  int done = 0;
  if (EVP_CIPHER_CTX_ctrl(p->ctx, EVP_CTRL_AEAD_SET_TAG, p->tag_len, buf + text_len) != 1 ||
      EVP_CipherUpdate(p->ctx, buf, &done, buf, (int)text_len) != 1)
    return srtp_err_status_cipher_fail;
  if (EVP_CipherFinal_ex(p->ctx, buf + text_len, &done) != 1)
    return srtp_err_status_auth_fail;
  *n = text_len;
  return srtp_err_status_ok;
}

/* AES counter mode, RFC 3711 section 4.1.1; libsrtp's key derivation uses it too. */

static srtp_err_status_t icm_alloc(srtp_cipher_pointer_t *out, int key_len, int tag_len) {
  if (key_len == 16 + SALT_ICM)
    return cipher_new(out, key_len, &srtp_plug_icm_128, EVP_aes_128_ctr(), 16, tag_len);
  if (key_len == 32 + SALT_ICM)
    return cipher_new(out, key_len, &srtp_plug_icm_256, EVP_aes_256_ctr(), 32, tag_len);
  return srtp_err_status_bad_param;
}

static srtp_err_status_t icm_init(void *state, const uint8_t *key) {
  struct plug_cipher *p = state;
  memcpy(p->salt, key + p->aes_len, SALT_ICM); /* the last two bytes stay 0: the block counter */
  return status_of(EVP_EncryptInit_ex(p->ctx, p->cipher, NULL, key, NULL), srtp_err_status_init_fail);
}

static srtp_err_status_t icm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction) {
  (void)direction;
  struct plug_cipher *p = state;
  uint8_t counter[16];
  for (size_t i = 0; i < sizeof counter; i++)
    counter[i] = p->salt[i] ^ iv[i];
  return status_of(EVP_EncryptInit_ex(p->ctx, NULL, NULL, NULL, counter), srtp_err_status_init_fail);
}

static srtp_err_status_t icm_crypt(void *state, uint8_t *buf, unsigned *n) {
  struct plug_cipher *p = state;
  int done = 0;
  return status_of(EVP_EncryptUpdate(p->ctx, buf, &done, buf, (int)*n), srtp_err_status_cipher_fail);
}

/* HMAC-SHA1, RFC 2104. */

struct plug_auth {
  srtp_auth_t base; /* base.state is this struct */
  EVP_MAC_CTX *mac;
};

static srtp_err_status_t hmac_alloc(srtp_auth_pointer_t *out, int key_len, int tag_len) {
  if (key_len > SHA1_LEN || tag_len > SHA1_LEN)
    return srtp_err_status_bad_param;
  struct plug_auth *p = OPENSSL_zalloc(sizeof *p);
  EVP_MAC *hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
  EVP_MAC_CTX *mac = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
  EVP_MAC_free(hmac);
  if (p == NULL || mac == NULL) {
    OPENSSL_free(p);
    EVP_MAC_CTX_free(mac);
    return srtp_err_status_alloc_fail;
  }
  p->base = (srtp_auth_t){.type = &srtp_plug_hmac_sha1, .state = p, .out_len = tag_len, .key_len = key_len};
  p->mac = mac;
  *out = &p->base;
  return srtp_err_status_ok;
}

static srtp_err_status_t hmac_free(srtp_auth_pointer_t a) {
  struct plug_auth *p = a->state;
  EVP_MAC_CTX_free(p->mac);
  OPENSSL_free(p);
  return srtp_err_status_ok;
}

static srtp_err_status_t hmac_init(void *state, const uint8_t *key, int key_len) {
  struct plug_auth *p = state;
  char digest[] = "SHA1";
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                         OSSL_PARAM_construct_end()};
  return status_of(EVP_MAC_init(p->mac, key, (size_t)key_len, params), srtp_err_status_init_fail);
}

/* Without a key OpenSSL starts a new message under the old one. */
static srtp_err_status_t hmac_start(void *state) {
  struct plug_auth *p = state;
  return status_of(EVP_MAC_init(p->mac, NULL, 0, NULL), srtp_err_status_init_fail);
}

static srtp_err_status_t hmac_update(void *state, const uint8_t *msg, int n) {
  struct plug_auth *p = state;
  return status_of(EVP_MAC_update(p->mac, msg, (size_t)n), srtp_err_status_auth_fail);
}

static srtp_err_status_t hmac_compute(void *state, const uint8_t *msg, int n, int tag_len, uint8_t *tag) {
  struct plug_auth *p = state;
  uint8_t full[SHA1_LEN];
  size_t full_len = 0;
  if (tag_len > SHA1_LEN || EVP_MAC_update(p->mac, msg, (size_t)n) != 1 ||
      EVP_MAC_final(p->mac, full, &full_len, sizeof full) != 1)
    return srtp_err_status_auth_fail;
  memcpy(tag, full, (size_t)tag_len);
  return srtp_err_status_ok;
}

/* Self-test vectors. AES-CTR: NIST SP 800-38A F.5.1 and F.5.5 (its counter block is split in salt and IV).
 * AES-GCM: test cases 4 and 16 of the GCM specification. HMAC: RFC 2202 case 1. libsrtp's struct wants the IV
 * without const though nothing writes to it, hence the casts. */

static const uint8_t ctr_iv[16] = {[14] = 0xfe, [15] = 0xff};
static const uint8_t ctr_plain[] = {0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e,
                                    0x11, 0x73, 0x93, 0x17, 0x2a, 0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03,
                                    0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51};
static const uint8_t ctr_128_key[] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7,
                                      0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c, 0xf0, 0xf1, 0xf2, 0xf3,
                                      0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};
static const uint8_t ctr_128_crypted[] = {0x87, 0x4d, 0x61, 0x91, 0xb6, 0x20, 0xe3, 0x26, 0x1b, 0xef, 0x68,
                                          0x64, 0x99, 0x0d, 0xb6, 0xce, 0x98, 0x06, 0xf6, 0x6b, 0x79, 0x70,
                                          0xfd, 0xff, 0x86, 0x17, 0x18, 0x7b, 0xb9, 0xff, 0xfd, 0xff};
static const uint8_t ctr_256_key[] = {0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe, 0x2b, 0x73, 0xae, 0xf0,
                                      0x85, 0x7d, 0x77, 0x81, 0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61, 0x08, 0xd7,
                                      0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4, 0xf0, 0xf1, 0xf2, 0xf3,
                                      0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};
static const uint8_t ctr_256_crypted[] = {0x60, 0x1e, 0xc3, 0x13, 0x77, 0x57, 0x89, 0xa5, 0xb7, 0xa7, 0xf5,
                                          0x04, 0xbb, 0xf3, 0xd2, 0x28, 0xf4, 0x43, 0xe3, 0xca, 0x4d, 0x62,
                                          0xb5, 0x9a, 0xca, 0x84, 0xe9, 0x90, 0xca, 0xca, 0xf5, 0xc5};
static const uint8_t gcm_iv[16] = {0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
static const uint8_t gcm_aad[] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                                  0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
static const uint8_t gcm_plain[] = {0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5,
                                    0xaf, 0xf5, 0x26, 0x9a, 0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda,
                                    0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31, 0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95,
                                    0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49, 0xa6, 0xb5, 0x25,
                                    0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39};
/* libsrtp counts the salt in the key length; the cipher reads only the key. The tag follows the text. */
static const uint8_t gcm_128_key[] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a,
                                      0x8f, 0x94, 0x67, 0x30, 0x83, 0x08, 0x00, 0x00, 0x00, 0x00,
                                      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
static const uint8_t gcm_128_crypted[] = {
    0x42, 0x83, 0x1e, 0xc2, 0x21, 0x77, 0x74, 0x24, 0x4b, 0x72, 0x21, 0xb7, 0x84, 0xd0, 0xd4, 0x9c,
    0xe3, 0xaa, 0x21, 0x2f, 0x2c, 0x02, 0xa4, 0xe0, 0x35, 0xc1, 0x7e, 0x23, 0x29, 0xac, 0xa1, 0x2e,
    0x21, 0xd5, 0x14, 0xb2, 0x54, 0x66, 0x93, 0x1c, 0x7d, 0x8f, 0x6a, 0x5a, 0xac, 0x84, 0xaa, 0x05,
    0x1b, 0xa3, 0x0b, 0x39, 0x6a, 0x0a, 0xac, 0x97, 0x3d, 0x58, 0xe0, 0x91, 0x5b, 0xc9, 0x4f, 0xbc,
    0x32, 0x21, 0xa5, 0xdb, 0x94, 0xfa, 0xe9, 0x5a, 0xe7, 0x12, 0x1a, 0x47};
static const uint8_t gcm_256_key[] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f,
                                      0x94, 0x67, 0x30, 0x83, 0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65,
                                      0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08, 0x00,
                                      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
static const uint8_t gcm_256_crypted[] = {
    0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3, 0x2a, 0x84, 0x42, 0x7d,
    0x64, 0x3a, 0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa,
    0x8c, 0xb0, 0x8e, 0x48, 0x59, 0x0d, 0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38,
    0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62, 0x76, 0xfc, 0x6e, 0xce,
    0x0f, 0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b};
static const uint8_t hmac_key[] = {0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
                                   0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b};
static const uint8_t hmac_tag[SHA1_LEN] = {0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b,
                                           0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00};

#define CIPHER_TEST(name, plain, crypted, iv, aad_len_, aad_, tag)                                           \
  {                                                                                                          \
    .key_length_octets = sizeof name##_key, .key = name##_key, .idx = (uint8_t *)(uintptr_t)iv,              \
    .plaintext_length_octets = sizeof plain, .plaintext = plain, .ciphertext_length_octets = sizeof crypted, \
    .ciphertext = crypted, .aad_length_octets = (aad_len_), .aad = (aad_), .tag_length_octets = (tag)        \
  }

static const srtp_cipher_test_case_t icm_128_test =
    CIPHER_TEST(ctr_128, ctr_plain, ctr_128_crypted, ctr_iv, 0, NULL, 0);
static const srtp_cipher_test_case_t icm_256_test =
    CIPHER_TEST(ctr_256, ctr_plain, ctr_256_crypted, ctr_iv, 0, NULL, 0);
static const srtp_cipher_test_case_t gcm_128_test =
    CIPHER_TEST(gcm_128, gcm_plain, gcm_128_crypted, gcm_iv, sizeof gcm_aad, gcm_aad, TAG_LEN);
static const srtp_cipher_test_case_t gcm_256_test =
    CIPHER_TEST(gcm_256, gcm_plain, gcm_256_crypted, gcm_iv, sizeof gcm_aad, gcm_aad, TAG_LEN);
static const srtp_auth_test_case_t hmac_test = {.key_length_octets = sizeof hmac_key,
                                                .key = hmac_key,
                                                .data_length_octets = 8,
                                                .data = (const uint8_t *)"Hi There",
                                                .tag_length_octets = SHA1_LEN,
                                                .tag = hmac_tag};

#define CIPHER_TYPE(kind, crypt_in, crypt_out, aad, tag, text, test, id_)                                    \
  {                                                                                                          \
    .alloc = kind##_alloc, .dealloc = cipher_free, .init = kind##_init, .set_aad = (aad),                    \
    .encrypt = (crypt_in), .decrypt = (crypt_out), .set_iv = kind##_set_iv, .get_tag = (tag),                \
    .description = (text), .test_data = (test), .id = (id_)                                                  \
  }

const srtp_cipher_type_t srtp_plug_icm_128 = CIPHER_TYPE(
    icm, icm_crypt, icm_crypt, NULL, NULL, "AES-128 counter mode (OpenSSL)", &icm_128_test, SRTP_AES_ICM_128);
const srtp_cipher_type_t srtp_plug_icm_256 = CIPHER_TYPE(
    icm, icm_crypt, icm_crypt, NULL, NULL, "AES-256 counter mode (OpenSSL)", &icm_256_test, SRTP_AES_ICM_256);
const srtp_cipher_type_t srtp_plug_gcm_128 =
    CIPHER_TYPE(gcm, gcm_encrypt, gcm_decrypt, gcm_set_aad, gcm_get_tag, "AES-128 GCM (OpenSSL)",
                &gcm_128_test, SRTP_AES_GCM_128);
const srtp_cipher_type_t srtp_plug_gcm_256 =
    CIPHER_TYPE(gcm, gcm_encrypt, gcm_decrypt, gcm_set_aad, gcm_get_tag, "AES-256 GCM (OpenSSL)",
                &gcm_256_test, SRTP_AES_GCM_256);
const srtp_auth_type_t srtp_plug_hmac_sha1 = {.alloc = hmac_alloc,
                                              .dealloc = hmac_free,
                                              .init = hmac_init,
                                              .compute = hmac_compute,
                                              .update = hmac_update,
                                              .start = hmac_start,
                                              .description = "HMAC-SHA1 (OpenSSL)",
                                              .test_data = &hmac_test,
                                              .id = SRTP_HMAC_SHA1};

bool srtp_plug_install(void) {
  const srtp_cipher_type_t *ciphers[] = {&srtp_plug_icm_128, &srtp_plug_icm_256, &srtp_plug_gcm_128,
                                         &srtp_plug_gcm_256};
  for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++)
    if (srtp_replace_cipher_type(ciphers[i], ciphers[i]->id) != srtp_err_status_ok)
      return false;
  return srtp_replace_auth_type(&srtp_plug_hmac_sha1, SRTP_HMAC_SHA1) == srtp_err_status_ok;
}
