/* bench_delay.c: how much later a listener gets a packet because there is a server between: a real media
 * thread on loopback, real DTLS-SRTP peers on their own sockets, against a bare UDP relay (recv, sendto)
 * measured in the same run.
 *
 * forwarding: from the speaker's send to the listener's decrypted packet, one person talking.
 * mixing: two people talk all the time, a third begins: from his first packet to the first packet in whose
 * sound he is. */
#include "audio/capture.h"
#include "audio/codec.h"
#include "audio/dsp.h"
#include "core/media/srtp.h"
#include "core/server/shell_media.h"
#include "core/session/path.h"
#include "core/wire/stun.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PACKETS 500
#define ONSETS 20
#define FRAME_US (20 * US_PER_MS)

struct peer {
  int fd;
  struct path *path;
  struct encoder *enc;
  struct decoder *dec;
  double freq, phase;
  uint32_t ts;
  us_t got_at; /* arrival of the last packet */
  unsigned got;
  float pcm[AUDIO_FRAME_MAX];
  int samples;
  uint8_t check[STUN_MAX]; /* the STUN check that keeps the path alive */
  size_t n_check;
};
static struct cert cert;
static struct dtls_ctx *dtls;
static uint16_t port;
static uint32_t last_handle;

static void on_send(void *ctx, const uint8_t *p, size_t n) {
  struct peer *r = ctx;
  if (send(r->fd, p, n, 0) < 0)
    perror("send");
}
static void on_audio(void *ctx, const struct rtp *h) {
  struct peer *r = ctx;
  r->got_at = clock_now();
  r->got++;
  r->samples = decoder_run(r->dec, h->payload, h->payload_len, r->pcm);
}
static void on_state(void *ctx, bool up, enum err why, enum srtp_profile_id profile) {
  (void)ctx;
  (void)profile;
  if (!up) {
    fprintf(stderr, "no path: %s\n", err_text(why));
    exit(1);
  }
}

static void no_wake(void *ctx) {
  (void)ctx; /* the bench does not read the thread's events */
}

static int udp(uint16_t to) {
  struct sockaddr_in a = {
      .sin_family = AF_INET, .sin_port = htons(to), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || (to && connect(fd, (struct sockaddr *)&a, sizeof a) != 0)) {
    perror("socket");
    exit(1);
  }
  return fd;
}

/* Takes what has arrived within `us`. */
static void pump(struct peer *r, us_t us) {
  struct pollfd p = {r->fd, POLLIN, 0};
  struct timespec t = {us / US_PER_S, (long)(us % US_PER_S) * 1000};
  ppoll(&p, 1, &t, NULL);
  uint8_t buf[1600];
  ssize_t n;
  while ((n = recv(r->fd, buf, sizeof buf, 0)) > 0)
    if (buf[0] > 3)
      path_handle_packet(r->path, clock_now(), buf, (size_t)n);
}

static void peer_open(struct peer *r, struct media_thread *t, double freq, bool speaks) {
  last_handle++;
  struct media_cmd cmd = {.kind = MEDIA_PEER_ADD,
                          .room = 1,
                          .peer = last_handle,
                          .member = last_handle,
                          .may_send = speaks,
                          .may_hear = true};
  struct media_peer_params *p = &cmd.params;
  rng_token(rng_system(), p->local_ufrag, 8);
  rng_token(rng_system(), p->local_pwd, 24);
  memcpy(p->hash, "sha-256", 8);
  memcpy(p->fingerprint, cert.sha256, 32);
  p->fingerprint_len = 32;
  p->opus_pt = 111;
  p->red_pt = 255;
  p->level_id = 1;
  p->csrc_level_id = 2;
  p->ssrc_in = 1000 + last_handle;
  p->ssrc_out = 2000 + last_handle;
  p->recv = p->send = true;
  media_thread_command(t, &cmd);
  *r = (struct peer){
      .fd = udp(port),
      .freq = freq,
      .enc = encoder_create(&(struct encoder_config){.bitrate = 32000, .complexity = 5, .loss_pct = 10}),
      .dec = decoder_create()};
  struct sdp answer = {.opus_pt = 111,
                       .red_pt = 255,
                       .level_id = 1,
                       .csrc_level_id = 2,
                       .ssrc = p->ssrc_out,
                       .fingerprint_len = 32};
  memcpy(answer.hash, "sha-256", 8);
  memcpy(answer.fingerprint, cert.sha256, 32);
  struct path_io io = {.send = on_send, .audio = on_audio, .state = on_state, .ctx = r};
  r->path = path_create(dtls, rng_system(), p->ssrc_in, &answer, clock_now(), 0, &io);
  char user[32];
  uint8_t tid[12];
  snprintf(user, sizeof user, "%s:peer", p->local_ufrag);
  rng_system()->fill(rng_system(), tid, sizeof tid);
  r->n_check = stun_build_request(r->check, sizeof r->check, tid, user, p->local_pwd, true, 1, 100, true);
  for (int i = 0; i < 500 && !path_up(r->path); i++) {
    if (i % 50 == 0)
      on_send(r, r->check, r->n_check);
    if (i == 2)
      path_transport_up(r->path, clock_now());
    if (path_next_timeout(r->path) <= clock_now())
      path_handle_timeout(r->path, clock_now());
    pump(r, 10 * US_PER_MS);
  }
  assert(path_up(r->path));
}

