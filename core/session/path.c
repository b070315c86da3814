#include "core/session/path.h"

#include "audio/codec.h"
#include "core/media/nack.h"
#include "core/media/resend.h"
#include "core/media/secure.h"
#include "core/session/uplink.h"
#include "core/wire/red.h"
#include "core/wire/rtcp_nack.h"

#include <stdlib.h>
#include <string.h>

#define HEADERS 28 /* IPv4 and UDP */
#define UNEASY_US (1500 * US_PER_MS)
#define THIN_UNEASY_US (3 * US_PER_S)
#define THIN_US (8 * US_PER_S) /* three of them in the time after which the server gives a path up */
#define UNEASY_LOSS_PCT 2
#define ASKED_US (30 * US_PER_S)       /* so long after a request more are expected */
#define NACK_KBPS 5                    /* for requests; at most a quarter of what the person allows */
#define REKEY_RETRY_US (60 * US_PER_S) /* after a change of keys that did not work */

struct path {
  struct path_io io;
  struct secure *secure;
  uint32_t ssrc, peer_ssrc;
  uint8_t level_id, csrc_level_id;
  uint16_t seq;
  uint32_t ts_off;
  struct uplink uplink;
  struct rtpstat stat;
  bool may_nack;
  struct nack nack;
  struct resend *resend; /* from the first packet on, where it may be asked for */
  us_t asked_at;         /* for one of them; 0: never */
  struct path_traffic traffic;
  us_t heard_at, next_report;
  us_t rekey_us, rekey_at; /* how often, 0 never; when next */
  unsigned rekeys;
  uint32_t told_sent, told_received; /* packets, as of the last report */
  bool told;
};

