/* mediaport.h: everything that arrives on and leaves one media UDP port: ICE-lite (RFC 8445 2.5, RFC 7675 as
 * seen by the lite side), DTLS, SRTP, rights, mixer, fan-out. Sans-IO: the shell moves datagrams and tells
 * the time.
 *
 * Invariant: from an address that has not passed an integrity-valid STUN check everything is dropped silently
 * and nothing is allocated. An address moves only by such a check. A packet of a member without the right to
 * speak is dropped before decryption. 30 s without an authenticated packet ends a path. Thread: one media
 * thread owns a mediaport and every room on it. */
#ifndef GAVEL_SERVER_MEDIAPORT_H
#define GAVEL_SERVER_MEDIAPORT_H

#include "core/base/clock.h"
#include "core/base/rng.h"
#include "core/media/dtls.h"
#include "core/server/media_msg.h"
#include "core/server/mediaedge.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEDIAPORT_DATAGRAM_MAX 1500
#define MEDIAPORT_BATCH_MAX 64 /* a larger one gains nothing */
struct media_datagram {
  struct sockaddr_storage to;
  socklen_t to_len;
  size_t len;
  uint8_t data[MEDIAPORT_DATAGRAM_MAX];
};
typedef void mediaport_send(void *ctx, const struct media_datagram *v,
                            size_t n); /* a batch, always in the same place, borrowed for the call */
typedef void mediaport_tell(void *ctx, const struct media_event *ev);

struct mediaport_hello { /* a datagram of a handshake that has not come to its end; borrowed for the call */
  uint32_t peer;
  bool first;                             /* begins it */
  const struct media_peer_params *params; /* NULL when not the first */
  const struct sockaddr *from;
  socklen_t from_len;
  const uint8_t *p;
  size_t n; /* 0: the peer is gone */
};
typedef bool mediaport_shake(void *ctx, const struct mediaport_hello *h); /* false: no place for it */

/* For the media thread `thread`; copied or refused (false), never waited for. */
typedef bool mediaport_edge(void *ctx, unsigned thread, const struct media_edge *e);

struct mediaport;
struct mediaport_config {
  struct dtls_ctx *dtls; /* borrowed */
  struct rng *rng;       /* borrowed */
  mediaport_send *send;  /* called when a batch (64) is full and at the end of every call below */
  mediaport_tell *tell;
  mediaport_shake *shake; /* does handshakes elsewhere, MEDIA_SECURED brings what comes of each; NULL: here */
  mediaport_edge *edge;   /* NULL: rooms have no edges */
  void *ctx;
  unsigned packed_from; /* peers from which on who only listens gets TIER_PACKED at best; 0: never */
};
/* mediaport_create: an empty port; NULL without memory. mediaport_command: an order of the control thread. */
struct mediaport *mediaport_create(const struct mediaport_config *c);
void mediaport_command(struct mediaport *m, us_t now, const struct media_cmd *cmd);
/* mediaport_handle_packet: `p` may be changed in place (decryption). */
void mediaport_handle_packet(struct mediaport *m, us_t now, const struct sockaddr *from, socklen_t from_len,
                             uint8_t *p, size_t n);
/* mediaport_handle_waited: the same, of a packet that lay in the socket for `waited` us. Sound as old as
 * MEDIAPORT_STALE_US is dropped: it would only delay what comes after it. Nothing else ever is. */
#define MEDIAPORT_STALE_US (150 * US_PER_MS)
void mediaport_handle_waited(struct mediaport *m, us_t now, us_t waited, const struct sockaddr *from,
                             socklen_t from_len, uint8_t *p, size_t n);
/* mediaport_handle_edge: what another media thread gave for this one. */
void mediaport_handle_edge(struct mediaport *m, us_t now, const struct media_edge *e);
void mediaport_handle_timeout(struct mediaport *m, us_t now);
us_t mediaport_next_timeout(const struct mediaport *m); /* US_NEVER when nothing is due */
struct mediaport_counters {
  uint64_t packets_in, packets_out, unknown_source, stun_ok, stun_bad, dtls_ok, dtls_bad, srtp_auth,
      srtp_replay, bad_rtp, no_right, wrong_ssrc, rekeys, rekeys_bad, dtls_dropped, stale, overloads,
      edge_dropped, resent;
  uint32_t peers, rooms;
};
void mediaport_counters(const struct mediaport *m, struct mediaport_counters *out);
void mediaport_destroy(struct mediaport *m);

#endif
