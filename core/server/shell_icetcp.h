/* shell_icetcp.h: the media port's TCP side: passive ICE-TCP candidates (RFC 6544), datagrams framed as in
 * RFC 4571. For who may not send UDP, browsers above all.
 *
 * Invariant: before the media port has answered a check on it, a connection costs one small block, may hold
 * one check in it, and has ICETCP_FIRST_US for that; what comes from it is a pseudo address to the media port
 * (carrier.h). What the socket does not take is dropped. Thread: the media thread's own. */
#ifndef GAVEL_SERVER_SHELL_ICETCP_H
#define GAVEL_SERVER_SHELL_ICETCP_H

#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/server/carrier.h"

#include <stddef.h>

#define ICETCP_MAX 1024              /* connections */
#define ICETCP_UNKNOWN_MAX 128       /* of them without a check; then the oldest of those goes */
#define ICETCP_ADDRESS_MAX 16        /* of one address without a check */
#define ICETCP_KNOWN_ADDRESS_MAX 256 /* of one address with one */
#define ICETCP_FIRST_US (5 * US_PER_S)
#define ICETCP_IDLE_US (35 * US_PER_S) /* without a word to it: longer than a path lives */

typedef void icetcp_take(void *ctx, const struct sockaddr_carrier *from, uint8_t *p, size_t n);
struct icetcp;
/* icetcp_open: `like` is the UDP socket whose address and port it takes. ERR_PORT_TAKEN, ERR_IO. */
MUST_CHECK enum err icetcp_open(int like, struct icetcp **out);
/* icetcp_fd: readable when icetcp_serve has something to do; it gives each datagram to `take`. */
int icetcp_fd(const struct icetcp *t);
void icetcp_serve(struct icetcp *t, us_t now, icetcp_take *take, void *ctx);
/* icetcp_send: the media port only sends to addresses that passed a check. */
void icetcp_send(struct icetcp *t, us_t now, const struct sockaddr_carrier *to, const uint8_t *p, size_t n);
/* icetcp_due: when a connection has to go, US_NEVER; icetcp_timeout: it goes. */
us_t icetcp_due(const struct icetcp *t);
void icetcp_timeout(struct icetcp *t, us_t now);
void icetcp_close(struct icetcp *t); /* NULL is fine */

#endif
