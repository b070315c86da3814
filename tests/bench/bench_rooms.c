/* bench_rooms.c: what many small rooms cost: R rooms of five, of whom two talk, real speech.
 *
 *   alone         one person talks all the time
 *   conversation  turns of 1.5 to 4 s; every second one begins before the other has ended, now and then a
 *                 "mhm" in between
 *   double talk   both talk all the time
 *
 * On a media port without sockets (virtual time, CPU time of the calls) and, with --sockets, on a real media
 * thread in real time (its CPU by the kernel's account; server on core 0, the rest on core 1). */
#include "bench_kit.h"

#include "audio/codec.h"
#include "load/clip.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#define PEOPLE 5
#define SECONDS 20
#define FRAME_US (20 * US_PER_MS)
#define ROOMS_MAX 400

enum kind { ALONE, CONVERSATION, DOUBLE_TALK };
static const char *const KINDS[] = {"alone", "conversation", "double talk"};

struct room {
  struct peer who[PEOPLE];
  size_t at[2];        /* in the clips */
  bool now[2];         /* talks */
  unsigned until, mhm; /* frames: of the turn; when the other says something short, 0 not */
  unsigned overlap;    /* frames left of both */
  unsigned turn;       /* whose */
  unsigned both, any;  /* frames with voice of two, of one at least */
};
static struct bench b;
static struct mediaport *port; /* without sockets */
static struct clip *clips[2];
static struct rng chance;
static us_t now = 1000 * US_PER_S, cpu_us; /* virtual */
static uint64_t packets_out;
static struct peer *by_handle[ROOMS_MAX * PEOPLE + 1];

