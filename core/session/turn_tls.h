/* turn_tls.h: the TLS that libnice does not speak to relays: it connects to a port of ours on this machine,
 * and what it says there goes on to the relay inside TLS.
 *
 * Invariant: only a connection of this very process is taken, one only; not a byte goes to the relay before
 * its certificate is good for its name (the system's authorities, or SSL_CERT_FILE). Nothing blocks: names
 * are looked up by GLib's resolver, and a name's addresses are tried one after the other. When either side
 * ends, what is on its way is handed over, then both end. Thread: the one that runs the context. */
#ifndef GAVEL_SESSION_TURN_TLS_H
#define GAVEL_SESSION_TURN_TLS_H

#include "core/base/err.h"

#include <glib.h>
#include <stdint.h>
#include <sys/socket.h>

struct turn_tls;
/* turn_tls_create: listens on loopback of that family (AF_INET, AF_INET6), and begins to look up `host`. NULL
 * when it cannot. */
struct turn_tls *turn_tls_create(GMainContext *context, int family, const char *host, uint16_t port);
/* turn_tls_port: on 127.0.0.1 or ::1. */
uint16_t turn_tls_port(const struct turn_tls *t);
/* turn_tls_error: ERR_OK as long as it works or was ended by one of the two; ERR_CERT, ERR_CONNECT (also when
 * the relay says nothing for too long). */
enum err turn_tls_error(const struct turn_tls *t);
void turn_tls_destroy(struct turn_tls *t);

#endif
