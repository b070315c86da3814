/* rtp.h: RTP headers (RFC 3550), header extensions (RFC 8285), audio levels (RFC 6464, 6465); RTCP.
 *
 * Invariant: every offset handed out lies inside the packet. Pure; any thread. */
#ifndef GAVEL_WIRE_RTP_H
#define GAVEL_WIRE_RTP_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_PACKET_MAX 1500
#define RTP_CSRC_MAX 15
struct rtp {
  uint8_t pt;
  bool marker;
  uint16_t seq;
  uint32_t ts, ssrc;
  unsigned n_csrc;
  uint32_t csrc[RTP_CSRC_MAX];
  const uint8_t *ext; /* extension body, NULL when none */
  size_t ext_len;
  uint16_t ext_profile; /* 0xBEDE one-byte, 0x100x two-byte */
  const uint8_t *payload;
  size_t payload_len; /* without padding */
};
/* rtp_parse: ERR_BAD_RTP. Borrowed pointers. Works on the clear header of an SRTP packet too (payload then
 * sealed; pass sealed = true so that the padding count, which is encrypted, is not looked at). */
MUST_CHECK enum err rtp_parse(const uint8_t *p, size_t n, bool sealed, struct rtp *out);
/* rtp_is_rtcp: RFC 5761 demultiplexing of a packet whose first byte is 128..191. */
bool rtp_is_rtcp(const uint8_t *p, size_t n);
/* rtp_find_ext: body of extension element `id`, NULL when absent or malformed. */
const uint8_t *rtp_find_ext(const struct rtp *r, unsigned id, size_t *len);
/* rtp_level: RFC 6464 element: level 0..127 (-dBov) and the V bit. False when absent. */
bool rtp_level(const struct rtp *r, unsigned id, uint8_t *level, bool *voice);
/* rtp_build: header with n_csrc CSRCs and, if level_id != 0, one one-byte element of n_levels level bytes (1
 * byte with V bit for RFC 6464, n_csrc bytes for RFC 6465; none when n_levels is 0). Returns the header
 * length, 0 when cap is too small. */
size_t rtp_build(uint8_t *out, size_t cap, const struct rtp *r, unsigned level_id, const uint8_t *levels,
                 size_t n_levels);

/* rtp_seq_extend: the 32-bit extended sequence number nearest to `last` (which is extended), modulo 2^32. */
uint32_t rtp_seq_extend(uint32_t last, uint16_t seq);

/* ---- RTCP ---- */
struct rtcp_report { /* one report block of an SR or RR about `ssrc` */
  uint32_t ssrc, from;
  uint8_t fraction_lost; /* of 256 */
  int32_t lost;
  uint32_t highest_seq, jitter, lsr, dlsr;
};
/* rtcp_next: walk a compound packet: at *pos; 0 at the end or when malformed. Returns the packet type, body
 * borrowed. */
unsigned rtcp_next(const uint8_t *p, size_t n, size_t *pos, const uint8_t **body, size_t *len,
                   unsigned *count);
/* rtcp_reports: the report blocks of an SR or RR body into v[max]; returns how many. */
size_t rtcp_reports(unsigned type, unsigned count, const uint8_t *body, size_t len, struct rtcp_report *v,
                    size_t max);
/* rtcp_sender_ntp: NTP time (32.32) of an SR body; its middle 32 bits are the lsr of the answer. False for
 * other types. */
bool rtcp_sender_ntp(unsigned type, const uint8_t *body, size_t len, uint32_t *from, uint64_t *ntp);
/* rtcp_build_rr: a receiver report with at most 31 blocks plus SDES CNAME. Returns the length or 0. */
size_t rtcp_build_rr(uint8_t *out, size_t cap, uint32_t from, const struct rtcp_report *v, size_t n,
                     const char *cname);
/* rtcp_build_sr: the same with sender info (NTP time 32.32, RTP time, counts). */
size_t rtcp_build_sr(uint8_t *out, size_t cap, uint32_t from, uint64_t ntp, uint32_t rtp_ts, uint32_t packets,
                     uint32_t bytes, const struct rtcp_report *v, size_t n, const char *cname);

#endif
