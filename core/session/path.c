#include "core/session/path.h"

#include "audio/codec.h"
#include "core/media/secure.h"

#include <stdlib.h>
#include <string.h>

#define REKEY_RETRY_US (60 * US_PER_S) /* after a change of keys that did not work */

struct path {
  struct path_io io;
  struct secure *secure;
  uint32_t ssrc, peer_ssrc;
  uint8_t pt, level_id, csrc_level_id;
  uint16_t seq;
  uint32_t ts_off;
  struct rtpstat stat;
  us_t heard_at, next_report;
  us_t rekey_us, rekey_at; /* how often, 0 never; when next */
  unsigned rekeys;
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
  p->next_report = p->rekey_at = US_NEVER;
  p->rekey_us = a->rekey_s * US_PER_S;
  p->secure = secure_create(dtls, false, a->hash, a->fingerprint, a->fingerprint_len, a->ssrc);
  if (!p->secure) {
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

static void report(struct path *p, us_t now) {
  uint8_t buf[512];
  size_t n =
      rtpstat_report(&p->stat, now, p->ssrc, p->peer_ssrc, "gavel", buf, sizeof buf - SRTP_TRAILER_MAX);
  if (n && secure_protect_rtcp(p->secure, buf, &n, sizeof buf) == ERR_OK)
    p->io.send(p->io.ctx, buf, n);
  p->next_report = now + RTPSTAT_INTERVAL_US;
}

static void drain(struct path *p, us_t now) {
  uint8_t buf[1500];
  size_t n;
  while ((n = secure_poll(p->secure, buf, sizeof buf)))
    p->io.send(p->io.ctx, buf, n);
  switch (secure_news(p->secure)) {
  case SECURE_NOTHING:
  case SECURE_REKEY_FAILED: /* tried again when it is time */
    return;
  case SECURE_FAILED:
    tell(p, false, secure_failure(p->secure), PROFILE_NONE);
    return;
  case SECURE_UP:
    p->heard_at = now;
    p->next_report = now + RTPSTAT_INTERVAL_US;
    tell(p, true, ERR_OK, secure_profile(p->secure));
    break;
  case SECURE_REKEYED:
    p->rekeys++;
    report(p, now); /* tells the server that we have the new keys, also when we are silent */
    break;
  }
  p->rekey_at = p->rekey_us ? now + p->rekey_us : US_NEVER;
}

void path_transport_up(struct path *p, us_t now) {
  secure_start(p->secure, now);
  drain(p, now);
}

static void take_rtp(struct path *p, us_t now, uint8_t *bytes, size_t n) {
  struct rtp h;
  if (secure_unprotect(p->secure, now, bytes, &n) != ERR_OK || rtp_parse(bytes, n, false, &h) != ERR_OK ||
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
    secure_handle_dtls(p->secure, now, bytes, n);
    drain(p, now);
  } else if (bytes[0] >= 128 && bytes[0] <= 191) {
    if (!rtp_is_rtcp(bytes, n))
      take_rtp(p, now, bytes, n);
    else if (secure_unprotect_rtcp(p->secure, bytes, &n) == ERR_OK) {
      p->heard_at = now;
      rtpstat_rtcp(&p->stat, now, p->ssrc, bytes, n);
    }
  }
}

void path_send(struct path *p, us_t now, const struct capture_packet *k) {
  if (!path_up(p))
    return;
  uint8_t buf[RTP_PACKET_MAX], level = (uint8_t)(k->level | (k->voice ? 0x80 : 0));
  struct rtp h = {.pt = p->pt, .marker = k->marker, .seq = p->seq, .ts = k->ts + p->ts_off, .ssrc = p->ssrc};
  size_t n = rtp_build(buf, sizeof buf, &h, p->level_id, &level, 1);
  if (n == 0 || n + k->len + SRTP_TRAILER_MAX > sizeof buf)
    return;
  memcpy(buf + n, k->payload, k->len);
  n += k->len;
  if (secure_protect(p->secure, buf, &n, sizeof buf) != ERR_OK)
    return;
  p->seq++;
  int samples = opus_packet_samples(k->payload, k->len);
  rtpstat_sent(&p->stat, now, h.ts + (uint32_t)(samples > 0 ? samples : 0), k->len);
  p->io.send(p->io.ctx, buf, n);
}

void path_handle_timeout(struct path *p, us_t now) {
  if (p->rekey_at <= now) {
    p->rekey_at = now + (p->rekey_us < REKEY_RETRY_US ? p->rekey_us : REKEY_RETRY_US);
    secure_rekey(p->secure, now);
  }
  secure_handle_timeout(p->secure, now);
  drain(p, now);
  if (path_up(p) && p->next_report <= now)
    report(p, now);
}

us_t path_next_timeout(const struct path *p) {
  us_t due = secure_next_timeout(p->secure);
  due = p->rekey_at < due ? p->rekey_at : due;
  return due < p->next_report ? due : p->next_report;
}

bool path_up(const struct path *p) {
  return secure_up(p->secure);
}

us_t path_heard_at(const struct path *p) {
  return p->heard_at;
}

unsigned path_rekeys(const struct path *p) {
  return p->rekeys;
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
  secure_destroy(p->secure);
  free(p);
}
