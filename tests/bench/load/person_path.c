/* person_path.c: a person's sound: his socket, what he says and what he hears. */
#include "tests/bench/load/person_private.h"

#include <arpa/inet.h>
#include <opus.h>
#include <stdlib.h>
#include <string.h>
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

/* When nobody else is in a packet it is the talker's own, forwarded. */
static void match(struct person *p, const struct rtp *h) {
  const struct load_room *r = p->room;
  for (unsigned i = 0; i < r->n_speakers; i++) {
    const struct person *s = r->speaker[i];
    if (r->ids[i] != h->csrc[0])
      continue;
    uint64_t hash = frame_hash(h->payload, h->payload_len);
    uint64_t first = s->n_said > SAID_MAX ? s->n_said - SAID_MAX : 0;
    for (uint64_t k = s->n_said; hash && k > first; k--)
      if (s->said[(k - 1) % SAID_MAX].hash == hash) {
        histo_add(&p->load->delay, (p->arrived_ns - s->said[(k - 1) % SAID_MAX].at_ns) / 1000);
        return;
      }
  }
}

/* How long it took until somebody who began to talk was among those who are heard. */
static void match_onsets(struct person *p, const struct rtp *h) {
  const struct load_room *r = p->room;
  for (unsigned c = 0; c < h->n_csrc; c++)
    for (unsigned i = 0; i < r->n_speakers; i++) {
      const struct person *s = r->speaker[i];
      if (r->ids[i] != h->csrc[c] || p->seen[i] == s->turn)
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

static void on_audio(void *ctx, const struct rtp *h) {
  struct person *p = ctx;
  struct load *l = p->load;
  if (!p->sound_at)
    on_first_sound(p);
  ear_count(&p->ear, h, p->room->ids, p->room->n_speakers);
  if (p->ear.jitter)
    jitter_put(p->ear.jitter, l->now, h->seq, h->ts, h->marker, h->payload, h->payload_len);
  if (l->counting && h->n_csrc == 1)
    match(p, h);
  if (l->counting)
    match_onsets(p, h);
}

static void on_check(struct person *p, const uint8_t *buf, size_t n) {
  struct stun s;
  if (stun_parse(buf, n, &s) != ERR_OK || memcmp(s.tid, p->check_id, sizeof s.tid) != 0 ||
      !stun_check(buf, n, &s, p->peer_pwd))
    return;
  if (s.error)
    person_fail(p, "the server refused the STUN check");
  else if (s.success && !p->checked) {
    p->checked = true;
    p->check_at = p->load->now + CHECK_KEEP_US;
    path_transport_up(p->path, p->load->now);
  }
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
  for (int i = 0; i < n; i++) {
    p->arrived_ns = stamp_of(&m[i].msg_hdr);
    if (stun_looks_like(buf[i], m[i].msg_len))
      on_check(p, buf[i], m[i].msg_len);
    else
      path_handle_packet(p->path, p->load->now, buf[i], m[i].msg_len);
  }
}

/* ---- the path ---- */

static void on_send(void *ctx, const uint8_t *b, size_t n) {
  struct person *p = ctx;
  (void)!send(p->udp, b, n, 0); /* what does not go out is lost, as on any line */
}

static void on_state(void *ctx, bool up, enum err why, enum srtp_profile_id profile) {
  struct person *p = ctx;
  (void)profile;
  if (!up) {
    person_fail(p, err_text(why));
    return;
  }
  p->state = PERSON_UP;
  p->up_at = p->load->last_up_at = p->load->now;
  p->load->n_up++;
  if (p->load->talk_at != US_NEVER)
    person_talk(p);
}

static bool connect_to(struct person *p, const struct sdp_candidate *c) {
  struct sockaddr_storage sa = {0};
  struct sockaddr_in *v4 = (struct sockaddr_in *)&sa;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&sa;
  socklen_t len = 0;
  if (inet_pton(AF_INET, c->address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(c->port);
    len = sizeof *v4;
  } else if (inet_pton(AF_INET6, c->address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(c->port);
    len = sizeof *v6;
  }
  int on = 1;
  p->udp = socket(sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return p->udp >= 0 && len && setsockopt(p->udp, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0 &&
         connect(p->udp, (struct sockaddr *)&sa, len) == 0;
}

/* The address the signalling goes to, when it is among them, else the first. */
static const struct sdp_candidate *choose(const struct person *p, const struct sdp *a) {
  char text[INET6_ADDRSTRLEN] = "";
  const struct sockaddr *to = (const struct sockaddr *)&p->load->server;
  const void *address = to->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)to)->sin_addr
                                                 : &((const struct sockaddr_in6 *)to)->sin6_addr;
  inet_ntop(to->sa_family, address, text, sizeof text);
  const struct sdp_candidate *first = NULL;
  for (size_t i = 0; i < a->n_cand; i++) {
    if (!a->cand[i].udp)
      continue;
    if (strcmp(a->cand[i].address, text) == 0)
      return &a->cand[i];
    first = first ? first : &a->cand[i];
  }
  return first;
}

void person_open_path(struct person *p, const struct sdp *a) {
  const struct sdp_candidate *c = choose(p, a);
  struct path_io io = {on_send, on_audio, on_state, p};
  if (!c || !connect_to(p, c)) {
    person_fail(p, c ? "no UDP socket" : "the answer has no candidate");
    return;
  }
  p->path = path_create(p->load->dtls, rng_system(), p->ssrc, a, &io);
  if (!p->path) {
    person_fail(p, "the answer's fingerprint cannot be used");
    return;
  }
  snprintf(p->peer_pwd, sizeof p->peer_pwd, "%s", a->pwd);
  snprintf(p->check_user, sizeof p->check_user, "%s:%s", a->ufrag, p->ufrag);
  rng_system()->fill(rng_system(), p->check_id, sizeof p->check_id);
  p->check_at = p->load->now;
  p->check_wait = 0;
  person_watch_udp(p);
}

/* ---- speaking ---- */

void person_talk(struct person *p) {
  if (!p->speaks || p->state != PERSON_UP)
    return;
  p->say_at = p->load->now + (us_t)rng_below(rng_system(), LOAD_FRAME_US); /* not all at once */
  person_set_timer(p);
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
  path_send(p->path, p->load->now, k);
}

void person_say(struct person *p) {
  struct load *l = p->load;
  if (l->talk_at == US_NEVER) {
    p->say_at = US_NEVER;
    return;
  }
  bool mine = load_talks(l, p->room, p->number, p->say_at);
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
