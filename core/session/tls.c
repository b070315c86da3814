#include "core/session/tls.h"

#include <openssl/x509.h>
#include <string.h>

SSL_CTX *tls_create(const struct link *l) {
  SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
  if (tls && (!SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) ||
              (!l->has_pin && !SSL_CTX_set_default_verify_paths(tls)))) {
    SSL_CTX_free(tls);
    return NULL;
  }
  if (tls)
    SSL_CTX_set_mode(tls, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  return tls;
}

/* Called two or three times a handshake. A pinned certificate needs no chain and no name; without a pin the
 * usual rules decide. */
int tls_verify(const struct link *l, X509_STORE_CTX *store, bool preverify_ok, bool *bad) {
  if (X509_STORE_CTX_get_error_depth(store) != 0)
    return l->has_pin || preverify_ok ? 0 : 1;
  if (!l->has_pin) {
    *bad = !preverify_ok;
    return preverify_ok ? 0 : 1;
  }
  unsigned char md[32];
  unsigned n = sizeof md;
  X509 *cert = X509_STORE_CTX_get_current_cert(store);
  if (cert && X509_digest(cert, EVP_sha256(), md, &n) && memcmp(md, l->pin, sizeof md) == 0) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 0;
  }
  *bad = true;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 1;
}
