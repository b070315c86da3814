/* network.h: has the machine another way into the network than before (Wi-Fi to LTE, a cable, a VPN)? The
 * kernel says when to look; what counts is the addresses we have and the ones we would send from.
 *
 * Invariant: nothing is sent. Thread: the engine's. */
#ifndef GAVEL_SESSION_NETWORK_H
#define GAVEL_SESSION_NETWORK_H

#include "core/base/clock.h"

#include <stdbool.h>

struct network {
  int fd; /* readable when addresses or routes change, -1: not to be had */
  us_t due;
  uint64_t print; /* of how it was */
};
/* network_open: from now on. Without netlink it never changes. */
void network_open(struct network *n);
/* network_changed: after fd became readable or `due` has come: true once it has settled and is another. */
bool network_changed(struct network *n, us_t now);
/* network_close: also twice. */
void network_close(struct network *n);

#endif
