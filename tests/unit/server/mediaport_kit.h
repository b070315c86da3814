/* mediaport_kit.h: a media port without a network: parties at addresses of their own who pass checks, shake
 * hands and speak, and everything the port sends and tells. */
#ifndef GAVEL_TESTS_MEDIAPORT_KIT_H
#define GAVEL_TESTS_MEDIAPORT_KIT_H

#include "audio/codec.h"
#include "audio/dsp.h"
#include "core/media/srtp.h"
#include "core/server/mediaport.h"
#include "core/wire/rtp.h"
#include "core/wire/stun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START (1000 * US_PER_S)
#define OUT_MAX 256
#define PT 111

struct party { /* a client at one address */
  uint32_t handle;
  struct media_peer_params p;
  struct sockaddr_in at;
  struct dtls *dtls;
  struct srtp_session *srtp;
  uint16_t seq;
  uint32_t ts_off;
  unsigned packets; /* RTP that came and authenticated */
  struct rtp h;     /* of the last of them */
  uint16_t seq_gap; /* packets missing before it, and samples */
  uint32_t ts_gap;
  uint8_t last[1500];
  size_t last_len;
};
struct kit {
  struct rng rng;
  struct cert server, client;
  struct dtls_ctx *server_ctx, *client_ctx;
  struct mediaport *m;
  us_t now, waited; /* waited: what is put lay in the socket for so long */
  struct media_datagram out[OUT_MAX];
  size_t n_out;
  struct media_event ev[OUT_MAX];
  size_t n_ev;
  struct party a, b, c;
};

static inline void on_send(void *ctx, const struct media_datagram *v, size_t n) {
  struct kit *k = ctx;
  assert_true(k->n_out + n <= OUT_MAX);
  memcpy(k->out + k->n_out, v, n * sizeof *v);
  k->n_out += n;
}

static inline void on_tell(void *ctx, const struct media_event *ev) {
  struct kit *k = ctx;
  assert_true(k->n_ev < OUT_MAX);
  k->ev[k->n_ev++] = *ev;
}

static inline struct sockaddr_in address(unsigned last, uint16_t port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000u + last), .sin_port = htons(port)};
}

static inline struct media_cmd order(const struct party *p, int kind, uint32_t room) {
  struct media_cmd cmd = {.room = room,
                          .peer = p->handle,
                          .member = p->handle,
                          .may_send = true,
                          .may_hear = true,
                          .params = p->p};
  cmd.kind = (unsigned)kind;
  return cmd;
}

static inline void set(struct kit *k, struct party *p, int kind, bool send, bool hear) {
  struct media_cmd cmd = order(p, kind, 1);
  cmd.may_send = send;
  cmd.may_hear = hear;
  mediaport_command(k->m, k->now, &cmd);
}

static inline void move(struct kit *k, struct party *p, uint32_t room) {
  struct media_cmd cmd = order(p, MEDIA_PEER_SET, room);
  mediaport_command(k->m, k->now, &cmd);
}

static inline void add(struct kit *k, struct party *p, uint32_t handle, uint32_t room) {
  *p = (struct party){.handle = handle, .at = address(10 + handle, 5000)};
  snprintf(p->p.local_ufrag, sizeof p->p.local_ufrag, "ufrag%03u", handle);
  snprintf(p->p.local_pwd, sizeof p->p.local_pwd, "password-of-some-size%03u", handle);
  snprintf(p->p.hash, sizeof p->p.hash, "sha-256");
  memcpy(p->p.fingerprint, k->client.sha256, 32);
  p->p.fingerprint_len = 32;
  p->p.opus_pt = PT;
  p->p.red_pt = 255;
  p->p.csrc_level_id = 2;
  p->p.ssrc_in = 1000 + handle;
  p->p.ssrc_out = 2000 + handle;
  p->p.send = p->p.recv = true;
  struct media_cmd cmd = order(p, MEDIA_PEER_ADD, room);
  mediaport_command(k->m, k->now, &cmd);
}

static inline int make(void **state) {
  struct kit *k = calloc(1, sizeof *k);
  assert_non_null(k);
  rng_seed(&k->rng, 1);
  assert_int_equal(cert_make("s.example", 1, &k->server), ERR_OK);
  assert_int_equal(cert_make("c.example", 1, &k->client), ERR_OK);
  k->server_ctx = dtls_ctx_create(&k->server, false);
  k->client_ctx = dtls_ctx_create(&k->client, false);
  struct mediaport_config c = {
      .dtls = k->server_ctx, .rng = &k->rng, .send = on_send, .tell = on_tell, .ctx = k};
  k->m = mediaport_create(&c);
  k->now = START;
  struct media_cmd room = {.kind = MEDIA_ROOM_OPEN, .room = 1};
  mediaport_command(k->m, k->now, &room);
  add(k, &k->a, 1, 1);
  add(k, &k->b, 2, 1);
  *state = k;
  return 0;
}

static inline int unmake(void **state) {
  struct kit *k = *state;
  struct party *all[] = {&k->a, &k->b, &k->c};
  for (size_t i = 0; i < 3; i++) {
    dtls_destroy(all[i]->dtls);
    srtp_session_destroy(all[i]->srtp);
  }
  mediaport_destroy(k->m);
  dtls_ctx_destroy(k->server_ctx);
  dtls_ctx_destroy(k->client_ctx);
  cert_free(&k->server);
  cert_free(&k->client);
  free(k);
  return 0;
}

