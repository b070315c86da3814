#include "tests/bench/load/load.h"

#include "tests/bench/load/person.h"

#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS 512
#define PATIENCE_US (30 * US_PER_S) /* for who is still on the way when the last has begun */
#define SETTLE_US US_PER_S          /* before the count */
#define DRAIN_US (500 * US_PER_MS)  /* after it: what is under way still counts */
#define ROOM_PHASE_US (137 * US_PER_MS)
#define SINE_FIRST 331.0
#define SINE_STEP 173.0 /* apart enough for frames of 20 ms, and no two in harmony */

/* ---- what is said ---- */

/* One at a time, and the next begins before he has ended, sometimes: 12 % of a turn on average. */
static bool converses(const struct load_room *room, unsigned speaker, uint64_t turn, us_t into, us_t length) {
  uint64_t mix = (turn * 2654435761U + room->at) * 0x9e3779b97f4a7c15U;
  us_t overlap = length * (us_t)(mix >> 40 & 255) / 1024;
  unsigned n = room->n_speakers;
  return turn % n == speaker || (turn > 0 && (turn - 1) % n == speaker && into < overlap);
}

bool load_talks(const struct load *l, const struct load_room *room, unsigned speaker, us_t t) {
  us_t since = t - l->talk_at + (us_t)room->at * ROOM_PHASE_US;
  uint64_t turn = (uint64_t)(since / l->cfg.turn_us);
  unsigned n = room->n_speakers, first = (unsigned)(turn % n);
  if (l->cfg.once)
    return true;
  if (l->cfg.n_pattern == 0)
    return converses(room, speaker, turn, since % l->cfg.turn_us, l->cfg.turn_us);
  return (speaker + n - first) % n < l->cfg.pattern[turn % l->cfg.n_pattern];
}

static bool make_clips(struct load *l) {
  l->n_clips = l->cfg.n_speech ? l->cfg.n_speech : l->cfg.speakers;
  l->clips = calloc(l->n_clips, sizeof(struct clip *));
  if (!l->clips)
    abort();
  for (size_t i = 0; i < l->n_clips; i++) {
    l->clips[i] =
        l->cfg.n_speech ? clip_file(l->cfg.speech[i]) : clip_sine(SINE_FIRST + SINE_STEP * (double)i);
    if (!l->clips[i])
      return false;
  }
  return true;
}

/* ---- who comes ---- */

static void make_person(struct load *l, struct person *p, size_t i) {
  size_t n_speakers = l->n_rooms * l->cfg.speakers;
  *p = (struct person){.load = l,
                       .room = &l->rooms[i % l->n_rooms],
                       .speaks = i < n_speakers,
                       .number = (unsigned)((i < n_speakers ? i : i - n_speakers) / l->n_rooms),
                       .timer = TIMER_IDLE,
                       .udp = -1,
                       .check_at = US_NEVER,
                       .say_at = US_NEVER,
                       .play_at = US_NEVER};
  if (p->speaks) {
    struct load_room *r = p->room;
    p->clip = l->clips[(p->number + r->at) % l->n_clips];
    p->frame = p->clip->freq > 0 || l->cfg.once ? 0 : r->at * 71;
    p->said = calloc(SAID_MAX, sizeof *p->said);
    r->speaker[p->number] = p;
    r->freqs[p->number] = p->clip->freq;
    r->n_speakers++;
  } else if (l->cfg.decode && !l->cfg.kind->many && (i - n_speakers) % l->cfg.decode == 0)
    p->ear.jitter = jitter_create();
  if (p->speaks && !p->said)
    abort();
  char path[512];
  snprintf(path, sizeof path, "%s/%u-%u.wav", l->cfg.record ? l->cfg.record : "", p->room->at, p->number);
  if (l->cfg.record && p->ear.jitter && !ear_record(&p->ear, path))
    fprintf(stderr, "gavel-load: %s cannot be written\n", path);
}

static void make_people(struct load *l) {
  l->n_people = l->n_rooms * (l->cfg.speakers + l->cfg.listeners);
  l->people = calloc(l->n_people, sizeof *l->people);
  if (!l->people)
    abort();
  for (size_t i = 0; i < l->n_people; i++)
    make_person(l, &l->people[i], i);
}

/* ---- the loop ---- */

void load_move(struct load *l, us_t until) {
  struct epoll_event ev[EVENTS];
  us_t due = timers_next(&l->timers), lands = timers_next(&l->air);
  due = lands < due ? lands : due;
  due = due < until ? due : until;
  us_t wait = due > l->now ? due - l->now : 0;
  struct timespec t = {wait / US_PER_S, (long)(wait % US_PER_S) * 1000};
  int n = epoll_pwait2(l->epoll, ev, EVENTS, &t, NULL);
  for (int i = 0; i < n; i++) {
    l->now = clock_now();
    person_socket((struct person *)(uintptr_t)(ev[i].data.u64 & ~UINT64_C(1)), ev[i].data.u64 & 1);
  }
  l->now = clock_now();
  line_move(l);
  struct timer *due_timer;
  while ((due_timer = timers_pop(&l->timers, l->now)))
    person_timeout((struct person *)(void *)((char *)due_timer - offsetof(struct person, timer)));
}

static void run_until(struct load *l, us_t until) {
  while (l->now < until)
    load_move(l, until);
}

