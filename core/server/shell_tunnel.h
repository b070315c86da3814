/* shell_tunnel.h: sound inside signalling connections: binary messages, one datagram each, after the method
 * `media.tunnel`. To the media threads and back through their mailboxes.
 *
 * Invariant: text goes first; sound that cannot leave within TUNNEL_LATE_US is dropped, so a slow connection
 * holds at most TUNNEL_QUEUE datagrams; nothing here waits. Thread: the control thread. */
#ifndef GAVEL_SERVER_SHELL_TUNNEL_H
#define GAVEL_SERVER_SHELL_TUNNEL_H

#include "core/server/server_private.h"

#define TUNNEL_QUEUE 16
#define TUNNEL_LATE_US (200 * US_PER_MS)

/* shell_tunnel_receive: a piece of a binary message; -1: the connection is to be closed. */
int shell_tunnel_receive(struct server *s, struct lws *wsi, uint32_t conn, const void *in, size_t len);
/* shell_tunnel_write: what waits and is worth it, as far as the socket takes it; -1: it failed. */
int shell_tunnel_write(struct server *s, struct lws *wsi, uint32_t conn);
/* shell_tunnel_take: what the media threads have for connections. */
void shell_tunnel_take(struct server *s);
void shell_tunnel_closed(struct server *s, uint32_t conn);

#endif
