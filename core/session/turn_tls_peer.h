/* turn_tls_peer.h: who is at the other end of a connection over loopback. Linux says it in /proc. Thread:
 * any. */
#ifndef GAVEL_SESSION_TURN_TLS_PEER_H
#define GAVEL_SESSION_TURN_TLS_PEER_H

#include <stdbool.h>

/* turn_tls_peer_is_us: the other end of this TCP connection is a descriptor of this very process. */
bool turn_tls_peer_is_us(int fd);

#endif
