/* mediapeer.c: one peer on the media port: checks, handshake, packets. */
#include "core/server/mediaport_private.h"
#include "core/wire/red.h"
#include "core/wire/stun.h"

#include "audio/codec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_SAMPLES_MIN 480 /* 10 ms */
#define PACE_SLACK_US US_PER_S
#define OWNED_US (5 * US_PER_S) /* an address heard from so lately stays with its peer */

/* ---- addresses ---- */

size_t peer_addr_key(const struct sockaddr *sa, uint8_t out[24]) {
  if (sa->sa_family == AF_INET) {
    const struct sockaddr_in *a = (const struct sockaddr_in *)sa;
    memcpy(out, &a->sin_port, 2);
    memcpy(out + 2, &a->sin_addr, 4);
    return 6;
  }
  if (sa->sa_family == AF_INET6) {
    const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)sa;
    memcpy(out, &a->sin6_port, 2);
    memcpy(out + 2, &a->sin6_addr, 16);
    memcpy(out + 18, &a->sin6_scope_id, 4);
    return 22;
  }
  const struct sockaddr_carrier *c = carrier_of(sa);
  if (c) { /* another length: never the key of an address */
    out[0] = c->via;
    memcpy(out + 1, &c->handle, 4);
    memcpy(out + 5, &c->peer, 4);
    return 9;
  }
  return 0;
}

int peer_addr_find(const struct peer *r, const struct sockaddr *sa) {
  uint8_t want[24], have[24];
  size_t n = peer_addr_key(sa, want);
  for (int i = 0; i < r->n_addr; i++)
    if (peer_addr_key((const struct sockaddr *)&r->addr[i].sa, have) == n && memcmp(want, have, n) == 0)
      return i;
  return -1;
}

/* A validated address: known already, or it takes a free place or that of the one heard of longest ago. */
static int addr_take(struct mediaport *m, struct peer *r, const struct sockaddr *from, socklen_t len) {
  int i = peer_addr_find(r, from);
  uint8_t key[24];
  size_t n = peer_addr_key(from, key);
  const struct peer *o = map_get(m->addrs, key, n);
  int theirs = o && o != r && (o->member != r->member || o->room != r->room) ? peer_addr_find(o, from) : -1;
  if (theirs >= 0 && m->now - o->addr[theirs].seen < OWNED_US)
    return -1; /* a source can be forged: it does not take a living peer's address away */
  if (i < 0) {
    i = r->n_addr;
    if (r->n_addr == PEER_ADDRS) {
      i = -1;
      for (int k = 0; k < PEER_ADDRS; k++)
        if (k != r->selected && k != r->dtls_addr && (i < 0 || r->addr[k].seen < r->addr[i].seen))
          i = k;
      uint8_t old[24];
      size_t old_n = peer_addr_key((struct sockaddr *)&r->addr[i].sa, old);
      if (map_get(m->addrs, old, old_n) == r)
        map_del(m->addrs, old, old_n);
    } else
      r->n_addr++;
    r->addr[i] = (struct peer_addr){.len = len};
    memcpy(&r->addr[i].sa, from, len);
  }
  map_put(m->addrs, key, n, r); /* may have been another peer's: the newer check owns it */
  r->addr[i].seen = m->now;
  return i;
}

static uint32_t agent_of(const struct stun *s) { /* FNV-1a of what stands behind the colon */
  uint32_t h = 2166136261u;
  const char *end = s->username + s->username_len, *p = memchr(s->username, ':', s->username_len);
  for (; p && p < end; p++)
    h = (h ^ (uint8_t)*p) * 16777619u;
  return h;
}

/* The one who controls says which address it is to be (RFC 8445 8.1.1): of those that one agent of his
 * nominates the best, and the new one when another agent of his nominates for the first time: his machine has
 * another network, or he has found a better way than the one he is on. */
static void addr_select(struct mediaport *m, struct peer *r, int i, const struct stun *s) {
  struct peer_addr *a = &r->addr[i];
  bool first = s->use_candidate && !a->nominated;
  a->priority = s->priority;
  a->nominated |= s->use_candidate;
  if (first)
    a->agent = agent_of(s);
  if (r->selected < 0) {
    r->selected = i;
    fan_update(r);
    return;
  }
  const struct peer_addr *cur = &r->addr[r->selected];
  bool cur_dead = m->now - cur->seen > 3 * US_PER_S + US_PER_S / 2;
  if (r->selected != i && a->nominated && s->use_candidate &&
      (!cur->nominated || a->priority > cur->priority || cur_dead ||
       (first && (a->agent != cur->agent || a->priority == cur->priority))))
    r->selected = i;
}

