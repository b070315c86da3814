/* network.h: has the machine another way into the network than before (Wi-Fi to LTE, a cable, a VPN)? The
 * kernel says when to look; what counts is the addresses we have and the one we reach the server from.
 *
 * Invariant: nothing is sent, and no other address than the server's is asked about. Thread: the engine's. */
#ifndef GAVEL_SESSION_NETWORK_H
#define GAVEL_SESSION_NETWORK_H

#include "core/base/clock.h"

#include <netinet/in.h>
#include <stdbool.h>

struct network {
  int fd; /* readable when addresses or routes change, -1: not to be had */
  us_t due;
  uint64_t print;             /* of how it was */
  struct sockaddr_in6 server; /* or a sockaddr_in; family 0: not known yet */
};
/* network_open: from now on. Without netlink it never changes. */
void network_open(struct network *n);
/* network_towards: where the server is; how it was is from the first time. */
void network_towards(struct network *n, const struct sockaddr_in6 *server);
/* network_changed: after fd became readable or `due` has come: true once it has settled and is another. */
bool network_changed(struct network *n, us_t now);
/* network_close: also twice. */
void network_close(struct network *n);

#endif