struct path *path_create(struct dtls_ctx *dtls, struct rng *rng, uint32_t ssrc, const struct sdp *a, us_t now,
                         unsigned kbps, const struct path_io *io) {
  struct path *p = calloc(1, sizeof *p);
  if (!p)
    return NULL;
  srtp_setup();
  p->io = *io;
  p->ssrc = ssrc;
  uplink_init(&p->uplink, now, kbps, a->opus_pt, a->red_pt);
  p->level_id = a->level_id;
  p->csrc_level_id = a->csrc_level_id;
  p->may_nack = a->nack && a->rtcp_rsize;
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

static void emit(struct path *p, const uint8_t *bytes, size_t n) {
  p->traffic.out += n + HEADERS;
  p->io.send(p->io.ctx, bytes, n);
}

static void tell(struct path *p, bool up, enum err why, enum srtp_profile_id profile) {
  if (p->told && up)
    return;
  p->told = true;
  p->io.state(p->io.ctx, up, why, profile);
}

/* What is lost, or may be too much, is told sooner, because both ends learn by it; on a thin line a report is
 * dear; and without sound it only says that the line is there. */
static us_t next_report(struct path *p, us_t now) {
  const struct rtpstat *st = &p->stat;
  const struct ladder *l = &p->uplink.ladder;
  bool thin = l->tier >= TIER_LOW, spoke = st->sent != p->told_sent, heard = st->received != p->told_received;
  p->told_sent = st->sent;
  p->told_received = st->received;
  if ((heard || spoke) && ladder_early(l, now))
    return now + US_PER_S;
  if ((heard && st->loss_in_pct >= UNEASY_LOSS_PCT) || (spoke && ladder_uneasy(l)))
    return now + (thin ? THIN_UNEASY_US : UNEASY_US);
  bool rare = thin || (!spoke && !heard);
  return now + (rare && l->loss_pct == 0 ? THIN_US : RTPSTAT_INTERVAL_US);
}

static void report(struct path *p, us_t now) {
  uint8_t buf[512];
  size_t n =
      rtpstat_report(&p->stat, now, p->ssrc, p->peer_ssrc, "gavel", buf, sizeof buf - SRTP_TRAILER_MAX);
  if (n && secure_protect_rtcp(p->secure, buf, &n, sizeof buf) == ERR_OK)
    emit(p, buf, n);
  p->next_report = next_report(p, now);
}

static void drain(struct path *p, us_t now) {
  uint8_t buf[1500];
  size_t n;
  while ((n = secure_poll(p->secure, buf, sizeof buf)))
    emit(p, buf, n);
  switch (secure_news(p->secure)) {
  case SECURE_NOTHING:
  case SECURE_REKEY_FAILED: /* tried again when it is time */
    return;
  case SECURE_FAILED:
    tell(p, false, secure_failure(p->secure), PROFILE_NONE);
    return;
  case SECURE_UP:
    p->heard_at = now;
    p->next_report = now + US_PER_S;
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

/* ---- what was lost, once more ---- */

/* One that came tells what did not. True: it was asked for. */
static bool note_seq(struct path *p, us_t now, uint16_t seq, bool copy) {
  const struct rtpstat *st = &p->stat;
  if (!p->may_nack)
    return false;
  bool answer = nack_received(&p->nack, now, seq, copy, st->rtt_ms);
  unsigned wait_ms = nack_wait_ms(&p->nack, now, st->rtt_ms, st->ptime / AUDIO_MS(1));
  if (wait_ms && p->io.expect)
    p->io.expect(p->io.ctx, wait_ms);
  if (p->nack.fresh && st->loss_in_pct == 0 && p->next_report > now + UNEASY_US)
    p->next_report = now + UNEASY_US; /* the first loss for a while is news */
  return answer;
}

static void ask_again(struct path *p, us_t now) {
  uint16_t v[NACK_MISSING];
  uint8_t buf[256];
  unsigned wish = p->uplink.ladder.kbps / 4u, kbps = wish && wish < NACK_KBPS ? wish : NACK_KBPS;
  size_t k = nack_ask(&p->nack, now, p->stat.rtt_ms, kbps, v);
  size_t n = k ? rtcp_build_nack(buf, sizeof buf - SRTP_TRAILER_MAX, p->ssrc, p->peer_ssrc, v, k) : 0;
  if (n && secure_protect_rtcp(p->secure, buf, &n, sizeof buf) == ERR_OK)
    emit(p, buf, n);
}

static void send_again(struct path *p, us_t now, const uint8_t *rtcp, size_t n) {
  uint16_t v[RTCP_NACK_MAX];
  const struct ladder *l = &p->uplink.ladder;
  size_t k = p->may_nack ? rtcp_nacks(rtcp, n, p->ssrc, v, RTCP_NACK_MAX) : 0;
  p->asked_at = k ? now : p->asked_at;
  for (size_t i = 0; i < k && ladder_resend_kbps(l) > 0; i++) {
    size_t len;
    const uint8_t *again = resend_take(p->resend, now, v[i], &len);
    if (again)
      emit(p, again, len);
  }
}

/* Opus, bare or in RED: its blocks come oldest first, the packet's own last. */
static bool take_blocks(struct path *p, us_t now, struct rtp *h) {
  struct red_block v[RED_BLOCKS_MAX];
  size_t n;
  if (h->pt != p->uplink.red_pt || h->pt == UPLINK_NO_RED)
    return h->pt == p->uplink.opus_pt && h->payload_len > 0;
  if (red_parse(h->payload, h->payload_len, v, &n) != ERR_OK || v[n - 1].pt != p->uplink.opus_pt)
    return false;
  int samples = opus_packet_samples(v[n - 1].p, v[n - 1].len);
  for (size_t i = 0; p->io.copy && i + 1 < n; i++)
    if (v[i].pt == p->uplink.opus_pt) {
      if (samples > 0)
        (void)note_seq(p, now, (uint16_t)(h->seq - v[i].offset / (unsigned)samples), true);
      h->payload = v[i].p;
      h->payload_len = v[i].len;
      p->io.copy(p->io.ctx, h, v[i].offset);
    }
  h->payload = v[n - 1].p;
  h->payload_len = v[n - 1].len;
  return true;
}

static void take_rtp(struct path *p, us_t now, uint8_t *bytes, size_t n) {
  struct rtp h;
  if (secure_unprotect(p->secure, now, bytes, &n) != ERR_OK || rtp_parse(bytes, n, false, &h) != ERR_OK ||
      !take_blocks(p, now, &h))
    return;
  p->heard_at = now;
  p->peer_ssrc = h.ssrc;
  if (!note_seq(p, now, h.seq, false)) /* what was lost stays lost for the reports: the line is as it is */
    rtpstat_received(&p->stat, now, h.seq, h.ts);
  p->io.audio(p->io.ctx, &h);
}

static void take_rtcp(struct path *p, us_t now, uint8_t *bytes, size_t n) {
  if (secure_unprotect_rtcp(p->secure, bytes, &n) != ERR_OK)
    return;
  p->heard_at = now;
  rtpstat_rtcp(&p->stat, now, p->ssrc, bytes, n);
  send_again(p, now, bytes, n);
  bool asks = p->asked_at && now - p->asked_at < ASKED_US;
  p->uplink.ladder.resend = asks && p->stat.rtt_ms < LADDER_RESEND_MS;
  if (uplink_feed(&p->uplink, now, &p->stat) && p->io.uplink)
    p->io.uplink(p->io.ctx);
}

void path_handle_packet(struct path *p, us_t now, uint8_t *bytes, size_t n) {
  if (n == 0)
    return;
  p->traffic.in += n + HEADERS;
  if (bytes[0] >= 20 && bytes[0] <= 63) {
    secure_handle_dtls(p->secure, now, bytes, n);
    drain(p, now);
  } else if (bytes[0] >= 128 && bytes[0] <= 191) {
    if (rtp_is_rtcp(bytes, n))
      take_rtcp(p, now, bytes, n);
    else
      take_rtp(p, now, bytes, n);
  }
}

void path_send(struct path *p, us_t now, const struct capture_packet *k) {
  if (!path_up(p))
    return;
  uint8_t buf[RTP_PACKET_MAX], payload[RTP_PACKET_MAX], level = (uint8_t)(k->level | (k->voice ? 0x80 : 0));
  struct rtp h = {.marker = k->marker, .seq = p->seq, .ts = k->ts + p->ts_off, .ssrc = p->ssrc};
  size_t len =
      uplink_payload(&p->uplink, h.seq, h.ts, k->payload, k->len, payload, UPLINK_PAYLOAD_MAX, &h.pt);
  size_t n = rtp_build(buf, sizeof buf, &h, p->level_id, &level, 1);
  if (n == 0 || len == 0 || n + len + SRTP_TRAILER_MAX > sizeof buf)
    return;
  memcpy(buf + n, payload, len);
  n += len;
  if (secure_protect(p->secure, buf, &n, sizeof buf) != ERR_OK)
    return;
  p->seq++;
  int samples = opus_packet_samples(k->payload, k->len);
  rtpstat_sent(&p->stat, now, h.ts + (uint32_t)(samples > 0 ? samples : 0), len);
  if (p->may_nack)
    resend_need(&p->resend, now);
  resend_keep(p->resend, now, h.seq, buf, n, ladder_resend_kbps(&p->uplink.ladder));
  emit(p, buf, n);
}

void path_limit(struct path *p, us_t now, unsigned kbps) {
  ladder_limit(&p->uplink.ladder, now, kbps, false);
}

const struct ladder *path_uplink(const struct path *p) {
  return &p->uplink.ladder;
}

void path_set_ear(struct path *p, const struct rtpstat_ear *here) {
  struct rtpstat_ear *e = &p->stat.here; /* what the last report found stays */
  e->known = here->known;
  e->concealed_pct = here->concealed_pct;
  e->buffer_ms = here->buffer_ms;
  e->bitrate = here->bitrate;
}

struct path_traffic path_traffic(const struct path *p) {
  return p->traffic;
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
  if (nack_next(&p->nack) <= now)
    ask_again(p, now);
}

us_t path_next_timeout(const struct path *p) {
  us_t due = secure_next_timeout(p->secure);
  due = p->rekey_at < due ? p->rekey_at : due;
  us_t ask = nack_next(&p->nack);
  due = ask < due ? ask : due;
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
  free(p->resend);
  free(p);
}
