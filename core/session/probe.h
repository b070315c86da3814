/* probe.h: what the way to a server carries, tried before a call: signalling, checks to the media ports, each
 * relay. For `gavel doctor`. The server gives a path without sound for it (method media.probe).
 *
 * Invariant: nothing is sent to a server whose certificate is not good; nobody in the room notices. Blocks,
 * PROBE_S at most. Thread: any one, not an engine's. */
#ifndef GAVEL_SESSION_PROBE_H
#define GAVEL_SESSION_PROBE_H

#include "core/wire/link.h"
#include "core/wire/turn_uri.h"

#include <stddef.h>

#define PROBE_S 30
#define PROBE_CHECKS 100 /* sent to each media port, 20 ms apart, as sound would be */
#define PROBE_PORTS_MAX 8
#define PROBE_ADDRESSES_MAX 8

struct probe_port {
  char address[64];
  uint16_t port;
  unsigned sent, answered, rtt_ms,
      jitter_ms; /* rtt: median; jitter: mean of the changes from one to the next */
};
struct probe_relay {
  struct turn_uri uri;
  bool works; /* it gave us an address: it is there and takes the credential */
  unsigned ms;
};
struct probe {
  char address[PROBE_ADDRESSES_MAX][64]; /* of the host's name */
  size_t n_addresses;
  unsigned lookup_ms, connect_ms; /* connect: TCP, TLS and the upgrade */
  enum err connected, admitted;   /* admitted: whether the invite or token would do */
  char why[160];                  /* of the first that failed, "" none */
  char *tls;                      /* lines, malloc'd, NULL when there was no connection */
  struct probe_port port[PROBE_PORTS_MAX];
  size_t n_ports;
  struct probe_relay relay[TURN_URIS_MAX];
  size_t n_relays;
};
/* probe_run: tries everything; `token` NULL: the link's invite. Free with probe_free. */
void probe_run(const struct link *l, const char *token, struct probe *out);
void probe_free(struct probe *p);

/* probe_loss: percent of the checks to a port that were not answered, 100 without any. */
unsigned probe_loss(const struct probe_port *p);
/* probe_expect: what a call would be like. */
struct probe_expectation {
  const char *via;  /* static: "udp", "turn", "tunnel" */
  const char *tier; /* static; NULL: not known, as nothing was measured on that way */
  bool copies;      /* of each packet, against loss */
  unsigned kbps;    /* each way while somebody speaks, with headers */
  uint8_t mos_tenths;
};
void probe_expect(const struct probe *p, struct probe_expectation *out);

#endif
