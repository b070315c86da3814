/* path.h: the client's media path over a transport that ICE found: DTLS (active), SRTP, RTP out, RTP in,
 * reports. Sans-IO.
 *
 * Invariant: nothing is sent in the clear; what comes in is handed on only when it authenticated. Thread: the
 * engine's. */
#ifndef GAVEL_SESSION_PATH_H
#define GAVEL_SESSION_PATH_H

#include "audio/capture.h"
#include "core/base/clock.h"
#include "core/base/rng.h"
#include "core/media/dtls.h"
#include "core/media/ladder.h"
#include "core/media/rtpstat.h"
#include "core/wire/rtp.h"
#include "core/wire/sdp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct path;
struct path_io {
  void (*send)(void *ctx, const uint8_t *p, size_t n); /* one datagram */
  void (*audio)(void *ctx, const struct rtp *h);       /* one RTP packet of Opus, borrowed */
  /* copy: before the packet that carries it (RFC 2198): h is that packet but for the payload, which is the
   * one of `offset` samples earlier; NULL: not wanted. */
  void (*copy)(void *ctx, const struct rtp *h, uint32_t offset);
  /* expect: lost sound was asked for again: it may come so much later (jitter_expect_resend); NULL: not
   * wanted. */
  void (*expect)(void *ctx, unsigned wait_ms);
  void (*state)(void *ctx, bool up, enum err why,
                enum srtp_profile_id profile); /* once up, and once if it fails */
  void (*uplink)(void *ctx);                   /* path_uplink has changed by a report; may be NULL */
  void *ctx;
};
/* path_create: from the server's answer. `ssrc` is what our offer announced; `kbps` as path_limit says. */
struct path *path_create(struct dtls_ctx *dtls, struct rng *rng, uint32_t ssrc, const struct sdp *answer,
                         us_t now, unsigned kbps, const struct path_io *io);
/* path_transport_up: ICE has a usable pair: begin the handshake. */
void path_transport_up(struct path *p, us_t now);
/* path_handle_packet: DTLS, SRTP or SRTCP; changed in place. */
void path_handle_packet(struct path *p, us_t now, uint8_t *bytes, size_t n);
/* path_send: one packet of the capture side; dropped while the path is not up. */
void path_send(struct path *p, us_t now, const struct capture_packet *k);
/* path_limit: the most the person allows upwards, in kb/s; 0: what the line carries. At once. */
void path_limit(struct path *p, us_t now, unsigned kbps);
/* path_uplink: how sound is to be encoded for it. */
const struct ladder *path_uplink(const struct path *p);
/* path_set_ear: what the owner knows of how sound arrives here (rtpstat.h), for the next report. */
void path_set_ear(struct path *p, const struct rtpstat_ear *here);
struct path_traffic { /* bytes so far, with IPv4 and UDP headers */
  uint64_t in, out;
};
struct path_traffic path_traffic(const struct path *p);
void path_handle_timeout(struct path *p, us_t now);
us_t path_next_timeout(const struct path *p);
bool path_up(const struct path *p);
/* path_heard_at: when something authentic last arrived (0: never). */
us_t path_heard_at(const struct path *p);
/* path_rekeys: how often its keys were changed, as often as the server's answer asks. */
unsigned path_rekeys(const struct path *p);
const struct rtpstat *path_stat(const struct path *p);
/* path_csrc_level_id: of the answer, for reading who is heard. */
unsigned path_csrc_level_id(const struct path *p);
void path_destroy(struct path *p);

#endif
