/* sound.c: what a person says and what he hears, whatever the server is. */
#include "tests/bench/load/person_private.h"

#include "core/base/rng.h"

#include <opus.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 8
#define DATAGRAM_MAX 1500
#define HASHED_MAX 64   /* bytes of an Opus frame that tell it from others */
#define HASHED_LEAST 12 /* a frame of comfort noise is like the one before */
#define LATE_SAY_US US_PER_S

/* The kernel stamps what arrives with this clock. */
static int64_t wall_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Of the first (oldest) Opus frame in a packet: packing several into one changes the packet but not them. 0:
 * not to be told apart. */
static uint64_t frame_hash(const uint8_t *p, size_t n) {
  const unsigned char *frame[48];
  opus_int16 size[48];
  int k = opus_packet_parse(p, (opus_int32)n, NULL, frame, size, NULL);
  if (k <= 0 || size[0] < HASHED_LEAST)
    return 0;
  uint64_t h = 14695981039346656037U + (uint64_t)size[0];
  for (int i = 0; i < size[0] && i < HASHED_MAX; i++)
    h = (h ^ frame[0][i]) * 1099511628211U;
  return h ? h : 1;
}

/* ---- hearing ---- */

/* A packet that holds a speaker's own frames: when were they sent? */
static void match(struct person *p, const struct heard *h) {
  const struct load_room *r = p->room;
  uint64_t hash = frame_hash(h->p, h->n);
  for (unsigned i = 0; hash && i < r->n_speakers; i++) {
    const struct person *s = r->speaker[i];
    uint64_t first = s->n_said > SAID_MAX ? s->n_said - SAID_MAX : 0;
    for (uint64_t k = s->n_said; h->who >> i & 1 && k > first; k--)
      if (s->said[(k - 1) % SAID_MAX].hash == hash) {
        histo_add(&p->load->delay, (p->arrived_ns - s->said[(k - 1) % SAID_MAX].at_ns) / 1000);
        return;
      }
  }
}

/* How long it took until somebody who began to talk was among those who are heard. */
static void match_onsets(struct person *p, const struct heard *h) {
  const struct load_room *r = p->room;
  for (unsigned i = 0; i < r->n_speakers; i++) {
    const struct person *s = r->speaker[i];
    if (!(h->who >> i & 1) || p->seen[i] == s->turn)
      continue;
    p->seen[i] = s->turn;
    histo_add(&p->load->onset, (p->arrived_ns - s->voiced_ns) / 1000);
  }
}

static void on_first_sound(struct person *p) {
  struct load *l = p->load;
  p->sound_at = l->now;
  if (!p->speaks && l->talk_at <= p->began_at)
    histo_add(&l->first_sound, l->now - p->began_at);
  if (p->ear.jitter)
    p->play_at = l->now + LOAD_FRAME_US;
}

void person_heard(struct person *p, const struct heard *h) {
  struct load *l = p->load;
  if (!p->sound_at)
    on_first_sound(p);
  ear_count(&p->ear, h, p->arrived_ns);
  if (p->ear.jitter)
    ear_put(&p->ear, l->now, h);
  if (l->counting && h->as_said)
    match(p, h);
  if (l->counting)
    match_onsets(p, h);
}

/* A request of a full ICE agent, or the answer to our own. */
static void on_stun(struct person *p, const uint8_t *b, size_t n) {
  struct stun s;
  if (stun_parse(b, n, &s) != ERR_OK)
    return;
  if (s.request && stun_check(b, n, &s, p->pwd)) {
    uint8_t answer[STUN_MAX];
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    if (getpeername(p->udp, (struct sockaddr *)&from, &len) == 0)
      line_send(p, answer,
                stun_build_success(answer, sizeof answer, s.tid, (struct sockaddr *)&from, p->pwd));
    return;
  }
  if (memcmp(s.tid, p->check_id, sizeof s.tid) != 0 || !stun_check(b, n, &s, p->peer_pwd))
    return;
  if (s.error)
    person_fail(p, "the server refused the STUN check");
  else if (s.success && !p->checked) {
    p->checked = true;
    p->check_at = p->load->now + CHECK_KEEP_US;
    p->load->cfg.kind->reachable(p);
  }
}

void person_datagram(struct person *p, uint8_t *b, size_t n) {
  p->load->wire_bytes += p->load->counting ? n + IMPAIR_HEADERS : 0;
  if (stun_looks_like(b, n))
    on_stun(p, b, n);
  else
    p->load->cfg.kind->datagram(p, b, n);
}

static int64_t stamp_of(struct msghdr *m) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec t;
      memcpy(&t, CMSG_DATA(c), sizeof t);
      return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    }
  return wall_ns();
}

void person_receive(struct person *p) {
  uint8_t buf[BATCH][DATAGRAM_MAX];
  char control[BATCH][64];
  struct iovec iov[BATCH];
  struct mmsghdr m[BATCH];
  for (int i = 0; i < BATCH; i++) {
    iov[i] = (struct iovec){buf[i], DATAGRAM_MAX};
    m[i].msg_hdr = (struct msghdr){
        .msg_iov = &iov[i], .msg_iovlen = 1, .msg_control = control[i], .msg_controllen = sizeof control[i]};
  }
  int n = recvmmsg(p->udp, m, BATCH, MSG_DONTWAIT, NULL);
  for (int i = 0; i < n && p->state != PERSON_GONE; i++) {
    p->arrived_ns = stamp_of(&m[i].msg_hdr);
    line_take(p, buf[i], m[i].msg_len);
  }
}

/* ---- speaking ---- */

void person_talk(struct person *p) {
  if (!p->speaks || p->state != PERSON_UP || p->say_at != US_NEVER)
    return;
  p->say_at = p->load->now + (us_t)rng_below(rng_system(), LOAD_FRAME_US); /* not all at once */
  person_settle(p);
}

static void say(struct person *p, struct capture_packet *k) {
  struct said *s = &p->said[p->n_said % SAID_MAX];
  k->ts = p->frame * AUDIO_FRAME;
  k->marker |= !p->talks;
  p->talks = true;
  *s = (struct said){frame_hash(k->payload, k->len), wall_ns()};
  p->n_said++;
  if (k->voice && !p->voiced) {
    p->voiced = true;
    p->voiced_ns = s->at_ns;
    p->turn++;
  }
  p->n_spoken += k->voice && p->load->counting;
  p->load->cfg.kind->say(p, k);
}

void person_say(struct person *p) {
  struct load *l = p->load;
  if (l->talk_at == US_NEVER) {
    p->say_at = US_NEVER;
    return;
  }
  bool mine = load_talks(l, p->room, p->number, p->say_at);
  if (l->cfg.once && p->frame >= p->clip->n)
    mine = false;
  const struct capture_packet *k = mine ? p->clip->v[p->frame % p->clip->n] : NULL;
  if (k && l->now - p->say_at < LATE_SAY_US) {
    struct capture_packet copy = *k;
    say(p, &copy);
  }
  p->talks &= mine;
  p->voiced &= mine;
  p->frame++;
  p->say_at += LOAD_FRAME_US;
}
