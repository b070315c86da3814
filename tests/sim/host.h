/* host.h: the server in the simulation: the real control plane, media port and store, and a shell without
 * threads and sockets: connections are (participant, epoch) pairs, the mailboxes are events on the clock.
 *
 * Invariant: control calls of one world turn end with one host_end_turn (commit, then messages leave). */
#ifndef GAVEL_SIM_HOST_H
#define GAVEL_SIM_HOST_H

#include "core/base/rng.h"
#include "core/media/dtls.h"
#include "core/room/room.h"
#include "core/server/control.h"
#include "core/server/mediaport.h"
#include "tests/sim/net.h"

#include <jansson.h>

#define HOST_CONNS 64
#define HOST_THREADS 2
#define HOST_ROOM "sim"

struct world;
struct host_conn {
  uint32_t conn, epoch;
  unsigned peer;
  bool writable;
};
struct host {
  struct world *w;
  struct rng rng;
  struct store *store;
  struct cert cert;
  struct dtls_ctx *dtls;
  struct control *control; /* NULL while the server is down */
  struct mediaport *media[HOST_THREADS];
  unsigned threads; /* in every other world the room is on two media threads */
  unsigned edge_from;
  struct link owner, guest;
  bool in_turn;
  uint32_t rekey_s; /* of control_config */
  uint32_t life;    /* counts starts */
  us_t last_command, last_event, last_edge, up_at;
  us_t last_down[8]; /* per participant: signalling stays in order */
  struct host_conn conns[HOST_CONNS];
  size_t n_conns;
  uint64_t checked_seq;
  us_t changed_at; /* the room */
};
void host_init(struct host *h, struct world *w, uint64_t seed, bool lobby);
void host_free(struct host *h);
/* host_take: an event of the network for the server. */
void host_take(struct host *h, struct net_event *e);
void host_timeout(struct host *h);
us_t host_due(const struct host *h);
void host_end_turn(struct host *h);
/* host_crash: the server goes away, with (`polite`) or without warning, in the middle of a turn that was not
 * committed; it is back after `down`. What was acknowledged must be there again. */
void host_crash(struct host *h, bool polite, us_t down);
/* host_room: the server's own room, NULL while it is down or has ended. */
const struct room *host_room(const struct host *h);
/* host_normal: what of a room must be the same everywhere: without seq. `steady`: without who is away. */
json_t *host_normal(json_t *room, bool steady);

#endif
