#include "tests/bench/load/rtc.h"

#include "core/media/srtp.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS_MAX 16
#define REPORT_US (5 * US_PER_S)
#define PT 111
#define LEVEL_ID 1

/* A session is locked to one SSRC: one for each that comes. */
struct stream_in {
  uint32_t ssrc;
  struct srtp_session *srtp;
  uint32_t highest, packets;
};
struct rtc {
  struct rtc_io io;
  struct dtls *dtls;
  struct dtls_keys keys;
  struct srtp_session *out;
  struct stream_in in[STREAMS_MAX];
  size_t n_in;
  uint32_t ssrc;
  uint16_t seq;
  us_t report_at, shrink_at;
  bool up, failed;
};

struct rtc *rtc_create(struct dtls_ctx *dtls, uint32_t ssrc, const struct sdp *theirs,
                       const struct rtc_io *io) {
  struct rtc *r = calloc(1, sizeof *r);
  if (!r)
    abort();
  srtp_setup();
  *r = (struct rtc){.io = *io, .ssrc = ssrc, .report_at = US_NEVER, .shrink_at = US_NEVER};
  r->dtls = dtls_create(dtls, false, theirs->hash, theirs->fingerprint, theirs->fingerprint_len);
  if (r->dtls)
    return r;
  free(r);
  return NULL;
}

static void drain(struct rtc *r, us_t now) {
  uint8_t b[DTLS_DATAGRAM_MAX];
  size_t n;
  while ((n = dtls_poll_packet(r->dtls, b, sizeof b)))
    r->io.send(r->io.ctx, b, n);
  enum dtls_state s = dtls_state(r->dtls);
  if (s == DTLS_DONE && !r->up && dtls_take_keys(r->dtls, &r->keys)) {
    r->up = true;
    r->out = srtp_session_create(&r->keys, 0);
    r->report_at = now + REPORT_US;
    r->shrink_at = now + 3 * US_PER_S;
    r->io.state(r->io.ctx, r->out != NULL);
  } else if ((s == DTLS_FAILED || s == DTLS_CLOSED) && !r->failed) {
    r->failed = true;
    r->io.state(r->io.ctx, false);
  }
}

void rtc_start(struct rtc *r, us_t now) {
  dtls_start(r->dtls, now);
  drain(r, now);
}

static struct stream_in *stream_of(struct rtc *r, uint32_t ssrc) {
  for (size_t i = 0; i < r->n_in; i++)
    if (r->in[i].ssrc == ssrc)
      return &r->in[i];
  if (r->n_in == STREAMS_MAX)
    return NULL;
  struct stream_in *s = &r->in[r->n_in];
  *s = (struct stream_in){.ssrc = ssrc, .srtp = srtp_session_create(&r->keys, ssrc)};
  r->n_in += s->srtp != NULL;
  return s->srtp ? s : NULL;
}

static void take_rtp(struct rtc *r, uint8_t *b, size_t n) {
  struct rtp h;
  if (!r->up || rtp_parse(b, n, true, &h) != ERR_OK)
    return;
  struct stream_in *s = stream_of(r, h.ssrc);
  if (!s || srtp_session_unprotect(s->srtp, b, &n) != ERR_OK || rtp_parse(b, n, false, &h) != ERR_OK ||
      h.pt != PT || h.payload_len == 0)
    return;
  s->highest = s->packets++ ? rtp_seq_extend(s->highest, h.seq) : h.seq;
  r->io.audio(r->io.ctx, &h);
}

void rtc_handle_packet(struct rtc *r, us_t now, uint8_t *b, size_t n) {
  if (n && b[0] >= 20 && b[0] <= 63) {
    dtls_handle_packet(r->dtls, now, b, n);
    drain(r, now);
  } else if (n && b[0] >= 128 && b[0] <= 191 && !rtp_is_rtcp(b, n))
    take_rtp(r, b, n); /* reports say nothing that is needed here */
}

void rtc_send(struct rtc *r, const struct capture_packet *k) {
  uint8_t b[RTP_PACKET_MAX], level = (uint8_t)(k->level | (k->voice ? 0x80 : 0));
  struct rtp h = {.pt = PT, .marker = k->marker, .seq = r->seq++, .ts = k->ts, .ssrc = r->ssrc};
  size_t n = rtp_build(b, sizeof b, &h, LEVEL_ID, &level, 1);
  if (!r->out || n == 0 || n + k->len + SRTP_TRAILER_MAX > sizeof b)
    return;
  memcpy(b + n, k->payload, k->len);
  n += k->len;
  if (srtp_session_protect(r->out, b, &n, sizeof b) == ERR_OK)
    r->io.send(r->io.ctx, b, n);
}

static void report(struct rtc *r) {
  uint8_t b[1024];
  struct rtcp_report v[STREAMS_MAX];
  for (size_t i = 0; i < r->n_in; i++)
    v[i] = (struct rtcp_report){.ssrc = r->in[i].ssrc, .from = r->ssrc, .highest_seq = r->in[i].highest};
  size_t n = rtcp_build_rr(b, sizeof b - SRTP_TRAILER_MAX, r->ssrc, v, r->n_in, "gavel-load");
  if (n && r->out && srtp_session_protect_rtcp(r->out, b, &n, sizeof b) == ERR_OK)
    r->io.send(r->io.ctx, b, n);
}

void rtc_handle_timeout(struct rtc *r, us_t now) {
  dtls_handle_timeout(r->dtls, now);
  drain(r, now);
  if (r->shrink_at <= now) {
    dtls_shrink(r->dtls);
    r->shrink_at = US_NEVER;
  }
  if (r->report_at <= now) {
    report(r);
    r->report_at = now + REPORT_US;
  }
}

us_t rtc_next_timeout(const struct rtc *r) {
  us_t due = dtls_next_timeout(r->dtls);
  due = r->shrink_at < due ? r->shrink_at : due;
  return r->report_at < due ? r->report_at : due;
}

void rtc_destroy(struct rtc *r) {
  if (!r)
    return;
  for (size_t i = 0; i < r->n_in; i++)
    srtp_session_destroy(r->in[i].srtp);
  if (r->out)
    srtp_session_destroy(r->out);
  dtls_destroy(r->dtls);
  OPENSSL_cleanse(&r->keys, sizeof r->keys);
  free(r);
}
