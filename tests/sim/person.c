#include "tests/sim/person.h"

#include "audio/dsp.h"
#include "core/base/bytes.h"
#include "core/session/session_private.h" /* for the rude: a way around the session's gate */
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* None is within 40 Hz of a harmonic or of an intermodulation (2a-b, a+b-c) of the others. */
static const double FREQ[WORLD_PEOPLE_MAX] = {520, 900, 1320, 1520, 1990, 2260};

/* ---- the session's doors ---- */

static void on_connect(void *ctx) {
  struct person *p = ctx;
  p->epoch++;
  p->sig_open = true;
  us_t due = p->w->now + p->link.base;
  p->last_up = due > p->last_up ? due : p->last_up + 1;
  net_post(&p->w->net, p->last_up, NET_SIG_OPEN, p->at, p->epoch, NULL, 0);
}

static void up(struct person *p, enum net_kind kind, const char *text, size_t n) {
  us_t due = p->w->now + p->link.base;
  p->last_up = due > p->last_up ? due : p->last_up + 1;
  net_post(&p->w->net, p->last_up, kind, p->at, p->epoch, text, n);
}

static void on_disconnect(void *ctx) {
  struct person *p = ctx;
  if (p->sig_open)
    up(p, NET_SIG_LOST_UP, NULL, 0);
  p->sig_up = p->sig_open = false;
  p->sig_since = US_NEVER;
}

static void on_send(void *ctx, char *text) {
  struct person *p = ctx;
  if (p->sig_up)
    up(p, NET_SIG_UP, text, strlen(text));
  free(text);
}

static void follow_tier(struct person *p, const char **told, const char *tier) {
  if (*told && strcmp(*told, tier) != 0) {
    p->w->tiers++;
    world_note(p->w, "p%u: %s %s", p->at, told == &p->tier_up ? "sends" : "gets", tier);
  }
  *told = tier;
}

static void on_event(void *ctx, struct client_event *ev) {
  struct person *p = ctx;
  if (ev->kind == CLIENT_EV_LINK && ev->link.connected) {
    follow_tier(p, &p->tier_down, ev->link.tier_down);
    follow_tier(p, &p->tier_up, ev->link.tier_up);
    p->w->copies_up += ev->link.copies_up > 0;
    p->w->copies_down += ev->link.copies_down > 0;
  }
  script_event(&p->w->script, p, ev);
  client_event_free(ev);
}

static void on_audio(void *ctx, const struct rtp *h) {
  struct person *p = ctx;
  for (unsigned i = 0; i < h->n_csrc; i++)
    if (h->csrc[i] == session_me(p->session))
      world_fail(p->w, "p%u is sent sound that is said to be his own", p->at);
  jitter_put(p->jitter, p->w->now, h->seq, h->ts, h->marker, h->payload, h->payload_len);
}

static void on_copy(void *ctx, const struct rtp *h, uint32_t offset) {
  struct person *p = ctx;
  jitter_put_copy(p->jitter, p->w->now, h->seq, h->ts, offset, h->payload, h->payload_len);
}

static void on_expect(void *ctx, unsigned wait_ms) {
  struct person *p = ctx;
  jitter_expect_resend(p->jitter, p->w->now, (int)wait_ms);
}

static void on_voice(void *ctx, const struct session_voice *v) {
  struct person *p = ctx;
  struct capture_config c = {.ptime_ms = v->ptime_ms,
                             .hush = v->hush,
                             .opus = {.bitrate = v->bitrate, .loss_pct = v->loss_pct, .dtx = true}};
  capture_set(p->capture, &c);
}

static void on_gate(void *ctx, bool open) {
  struct person *p = ctx;
  p->gate = open;
  p->gate_since = p->w->now;
  if (!p->rude)
    capture_open(p->capture, open);
}

static void on_datagram(void *ctx, const struct sockaddr_in *local, const uint8_t *bytes, size_t n) {
  struct person *p = ctx;
  net_datagram(&p->w->net, p->w->now, &p->link, NET_UP, p->at, local, bytes, n);
}

/* ---- life ---- */

