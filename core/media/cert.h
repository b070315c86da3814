/* cert.h: self-made ECDSA P-256 certificates for DTLS and the embedded server's TLS, and their SHA-256.
 *
 * Invariant: a struct cert holds a matching pair, or is all zero. Thread: create and destroy on one thread;
 * reading is free. */
#ifndef GAVEL_MEDIA_CERT_H
#define GAVEL_MEDIA_CERT_H

#include "core/base/err.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

struct cert {
  EVP_PKEY *key;
  X509 *x509;
  uint8_t sha256[32]; /* of the DER certificate */
};
/* cert_make: a new pair, CN `name`, SAN `name` (DNS or IP), valid from one day ago until `days` from now.
 * ERR_BAD_ARG when `name` is neither an address nor of the characters of a host name. Free with cert_free. */
MUST_CHECK enum err cert_make(const char *name, int days, struct cert *out);
/* cert_load, cert_save: PEM files; the key file is written 0600, symbolic links are refused. ERR_IO when
 * unreadable, under a passphrase, or not a pair. */
MUST_CHECK enum err cert_load(const char *cert_path, const char *key_path, struct cert *out);
MUST_CHECK enum err cert_save(const struct cert *c, const char *cert_path, const char *key_path);
/* cert_free: leaves `c` all zero; an all-zero one may be freed. */
void cert_free(struct cert *c);

#endif
