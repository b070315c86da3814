/* rtpstat.h: what both ends of a path count and report about it: RTCP sender and receiver reports (RFC 3550
 * sections 6 and A.3, A.8). Sans-IO, pure but for the times handed in; one thread. Zero-initialise. */
#ifndef GAVEL_MEDIA_RTPSTAT_H
#define GAVEL_MEDIA_RTPSTAT_H

#include "core/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTPSTAT_INTERVAL_US (5 * US_PER_S)

/* How sound arrived at one end in the last interval: the VoIP metrics of RFC 3611 section 4.7 that are known
 * here. Of `here` the owner sets known, concealed_pct, buffer_ms and perhaps bitrate before each report,
 * which finds the rest. A block goes out only when known and something was received in the interval: silence
 * costs nothing. On the wire loss rate + discard rate are concealed_pct; loss before repair stands in the
 * report beside it. */
struct rtpstat_ear {
  bool known;            /* `there`: the peer's last report had such a block about us */
  uint8_t loss_pct;      /* before repair */
  uint8_t concealed_pct; /* after it: what had to be made up ("discard rate" together with unrepaired loss) */
  uint8_t mos;           /* MOS-LQ times 10 (emodel.h), 0: not known */
  uint16_t burst_ms;     /* mean length of a loss; a packet of copies (RFC 2198) hides none */
  uint16_t buffer_ms;    /* jitter buffer, present delay; 0: none */
  int bitrate;           /* bit/s of the Opus that arrives, for the MOS; 0: of received_bytes */
};
#define RTPSTAT_REORDER 16 /* so many packets later, one that is missing is lost */
struct rtpstat {
  bool started;
  uint32_t first_seq, last_seq; /* extended, of what arrives */
  uint32_t received, expected_prior, received_prior, bytes_prior;
  uint32_t transit, jitter; /* jitter in 1/16 samples */
  uint32_t received_bytes;  /* payload, counted by the owner: for the bitrate */
  us_t received_at;
  bool skipped; /* set by the owner: packets came that he did not pass on, which are not lost */
  /* runs of lost packets: which of the last were seen (bit 0: last_seq), the run that is open, and the sums
   * of the interval */
  uint32_t seen, run, runs, run_lost, judged;
  uint32_t last_ts, ptime; /* of last_seq; samples of a packet, as they come */
  uint32_t sr_mid;         /* middle of the NTP time of the peer's last SR, and when it came */
  us_t sr_at;
  /* what we sent: packets, payload bytes, RTP time after the last sample */
  uint32_t sent, sent_bytes, sent_end;
  us_t sent_at;
  uint8_t loss_in_pct, loss_out_pct; /* in the last interval; out: as the peer reports */
  uint16_t rtt_ms;
  uint32_t reports;               /* of the peer on what we send, so far */
  uint32_t highest_out;           /* the highest number of ours that he has got, as he says */
  struct rtpstat_ear here, there; /* what arrives here, set by the owner before a report; as the peer says */
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
/* rtpstat_expected: packets that should have come since the last report. */
uint32_t rtpstat_expected(const struct rtpstat *s);

#endif
