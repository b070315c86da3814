/* tls_text.h: what a TLS connection is, in lines for a person: certificate, how it was checked, version,
 * cipher. Pure but for OpenSSL; thread: the connection's. */
#ifndef GAVEL_SESSION_TLS_TEXT_H
#define GAVEL_SESSION_TLS_TEXT_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* tls_text: "label  value" a line, malloc'd; never NULL (aborts without memory). `pinned`: by the link's pin.
 */
char *tls_text(SSL *ssl, bool pinned);
/* fingerprint_text: a SHA-256 as openssl x509 prints it: AB:CD:... */
void fingerprint_text(const unsigned char sha256[32], char out[96]);

#endif
