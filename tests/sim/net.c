#include "tests/sim/net.h"

#include <stdlib.h>
#include <string.h>

#define BURST_MOST 7
#define FRAME_US (20 * US_PER_MS)

static us_t ms_below(struct rng *rng, uint64_t least, uint64_t most) {
  return (us_t)(least + rng_below(rng, most - least + 1)) * US_PER_MS;
}

void net_link_make(struct net_link *l, struct rng *rng) {
  static const unsigned LOSS[] = {0, 0, 1, 3, 5, 10, 20};
  *l = (struct net_link){.base = ms_below(rng, 5, 60)};
  l->jitter = rng_below(rng, 3) ? ms_below(rng, 0, 20) : ms_below(rng, 20, 60);
  l->loss_pct = LOSS[rng_below(rng, sizeof LOSS / sizeof LOSS[0])];
  l->bursty = rng_below(rng, 2);
  l->duplicate_pct = (unsigned)rng_below(rng, 4);
  l->reorder_pct = (unsigned)rng_below(rng, 5);
  l->reorder = ms_below(rng, 10, 40);
}

us_t net_link_most(const struct net_link *l) {
  return l->base + l->jitter + l->reorder;
}

void net_init(struct net *n, struct rng *rng) {
  *n = (struct net){.rng = rng};
}

/* Random loss, or bad times of 1..BURST_MOST frames of 20 ms with good ones between them that make up the
 * same share. Whether one began since the last datagram is asked now. */
static bool lost(struct net *n, us_t now, struct net_link *l) {
  if (now < l->dark_until)
    return true;
  if (!l->bursty)
    return rng_below(n->rng, 100) < l->loss_pct;
  us_t since = now - l->asked_at < BURST_MOST * FRAME_US ? now - l->asked_at : BURST_MOST * FRAME_US;
  uint64_t mean_good_us = (uint64_t)(BURST_MOST + 1) / 2 * FRAME_US * (100 - l->loss_pct);
  l->asked_at = now;
  if (now >= l->burst_until && rng_below(n->rng, mean_good_us) < l->loss_pct * (uint64_t)since)
    l->burst_until = now + (us_t)(1 + rng_below(n->rng, BURST_MOST)) * FRAME_US;
  return now < l->burst_until;
}

static us_t flight(struct net *n, const struct net_link *l) {
  us_t t = l->base + (us_t)rng_below(n->rng, (uint64_t)l->jitter + 1);
  return rng_below(n->rng, 100) < l->reorder_pct ? t + l->reorder : t;
}

void net_datagram(struct net *n, us_t now, struct net_link *l, enum net_kind kind, unsigned peer,
                  const struct sockaddr_in *local, const void *p, size_t len) {
  if (lost(n, now, l))
    return;
  int copies = rng_below(n->rng, 100) < l->duplicate_pct ? 2 : 1;
  for (int i = 0; i < copies; i++)
    net_post(n, now + flight(n, l), kind, peer, 0, p, len)->local = *local;
}

struct net_event *net_post(struct net *n, us_t due, enum net_kind kind, unsigned peer, uint32_t epoch,
                           const void *p, size_t len) {
  struct net_event *e = calloc(1, sizeof *e);
  uint8_t *data = malloc(len + 1);
  if (!e || !data)
    abort();
  if (len)
    memcpy(data, p, len);
  data[len] = 0;
  *e = (struct net_event){
      .timer = TIMER_IDLE, .kind = kind, .peer = peer, .epoch = epoch, .n = len, .data = data};
  timers_set(&n->timers, &e->timer, due);
  return e;
}

us_t net_due(const struct net *n) {
  return timers_next(&n->timers);
}

struct net_event *net_take(struct net *n, us_t now) {
  return (struct net_event *)timers_pop(&n->timers, now); /* the timer is the first member */
}

void net_event_free(struct net_event *e) {
  free(e->data);
  free(e);
}

void net_free(struct net *n) {
  struct net_event *e;
  while ((e = net_take(n, US_NEVER - 1)))
    net_event_free(e);
  timers_free(&n->timers);
}
