/* login_limit.c: how often secrets may be guessed. */
#include "core/access/accounts_private.h"

#include "core/base/addr.h"

#include <assert.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)

static const struct throttle_rule RULES[LOGIN_LIMIT__COUNT] = {
#define LOGIN_LIMIT(id, name, tries, minutes, lock, most, of)                                                \
  {(tries), (minutes)*MINUTE_MS, (lock)*MINUTE_MS, (most)*MINUTE_MS},
#include "core/access/login_limits.def"
#undef LOGIN_LIMIT
};

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

static struct throttle *own_of(struct throttle_net *net, const uint8_t *addr) {
  uint8_t network[16] = {0};
  if (addr)
    memcpy(network, addr, addr_network(addr));
  return throttle_of(&net->own, network);
}

static struct throttle *wide_of(struct throttle_net *net, const uint8_t *addr) {
  uint8_t network[16];
  accounts_network(addr, network);
  return throttle_of(&net->wide, network);
}

bool login_take(struct access *a, enum login_limit row, struct throttle *t, int *retry_s) {
  bool may = throttle_take(t, &RULES[row], a->wall_ms, retry_s);
  a->accounts->held[row] += !may;
  return may;
}

bool login_take_net(struct access *a, enum login_limit row, struct throttle_net *net, const uint8_t *addr,
                    int *retry_s) {
  struct throttle *own = own_of(net, addr);
  if (!login_take(a, row, own, retry_s))
    return false;
  if (login_take(a, row + 1, wide_of(net, addr), retry_s))
    return true;
  throttle_give(own);
  return false;
}

void login_give_net(struct throttle_net *net, const uint8_t *addr) {
  throttle_give(own_of(net, addr));
  throttle_give(wide_of(net, addr));
}

const uint64_t *login_limits_held(const struct access *a) {
  return a->accounts->held;
}

void accounts_network(const uint8_t *addr, uint8_t out[16]) {
  memset(out, 0, 16);
  if (addr)
    memcpy(out, addr, addr_is_v4(addr) ? 15 : 6);
}
