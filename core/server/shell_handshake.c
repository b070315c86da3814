#include "core/server/shell_handshake.h"

#include "core/base/mailbox.h"
#include "core/base/map.h"
#include "core/base/timers.h"
#include "core/media/secure.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE 10                    /* a tenth of the weight of a media thread on the same core */
#define JOBS_TURN 8                /* then the timers are looked at */
#define GIVE_UP_US (35 * US_PER_S) /* an association gives up by itself 30 s after its first answer */

struct job { /* one datagram, malloc'd: its reader frees it */
  const struct handshake_home *home;
  uint32_t peer;
  bool first;
  struct media_peer_params params; /* of the first */
  struct sockaddr_storage from;
  socklen_t from_len;
  size_t n; /* 0: the peer is gone */
  uint8_t data[];
};
struct shake {
  struct timer timer; /* first, so that it leads back here */
  const struct handshake_home *home;
  uint32_t peer;
  struct secure *secure;
  struct sockaddr_storage to; /* whence he wrote last */
  socklen_t to_len;
  us_t give_up;
};
struct worker {
  struct dtls_ctx *dtls;
  pthread_t thread;
  bool running;
  atomic_bool stop;
  atomic_uint waiting;
  struct mailbox *in; /* of struct job * */
  struct map *shakes; /* peer -> struct shake: the worker's own */
  struct timers timers;
};
struct handshakes {
  unsigned n;
  struct worker worker[HANDSHAKE_THREADS_MAX];
};

/* ---- the worker ---- */

static void shake_free(struct worker *w, struct shake *s) {
  timers_set(&w->timers, &s->timer, US_NEVER);
  map_del_u32(w->shakes, s->peer);
  secure_destroy(s->secure);
  free(s);
}

/* After each call into `secure`: its answers leave, unless it is the media thread's from now on. */
static void shake_turn(struct worker *w, struct shake *s, us_t now) {
  uint8_t out[DTLS_DATAGRAM_MAX];
  enum secure_news news = secure_news(s->secure);
  bool over = news == SECURE_UP || news == SECURE_FAILED;
  if (over || now >= s->give_up) {
    s->home->done(s->home->ctx, s->peer, over ? s->secure : NULL);
    s->secure = over ? NULL : s->secure;
    shake_free(w, s);
    return;
  }
  for (size_t n; (n = secure_poll(s->secure, out, sizeof out));)
    s->home->send(s->home->ctx, (const struct sockaddr *)&s->to, s->to_len, out, n);
  us_t due = secure_next_timeout(s->secure);
  timers_set(&w->timers, &s->timer, due < s->give_up ? due : s->give_up);
}

static struct shake *shake_begin(struct worker *w, const struct job *j, us_t now) {
  const struct media_peer_params *p = &j->params;
  struct shake *s = calloc(1, sizeof *s);
  if (!s)
    return NULL;
  *s = (struct shake){.timer = TIMER_IDLE, .home = j->home, .peer = j->peer, .give_up = now + GIVE_UP_US};
  s->secure = secure_create(w->dtls, true, p->hash, p->fingerprint, p->fingerprint_len, p->ssrc_in);
  if (!s->secure) {
    free(s);
    return NULL;
  }
  map_put_u32(w->shakes, s->peer, s);
  return s;
}

/* What comes after the end of a handshake, or after its peer's, is nobody's: only a first datagram begins. */
static void work(struct worker *w, const struct job *j) {
  us_t now = clock_now();
  struct shake *s = map_get_u32(w->shakes, j->peer);
  if (j->n == 0) {
    if (s)
      shake_free(w, s);
    return;
  }
  if (!s && (!j->first || !(s = shake_begin(w, j, now))))
    return;
  s->to = j->from;
  s->to_len = j->from_len;
  secure_handle_dtls(s->secure, now, j->data, j->n);
  shake_turn(w, s, now);
}

static void take_jobs(struct worker *w) {
  struct job *j;
  for (int i = 0; i < JOBS_TURN && mailbox_get(w->in, &j); i++) {
    work(w, j);
    free(j);
    atomic_fetch_sub(&w->waiting, 1);
  }
}