/* ---- STUN: ICE-lite answers checks and asks nothing. Without a valid integrity there is no answer at all
 * ---- */

void peer_stun(struct mediaport *m, const struct sockaddr *from, socklen_t from_len, const uint8_t *p,
               size_t n) {
  struct stun s;
  size_t len;
  uint8_t key[24];
  const char *ufrag;
  if (stun_parse(p, n, &s) != ERR_OK || !s.request || !(ufrag = stun_ufrag_local(&s, &len)) ||
      !peer_addr_key(from, key)) {
    m->count.stun_bad++;
    return;
  }
  struct peer *r = map_get(m->ufrags, ufrag, len);
  const struct sockaddr_carrier *c = carrier_of(from);
  if (!r || (c && c->peer && c->peer != r->handle) || !stun_check(p, n, &s, r->p.local_pwd)) {
    m->count.stun_bad++;
    return;
  }
  m->count.stun_ok++;
  int i = addr_take(m, r, from, from_len);
  if (i < 0)
    return;
  struct media_datagram *d = mediaport_slot(m, &r->addr[i]);
  d->len = s.controlled /* both sides cannot be controlled: RFC 8445 7.3.1.1 */
               ? stun_build_error(d->data, sizeof d->data, s.tid, 487, r->p.local_pwd)
               : stun_build_success(d->data, sizeof d->data, s.tid, c ? (const void *)&c->from : from,
                                    r->p.local_pwd);
  assert(d->len > 0);
  mediaport_commit_slot(m);
  if (s.controlled)
    return;
  r->alive = m->now;
  addr_select(m, r, i, &s);
}

/* ---- DTLS ---- */

bool peer_up(const struct peer *r) {
  return r->secure && secure_up(r->secure);
}

static void failed(struct mediaport *m, struct peer *r, enum err why) {
  if (r->told_failed)
    return;
  r->told_failed = true;
  m->count.dtls_bad++;
  struct media_event ev = {.kind = MEDIA_FAILED, .room = r->room->handle, .peer = r->handle, .why = why};
  mediaport_event(m, &ev);
}

static void connected(struct mediaport *m, struct peer *r) {
  m->count.dtls_ok++;
  fan_update(r);
  r->next_report = m->now + US_PER_S;
  r->line.since = m->now;
  struct media_event ev = {.kind = MEDIA_CONNECTED,
                           .room = r->room->handle,
                           .peer = r->handle,
                           .profile = secure_profile(r->secure)};
  memcpy(&ev.addr, &r->addr[r->dtls_addr].sa, sizeof r->addr[r->dtls_addr].sa);
  mediaport_event(m, &ev);
}

static void schedule(struct mediaport *m, struct peer *r) {
  us_t due = r->alive + PEER_CONSENT_US;
  if (r->next_report < due)
    due = r->next_report;
  if (r->nack && nack_next(r->nack) < due)
    due = nack_next(r->nack);
  us_t t = r->secure ? secure_next_timeout(r->secure) : US_NEVER;
  if (t < due)
    due = t;
  timers_set(&m->peer_timers, &r->timer, due > m->now ? due : m->now + 1);
}

static void drain_dtls(struct mediaport *m, struct peer *r) {
  for (;;) {
    struct media_datagram *d = mediaport_slot(m, &r->addr[r->dtls_addr]);
    d->len = secure_poll(r->secure, d->data, sizeof d->data);
    if (d->len == 0)
      break;
    mediaport_commit_slot(m);
  }
  switch (secure_news(r->secure)) {
  case SECURE_NOTHING:
    break;
  case SECURE_UP:
    connected(m, r);
    break;
  case SECURE_REKEYED: {
    struct media_event ev = {.kind = MEDIA_REKEYED, .room = r->room->handle, .peer = r->handle};
    m->count.rekeys++;
    mediaport_event(m, &ev);
    break;
  }
  case SECURE_REKEY_FAILED:
    m->count.rekeys_bad++;
    break;
  case SECURE_FAILED:
    failed(m, r, secure_failure(r->secure));
    break;
  }
  schedule(m, r);
}

#define SHAKES_MAX 100 /* datagrams of one handshake, repeated ones too: nobody fills the queue alone */

static void shake_elsewhere(struct mediaport *m, struct peer *r, const uint8_t *p, size_t n) {
  const struct peer_addr *a = &r->addr[r->dtls_addr];
  struct mediaport_hello h = {.peer = r->handle,
                              .first = !r->shaking,
                              .params = r->shaking ? NULL : &r->p,
                              .from = (const struct sockaddr *)&a->sa,
                              .from_len = a->len,
                              .p = p,
                              .n = n};
  if (r->shakes < SHAKES_MAX && m->cfg.shake(m->cfg.ctx, &h)) {
    r->shaking = true;
    r->shakes++;
  } else
    m->count.dtls_dropped++;
}

