#include "core/media/cert.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_S 86400L
#define NAME_MAX_LEN 253 /* of a DNS name */
#define CN_MAX_LEN 64    /* ub-common-name, RFC 5280 appendix A.1 */

/* Only characters that mean nothing to OpenSSL's extension syntax ("DNS:a,IP:b"). */
static bool name_is_plain(const char *name) {
  size_t n = strlen(name);
  return n > 0 && n <= NAME_MAX_LEN &&
         strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:*") == n;
}

static bool add_alt_name(X509 *x, const char *name) {
  uint8_t ip[16];
  bool is_ip = inet_pton(AF_INET, name, ip) == 1 || inet_pton(AF_INET6, name, ip) == 1;
  if (!is_ip && strchr(name, ':') != NULL)
    return false;
  char text[NAME_MAX_LEN + 8];
  snprintf(text, sizeof text, "%s:%s", is_ip ? "IP" : "DNS", name);
  X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
  bool ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
  X509_EXTENSION_free(ext);
  return ok;
}

static bool set_random_serial(X509 *x) {
  BIGNUM *n = BN_new();
  bool ok = n != NULL && BN_rand(n, 63, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
            BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
  BN_free(n);
  return ok;
}

static bool fill_cert(struct cert *c, const char *name, int days) {
  X509 *x = c->x509;
  const char *cn = strlen(name) <= CN_MAX_LEN ? name : "gavel"; /* the alternative name is what counts */
  X509_NAME *subject = X509_get_subject_name(x);
  return X509_set_version(x, X509_VERSION_3) == 1 && set_random_serial(x) &&
         X509_gmtime_adj(X509_getm_notBefore(x), -DAY_S) != NULL &&
         X509_gmtime_adj(X509_getm_notAfter(x), DAY_S * days) != NULL && X509_set_pubkey(x, c->key) == 1 &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1, 0) == 1 &&
         X509_set_issuer_name(x, subject) == 1 && add_alt_name(x, name) &&
         X509_sign(x, c->key, EVP_sha256()) > 0;
}

static bool hash_cert(struct cert *c) {
  unsigned len = 0;
  return X509_digest(c->x509, EVP_sha256(), c->sha256, &len) == 1 && len == sizeof c->sha256;
}

enum err cert_make(const char *name, int days, struct cert *out) {
  assert(days > 0 && days <= 36500);
  memset(out, 0, sizeof *out);
  if (!name_is_plain(name))
    return ERR_BAD_ARG;
  out->key = EVP_EC_gen("P-256");
  out->x509 = X509_new();
  if (out->key != NULL && out->x509 != NULL && fill_cert(out, name, days) && hash_cert(out))
    return ERR_OK;
  ERR_clear_error();
  cert_free(out);
  return ERR_INTERNAL;
}

/* A key under a passphrase is refused; without this OpenSSL would ask on the terminal. */
static int refuse_password(char *buf, int size, int writing, void *arg) {
  (void)buf, (void)size, (void)writing, (void)arg;
  return -1;
}

enum err cert_load(const char *cert_path, const char *key_path, struct cert *out) {
  memset(out, 0, sizeof *out);
  FILE *f = fopen(cert_path, "re");
  if (f != NULL) {
    out->x509 = PEM_read_X509(f, NULL, refuse_password, NULL);
    fclose(f);
  }
  f = fopen(key_path, "re");
  if (f != NULL) {
    out->key = PEM_read_PrivateKey(f, NULL, refuse_password, NULL);
    fclose(f);
  }
  bool ok = out->x509 != NULL && out->key != NULL && X509_check_private_key(out->x509, out->key) == 1 &&
            hash_cert(out);
  ERR_clear_error();
  if (!ok)
    cert_free(out);
  return ok ? ERR_OK : ERR_IO;
}

/* Opens `path` empty with `mode`, also when it existed with a looser one. NULL on failure. */
static FILE *open_private(const char *path, mode_t mode) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0)
    return NULL;
  FILE *f = fchmod(fd, mode) == 0 ? fdopen(fd, "w") : NULL;
  if (f == NULL)
    close(fd);
  return f;
}

static bool close_synced(FILE *f) {
  bool ok = fflush(f) == 0 && fsync(fileno(f)) == 0;
  return fclose(f) == 0 && ok;
}

enum err cert_save(const struct cert *c, const char *cert_path, const char *key_path) {
  FILE *f = open_private(key_path, 0600);
  if (f == NULL)
    return ERR_IO;
  bool written = PEM_write_PrivateKey(f, c->key, NULL, NULL, 0, NULL, NULL) == 1;
  if (!close_synced(f) || !written)
    return ERR_IO;
  f = open_private(cert_path, 0644);
  if (f == NULL)
    return ERR_IO;
  written = PEM_write_X509(f, c->x509) == 1;
  return close_synced(f) && written ? ERR_OK : ERR_IO;
}

void cert_free(struct cert *c) {
  EVP_PKEY_free(c->key);
  X509_free(c->x509);
  memset(c, 0, sizeof *c);
}