static void run_timers(struct worker *w) {
  struct timer *t;
  us_t now = clock_now();
  while ((t = timers_pop(&w->timers, now))) {
    struct shake *s = (struct shake *)t;
    secure_handle_timeout(s->secure, now);
    shake_turn(w, s, now);
  }
}

static void *run(void *arg) {
  struct worker *w = arg;
  (void)pthread_setname_np(pthread_self(), "handshake");
  (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* of this thread alone, in Linux */
  while (!atomic_load(&w->stop)) {
    us_t due = timers_next(&w->timers), now = clock_now();
    us_t wait_us = due > now ? due - now : 0;
    struct timespec wait = {wait_us / US_PER_S, (long)(wait_us % US_PER_S) * 1000};
    struct pollfd p = {mailbox_fd(w->in), POLLIN, 0};
    if (ppoll(&p, 1, due == US_NEVER ? NULL : &wait, NULL) > 0)
      take_jobs(w);
    run_timers(w);
  }
  return NULL;
}

/* ---- from outside ---- */

enum err handshakes_start(struct dtls_ctx *dtls, unsigned threads, struct handshakes **out) {
  assert(threads >= 1 && threads <= HANDSHAKE_THREADS_MAX);
  struct handshakes *h = calloc(1, sizeof *h);
  if (!h)
    return ERR_NOMEM;
  for (unsigned i = 0; i < threads; i++) {
    struct worker *w = &h->worker[h->n++];
    w->dtls = dtls;
    w->shakes = map_create(rng_u64(rng_system()));
    w->in = mailbox_create(sizeof(struct job *), HANDSHAKE_QUEUE);
    w->running = w->in && pthread_create(&w->thread, NULL, run, w) == 0;
    if (!w->running) {
      handshakes_stop(h);
      handshakes_free(h);
      return ERR_NOMEM;
    }
  }
  *out = h;
  return ERR_OK;
}

bool handshakes_give(struct handshakes *h, const struct handshake_home *home,
                     const struct mediaport_hello *hello) {
  struct worker *w = &h->worker[hello->peer % h->n];
  struct job *j = malloc(sizeof *j + hello->n);
  if (!j)
    return false;
  *j = (struct job){.home = home, .peer = hello->peer, .first = hello->first, .n = hello->n};
  if (hello->first)
    j->params = *hello->params;
  if (hello->n) {
    memcpy(&j->from, hello->from, hello->from_len);
    j->from_len = hello->from_len;
    memcpy(j->data, hello->p, hello->n);
  }
  atomic_fetch_add(&w->waiting, 1);
  if (mailbox_put(w->in, &j))
    return true;
  atomic_fetch_sub(&w->waiting, 1);
  free(j);
  return false;
}

unsigned handshakes_waiting(const struct handshakes *h) {
  unsigned n = 0;
  for (unsigned i = 0; i < h->n; i++)
    n += atomic_load(&h->worker[i].waiting);
  return n;
}

void handshakes_stop(struct handshakes *h) {
  for (unsigned i = 0; h && i < h->n; i++) {
    struct worker *w = &h->worker[i];
    if (!w->running)
      continue;
    struct job *nothing = calloc(1, sizeof *nothing); /* wakes it */
    if (!nothing)
      abort();
    atomic_store(&w->stop, true);
    atomic_fetch_add(&w->waiting, 1);
    if (!mailbox_put(w->in, &nothing)) { /* full: the worker is awake anyway */
      atomic_fetch_sub(&w->waiting, 1);
      free(nothing);
    }
    pthread_join(w->thread, NULL);
    w->running = false;
  }
}

void handshakes_free(struct handshakes *h) {
  for (unsigned i = 0; h && i < h->n; i++) {
    struct worker *w = &h->worker[i];
    struct job *j;
    struct shake *s;
    while (w->in && mailbox_get(w->in, &j))
      free(j);
    for (size_t at = 0; (s = map_next(w->shakes, &at)); at = 0)
      shake_free(w, s);
    timers_free(&w->timers);
    mailbox_destroy(w->in);
    map_destroy(w->shakes);
  }
  free(h);
}
