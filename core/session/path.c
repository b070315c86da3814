#include "core/session/path.h"

#include "audio/codec.h"
#include "core/media/srtp.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define SHRINK_US (3 * US_PER_S)

struct path {
  struct path_io io;
  struct dtls *dtls;
  struct srtp_session *srtp;
  uint32_t ssrc, peer_ssrc;
  uint8_t pt, level_id, csrc_level_id;
  uint16_t seq;
  uint32_t ts_off;
  struct rtpstat stat;
  us_t heard_at, up_at, next_report;
  bool told;
};

struct path *path_create(struct dtls_ctx *dtls, struct rng *rng, uint32_t ssrc, const struct sdp *a,
                         const struct path_io *io) {
  struct path *p = calloc(1, sizeof *p);
  if (!p)
    return NULL;
  srtp_setup();
  p->io = *io;
  p->ssrc = ssrc;
  p->pt = a->opus_pt;
  p->level_id = a->level_id;
  p->csrc_level_id = a->csrc_level_id;
  p->peer_ssrc = a->ssrc;
  p->seq = (uint16_t)rng_below(rng, 1 << 15);
  p->ts_off = (uint32_t)rng_u64(rng);
  p->next_report = US_NEVER;
  p->dtls = dtls_create(dtls, false, a->hash, a->fingerprint, a->fingerprint_len);
  if (!p->dtls) {
    free(p);
    return NULL;
  }
  return p;
}

static void tell(struct path *p, bool up, enum err why, enum srtp_profile_id profile) {
  if (p->told && up)
    return;
  p->told = true;
  p->io.state(p->io.ctx, up, why, profile);
}

static void drain(struct path *p, us_t now) {
  uint8_t buf[1500];
  size_t n;
  while ((n = dtls_poll_packet(p->dtls, buf, sizeof buf)))
    p->io.send(p->io.ctx, buf, n);
  struct dtls_keys keys;
  if (dtls_state(p->dtls) == DTLS_FAILED)
    tell(p, false, dtls_failure(p->dtls), PROFILE_NONE);
  else if (!p->srtp && dtls_take_keys(p->dtls, &keys)) {
    p->srtp = srtp_session_create(&keys, p->peer_ssrc);
    enum srtp_profile_id profile = keys.profile;
    OPENSSL_cleanse(&keys, sizeof keys);
    p->up_at = p->heard_at = now;
    p->next_report = now + RTPSTAT_INTERVAL_US;
    tell(p, p->srtp != NULL, p->srtp ? ERR_OK : ERR_NO_SRTP, profile);
  }
}

void path_transport_up(struct path *p, us_t now) {
  dtls_start(p->dtls, now);
  drain(p, now);
}

static void take_rtp(struct path *p, us_t now, uint8_t *bytes, size_t n) {
  struct rtp h;
  if (srtp_session_unprotect(p->srtp, bytes, &n) != ERR_OK || rtp_parse(bytes, n, false, &h) != ERR_OK ||
      h.pt != p->pt || h.payload_len == 0)
    return;
  p->heard_at = now;
  p->peer_ssrc = h.ssrc;
  rtpstat_received(&p->stat, now, h.seq, h.ts);
  p->io.audio(p->io.ctx, &h);
}

void path_handle_packet(struct path *p, us_t now, uint8_t *bytes, size_t n) {
  if (n == 0)
    return;
  if (bytes[0] >= 20 && bytes[0] <= 63) {
    dtls_handle_packet(p->dtls, now, bytes, n);
    drain(p, now);
  } else if (bytes[0] >= 128 && bytes[0] <= 191 && p->srtp) {
    if (!rtp_is_rtcp(bytes, n))
      take_rtp(p, now, bytes, n);
    else if (srtp_session_unprotect_rtcp(p->srtp, bytes, &n) == ERR_OK) {
      p->heard_at = now;
      rtpstat_rtcp(&p->stat, now, p->ssrc, bytes, n);
    }
  }
}

void path_send(struct path *p, us_t now, const struct capture_packet *k) {
  if (!p->srtp)
    return;
  uint8_t buf[RTP_PACKET_MAX], level = (uint8_t)(k->level | (k->voice ? 0x80 : 0));
  struct rtp h = {.pt = p->pt, .marker = k->marker, .seq = p->seq, .ts = k->ts + p->ts_off, .ssrc = p->ssrc};
  size_t n = rtp_build(buf, sizeof buf, &h, p->level_id, &level, 1);
  if (n == 0 || n + k->len + SRTP_TRAILER_MAX > sizeof buf)
    return;
  memcpy(buf + n, k->payload, k->len);
  n += k->len;
  if (srtp_session_protect(p->srtp, buf, &n, sizeof buf) != ERR_OK)
    return;
  p->seq++;
  int samples = opus_packet_samples(k->payload, k->len);
  rtpstat_sent(&p->stat, now, h.ts + (uint32_t)(samples > 0 ? samples : 0), k->len);
  p->io.send(p->io.ctx, buf, n);
}

static void report(struct path *p, us_t now) {
  uint8_t buf[512];
  size_t n =
      rtpstat_report(&p->stat, now, p->ssrc, p->peer_ssrc, "gavel", buf, sizeof buf - SRTP_TRAILER_MAX);
  if (n && srtp_session_protect_rtcp(p->srtp, buf, &n, sizeof buf) == ERR_OK)
    p->io.send(p->io.ctx, buf, n);
  p->next_report = now + RTPSTAT_INTERVAL_US;
}

void path_handle_timeout(struct path *p, us_t now) {
  if (dtls_next_timeout(p->dtls) <= now) {
    dtls_handle_timeout(p->dtls, now);
    drain(p, now);
  }
  if (p->srtp && now - p->up_at >= SHRINK_US)
    dtls_shrink(p->dtls);
  if (p->srtp && p->next_report <= now)
    report(p, now);
}

us_t path_next_timeout(const struct path *p) {
  us_t d = dtls_next_timeout(p->dtls);
  return d < p->next_report ? d : p->next_report;
}

bool path_up(const struct path *p) {
  return p->srtp != NULL;
}

us_t path_heard_at(const struct path *p) {
  return p->heard_at;
}

const struct rtpstat *path_stat(const struct path *p) {
  return &p->stat;
}

unsigned path_csrc_level_id(const struct path *p) {
  return p->csrc_level_id;
}

void path_destroy(struct path *p) {
  if (!p)
    return;
  dtls_destroy(p->dtls);
  srtp_session_destroy(p->srtp);
  free(p);
}
