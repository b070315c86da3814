/* https.h: one request over HTTPS, waited for: for signing in, where there is nothing else to do meanwhile.
 *
 * Invariant: the certificate is checked as for joining (tls.h), before anything is sent. Thread: any one, not
 * the engine's: it blocks, HTTPS_S at most. */
#ifndef GAVEL_SESSION_HTTPS_H
#define GAVEL_SESSION_HTTPS_H

#include "core/base/err.h"
#include "core/wire/link.h"

#define HTTPS_S 15
#define HTTPS_REPLY_MAX 65536

struct https_reply {
  int status;
  char *body; /* owned, never NULL after ERR_OK; wiped by https_free */
  char why[160];
};
/* https_post: a form to a path of the link's host; `form` is what the body holds. ERR_CONNECT, ERR_CERT,
 * ERR_PROTOCOL with a sentence in out->why. */
MUST_CHECK enum err https_post(const struct link *to, const char *path, const char *form,
                               struct https_reply *out);
void https_free(struct https_reply *r);

#endif