static inline void put(struct kit *k, const struct sockaddr_in *from, const void *p, size_t n) {
  uint8_t buf[2000];
  memcpy(buf, p, n);
  mediaport_handle_waited(k->m, k->now, k->waited, (const struct sockaddr *)from, sizeof *from, buf, n);
}

static inline struct mediaport_counters counters(const struct kit *k) {
  struct mediaport_counters n;
  mediaport_counters(k->m, &n);
  return n;
}

static inline void check(struct kit *k, const struct party *p, const struct sockaddr_in *from,
                         const char *pwd) {
  uint8_t buf[STUN_MAX], tid[12] = {9, 8, 7};
  char name[32];
  snprintf(name, sizeof name, "%s:them", p->p.local_ufrag);
  size_t n = stun_build_request(buf, sizeof buf, tid, name, pwd, true, 77, 0x7e0000ff, true);
  assert_true(n > 0);
  put(k, from, buf, n);
}

/* Everything the port wants to send: to whom it belongs by address. */
static inline void deliver(struct kit *k) {
  for (size_t i = 0; i < k->n_out; i++) {
    struct media_datagram *d = &k->out[i];
    struct sockaddr_in to;
    memcpy(&to, &d->to, sizeof to);
    struct party *p = to.sin_addr.s_addr == k->a.at.sin_addr.s_addr   ? &k->a
                      : to.sin_addr.s_addr == k->b.at.sin_addr.s_addr ? &k->b
                                                                      : &k->c;
    assert_int_equal(to.sin_port, p->at.sin_port);
    size_t n = d->len;
    struct rtp h;
    if (d->data[0] >= 20 && d->data[0] <= 63)
      dtls_handle_packet(p->dtls, k->now, d->data, n);
    else if (d->data[0] >= 128 && !rtp_is_rtcp(d->data, n)) {
      assert_int_equal(srtp_session_unprotect(p->srtp, d->data, &n), ERR_OK);
      assert_int_equal(rtp_parse(d->data, n, false, &h), ERR_OK);
      assert_int_equal(h.ssrc, p->p.ssrc_out);
      p->seq_gap = (uint16_t)(h.seq - p->h.seq - 1);
      p->ts_gap = h.ts - p->h.ts - (uint32_t)opus_packet_samples(p->last, p->last_len);
      memcpy(p->last, h.payload, h.payload_len);
      p->last_len = h.payload_len;
      p->h = h;
      p->packets++;
    }
  }
  k->n_out = 0;
}

static inline void connect_party(struct kit *k, struct party *p) {
  uint8_t buf[1500];
  struct dtls_keys keys;
  check(k, p, &p->at, p->p.local_pwd);
  deliver(k);
  p->dtls = dtls_create(k->client_ctx, false, "sha-256", k->server.sha256, 32);
  dtls_start(p->dtls, k->now);
  for (int i = 0; i < 10 && dtls_state(p->dtls) != DTLS_DONE; i++) {
    for (size_t n; (n = dtls_poll_packet(p->dtls, buf, sizeof buf));)
      put(k, &p->at, buf, n);
    deliver(k);
  }
  assert_true(dtls_take_keys(p->dtls, &keys));
  p->srtp = srtp_session_create(&keys, p->p.ssrc_out);
  assert_non_null(p->srtp);
  assert_int_equal(k->ev[k->n_ev - 1].kind, MEDIA_CONNECTED);
  assert_int_equal(k->ev[k->n_ev - 1].peer, p->handle);
}

/* One real Opus packet of a tone; its payload goes to `payload`. */
static inline size_t talk(struct kit *k, struct party *p, struct encoder *e, const struct sockaddr_in *from,
                          uint8_t *payload) {
  float pcm[AUDIO_FRAME];
  uint8_t buf[1500];
  for (size_t i = 0; i < AUDIO_FRAME; i++)
    pcm[i] = (float)((i + 7 * p->seq) % 96) / 200.0f - 0.25f;
  int len = encoder_run(e, pcm, AUDIO_FRAME, payload, AUDIO_PACKET_MAX);
  assert_true(len > 2);
  struct rtp h = {.pt = PT, .seq = p->seq, .ts = p->ts_off + 960u * p->seq, .ssrc = p->p.ssrc_in};
  p->seq++;
  size_t n = rtp_build(buf, sizeof buf, &h, 0, NULL, 0);
  memcpy(buf + n, payload, (size_t)len);
  n += (size_t)len;
  assert_int_equal(srtp_session_protect(p->srtp, buf, &n, sizeof buf), ERR_OK);
  put(k, from, buf, n);
  k->now += 20 * US_PER_MS;
  return (size_t)len;
}

static inline struct encoder *voice(void) {
  struct encoder_config c = {.bitrate = 24000, .complexity = 0};
  struct encoder *e = encoder_create(&c);
  assert_non_null(e);
  return e;
}

static inline void run_timeouts(struct kit *k, us_t until) {
  for (us_t t; (t = mediaport_next_timeout(k->m)) <= until;) {
    k->now = t > k->now ? t : k->now;
    mediaport_handle_timeout(k->m, k->now);
    deliver(k);
  }
  k->now = until;
}

#endif
