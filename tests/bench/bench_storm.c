/* bench_storm.c: what those who talk notice of many who come: ten people speak (10 ms packets), each to one
 * listener, while 200 further peers begin their checks and handshakes at the same moment, again and again.
 * Once with the handshakes on the media thread, once on a thread of their own. Server on core 0, the rest on
 * core 1; the delay is from the speaker's send to the kernel's time stamp at the listener's socket. */
#include "bench_kit.h"

#include "audio/codec.h"
#include "audio/dsp.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#define TALKERS 10
#define STEP_US US_PER_MS /* one packet of one of them */
#define JOINERS 200
#define STORMS 8
#define SAMPLES 20000

struct talk { /* between a talker and his listener: one packet is under way at a time, mostly */
  struct peer from, to;
  uint8_t payload[AUDIO_PACKET_MAX];
  size_t len;
};
struct storm {
  struct bench b;
  struct talk talk[TALKERS];
  atomic_bool stop, counted;
  us_t delay[SAMPLES];
  size_t n, lost;
};

static void pin(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) /* a machine with one core: all on it */
    fprintf(stderr, "core %u: %s\n", core, strerror(errno));
}

static us_t wall_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (us_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

/* When the kernel got it, or -1. */
static us_t arrival(int fd) {
  char control[128];
  uint8_t buf[1600];
  struct iovec iov = {buf, sizeof buf};
  for (;;) {
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(fd, &m, MSG_DONTWAIT) < 0)
      return -1;
    if (buf[0] < 128 || (buf[1] & 0x7f) == 72 || (buf[1] & 0x7f) == 73) /* checks, RTCP */
      continue;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
        struct timespec t;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        return (us_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
      }
  }
}