void person_init(struct person *p, struct world *w, unsigned at) {
  *p = (struct person){.w = w, .at = at, .freq = FREQ[at], .hiss = at, .rejoin_at = US_NEVER};
  rng_seed(&p->rng, rng_u64(&w->rng));
  net_link_make(&p->link, &w->rng);
  p->rude = at > 0 && rng_below(&w->rng, 3) == 0;
  snprintf(p->device, sizeof p->device, "device-%u", at);
  uint8_t hash[32];
  sha256(p->device, strlen(p->device), hash);
  memcpy(p->device_hash, hash, sizeof p->device_hash);
  if (cert_make("peer.example", 2, &p->cert) != ERR_OK)
    abort();
  p->dtls = dtls_ctx_create(&p->cert, false);
  p->ice = (struct ice_sim_env){
      .rng = &p->rng, .ip = 0x0a000000u + PERSON_IP_FIRST + at, .send = on_datagram, .ctx = p};
  struct capture_config c = {.ptime_ms = 20, .opus = {.bitrate = 32000, .loss_pct = 10, .dtx = true}};
  p->capture = capture_create(&c);
  p->jitter = jitter_create();
  if (!p->dtls || !p->capture || !p->jitter)
    abort();
  capture_open(p->capture, p->rude);
  p->next_audio = w->now + (us_t)rng_below(&w->rng, 10 * US_PER_MS);
  p->media_since = p->sig_since = US_NEVER;
  if (w->thin)
    person_wish(p);
}

void person_free(struct person *p) {
  session_destroy(p->session);
  capture_destroy(p->capture);
  jitter_destroy(p->jitter);
  dtls_ctx_destroy(p->dtls);
  cert_free(&p->cert);
}

void person_join(struct person *p, bool owner) {
  session_destroy(p->session);
  struct session_config c = {.link = owner ? p->w->host.owner : p->w->host.guest,
                             .device_id = p->device,
                             .password = SCRIPT_PASSWORD,
                             .mic_open = true,
                             .has_input = true,
                             .kbps = p->kbps,
                             .rng = &p->rng,
                             .dtls = p->dtls,
                             .ice = ice_sim_kind(&p->ice),
                             .connect = on_connect,
                             .disconnect = on_disconnect,
                             .send = on_send,
                             .event = on_event,
                             .audio = on_audio,
                             .copy = on_copy,
                             .expect = on_expect,
                             .voice = on_voice,
                             .gate = on_gate,
                             .ctx = p};
  memcpy(c.dtls_sha256, p->cert.sha256, sizeof c.dtls_sha256);
  snprintf(c.name, sizeof c.name, "p%u", p->at);
  p->session = session_create(&c);
  if (!p->session)
    abort();
  p->rejoin_at = US_NEVER;
  session_start(p->session, p->w->now);
}

bool person_joined(const struct person *p) {
  return p->session && session_state(p->session) == CLIENT_JOINED && p->sig_up;
}

/* ---- events ---- */

static void lost(struct person *p) {
  bool was = p->sig_open;
  p->sig_up = p->sig_open = false;
  p->sig_since = US_NEVER;
  if (was)
    session_closed(p->session, p->w->now, ERR_IO);
}

static bool says(const struct net_event *e, const char *what) {
  return e->kind == NET_SIG_DOWN && strstr((const char *)e->data, what);
}

/* Put back into the lobby he does not hear of it for a second; then all that was said comes in order. */
static bool sulks(struct person *p, const struct net_event *e) {
  us_t now = p->w->now;
  if ((e->kind != NET_SIG_DOWN && e->kind != NET_SIG_LOST_DOWN) || e->late)
    return false;
  if (now > p->sulks_until && says(e, "\"method\":\"lobby\"") && says(e, "\"held\":true"))
    p->sulks_until = now + US_PER_S;
  if (now > p->sulks_until)
    return false;
  net_post(&p->w->net, ++p->sulks_until, e->kind, p->at, e->epoch, e->data, e->n)->late = true;
  return true;
}

/* A rude one does not go when he is told to: for a second he talks and listens on. */
static bool clings(struct person *p, const struct net_event *e) {
  us_t now = p->w->now;
  if (!p->rude || e->epoch != p->epoch)
    return false;
  if (sulks(p, e))
    return true;
  if (says(e, "\"method\":\"bye\"") && !says(e, err_code(ERR_AGAIN)))
    p->clings_until = now + US_PER_S;
  if (now < p->clings_until && e->kind == NET_SIG_LOST_DOWN)
    net_post(&p->w->net, p->clings_until, NET_SIG_LOST_DOWN, p->at, p->epoch, NULL, 0);
  return now < p->clings_until && e->kind != NET_DOWN;
}

void person_take(struct person *p, struct net_event *e) {
  us_t now = p->w->now;
  if (!p->session || clings(p, e))
    return;
  session_tick(p->session, now);
  if (e->kind == NET_DOWN)
    ice_sim_packet(&p->ice, now, &e->local, e->data, e->n);
  else if (e->epoch != p->epoch || !p->sig_open)
    return; /* of a connection that is gone */
  else if (e->kind == NET_SIG_OPENED) {
    p->sig_up = true;
    p->sig_since = now;
    session_connected(p->session, now, NULL);
  } else if (e->kind == NET_SIG_DOWN)
    session_message(p->session, now, (const char *)e->data, e->n);
  else if (e->kind == NET_SIG_LOST_DOWN)
    lost(p);
}