/* People come at cfg.ramp a second up to the n-th; ends when all of them have sound or have failed. */
static void let_in(struct load *l, size_t n) {
  us_t next = l->now, step = US_PER_S / l->cfg.ramp, give_up = US_NEVER;
  while (l->n_up + l->n_gone < n && l->now < give_up) {
    while (l->n_begun < n && next <= l->now) {
      person_begin(&l->people[l->n_begun++]);
      next += step;
    }
    if (l->n_begun == n && give_up == US_NEVER)
      give_up = l->now + PATIENCE_US;
    load_move(l, l->n_begun < n ? next : give_up);
  }
}

static void talk(struct load *l) {
  l->talk_at = l->now;
  for (size_t i = 0; i < l->n_rooms * l->cfg.speakers; i++)
    person_talk(&l->people[i]);
}

static void add_up(struct load *l) {
  for (size_t i = 0; i < l->n_people; i++)
    if (!l->people[i].speaks) {
      l->packets += l->people[i].ear.packets;
      l->bytes += l->people[i].ear.bytes;
      l->frames += l->people[i].ear.frames;
      l->copies += l->people[i].ear.copies;
    }
}

static void count(struct load *l) {
  if (!l->cfg.once)
    run_until(l, l->now + SETTLE_US);
  l->counting = true;
  l->text_bytes = l->wire_bytes = 0;
  for (size_t i = 0; i < l->n_people; i++) {
    ear_restart(&l->people[i].ear);
    for (unsigned k = 0; k < l->cfg.speakers; k++)
      l->people[i].seen[k] = l->people[i].room->speaker[k]->turn;
  }
  l->began = usage_now(l->cfg.pid);
  if (l->cfg.impaired) {
    run_until(l, l->began.at + l->cfg.impair_after_us);
    line_start(l);
  }
  if (l->cfg.soak_us)
    soak_run(l);
  else
    run_until(l, l->began.at + l->cfg.seconds_us);
  l->ended = usage_now(l->cfg.pid);
  l->talk_at = US_NEVER;
  add_up(l);
  run_until(l, l->now + DRAIN_US);
  l->counting = false;
}

/* ---- the run ---- */

static bool resolve(struct load *l, const char *host, unsigned number) {
  char port[8];
  snprintf(port, sizeof port, "%u", number);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
  int e = getaddrinfo(host, port, &hints, &found);
  if (e != 0) {
    fprintf(stderr, "gavel-load: %s: %s\n", host, gai_strerror(e));
    return false;
  }
  memcpy(&l->server, found->ai_addr, found->ai_addrlen);
  l->server_len = found->ai_addrlen;
  freeaddrinfo(found);
  return true;
}

static bool find_server(struct load *l) {
  const struct link *k = &l->rooms[0].link;
  if (*l->cfg.peer_host)
    return resolve(l, l->cfg.peer_host, l->cfg.peer_port);
  for (size_t i = 1; i < l->n_rooms; i++)
    if (strcmp(l->rooms[i].link.host, k->host) != 0 || l->rooms[i].link.port != k->port ||
        memcmp(l->rooms[i].link.pin, k->pin, sizeof k->pin) != 0) {
      fputs("gavel-load: all links must be of one server\n", stderr);
      return false;
    }
  return resolve(l, k->host, k->port);
}

static bool allow_sockets(size_t n) {
  struct rlimit r;
  if (getrlimit(RLIMIT_NOFILE, &r) != 0)
    return false;
  if (r.rlim_max < n)
    r.rlim_max = n;
  r.rlim_cur = r.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &r) == 0 || (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur >= n))
    return true;
  fprintf(stderr, "gavel-load: %zu sockets are needed: raise ulimit -n\n", n);
  return false;
}

bool load_run(struct load *l) {
  l->now = clock_now();
  l->talk_at = US_NEVER;
  size_t each = l->cfg.speakers + l->cfg.listeners;
  l->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (!allow_sockets(2 * each * l->n_rooms + 64) || !find_server(l) || !make_clips(l) || l->epoll < 0)
    return false;
  if (!l->cfg.kind->setup(l))
    return false;
  l->handshake_us = handshake_cost();
  make_people(l);
  l->now = clock_now();
  l->empty = usage_now(l->cfg.pid);
  let_in(l, l->n_rooms * l->cfg.speakers);
  if (!l->cfg.once)
    talk(l);
  l->joining = usage_now(l->cfg.pid);
  l->ramp_at = l->now = clock_now();
  let_in(l, l->n_people);
  l->ramp_us = l->last_up_at - l->ramp_at;
  if (l->cfg.once)
    talk(l);
  count(l);
  return true;
}

void load_leave(struct load *l) {
  us_t give_up = l->now + PATIENCE_US;
  for (size_t i = 0; i < l->n_people; i++)
    person_leave(&l->people[i]);
  while (l->n_gone < l->n_people && l->now < give_up)
    load_move(l, give_up);
}

void load_free(struct load *l) {
  for (size_t i = 0; i < l->n_people; i++)
    person_free(&l->people[i]);
  for (size_t i = 0; i < l->n_clips; i++)
    clip_free(l->clips[i]);
  free(l->people);
  free(l->clips);
  free(l->rooms);
  soak_free(l->soak);
  line_end(l);
  timers_free(&l->timers);
  l->cfg.kind->cleanup(l);
  if (l->epoll >= 0)
    close(l->epoll);
}