/* Encodes 20 ms and sends it; returns when it was sent, the encoding not counted. */
static us_t speak(struct peer *r) {
  struct capture_packet k = {.ts = r->ts, .level = 14, .voice = true};
  float pcm[AUDIO_FRAME];
  tone_make(pcm, AUDIO_FRAME, r->freq, &r->phase, 0.25f);
  int n = encoder_run(r->enc, pcm, AUDIO_FRAME, k.payload, sizeof k.payload);
  assert(n > 0);
  k.len = (size_t)n;
  us_t at = clock_now();
  path_send(r->path, at, &k);
  r->ts += AUDIO_FRAME;
  return at;
}

static int by_value(const void *a, const void *b) {
  us_t x = *(const us_t *)a, y = *(const us_t *)b;
  return x < y ? -1 : x > y;
}

static void row(const char *name, us_t *v, size_t n) {
  qsort(v, n, sizeof *v, by_value);
  printf("%-34s %9.3f %9.3f %9.3f   (n=%zu)\n", name, (double)v[n / 2] / 1000, (double)v[n * 99 / 100] / 1000,
         (double)v[n - 1] / 1000, n);
}

/* ---- the bare relay to compare with ---- */

struct relay {
  int in, out;
};
static void *relay_run(void *arg) {
  struct relay *r = arg;
  char buf[1600];
  for (;;) {
    struct pollfd p = {r->in, POLLIN, 0};
    poll(&p, 1, -1);
    ssize_t n = recv(r->in, buf, sizeof buf, 0);
    if (n == 1)
      return NULL;
    if (n > 0 && send(r->out, buf, (size_t)n, 0) < 0)
      return NULL;
  }
}

static uint16_t bound_port(int fd) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t n = sizeof a;
  if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || getsockname(fd, (struct sockaddr *)&a, &n) != 0)
    exit(1);
  return ntohs(a.sin_port);
}

static void bench_relay(void) {
  static us_t took[PACKETS];
  int listener = udp(0), in = udp(0);
  struct relay r = {in, udp(bound_port(listener))};
  int out = udp(bound_port(in));
  pthread_t t;
  pthread_create(&t, NULL, relay_run, &r);
  char buf[140] = {0};
  for (size_t i = 0; i < PACKETS; i++) {
    us_t at = clock_now();
    assert(send(out, buf, sizeof buf, 0) == sizeof buf);
    struct pollfd p = {listener, POLLIN, 0};
    poll(&p, 1, 1000);
    assert(recv(listener, buf, sizeof buf, 0) > 0);
    took[i] = clock_now() - at;
    usleep(2000);
  }
  assert(send(out, buf, 1, 0) == 1);
  pthread_join(t, NULL);
  row("bare UDP relay", took, PACKETS);
}

/* ---- forwarding and mixing ---- */

static void bench_forward(struct peer *a, struct peer *l) {
  static us_t took[PACKETS];
  for (size_t i = 0; i < PACKETS; i++) {
    unsigned before = l->got;
    us_t at = speak(a);
    while (l->got == before && clock_now() - at < US_PER_S)
      pump(l, 100 * US_PER_MS);
    took[i] = l->got_at - at;
    us_t rest = FRAME_US - (clock_now() - at);
    if (rest > 0)
      pump(a, rest);
  }
  row("forwarded by the server", took, PACKETS);
}

static us_t onset(struct peer *a, struct peer *b, struct peer *c, struct peer *l) {
  us_t next = clock_now(), began = 0;
  for (int frame = 0; frame < 200; frame++, next += FRAME_US) {
    speak(b);
    speak(c);
    us_t at = frame >= 60 ? speak(a) : 0;
    if (frame == 60)
      began = at;
    us_t left;
    while ((left = next + FRAME_US - clock_now()) > 0) {
      unsigned before = l->got;
      pump(l, left);
      if (began && l->got != before && l->samples > 0 &&
          goertzel_share(l->pcm, (size_t)l->samples, a->freq) > 0.05)
        return l->got_at - began;
    }
  }
  return -1;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (cert_make("bench", 1, &cert) != ERR_OK || !(dtls = dtls_ctx_create(&cert, true)))
    return 1;
  struct media_thread *t;
  struct media_thread_config cfg = {.listen = "127.0.0.1", .dtls = dtls, .wake = no_wake};
  if (media_thread_start(&cfg, &t) != ERR_OK)
    return 1;
  port = media_thread_port(t);
  media_thread_command(t, &(struct media_cmd){.kind = MEDIA_ROOM_OPEN, .room = 1});
  struct peer a, b, c, l;
  peer_open(&a, t, 1500, true);
  peer_open(&l, t, 0, false);
  printf("%-34s %9s %9s %9s   ms\n", "", "p50", "p99", "max");
  bench_relay();
  bench_forward(&a, &l);
  peer_open(&b, t, 500, true);
  peer_open(&c, t, 800, true);
  us_t took[ONSETS];
  size_t n = 0;
  for (int i = 0; i < ONSETS; i++) {
    us_t d = onset(&a, &b, &c, &l);
    if (d >= 0)
      took[n++] = d;
    on_send(&l, l.check, l.n_check); /* consent */
    for (us_t until = clock_now() + US_PER_S; clock_now() < until;)
      pump(&l, 20 * US_PER_MS);
  }
  if (n)
    row("mixed by the server (onset heard)", took, n);
  media_thread_stop(t);
  return n == ONSETS ? 0 : 1;
}
