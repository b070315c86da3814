/* tls.h: which certificate of a server is good: the pinned one, or (without a pin) a valid one for the host.
 * What ws_client.c and https.c share.
 *
 * Invariant: nothing is sent to anybody else. Thread: any. */
#ifndef GAVEL_SESSION_TLS_H
#define GAVEL_SESSION_TLS_H

#include "core/wire/link.h"

#include <openssl/ssl.h>

/* tls_create: the context of a client for this host. Our own, because libwebsockets 4.1.6 leaks the one it
 * makes when another of its contexts in this process makes one too, and because a pinned certificate needs no
 * list of authorities. NULL when it cannot be made; free it with SSL_CTX_free. */
SSL_CTX *tls_create(const struct link *l);
/* tls_verify: for LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION; *bad: this certificate is the
 * reason. */
int tls_verify(const struct link *l, X509_STORE_CTX *store, bool preverify_ok, bool *bad);

#endif