static us_t clock_of(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (us_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

static void pin(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  (void)sched_setaffinity(0, sizeof set, &set); /* a machine with one core: all on it */
}

/* ---- who talks ---- */

static unsigned frames(unsigned least_ms, unsigned most_ms) {
  return (least_ms + (unsigned)rng_below(&chance, most_ms - least_ms + 1)) / 20;
}

static void room_turns(struct room *r, enum kind kind) {
  if (kind != CONVERSATION) {
    r->now[0] = true;
    r->now[1] = kind == DOUBLE_TALK;
    return;
  }
  unsigned other = !r->turn;
  if (r->until > 0)
    r->until--;
  if (r->mhm > 0 && --r->mhm < 20) /* 0.4 s of it */
    r->now[other] = r->mhm > 0;
  if (r->overlap > 0 && --r->overlap == 0)
    r->now[other] = false; /* he has ended */
  if (r->until > 0)
    return;
  r->turn = other;
  r->now[other] = true;
  r->overlap = rng_below(&chance, 2) ? frames(200, 800) : 0;
  if (!r->overlap)
    r->now[!other] = false;
  r->until = frames(1500, 4000);
  r->mhm = !r->overlap && rng_below(&chance, 2) ? r->until / 2 + 20 : 0;
}

/* ---- the media port alone ---- */

struct wait { /* sealed, not handed in yet */
  struct peer *from;
  size_t n;
  uint8_t data[400];
};
static struct wait *waits;
static size_t n_waits;

static struct sockaddr_in place(const struct peer *r) {
  struct sockaddr_in a = bench_loopback((uint16_t)(r->handle & 0xffff));
  a.sin_addr.s_addr = htonl(0x0a000000 + r->handle);
  return a;
}

static void direct_send(struct peer *r, const uint8_t *p, size_t n) {
  uint8_t buf[1600];
  struct sockaddr_in a = place(r);
  memcpy(buf, p, n);
  mediaport_handle_packet(port, now, (struct sockaddr *)&a, sizeof a, buf, n);
}

static void on_send(void *ctx, const struct media_datagram *v, size_t n) {
  (void)ctx;
  packets_out += n;
  for (size_t i = 0; i < n; i++) {
    struct sockaddr_in a;
    memcpy(&a, &v[i].to, sizeof a);
    struct peer *r = by_handle[ntohl(a.sin_addr.s_addr) - 0x0a000000];
    if (!r->up)
      peer_take(r, v[i].data, v[i].len);
  }
}

static void on_tell(void *ctx, const struct media_event *ev) {
  (void)ctx;
  (void)ev;
}

static void direct_open(struct peer *r, uint32_t room, bool speaks) {
  struct media_cmd cmd = {.room = room, .may_send = speaks, .may_hear = true};
  peer_order(&b, r, &cmd);
  by_handle[r->handle] = r;
  r->send = direct_send;
  mediaport_command(port, now, &cmd);
  peer_check(r);
  peer_hello(r);
  bench_need(r->up, "a path");
}

static void direct_frame(us_t at) {
  us_t began = clock_of(CLOCK_THREAD_CPUTIME_ID);
  for (us_t t; (t = mediaport_next_timeout(port)) <= at;) {
    now = t > now ? t : now;
    mediaport_handle_timeout(port, now);
  }
  now = at;
  for (size_t i = 0; i < n_waits; i++) {
    struct sockaddr_in a = place(waits[i].from);
    mediaport_handle_packet(port, now, (struct sockaddr *)&a, sizeof a, waits[i].data, waits[i].n);
  }
  cpu_us += clock_of(CLOCK_THREAD_CPUTIME_ID) - began;
  n_waits = 0;
}

/* ---- both ---- */

/* What the two of a room send in this frame. */
static void room_frame(struct room *r, enum kind kind, bool direct) {
  room_turns(r, kind);
  unsigned voices = 0;
  for (unsigned i = 0; i < 2; i++) {
    struct peer *p = &r->who[i];
    const struct clip *c = clips[i];
    const struct capture_packet *k = r->now[i] ? c->v[r->at[i]++ % c->n] : NULL;
    voices += k && k->voice;
    if (!k) {
      p->ts += 960;
      continue;
    }
    struct wait *w = &waits[n_waits];
    w->from = p;
    w->n = peer_seal(p, k->payload, k->len, 960, k->voice, w->data, sizeof w->data);
    if (direct)
      n_waits++;
    else
      peer_send(p, w->data, w->n);
  }
  r->any += voices > 0;
  r->both += voices > 1;
}

static void result(const char *how, enum kind kind, const struct room *v, unsigned rooms, us_t cpu,
                   uint64_t out, unsigned seconds) {
  unsigned any = 0, both = 0;
  for (unsigned i = 0; i < rooms; i++) {
    any += v[i].any;
    both += v[i].both;
  }
  double us = (double)cpu / rooms / seconds;
  printf("%-8s %-13s %5u %8.0f %9.0f %9.0f %7.0f %9.0f\n", how, KINDS[kind], rooms, us, 1e6 / us,
         (double)out / rooms / seconds, 100.0 * any / (50.0 * rooms * seconds), any ? 100.0 * both / any : 0);
}

static void direct(enum kind kind, unsigned rooms) {
  static struct room v[ROOMS_MAX];
  struct mediaport_config c = {.dtls = b.dtls, .rng = rng_system(), .send = on_send, .tell = on_tell};
  memset(v, 0, sizeof v);
  b.last_handle = 0;
  port = mediaport_create(&c);
  for (uint32_t i = 0; i < rooms; i++) {
    mediaport_command(port, now, &(struct media_cmd){.kind = MEDIA_ROOM_OPEN, .room = i + 1});
    for (unsigned k = 0; k < PEOPLE; k++)
      direct_open(&v[i].who[k], i + 1, k < 2);
    v[i].at[0] = v[i].at[1] = rng_below(&chance, 1000);
  }
  packets_out = 0;
  cpu_us = 0;
  us_t at = now;
  for (unsigned f = 0; f < SECONDS * 50; f++)
    for (unsigned phase = 0; phase < 20; phase++) { /* rooms are spread over the frame */
      for (uint32_t i = phase; i < rooms; i += 20) {
        room_frame(&v[i], kind, true);
        for (unsigned k = 0; f % 200 == 0 && k < PEOPLE; k++)
          peer_check(&v[i].who[k]);
      }
      direct_frame(at += US_PER_MS);
    }
  result("calls", kind, v, rooms, cpu_us, packets_out, SECONDS);
  mediaport_destroy(port);
  for (uint32_t i = 0; i < rooms; i++)
    for (unsigned k = 0; k < PEOPLE; k++)
      secure_destroy(v[i].who[k].secure);
}

/* ---- on sockets ---- */

static volatile bool reading;
static void *reader(void *arg) { /* takes what the listeners get, so that the kernel delivers it */
  struct room *v = arg;
  uint8_t buf[1600];
  while (reading) {
    for (unsigned i = 0; i < ROOMS_MAX && reading; i++)
      for (unsigned k = 0; v[i].who[0].handle && k < PEOPLE; k++)
        while (recv(v[i].who[k].fd, buf, sizeof buf, MSG_DONTWAIT) > 0)
          ;
    usleep(20000);
  }
  return NULL;
}

/* CPU of the media thread by the kernel's account. */
static us_t thread_cpu(void) {
  char path[300], name[32] = "";
  unsigned long long ns = 0;
  DIR *d = opendir("/proc/self/task");
  bench_need(d != NULL, "/proc/self/task");
  for (struct dirent *e; (e = readdir(d));) {
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", e->d_name);
    FILE *f = fopen(path, "re");
    bool media = f && fgets(name, sizeof name, f) && strcmp(name, "media0\n") == 0;
    if (f)
      fclose(f);
    snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", e->d_name);
    f = media ? fopen(path, "re") : NULL;
    if (media)
      bench_need(f && fscanf(f, "%llu", &ns) == 1, path);
    if (f)
      fclose(f);
  }
  closedir(d);
  return (us_t)(ns / 1000);
}

static void sockets(enum kind kind, unsigned rooms, unsigned seconds) {
  static struct room v[ROOMS_MAX];
  struct mediaport_counters before, after;
  pthread_t t;
  memset(v, 0, sizeof v);
  b.last_handle = 0;
  pin(0);
  bench_start(&b, NULL);
  pin(1);
  for (uint32_t i = 0; i < rooms; i++) {
    media_thread_command(b.thread, &(struct media_cmd){.kind = MEDIA_ROOM_OPEN, .room = i + 1});
    for (unsigned k = 0; k < PEOPLE; k++)
      peer_open(&b, &v[i].who[k], i + 1, k < 2);
    v[i].at[0] = v[i].at[1] = rng_below(&chance, 1000);
  }
  reading = true;
  bench_need(pthread_create(&t, NULL, reader, v) == 0, "thread");
  us_t at = clock_now(), cpu = 0;
  for (unsigned f = 0; f < (seconds + 1) * 50; f++) {
    if (f == 50) { /* the mixers have what they need */
      cpu = thread_cpu();
      media_thread_counters(b.thread, &before);
      for (uint32_t i = 0; i < rooms; i++)
        v[i].any = v[i].both = 0;
    }
    for (unsigned phase = 0; phase < 20; phase++) {
      for (uint32_t i = phase; i < rooms; i += 20) {
        room_frame(&v[i], kind, false);
        for (unsigned k = 0; f % 500 == 499 && k < PEOPLE; k++)
          peer_check(&v[i].who[k]);
      }
      at += US_PER_MS;
      struct timespec due = {at / US_PER_S, (long)(at % US_PER_S) * 1000};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
  }
  cpu = thread_cpu() - cpu;
  media_thread_counters(b.thread, &after);
  result("sockets", kind, v, rooms, cpu, after.packets_out - before.packets_out, seconds);
  if (after.stale > before.stale)
    printf("         %.0f packets a second were late and dropped\n",
           (double)(after.stale - before.stale) / seconds);
  reading = false;
  pthread_join(t, NULL);
  media_thread_stop(b.thread);
  for (uint32_t i = 0; i < rooms; i++)
    for (unsigned k = 0; k < PEOPLE; k++) {
      secure_destroy(v[i].who[k].secure);
      close(v[i].who[k].fd);
    }
}

int main(int argc, char **argv) {
  const char *only = argc > 1 && strcmp(argv[1], "--sockets") != 0 ? argv[1] : NULL;
  bool real = argc > 1 && !only;
  setvbuf(stdout, NULL, _IOLBF, 0);
  rng_seed(&chance, 7);
  bench_certs(&b);
  waits = calloc(2 * ROOMS_MAX, sizeof *waits);
  clips[0] = clip_file(GAVEL_SRCDIR "/tests/data/speech_a.wav");
  clips[1] = clip_file(GAVEL_SRCDIR "/tests/data/speech_b.wav");
  bench_need(waits && clips[0] && clips[1], "speech");
  printf("%-8s %-13s %5s %8s %9s %9s %7s %9s\n", "", "", "rooms", "us/s", "per core", "packets/s", "voice %",
         "of two %");
  for (enum kind k = ALONE; k <= DOUBLE_TALK; k++)
    if (only && strcmp(only, KINDS[k]) != 0)
      continue;
    else if (real)
      sockets(k, k == DOUBLE_TALK ? 150 : 200, 8);
    else
      direct(k, 40);
  free(waits);
  clip_free(clips[0]);
  clip_free(clips[1]);
  return 0;
}
