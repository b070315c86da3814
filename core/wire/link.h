/* link.h: invite links: https://HOST[:PORT]/j/[APP/]ROOM#i=SECRET[&p=PIN]. The fragment never travels in a
 * request.
 *
 * SECRET is 32 bytes, PIN the SHA-256 of the server's certificate (DER), both base64url. gavel:// is accepted
 * for https://. Invariant: a parsed link has a valid host, port 1..65535 and room slug. Pure; any thread. */
#ifndef GAVEL_WIRE_LINK_H
#define GAVEL_WIRE_LINK_H

#include "core/base/err.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define LINK_MAX 512
#define LINK_HOST_MAX 253
#define LINK_APP_MAX 32
struct link {
  char host[LINK_HOST_MAX + 1]; /* DNS name, IPv4, or IPv6 without brackets */
  uint16_t port;                /* 443 when the link names none */
  char app[LINK_APP_MAX + 1];   /* the application whose room it is, "" the server's own */
  char room[TEXT_SLUG_MAX + 1];
  bool has_secret, has_pin;
  uint8_t secret[32], pin[32];
};
/* link_parse: ERR_BAD_LINK with *why (static sentence naming the fault). */
MUST_CHECK enum err link_parse(const char *s, struct link *out, const char **why);
/* link_format: into out[LINK_MAX]; IPv6 hosts get brackets, port 443 is left out. */
void link_format(const struct link *l, char out[LINK_MAX]);

#endif
