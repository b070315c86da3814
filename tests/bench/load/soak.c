/* soak.c: a long run in which people come and go, sampled now and then, to see what grows. */
#include "core/base/rng.h"
#include "tests/bench/load/person.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLES 48
#define STEP_US US_PER_S
#define CHURN 120 /* one listener in so many leaves each second, and comes again */
#define TELL_MAX 10

struct sample {
  struct usage used;
  uint64_t packets;
  int64_t lost;
  double delay_p50, delay_p99;
};
struct soak {
  struct sample v[SAMPLES + 1];
  size_t n;
  size_t listeners;
  uint64_t gone_packets; /* of lives that have ended */
  int64_t gone_lost;
  uint64_t joins, failed;
};

static void histo_merge(struct histo *into, struct histo *from) {
  for (size_t i = 0; i < HISTO_BUCKETS; i++)
    into->count[i] += from->count[i];
  into->n += from->n;
  into->max_us = from->max_us > into->max_us ? from->max_us : into->max_us;
  *from = (struct histo){0};
}

static void take_sample(struct load *l, struct soak *s, struct histo *all) {
  struct sample *x = &s->v[s->n++];
  *x = (struct sample){.used = usage_now(l->cfg.pid), .packets = s->gone_packets, .lost = s->gone_lost};
  for (size_t i = 0; i < l->n_people; i++)
    if (!l->people[i].speaks) {
      x->packets += l->people[i].ear.packets;
      x->lost += l->people[i].ear.lost;
    }
  x->delay_p50 = histo_ms(&l->delay, 0.5);
  x->delay_p99 = histo_ms(&l->delay, 0.99);
  histo_merge(all, &l->delay);
}

/* Who has gone comes again; some who are in go. */
static void churn(struct load *l, struct soak *s) {
  for (size_t i = 0; i < l->n_people; i++) {
    struct person *p = &l->people[i];
    if (p->state == PERSON_GONE) {
      if (!p->leaves && ++s->failed <= TELL_MAX)
        fprintf(stderr, "gavel-load: soak: %s\n", p->why_text ? p->why_text : p->why);
      s->gone_packets += p->ear.packets;
      s->gone_lost += p->ear.lost;
      s->joins++;
      person_again(p);
      person_begin(p);
    } else if (p->state == PERSON_UP && !p->speaks && rng_below(rng_system(), CHURN) == 0)
      person_leave(p);
  }
}

void soak_run(struct load *l) {
  struct soak *s = l->soak = calloc(1, sizeof *s);
  struct histo *all = calloc(1, sizeof *all);
  if (!s || !all)
    abort();
  us_t end = l->now + l->cfg.soak_us, step = l->now, sample = l->now;
  s->listeners = l->n_rooms * l->cfg.listeners;
  while (l->now < end) {
    if (l->now >= sample && s->n < SAMPLES) {
      take_sample(l, s, all);
      sample += l->cfg.soak_us / SAMPLES;
    }
    step += STEP_US;
    while (l->now < step && l->now < end)
      load_move(l, step);
    churn(l, s);
  }
  take_sample(l, s, all);
  l->delay = *all;
  free(all);
}

/* From sample a to b. */
static void fill(const struct soak *s, size_t a, size_t b, struct soak_drift *d, int at) {
  const struct sample *x = &s->v[a], *y = &s->v[b];
  double seconds = (double)(y->used.at - x->used.at) / (double)US_PER_S;
  double packets = (double)(y->packets - x->packets), lost = (double)(y->lost - x->lost);
  d->us_per_listener_second[at] =
      s->listeners ? (double)(y->used.cpu_us - x->used.cpu_us) / seconds / (double)s->listeners : 0;
  d->lost_percent[at] = packets + lost > 0 ? 100 * lost / (packets + lost) : 0;
  for (size_t i = a + 1; i <= b; i++) {
    d->rss_mib[at] += (double)s->v[i].used.rss / (1 << 20) / (double)(b - a);
    d->delay_p50[at] += s->v[i].delay_p50 / (double)(b - a);
    d->delay_p99[at] += s->v[i].delay_p99 / (double)(b - a);
  }
}

static double slope(const struct soak *s, size_t from) {
  double n = 0, mx = 0, my = 0, up = 0, down = 0;
  for (size_t i = from; i < s->n; i++, n++) {
    mx += (double)(s->v[i].used.at - s->v[0].used.at) / (double)US_PER_S / 60;
    my += (double)s->v[i].used.rss / 1024;
  }
  for (size_t i = from; i < s->n; i++) {
    double x = (double)(s->v[i].used.at - s->v[0].used.at) / (double)US_PER_S / 60 - mx / n;
    up += x * ((double)s->v[i].used.rss / 1024 - my / n);
    down += x * x;
  }
  return down > 0 ? up / down : 0;
}

struct soak_drift soak_drift(const struct soak *s) {
  struct soak_drift d = {.joins = s->joins, .failed = s->failed};
  size_t quarter = (s->n - 1) / 4;
  if (quarter == 0)
    return d;
  fill(s, 0, quarter, &d, 0);
  fill(s, s->n - 1 - quarter, s->n - 1, &d, 1);
  d.rss_kib_per_minute = slope(s, quarter);
  return d;
}

void soak_free(struct soak *s) {
  free(s);
}
