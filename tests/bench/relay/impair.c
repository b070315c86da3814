#include "tests/bench/relay/impair.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- settings ---- */

static bool number(const char *v, double max, double *out) {
  char *end;
  errno = 0;
  *out = strtod(v, &end);
  return errno == 0 && end != v && *end == 0 && *out >= 0 && *out <= max; /* no NaN either */
}

static bool word(const char *v, const char *no, const char *yes, bool *out) {
  *out = strcmp(v, yes) == 0;
  return *out || strcmp(v, no) == 0;
}

static bool gilbert(char *v, struct impair_config *c) {
  char *rest = NULL, *bad = strtok_r(v, "/", &rest), *good = strtok_r(NULL, "/", &rest);
  const char *share = strtok_r(NULL, "/", &rest);
  double bad_ms, good_ms;
  if (!bad || !good || !share || strtok_r(NULL, "/", &rest) || !number(bad, 60000, &bad_ms) ||
      !number(good, 600000, &good_ms) || !number(share, 1, &c->loss_bad))
    return false;
  c->bad = (us_t)(bad_ms * US_PER_MS);
  c->good = (us_t)(good_ms * US_PER_MS);
  return c->bad > 0 && c->good > 0;
}

static bool set(struct impair_config *c, const char *k, char *v) {
#define AT(field) offsetof(struct impair_config, field)
  static const struct {
    const char *name;
    size_t at;
    double max, unit; /* unit 0: a share, kept as it is */
  } NUMBERS[] = {{"loss", AT(loss), 1, 0},
                 {"dup", AT(duplicate), 1, 0},
                 {"delay", AT(delay), 60000, US_PER_MS},
                 {"jitter", AT(jitter), 60000, US_PER_MS},
                 {"queue", AT(queue), 60000, US_PER_MS},
                 {"rate", AT(rate), 1e9, 1},
                 {"burst", AT(burst), 1e6, 1}};
  for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
    double x;
    if (strcmp(k, NUMBERS[i].name) != 0)
      continue;
    if (!number(v, NUMBERS[i].max, &x))
      return false;
    void *at = (char *)c + NUMBERS[i].at;
    if (NUMBERS[i].unit > 0)
      *(int64_t *)at = (int64_t)(x * NUMBERS[i].unit);
    else
      *(double *)at = x;
    return true;
  }
  if (strcmp(k, "bad") == 0)
    return gilbert(v, c);
  if (strcmp(k, "shape") == 0)
    return word(v, "uniform", "tail", &c->tail);
  return strcmp(k, "reorder") == 0 && word(v, "no", "yes", &c->reorder);
}

enum err impair_parse(const char *text, struct impair_config *c) {
  char copy[256], *rest = NULL;
  if (strlen(text) >= sizeof copy)
    return ERR_BAD_ARG;
  snprintf(copy, sizeof copy, "%s", text);
  for (char *k = strtok_r(copy, ",", &rest); k; k = strtok_r(NULL, ",", &rest)) {
    char *v = strchr(k, '=');
    if (!v)
      return ERR_BAD_ARG;
    *v = 0;
    if (!set(c, k, v + 1))
      return ERR_BAD_ARG;
  }
  return ERR_OK;
}

/* ---- the link ---- */

void impair_init(struct impair *m, const struct impair_config *c, uint64_t seed) {
  *m = (struct impair){.config = *c, .last_due = -1};
  rng_seed(&m->rng, seed);
}

/* Uniform in [0, 1). */
static double chance(struct impair *m) {
  return (double)(rng_u64(&m->rng) >> 11) * 0x1p-53;
}

/* Whether the bad state holds now, from the one at the last look: a Markov chain in continuous time, whose
 * memory fades with both rates. The first look draws from the long run. */
static bool turns_bad(const struct impair *m, us_t now, double step) {
  const struct impair_config *c = &m->config;
  double bad = (double)c->bad, good = (double)c->good, share = bad / (bad + good);
  double memory = m->stats.packets ? exp(-(double)(now - m->stepped) * (1 / bad + 1 / good)) : 0;
  return step < share * (1 - memory) + (m->is_bad ? memory : 0);
}

static bool lost(struct impair *m, us_t now, double step, double fate) {
  const struct impair_config *c = &m->config;
  m->is_bad = c->bad > 0 && turns_bad(m, now, step);
  m->stepped = now;
  return fate < (m->is_bad ? c->loss_bad : c->loss);
}

static us_t jitter(const struct impair_config *c, double x) {
  double most = (double)c->jitter;
  return (us_t)(c->tail ? fmin(-log1p(-x) * most / 4, most) : x * most);
}

/* The token bucket as the time at which the line is free: a pause lets that time fall behind by what `burst`
 * bytes take. False: the queue is full. */
static bool queue(struct impair *m, us_t now, size_t bytes, us_t *leaves) {
  const struct impair_config *c = &m->config;
  if (c->rate == 0) {
    *leaves = now;
    return true;
  }
  us_t credit = c->burst * 8 * US_PER_S / c->rate, takes = (int64_t)bytes * 8 * US_PER_S / c->rate;
  us_t from = m->busy_until + credit > now ? m->busy_until : now - credit;
  if (from > now + c->queue)
    return false;
  m->busy_until = from + takes;
  *leaves = m->busy_until > now ? m->busy_until : now;
  return true;
}

unsigned impair_packet(struct impair *m, us_t now, size_t payload, us_t due[IMPAIR_COPIES]) {
  size_t bytes = payload + IMPAIR_HEADERS;
  double step = chance(m), fate = chance(m), late = chance(m), twice = chance(m), late2 = chance(m);
  bool gone = lost(m, now, step, fate);
  us_t leaves;
  m->stats.packets++;
  m->stats.bytes += bytes;
  if (!queue(m, now, bytes, &leaves)) {
    m->stats.overflowed++;
    return 0;
  }
  if (gone) {
    m->stats.lost++;
    return 0;
  }
  unsigned copies = twice < m->config.duplicate ? 2 : 1;
  for (unsigned i = 0; i < copies; i++) {
    due[i] = leaves + m->config.delay + jitter(&m->config, i ? late2 : late);
    if (!m->config.reorder && due[i] <= m->last_due)
      due[i] = m->last_due + 1; /* the same moment would leave the order open */
    m->last_due = due[i];
  }
  m->stats.out++;
  m->stats.out_bytes += bytes;
  m->stats.duplicated += copies - 1;
  m->stats.delay_sum += due[0] - now;
  m->stats.delay_max = due[0] - now > m->stats.delay_max ? due[0] - now : m->stats.delay_max;
  return copies;
}
