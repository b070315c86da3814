#include "core/session/tls_text.h"

#include "core/base/text.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

void fingerprint_text(const unsigned char sha256[32], char out[96]) {
  for (int i = 0; i < 32; i++)
    snprintf(out + 3 * i, 96 - 3 * (size_t)i, i < 31 ? "%02X:" : "%02X", sha256[i]);
}

/* A name or time of the certificate, filtered for the terminal: the server wrote it. */
static void line(FILE *f, const char *label, BIO *bio) {
  char *data, shown[400], text[400];
  long n = BIO_get_mem_data(bio, &data);
  snprintf(text, sizeof text, "%.*s", (int)(n < 399 ? n : 399), data);
  text_show(text, false, shown, sizeof shown);
  fprintf(f, "%-16s %s\n", label, shown);
  (void)BIO_reset(bio);
}

static void certificate(FILE *f, X509 *cert) {
  unsigned char md[32];
  unsigned n = sizeof md;
  char hex[96];
  BIO *bio = BIO_new(BIO_s_mem());
  if (!bio)
    abort();
  X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0,
                     XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
  line(f, "certificate", bio);
  X509_NAME_print_ex(bio, X509_get_issuer_name(cert), 0,
                     XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
  line(f, "issued by", bio);
  ASN1_TIME_print(bio, X509_get0_notAfter(cert));
  line(f, "valid until", bio);
  BIO_free(bio);
  if (X509_digest(cert, EVP_sha256(), md, &n) == 1) {
    fingerprint_text(md, hex);
    fprintf(f, "%-16s %s\n", "SHA-256", hex);
  }
}

char *tls_text(SSL *ssl, bool pinned) {
  char *text = NULL;
  size_t n;
  FILE *f = open_memstream(&text, &n);
  if (!f)
    abort();
  X509 *cert = SSL_get1_peer_certificate(ssl);
  if (cert)
    certificate(f, cert);
  X509_free(cert);
  fprintf(f, "%-16s %s\n", "checked by",
          pinned ? "its fingerprint, which your link carries" : "its chain of authorities and the host name");
  fprintf(f, "%-16s %s, %s\n", "signalling", SSL_get_version(ssl), SSL_get_cipher_name(ssl));
  if (fclose(f) != 0 || !text)
    abort();
  return text;
}
