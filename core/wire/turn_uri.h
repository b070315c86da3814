/* turn_uri.h: the address of a relay (RFC 7065): turn:HOST[:PORT][?transport=udp|tcp] and turns:HOST[:PORT],
 * which is TLS over TCP. What the server's configuration lists and `media.ice` hands out.
 *
 * Invariant: one that was read has a valid host and a port above 0. Pure; any thread. */
#ifndef GAVEL_WIRE_TURN_URI_H
#define GAVEL_WIRE_TURN_URI_H

#include "core/base/err.h"
#include "core/wire/link.h"

#include <stddef.h>
#include <stdint.h>

#define TURN_URI_MAX (LINK_HOST_MAX + 32)
#define TURN_URIS_MAX 8
enum turn_kind { TURN_UDP, TURN_TCP, TURN_TLS };
struct turn_uri {
  enum turn_kind kind;
  char host[LINK_HOST_MAX + 1]; /* DNS name, IPv4, or IPv6 without brackets */
  uint16_t port;                /* 3478, or 5349 with TLS, when the URI names none */
};
/* turn_uri_parse: the n bytes at `s`: ERR_BAD_ARG with *why (a static sentence). */
MUST_CHECK enum err turn_uri_parse(const char *s, size_t n, struct turn_uri *out, const char **why);
/* turn_uri_format: into out[TURN_URI_MAX], with port and transport. */
void turn_uri_format(const struct turn_uri *u, char out[TURN_URI_MAX]);

#endif
