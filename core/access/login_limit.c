/* login_limit.c: how often secrets may be guessed. */
#include "core/access/accounts_private.h"

#include <assert.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)

const struct throttle_rule LIMIT_ACCOUNT = {5, 15 * MINUTE_MS, 15 * MINUTE_MS, 60 * MINUTE_MS};
const struct throttle_rule LIMIT_ADDRESS = {20, 15 * MINUTE_MS, 0, 0};
const struct throttle_rule LIMIT_SECOND = {5, 5 * MINUTE_MS, 15 * MINUTE_MS, 15 * MINUTE_MS};
const struct throttle_rule LIMIT_START = {10, 10 * MINUTE_MS, 0, 0};     /* device codes, one network */
const struct throttle_rule LIMIT_GUESS = {5, 10 * MINUTE_MS, 0, 0};      /* wrong user codes, one network */
const struct throttle_rule LIMIT_GUESSES = {1000, 10 * MINUTE_MS, 0, 0}; /* wrong user codes, everybody */

static bool refuse(int64_t wait_ms, int *retry_s) {
  *retry_s = (int)((wait_ms + 999) / 1000);
  return false;
}

bool throttle_take(struct throttle *t, const struct throttle_rule *rule, int64_t now_ms, int *retry_s) {
  if (now_ms < t->start_ms) /* the clock went back */
    *t = (struct throttle){0};
  if (now_ms < t->until_ms)
    return refuse(t->until_ms - now_ms, retry_s);
  if (t->until_ms != 0 && now_ms - t->until_ms >= rule->lock_most_ms)
    t->lock_ms = 0; /* quiet for long enough: the next lock is a short one again */
  if (t->n == 0 || t->until_ms != 0 || now_ms - t->start_ms >= rule->window_ms) {
    t->start_ms = now_ms;
    t->until_ms = 0;
    t->n = 0;
  }
  if (t->n == rule->tries)
    return refuse(t->start_ms + rule->window_ms - now_ms, retry_s);
  if (++t->n == rule->tries && rule->lock_ms > 0) {
    int64_t next_ms = t->lock_ms ? t->lock_ms * 2 : rule->lock_ms;
    t->lock_ms = next_ms < rule->lock_most_ms ? next_ms : rule->lock_most_ms;
    t->until_ms = now_ms + t->lock_ms;
  }
  return true;
}

void throttle_give(struct throttle *t) {
  if (t->n == 0)
    return;
  t->n--;
  if (t->until_ms != 0) /* that try had locked it */
    t->lock_ms /= 2;
  t->until_ms = 0;
}

struct throttle *throttle_of(struct throttle_table *table, const uint8_t key[16]) {
  struct throttle_slot *oldest = &table->slot[0];
  for (size_t i = 0; i < THROTTLES_MAX; i++) {
    struct throttle_slot *s = &table->slot[i];
    if (s->t.start_ms != 0 && memcmp(s->key, key, sizeof s->key) == 0)
      return &s->t;
    if (s->t.start_ms < oldest->t.start_ms)
      oldest = s;
  }
  memcpy(oldest->key, key, sizeof oldest->key);
  oldest->t = (struct throttle){0};
  return &oldest->t;
}

static bool is_v4(const uint8_t addr[16]) {
  static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};
  return memcmp(addr, MAPPED, sizeof MAPPED) == 0;
}

struct throttle *throttle_at(struct throttle_table *table, const uint8_t *addr) {
  uint8_t network[16] = {0};
  if (addr)
    memcpy(network, addr, is_v4(addr) ? 16 : 8);
  return throttle_of(table, network);
}

void accounts_network(const uint8_t *addr, uint8_t out[16]) {
  memset(out, 0, 16);
  if (addr)
    memcpy(out, addr, is_v4(addr) ? 15 : 6);
}
