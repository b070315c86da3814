/* proxies.h: whom a connection through proxies of ours is for.
 *
 * Invariant: what a stranger writes into X-Forwarded-For counts only behind an address that one of our own
 * proxies vouches for. Pure; any thread. */
#ifndef GAVEL_SERVER_PROXIES_H
#define GAVEL_SERVER_PROXIES_H

#include "core/base/addr.h"
#include "core/base/err.h"

#define PROXIES_MAX 16

struct proxies {
  struct cidr of[PROXIES_MAX];
  size_t n;
};

/* proxies_read: "10.0.0.0/8, ::1". ERR_BAD_CONFIG: no block, too wide a one, or one too many. */
MUST_CHECK enum err proxies_read(const char *text, struct proxies *out, char why[256]);
bool proxies_has(const struct proxies *p, const uint8_t addr[16]);
/* proxies_client: `addr` is who is connected; becomes the client that a list "client, proxy, proxy" tells. */
void proxies_client(const struct proxies *p, const char *list, uint8_t addr[16]);

#endif
