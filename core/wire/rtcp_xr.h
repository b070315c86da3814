/* rtcp_xr.h: RTCP extended reports (RFC 3611): the VoIP metrics block of section 4.7, nothing else.
 *
 * Invariant: only a block of the exact length the RFC gives it is read. Pure; any thread. */
#ifndef GAVEL_WIRE_RTCP_XR_H
#define GAVEL_WIRE_RTCP_XR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTCP_XR 207
#define RTCP_XR_VOIP_LEN 44 /* of the whole packet we build */
#define RTCP_XR_UNKNOWN 127 /* of an R factor or MOS */
struct rtcp_voip {       /* the fields of section 4.7 that are filled or used; the others are "unavailable" */
  uint32_t ssrc, from;   /* of whose stream; who reports */
  uint8_t loss, discard; /* of 256: never received, after repair; received and not played */
  uint16_t burst_ms, gap_ms;   /* mean lengths; gmin 1: a burst is one run of losses */
  uint8_t burst_density, gmin; /* of 256 */
  uint16_t rtt_ms;             /* 0: not known */
  uint8_t mos_lq;              /* times 10, 10..50; RTCP_XR_UNKNOWN */
  uint16_t buffer_ms;          /* jitter buffer, present delay; 0: none */
};
/* rtcp_xr_voip: the VoIP metrics about `ssrc` in the body of an XR packet (of rtcp_next). False when there
 * are none, or a block before them does not end where it says. */
bool rtcp_xr_voip(const uint8_t *body, size_t len, uint32_t ssrc, struct rtcp_voip *out);
/* rtcp_xr_build: an XR packet of that one block. Returns RTCP_XR_VOIP_LEN, 0 when cap is too small. */
size_t rtcp_xr_build(uint8_t *out, size_t cap, const struct rtcp_voip *v);

#endif