void peer_secured(struct mediaport *m, struct peer *r, struct secure *s) {
  r->shaking = false;
  r->shakes = 0;
  if (!s || r->secure) {
    secure_destroy(s);
    return;
  }
  r->secure = s;
  if (secure_up(s))
    connected(m, r);
  else
    failed(m, r, secure_failure(s));
  drain_dtls(m, r);
}

void peer_dtls(struct mediaport *m, struct peer *r, int addr, const uint8_t *p, size_t n) {
  if (!r->secure && m->cfg.shake) {
    r->dtls_addr = addr;
    shake_elsewhere(m, r, p, n);
    return;
  }
  if (!r->secure)
    r->secure =
        secure_create(m->cfg.dtls, true, r->p.hash, r->p.fingerprint, r->p.fingerprint_len, r->p.ssrc_in);
  if (!r->secure)
    return;
  r->dtls_addr = addr;
  secure_handle_dtls(r->secure, m->now, p, n);
  drain_dtls(m, r);
}

static void report_send(struct mediaport *m, struct peer *r) {
  if (!peer_up(r) || r->selected < 0)
    return;
  struct media_datagram *d = mediaport_slot(m, &r->addr[r->selected]);
  peer_ear(r);
  size_t n = rtpstat_report(&r->stat, m->now, r->p.ssrc_out, r->p.ssrc_in, "gavel", d->data,
                            sizeof d->data - SRTP_TRAILER_MAX);
  if (n && secure_protect_rtcp(r->secure, d->data, &n, sizeof d->data) == ERR_OK) {
    d->len = n;
    mediaport_commit_slot(m);
  }
  struct media_event ev = {.kind = MEDIA_STATS, .room = r->room->handle, .peer = r->handle};
  peer_stats(r, m->now, &ev);
  mediaport_event(m, &ev);
}

void peer_timeout(struct mediaport *m, struct peer *r) {
  if (m->now - r->alive >= PEER_CONSENT_US) {
    struct media_event ev = {.kind = MEDIA_LOST, .room = r->room->handle, .peer = r->handle, .why = ERR_ICE};
    mediaport_event(m, &ev); /* the control side answers with PEER_DEL */
    peer_free(m, r);
    return;
  }
  if (r->secure) {
    secure_handle_timeout(r->secure, m->now);
    drain_dtls(m, r);
  }
  if (r->next_report <= m->now) {
    report_send(m, r);
    r->next_report = m->now + peer_report_interval(m, r);
    resend_rest(&r->resend, m->now);
  }
  if (peer_up(r))
    peer_ask_again(m, r);
  schedule(m, r);
}

/* ---- SRTP ---- */

/* Opus of a sane length, bare or in RED: its samples, or 0. The blocks come oldest first, the packet's own
 * last. */
static uint32_t take_payload(const struct peer *r, const struct rtp *h, struct red_block v[RED_BLOCKS_MAX],
                             size_t *n) {
  v[0] = (struct red_block){.pt = h->pt, .p = h->payload, .len = h->payload_len};
  *n = 1;
  if (h->pt == r->p.red_pt && r->p.red_pt != 255 && red_parse(h->payload, h->payload_len, v, n) != ERR_OK)
    return 0;
  const struct red_block *own = &v[*n - 1];
  int samples = own->pt == r->p.opus_pt && own->len > 0 ? opus_packet_samples(own->p, own->len) : -1;
  return samples >= PACKET_SAMPLES_MIN ? (uint32_t)samples : 0;
}

/* Sound comes no more than a tenth faster than time, with a second of slack for a line that stalls: a talker
 * must not cost the room more. */
static bool in_pace(const struct mediaport *m, struct peer *r, uint32_t samples) {
  us_t at = r->pace > m->now ? r->pace : m->now;
  if (at - m->now > PACE_SLACK_US)
    return false;
  r->pace = at + (us_t)samples * US_PER_MS * 9 / (10 * AUDIO_MS(1));
  return true;
}

/* Whether this packet is news, which it is once. Copies older than the first of his own are not: what he said
 * without the right to, or in another room, must not come back. A sender who jumps back starts anew. */
