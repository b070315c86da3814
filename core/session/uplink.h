/* uplink.h: what a participant sends: which tier, and copies of earlier packets (RFC 2198) where the path can
 * carry them.
 *
 * Invariant: copies obey red.h: as long as the primary, no pause between. Pure: times are handed in. Thread:
 * the engine's. */
#ifndef GAVEL_SESSION_UPLINK_H
#define GAVEL_SESSION_UPLINK_H

#include "audio/frame.h"
#include "core/media/ladder.h"
#include "core/media/rtpstat.h"

#include <stddef.h>

#define UPLINK_NO_RED 255
#define UPLINK_PAYLOAD_MAX 1300 /* with all headers still one datagram on every way */
#define UPLINK_KEPT 16          /* more than the oldest copy of any plan */
#define UPLINK_COPY_MAX 400     /* bytes; a voice's packets stay below half of it */
struct uplink_kept {
  uint32_t ts;
  uint16_t seq;
  int samples; /* 0: an empty place, or nothing to copy */
  size_t len;
  uint8_t p[UPLINK_COPY_MAX];
};
struct uplink {
  struct ladder ladder;
  uint8_t opus_pt, red_pt;         /* red_pt UPLINK_NO_RED: the peer takes none */
  uint16_t seq;                    /* of the last packet */
  uint32_t reports, sent, highest; /* as rtpstat had them when the ladder was fed last */
  struct uplink_kept kept[UPLINK_KEPT];
};
/* uplink_init: `kbps` as ladder_init says. */
void uplink_init(struct uplink *u, us_t now, unsigned kbps, uint8_t opus_pt, uint8_t red_pt);
/* uplink_payload: the payload of the packet `seq`, `ts` that says p (one Opus packet of at most
 * AUDIO_PACKET_MAX bytes), with the copies that are due; returns its length and the type, 0 when it does not
 * fit into cap. */
size_t uplink_payload(struct uplink *u, uint16_t seq, uint32_t ts, const uint8_t *p, size_t len, uint8_t *out,
                      size_t cap, uint8_t *pt);
/* uplink_feed: after RTCP came: a report about an interval in which something was sent moves the ladder. True
 * when another tier, plan or expected loss is the result. */
bool uplink_feed(struct uplink *u, us_t now, const struct rtpstat *s);

#endif
