/* limits.c: how often one may do something: token buckets, and guesses at secrets counted by address. */
#include "core/server/control_private.h"

#include <string.h>

static bool bucket_take(struct bucket *b, us_t now, int per_min, int burst) {
  int64_t full = (int64_t)burst * 1000;
  if (b->at == 0) {
    b->level = full;
    b->at = now;
  }
  int64_t gained = (now - b->at) * per_min / 60000;
  if (gained > 0) { /* the clock of the bucket only moves when something was gained */
    b->level = b->level + gained > full ? full : b->level + gained;
    b->at = now;
  }
  if (b->level < 1000)
    return false;
  b->level -= 1000;
  return true;
}

/* The last one taken was for nothing. */
static void bucket_give(struct bucket *b) {
  b->level += 1000;
}

bool limit_take(struct control *c, struct bucket *b, int per_min, int burst) {
  if (bucket_take(b, c->now, per_min, burst))
    return true;
  c->retry_ms = (int)((1000 - b->level) * 60 / per_min) + 1;
  return false;
}

/* ---- addresses ---- */

bool addr_known(const uint8_t addr[16]) {
  static const uint8_t UNKNOWN[16];
  return memcmp(addr, UNKNOWN, sizeof UNKNOWN) != 0;
}

bool addr_is_v4(const uint8_t addr[16]) {
  static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};
  return memcmp(addr, MAPPED, sizeof MAPPED) == 0;
}

size_t addr_network(const uint8_t addr[16]) {
  return addr_is_v4(addr) ? 16 : 8;
}

/* ---- guesses ---- */

/* The bucket of an address; when all places are taken, the one that waited longest goes: it is full again. */
static struct bucket *guesses_of(struct control *c, const uint8_t addr[16]) {
  uint8_t network[16] = {0};
  struct guesser *oldest = &c->guessers[0];
  memcpy(network, addr, addr_network(addr));
  for (size_t i = 0; i < GUESSERS_MAX; i++) {
    struct guesser *g = &c->guessers[i];
    if (g->left.at != 0 && memcmp(g->network, network, sizeof network) == 0)
      return &g->left;
    if (g->left.at < oldest->left.at)
      oldest = g;
  }
  *oldest = (struct guesser){0};
  memcpy(oldest->network, network, sizeof network);
  return &oldest->left;
}

bool guess_take(struct control *c, const struct conn *k, struct bucket *room, int per_min, int burst) {
  struct bucket *own = guesses_of(c, k->addr);
  if (!limit_take(c, own, RATE_GUESSES))
    return false;
  if (limit_take(c, room, per_min, burst))
    return true;
  bucket_give(own);
  return false;
}

void guess_give(struct control *c, const struct conn *k, struct bucket *room) {
  bucket_give(guesses_of(c, k->addr));
  bucket_give(room);
}
