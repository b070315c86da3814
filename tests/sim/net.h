/* net.h: the bad network between the participants and the server: datagrams (delay, jitter, loss, reordering,
 * duplication), signalling (ordered and reliable until it is cut), and the server's mailboxes.
 *
 * Invariant: all chance comes from the world's seed; what is sent at t arrives after t; signalling of one
 * connection and direction arrives in order. Times are virtual. */
#ifndef GAVEL_SIM_NET_H
#define GAVEL_SIM_NET_H

#include "core/base/clock.h"
#include "core/base/rng.h"
#include "core/base/timers.h"
#include "core/server/media_msg.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net_link { /* of one participant, both directions */
  us_t base, jitter, reorder;
  unsigned loss_pct, duplicate_pct, reorder_pct;
  bool bursty; /* losses come in runs */
  us_t burst_until, asked_at;
  us_t dark_until; /* everything is lost until then */
};
/* net_link_make: 5-60 ms, loss 0-20 %. net_link_most: the longest a datagram takes. */
void net_link_make(struct net_link *l, struct rng *rng);
us_t net_link_most(const struct net_link *l);

enum net_kind {
  NET_UP,       /* datagram to the server */
  NET_DOWN,     /* datagram to a participant */
  NET_SIG_OPEN, /* signalling: a connection reaches the server; then the participant learns it stands */
  NET_SIG_OPENED,
  NET_SIG_UP,
  NET_SIG_DOWN,
  NET_SIG_LOST_UP, /* the server, or the participant, learns that it is gone */
  NET_SIG_LOST_DOWN,
  NET_COMMAND, /* the mailboxes between control and media */
  NET_EVENT,
  NET_EDGE /* between media threads; `peer`: which, as in NET_COMMAND */
};
struct net_event {
  struct timer timer;
  enum net_kind kind;
  unsigned peer;
  uint32_t epoch;           /* which connection of this participant */
  bool late;                /* it has arrived before, and he did not listen */
  struct sockaddr_in local; /* the participant's address */
  struct media_cmd cmd;
  struct media_event ev;
  size_t n;
  uint8_t *data;
};

struct net {
  struct rng *rng;
  struct timers timers;
};
void net_init(struct net *n, struct rng *rng);
/* net_datagram: through the link: may be lost, late, or come twice. */
void net_datagram(struct net *n, us_t now, struct net_link *l, enum net_kind kind, unsigned peer,
                  const struct sockaddr_in *local, const void *p, size_t len);
/* net_post: exactly at `due`, with a copy of `len` bytes (and a NUL after them). The event may be filled in
 * further until the next call here. */
struct net_event *net_post(struct net *n, us_t due, enum net_kind kind, unsigned peer, uint32_t epoch,
                           const void *p, size_t len);
us_t net_due(const struct net *n);
/* net_take: the next event due at `now` (net_event_free it), NULL when none. */
struct net_event *net_take(struct net *n, us_t now);
void net_event_free(struct net_event *e);
void net_free(struct net *n);

#endif
