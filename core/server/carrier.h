/* carrier.h: addresses of peers whose datagrams do not come by UDP: inside a signalling connection (tunnel),
 * or framed on a TCP connection to the media port (RFC 4571, RFC 6544). To the media port they are addresses
 * like any other: a check makes one a peer's, a check moves him from or to one.
 *
 * Invariant: the family is one that no socket ever reports, so nothing from the network can name a carrier;
 * handles are never reused in a process. Pure; any thread. */
#ifndef GAVEL_SERVER_CARRIER_H
#define GAVEL_SERVER_CARRIER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define CARRIER_FAMILY 0xCAFE /* above AF_MAX */
#define CARRIER_DATAGRAM_MAX 1500

enum via { VIA_NONE, VIA_UDP, VIA_TCP, VIA_TUNNEL };
struct sockaddr_carrier {
  sa_family_t family;
  uint8_t via;     /* VIA_TCP, VIA_TUNNEL */
  uint32_t handle; /* of the connection */
  uint32_t peer;   /* whose it is, where that is known: a check for another's path counts nothing; else 0 */
  struct sockaddr_in6 from; /* of the connection, for what a check is answered with */
};
struct carried { /* a datagram between a carrier and a media thread */
  struct sockaddr_carrier at;
  int64_t put_us;
  bool out; /* towards the carrier */
  uint16_t len;
  uint8_t data[CARRIER_DATAGRAM_MAX];
};
_Static_assert(sizeof(struct sockaddr_carrier) <= sizeof(struct sockaddr_storage),
               "an address like any other");

/* carrier_of: the carrier that this address is, NULL when it is one of the network. */
static inline const struct sockaddr_carrier *carrier_of(const struct sockaddr *sa) {
  return sa->sa_family == CARRIER_FAMILY ? (const struct sockaddr_carrier *)(const void *)sa : NULL;
}

/* carrier_via: by what such a peer is reached. */
static inline enum via carrier_via(const struct sockaddr *sa) {
  const struct sockaddr_carrier *c = carrier_of(sa);
  return c ? (enum via)c->via : VIA_UDP;
}

/* via_text: as room.quality says it. */
static inline const char *via_text(enum via v) {
  static const char *const TEXT[] = {
      [VIA_NONE] = "", [VIA_UDP] = "udp", [VIA_TCP] = "tcp", [VIA_TUNNEL] = "tunnel"};
  return TEXT[v];
}

#endif