void person_wish(struct person *p) {
  static const unsigned WISHES[] = {0, 0, 12, 20, 48};
  p->kbps = WISHES[rng_below(&p->w->rng, sizeof WISHES / sizeof WISHES[0])];
  world_note(p->w, "p%u: wishes %u kb/s", p->at, p->kbps);
  if (p->session)
    session_bandwidth(p->session, p->w->now, p->kbps);
}

void person_cut(struct person *p) {
  struct world *w = p->w;
  if (!p->sig_open)
    return;
  us_t server = w->now + (us_t)rng_below(&w->rng, 800) * US_PER_MS;
  net_post(&w->net, server > p->last_up ? server : p->last_up + 1, NET_SIG_LOST_UP, p->at, p->epoch, NULL, 0);
  lost(p);
}

/* ---- sound ---- */

/* A voice without any noise is none that Opus is made for: SILK's predictor of sines alone is so sharp that
 * after one packet repaired by LBRR a decoder may howl until the sines change. */
static void hiss(struct person *p, float *pcm) {
  for (unsigned i = 0; i < PERSON_BLOCK; i++) {
    p->hiss = p->hiss * 1664525u + 1013904223u;
    pcm[i] += PERSON_HISS * ((float)(p->hiss >> 8) / (float)(1u << 24) - 0.5f);
  }
}

static void speak(struct person *p, float *pcm) {
  us_t now = p->w->now;
  if (now >= p->talk_until) {
    struct rng *r = &p->w->rng;
    bool was = p->talking;
    p->talking = !was;
    if (was)
      p->talk_ended = now;
    else
      p->talk_since = now;
    p->talk_until = now + (us_t)(was ? 200 + rng_below(r, 2500) : 300 + rng_below(r, 3700)) * US_PER_MS;
  }
  if (p->talking) {
    tone_make(pcm, PERSON_BLOCK, p->freq, &p->phase, PERSON_AMPLITUDE);
    hiss(p, pcm);
  } else
    memset(pcm, 0, PERSON_BLOCK * sizeof *pcm);
}

static void on_packet(void *ctx, const struct capture_packet *k) {
  struct person *p = ctx;
  if (!p->session)
    return;
  if (p->rude && p->session->path)
    path_send(p->session->path, p->w->now, k);
  else
    session_captured(p->session, p->w->now, k);
}

static void hear(struct person *p) {
  struct jitter_stats st;
  memmove(p->ear, p->ear + PERSON_BLOCK, sizeof p->ear - PERSON_BLOCK * sizeof(float));
  jitter_get(p->jitter, p->w->now, p->ear + PERSON_EAR - PERSON_BLOCK, PERSON_BLOCK);
  jitter_stats(p->jitter, &st);
  if (st.lost + st.concealed != p->mended)
    p->mended_at = p->w->now;
  p->mended = st.lost + st.concealed;
  if (st.delay_ms >= p->delay_ms || p->w->now - p->delay_at > US_PER_S) {
    p->delay_ms = st.delay_ms > 0 ? st.delay_ms : 0;
    p->delay_at = p->w->now;
  }
  if (++p->ear_blocks % PERSON_HOP_BLOCKS == 0)
    oracle_ear(&p->w->oracle, p);
}

static void sound(struct person *p) {
  float pcm[PERSON_BLOCK];
  hear(p);
  capture_far(p->capture, p->ear + PERSON_EAR - PERSON_BLOCK, PERSON_BLOCK);
  speak(p, pcm);
  capture_feed(p->capture, pcm, PERSON_BLOCK, on_packet, p);
  p->next_audio += 10 * US_PER_MS;
}

us_t person_due(const struct person *p) {
  us_t t = p->next_audio;
  if (p->rejoin_at < t)
    t = p->rejoin_at;
  if (p->session && session_next_timeout(p->session) < t)
    t = session_next_timeout(p->session);
  return ice_sim_due(&p->ice) < t ? ice_sim_due(&p->ice) : t;
}

void person_timeout(struct person *p) {
  us_t now = p->w->now;
  if (p->session)
    session_tick(p->session, now);
  if (p->next_audio <= now)
    sound(p);
  ice_sim_timeout(&p->ice, now);
  bool media = p->session && session_media_up(p->session) && now >= p->link.dark_until;
  if (!media)
    p->media_since = US_NEVER;
  else if (p->media_since == US_NEVER)
    p->media_since = now;
  if (p->rejoin_at <= now) {
    p->rejoin_at = US_NEVER;
    person_join(p, p->at == 0);
  }
}