static bool take_seq(struct peer_seen *w, uint16_t seq, bool own) {
  int ahead = (int16_t)(uint16_t)(seq - w->high);
  if (!w->started || (own && ahead <= -64)) {
    if (own)
      *w = (struct peer_seen){.started = true, .high = seq, .mask = UINT64_MAX};
    return own;
  }
  if (ahead > 0) {
    w->mask = ahead < 64 ? w->mask << ahead | 1 : 1;
    w->high = seq;
    return true;
  }
  uint64_t bit = ahead > -64 ? UINT64_C(1) << -ahead : 0;
  bool news = bit && !(w->mask & bit);
  w->mask |= bit;
  return news;
}

/* Whether the packet just before the next one is missing. */
static bool take_lost(const struct peer_seen *w, uint16_t seq) {
  int ahead = (int16_t)(uint16_t)(seq - w->high);
  return w->started && ahead > 0 && ahead < 64;
}

/* What the packet brings that was not there before: itself, and copies of what was lost on the way. */
static void put_blocks(struct mediaport *m, struct peer *r, const struct rtp *h, const struct red_block *v,
                       size_t n, uint32_t samples) {
  for (size_t i = 0; i < n; i++) {
    const struct red_block *b = &v[i];
    bool own = i + 1 == n;
    struct rtp one = *h;
    one.seq = (uint16_t)(h->seq - b->offset / samples);
    one.ts = h->ts - b->offset;
    one.payload = b->p;
    one.payload_len = b->len;
    one.marker = own && h->marker;
    bool fits = own || (b->pt == r->p.opus_pt && b->offset % samples == 0 &&
                        opus_packet_samples(b->p, b->len) == (int)samples);
    if (fits && !own)
      (void)peer_note(m, r, one.seq, true);
    if (own && opus_has_fec(b->p, b->len) && take_lost(&r->seen, (uint16_t)(one.seq - 1)))
      r->line.repaired++;
    if (!fits || !take_seq(&r->seen, one.seq, own) || (!own && !in_pace(m, r, samples)))
      continue;
    r->line.fresh++;
    media_room_put(r->room, r, &one);
  }
}

void peer_rtp(struct mediaport *m, struct peer *r, uint8_t *p, size_t n) {
  struct rtp h;
  struct red_block v[RED_BLOCKS_MAX];
  size_t blocks;
  uint32_t samples = 0;
  if (!peer_up(r) || !r->p.send)
    return;
  if (rtp_parse(p, n, true, &h) != ERR_OK) {
    m->count.bad_rtp++;
    return;
  }
  /* Without the right to speak nothing is decrypted, but now and then one packet is, so that the rollover
   * counter keeps up. */
  if (!r->may_send && (uint16_t)(h.seq - r->opened_seq) < 4096) {
    m->count.no_right++;
    r->stat.skipped = true;
    return;
  }
  if (m->waited >= MEDIAPORT_STALE_US && (uint16_t)(h.seq - r->opened_seq) < 4096) {
    m->count.stale++;
    return;
  }
  enum err e = secure_unprotect(r->secure, m->now, p, &n);
  if (e != ERR_OK) {
    if (e == ERR_SRTP_AUTH)
      m->count.srtp_auth++;
    else if (e == ERR_SRTP_REPLAY)
      m->count.srtp_replay++;
    else
      m->count.wrong_ssrc++;
    return;
  }
  r->opened_seq = h.seq;
  r->alive = m->now;
  r->p.ssrc_in = h.ssrc; /* announced, or the first that authenticated: the session is locked to it */
  if (rtp_parse(p, n, false, &h) != ERR_OK || !(samples = take_payload(r, &h, v, &blocks))) {
    m->count.bad_rtp++;
    return;
  }
  if (!r->may_send) {
    m->count.no_right++;
    r->stat.skipped = true;
    return;
  }
  if (!in_pace(m, r, samples)) {
    m->count.bad_rtp++;
    return;
  }
  if (!peer_note(m, r, h.seq, false)) /* what was lost stays lost for the reports */
    rtpstat_received(&r->stat, m->now, h.seq, h.ts);
  r->stat.received_bytes += (uint32_t)h.payload_len;
  put_blocks(m, r, &h, v, blocks, samples);
  if (r->nack && nack_next(r->nack) < r->timer.due)
    schedule(m, r);
}

void peer_rtcp(struct mediaport *m, struct peer *r, uint8_t *p, size_t n) {
  if (!peer_up(r))
    return;
  if (secure_unprotect_rtcp(r->secure, p, &n) != ERR_OK) {
    m->count.srtp_auth++;
    return;
  }
  r->alive = m->now;
  rtpstat_rtcp(&r->stat, m->now, r->p.ssrc_out, p, n);
  peer_send_again(m, r, p, n);
  peer_judge(m, r);
}