static void *talk(void *arg) {
  struct storm *s = arg;
  us_t sent[TALKERS] = {0}, next = clock_now();
  struct timespec t;
  for (unsigned i = 0; !atomic_load(&s->stop); i++, next += STEP_US) {
    struct talk *k = &s->talk[i % TALKERS];
    us_t at = arrival(k->to.fd);
    bool count = atomic_load(&s->counted) && sent[i % TALKERS] && s->n < SAMPLES;
    if (count && at >= sent[i % TALKERS])
      s->delay[s->n++] = at - sent[i % TALKERS];
    else if (count) /* 10 ms later: counted as that */
      s->delay[s->n++] = TALKERS * STEP_US, s->lost++;
    while (arrival(k->to.fd) >= 0)
      ;
    if (i / TALKERS % 300 == 0)
      peer_check(&k->from), peer_check(&k->to);
    uint8_t buf[1600];
    size_t n = peer_seal(&k->from, k->payload, k->len, AUDIO_MS(10), true, buf, sizeof buf);
    sent[i % TALKERS] = wall_us();
    peer_send(&k->from, buf, n);
    us_t due = next + STEP_US;
    t = (struct timespec){due / US_PER_S, (long)(due % US_PER_S) * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
  }
  return NULL;
}

static void open_talks(struct storm *s) {
  float pcm[AUDIO_MS(10)];
  double phase = 0;
  struct encoder *e = encoder_create(&(struct encoder_config){.bitrate = 24000, .complexity = 5});
  for (uint32_t i = 0; i < TALKERS; i++) {
    struct talk *k = &s->talk[i];
    media_thread_command(s->b.thread, &(struct media_cmd){.kind = MEDIA_ROOM_OPEN, .room = 1 + i});
    peer_open(&s->b, &k->from, 1 + i, true);
    peer_open(&s->b, &k->to, 1 + i, false);
    int on = 1;
    bench_need(setsockopt(k->to.fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0, "SO_TIMESTAMPNS");
    tone_make(pcm, AUDIO_MS(10), 440, &phase, 0.25f);
    int n = encoder_run(e, pcm, AUDIO_MS(10), k->payload, sizeof k->payload);
    bench_need(n > 0, "encoder");
    k->len = (size_t)n;
  }
  encoder_destroy(e);
  media_thread_command(s->b.thread, &(struct media_cmd){.kind = MEDIA_ROOM_OPEN, .room = 100});
}

/* All at once: how long until the last is up. */
static us_t joins(struct storm *s) {
  static struct peer v[JOINERS];
  static struct pollfd p[JOINERS];
  for (size_t i = 0; i < JOINERS; i++) {
    peer_make(&s->b, &v[i], 100, false);
    p[i] = (struct pollfd){v[i].fd, POLLIN, 0};
  }
  us_t began = clock_now();
  atomic_store(&s->counted, true);
  for (size_t i = 0; i < JOINERS; i++) {
    peer_check(&v[i]);
    peer_hello(&v[i]);
  }
  for (size_t up = 0; up < JOINERS;) {
    poll(p, JOINERS, 20);
    up = 0;
    for (size_t i = 0; i < JOINERS; i++) {
      peer_pump(&v[i], 0);
      up += v[i].up;
    }
  }
  atomic_store(&s->counted, false);
  us_t took = clock_now() - began;
  for (size_t i = 0; i < JOINERS; i++)
    peer_close(&s->b, &v[i]);
  usleep(200000);
  return took;
}

static double run(const char *name, bool apart, bool storm) {
  static struct storm s;
  struct handshakes *hands = NULL;
  char text[64];
  s = (struct storm){0};
  pin(0);
  bench_certs(&s.b);
  bench_need(!apart || handshakes_start(s.b.dtls, 1, &hands) == ERR_OK, "handshakes");
  bench_start(&s.b, hands);
  pin(1);
  open_talks(&s);
  pthread_t t;
  bench_need(pthread_create(&t, NULL, talk, &s) == 0, "thread");
  us_t took = 0;
  for (int i = 0; storm && i < STORMS; i++)
    took += joins(&s);
  if (!storm) {
    atomic_store(&s.counted, true);
    usleep(2000000);
  }
  atomic_store(&s.stop, true);
  pthread_join(t, NULL);
  double rate = took ? STORMS * JOINERS * 1e6 / (double)took : 0;
  snprintf(text, sizeof text, "%s", name);
  bench_row(text, s.delay, s.n);
  if (storm)
    printf("%-44s %9.0f joins/s   %zu packets of %zu later than 10 ms\n", "", rate, s.lost, s.n);
  handshakes_stop(hands);
  media_thread_stop(s.b.thread);
  handshakes_free(hands);
  return rate;
}

/* What a handshake costs the server at the very least: its own part, nothing else. */
static double bare(void) {
  struct bench b = {0};
  uint8_t buf[1600];
  us_t server = 0;
  const int rounds = 400;
  bench_certs(&b);
  pin(0);
  for (int i = 0; i < rounds; i++) {
    struct dtls *c = dtls_create(b.dtls, false, "sha-256", b.cert.sha256, 32);
    us_t at = clock_now();
    struct dtls *s = dtls_create(b.dtls, true, "sha-256", b.cert.sha256, 32);
    server += clock_now() - at;
    dtls_start(c, at);
    while (dtls_state(c) != DTLS_DONE) {
      bench_need(dtls_state(c) != DTLS_FAILED && dtls_state(s) != DTLS_FAILED, "handshake");
      for (size_t n; (n = dtls_poll_packet(c, buf, sizeof buf));) {
        us_t t0 = clock_now();
        dtls_handle_packet(s, t0, buf, n);
        server += clock_now() - t0;
      }
      for (size_t n; (n = dtls_poll_packet(s, buf, sizeof buf));)
        dtls_handle_packet(c, at, buf, n);
    }
    dtls_destroy(c);
    dtls_destroy(s);
  }
  return rounds * 1e6 / (double)server;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("%-44s %9s %9s %9s   ms\n", "delay of forwarded packets", "p50", "p99", "max");
  run("nobody comes", true, false);
  double on = run("200 come at once, handshakes on media thread", false, true);
  double apart = run("200 come at once, handshakes apart", true, true);
  double alone = bare();
  printf("bare DTLS handshakes, the server's part: %.0f/s; joins: %.0f %% and %.0f %% of it\n", alone,
         100 * on / alone, 100 * apart / alone);
  return 0;
}
