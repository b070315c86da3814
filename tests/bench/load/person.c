#include "tests/bench/load/person.h"

#include "tests/bench/load/person_private.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CHECK_FIRST_US (100 * US_PER_MS)
#define CHECK_WAIT_MAX_US (3 * US_PER_S)
#define UDP_MARK 1U

/* ---- how it ends ---- */

static void drop(struct person *p) {
  timers_set(&p->load->timers, &p->timer, US_NEVER);
  if (p->side)
    p->load->cfg.kind->drop(p);
  if (p->udp >= 0)
    close(p->udp);
  p->stream = NULL;
  p->side = NULL;
  p->udp = -1;
  p->check_at = p->say_at = p->play_at = US_NEVER;
}

void person_fail(struct person *p, const char *why) {
  if (p->state == PERSON_GONE)
    return;
  p->load->n_up -= p->state == PERSON_UP;
  p->state = PERSON_GONE;
  p->why = why;
  p->load->n_gone++;
}

static void set_timer(struct person *p) {
  us_t due = p->side ? p->load->cfg.kind->due(p) : US_NEVER;
  due = p->check_at < due ? p->check_at : due;
  due = p->say_at < due ? p->say_at : due;
  due = p->play_at < due ? p->play_at : due;
  timers_set(&p->load->timers, &p->timer, due);
}

void person_settle(struct person *p) {
  if (p->state == PERSON_GONE)
    drop(p);
  else
    set_timer(p);
}

/* ---- coming ---- */

static void watch(struct person *p, int fd, int op, uint32_t events, uint64_t mark) {
  struct epoll_event ev = {.events = events, .data.u64 = (uint64_t)(uintptr_t)p | mark};
  if (epoll_ctl(p->load->epoll, op, fd, &ev) != 0)
    person_fail(p, "too many sockets to watch");
}

void person_begin(struct person *p) {
  struct load *l = p->load;
  p->began_at = l->now;
  p->state = PERSON_COMING;
  p->ssrc = (uint32_t)rng_u64(rng_system()) | 1;
  rng_token(rng_system(), p->ufrag, sizeof p->ufrag - 1);
  rng_token(rng_system(), p->pwd, sizeof p->pwd - 1);
  const char *why = "";
  if (!l->cfg.kind->begin(p, &why))
    person_fail(p, why);
  else
    watch(p, stream_fd(p->stream), EPOLL_CTL_ADD, p->stream_events = stream_wants(p->stream), 0);
  person_settle(p);
}

void person_joined(struct person *p) {
  p->state = PERSON_IN;
  histo_add(&p->load->joined, p->load->now - p->began_at);
}

void person_up(struct person *p) {
  p->state = PERSON_UP;
  p->up_at = p->load->last_up_at = p->load->now;
  p->load->n_up++;
  if (p->load->talk_at != US_NEVER)
    person_talk(p);
}

/* What was written goes out as well. */
static void signalling(struct person *p) {
  const char *over = p->load->cfg.kind->ready(p);
  if (over)
    person_fail(p, over);
  if (!p->stream)
    return;
  uint32_t wants = stream_wants(p->stream);
  if (p->state != PERSON_GONE && wants != p->stream_events)
    watch(p, stream_fd(p->stream), EPOLL_CTL_MOD, p->stream_events = wants, 0);
}

void person_socket(struct person *p, bool udp) {
  if (udp && p->udp >= 0)
    person_receive(p);
  else if (!udp && p->stream)
    signalling(p);
  person_settle(p);
}

/* ---- his socket for sound ---- */

static bool open_udp(struct person *p, sa_family_t family) {
  int on = 1;
  p->udp = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (p->udp < 0 || setsockopt(p->udp, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0)
    return false;
  watch(p, p->udp, EPOLL_CTL_ADD, EPOLLIN, UDP_MARK);
  return p->state != PERSON_GONE;
}

bool person_bind(struct person *p) {
  struct sockaddr_storage me;
  socklen_t len = sizeof me;
  if (getsockname(stream_fd(p->stream), (struct sockaddr *)&me, &len) != 0)
    return false;
  ((struct sockaddr_in *)&me)->sin_port = 0; /* at the same place in sockaddr_in6 */
  return open_udp(p, me.ss_family) && bind(p->udp, (struct sockaddr *)&me, len) == 0;
}

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

bool person_connect(struct person *p, const struct sdp *a) {
  const struct sdp_candidate *c = choose(p, a);
  struct sockaddr_storage sa = {0};
  struct sockaddr_in *v4 = (struct sockaddr_in *)&sa;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&sa;
  socklen_t len = 0;
  if (c && inet_pton(AF_INET, c->address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(c->port);
    len = sizeof *v4;
  } else if (c && inet_pton(AF_INET6, c->address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(c->port);
    len = sizeof *v6;
  }
  return len && (p->udp >= 0 || open_udp(p, sa.ss_family)) &&
         connect(p->udp, (struct sockaddr *)&sa, len) == 0;
}

void person_check(struct person *p, const struct sdp *a, bool controlled) {
  snprintf(p->peer_pwd, sizeof p->peer_pwd, "%s", a->pwd);
  snprintf(p->check_user, sizeof p->check_user, "%s:%s", a->ufrag, p->ufrag);
  rng_system()->fill(rng_system(), p->check_id, sizeof p->check_id);
  p->is_controlled = controlled;
  p->check_at = p->load->now;
  p->check_wait = 0;
}

/* ---- time ---- */

static void check(struct person *p) {
  uint8_t buf[STUN_MAX];
  size_t n = stun_build_request(buf, sizeof buf, p->check_id, p->check_user, p->peer_pwd, !p->is_controlled,
                                p->ssrc, 0x7e0000ff, !p->is_controlled);
  line_send(p, buf, n); /* it is repeated */
  if (p->checked)
    p->check_at = p->load->now + CHECK_KEEP_US;
  else if (p->check_wait > CHECK_WAIT_MAX_US)
    person_fail(p, "the server did not answer the STUN checks");
  else {
    p->check_wait = p->check_wait ? 2 * p->check_wait : CHECK_FIRST_US;
    p->check_at = p->load->now + p->check_wait;
  }
}

static void play(struct person *p) {
  ear_play(&p->ear, p->load->now, p->room->freqs, p->room->n_speakers);
  p->play_at += LOAD_FRAME_US;
}

void person_timeout(struct person *p) {
  us_t now = p->load->now;
  const struct kind *k = p->load->cfg.kind;
  if (p->check_at <= now)
    check(p);
  if (p->side && k->due(p) <= now)
    k->timeout(p);
  while (p->say_at <= now)
    person_say(p);
  while (p->play_at <= now)
    play(p);
  person_settle(p);
}

void person_leave(struct person *p) {
  if (p->state == PERSON_IN || p->state == PERSON_UP) {
    p->load->n_up -= p->state == PERSON_UP;
    p->state = PERSON_LEAVING;
    p->leaves = true;
    p->say_at = p->play_at = US_NEVER;
    p->load->cfg.kind->leave(p);
    if (p->state != PERSON_GONE)
      signalling(p);
  } else
    person_fail(p, "left");
  person_settle(p);
}

void person_again(struct person *p) {
  ear_restart(&p->ear);
  free(p->why_text);
  p->why_text = NULL;
  p->why = NULL;
  p->state = PERSON_NEW;
  p->load->n_gone--;
  p->life++;
  p->checked = p->leaves = false;
  p->sound_at = 0;
  memset(p->ear.stream, 0, sizeof p->ear.stream);
}

void person_free(struct person *p) {
  drop(p);
  ear_free(&p->ear);
  free(p->said);
  free(p->why_text);
}
