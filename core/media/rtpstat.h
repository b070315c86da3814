/* rtpstat.h: what both ends of a path count and report about it: RTCP sender and receiver reports (RFC 3550
 * sections 6 and A.3, A.8). Sans-IO, pure but for the times handed in; one thread. Zero-initialise. */
#ifndef GAVEL_MEDIA_RTPSTAT_H
#define GAVEL_MEDIA_RTPSTAT_H

#include "core/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTPSTAT_INTERVAL_US (5 * US_PER_S)

struct rtpstat {
  bool started;
  uint32_t first_seq, last_seq; /* extended, of what arrives */
  uint32_t received, expected_prior, received_prior;
  uint32_t transit, jitter; /* jitter in 1/16 samples */
  us_t received_at;
  uint32_t sr_mid; /* middle of the NTP time of the peer's last SR, and when it came */
  us_t sr_at;
  /* what we sent: packets, payload bytes, RTP time after the last sample */
  uint32_t sent, sent_bytes, sent_end;
  us_t sent_at;
  uint8_t loss_in_pct, loss_out_pct; /* in the last interval; out: as the peer reports */
  uint16_t rtt_ms;
};
/* rtpstat_received: one authenticated packet. rtpstat_sent: one packet of ours that ends at RTP time
 * `end`. */
void rtpstat_received(struct rtpstat *s, us_t now, uint16_t seq, uint32_t ts);
void rtpstat_sent(struct rtpstat *s, us_t now, uint32_t end, size_t bytes);
/* rtpstat_rtcp: a decrypted compound packet of the peer; only what concerns `ssrc` (ours) is used. */
void rtpstat_rtcp(struct rtpstat *s, us_t now, uint32_t ssrc, const uint8_t *p, size_t n);
/* rtpstat_report: our SR or RR for the interval that ends now; peer_ssrc 0: nothing to report on. Returns the
 * length, 0 when cap is too small. */
size_t rtpstat_report(struct rtpstat *s, us_t now, uint32_t ssrc, uint32_t peer_ssrc, const char *cname,
                      uint8_t *out, size_t cap);
uint16_t rtpstat_jitter_ms(const struct rtpstat *s);

#endif
