#include "core/server/limits.h"

#include "core/base/log.h"
#include "core/base/map.h"
#include "core/server/control_private.h"

#include <stdlib.h>
#include <string.h>

#define ADDRESSES_MAX 4096
#define STRIKES_US (10 * 60 * US_PER_S)
#define BLOCKED_US (15 * 60 * US_PER_S)

#define SETTABLE(name) ((name)[0] == '*')
#define PLAIN(name) ((name) + SETTABLE(name))
const struct limit_row LIMITS[LIMIT__COUNT] = {
#define LIMIT(id, name, value, burst, unit, beyond, of)                                                      \
  {PLAIN(name), SETTABLE(name), (value), (burst), unit, beyond, of},
#include "core/server/limits.def"
#undef LIMIT
};
const struct limits_set LIMITS_DEFAULT = {.half_open_per_network = LIMIT_VALUE_TLS_HALF,
                                          .joins_per_address = LIMIT_VALUE_JOINS_ADDRESS,
                                          .joins_per_invite = LIMIT_VALUE_JOINS_INVITE,
                                          .joins_per_room = LIMIT_VALUE_JOINS_ROOM,
                                          .waiting_per_address = LIMIT_VALUE_WAITING_ADDRESS,
                                          .handshakes_waiting = LIMIT_VALUE_HANDSHAKES,
                                          .chat_per_minute = LIMIT_VALUE_CHAT_MINUTE,
                                          .strikes = LIMIT_VALUE_IDS};

/* ---- buckets ---- */

bool bucket_take(struct bucket *b, us_t now, int per_min, int burst, int *retry_ms) {
  int64_t full = (int64_t)burst * 1000;
  if (b->at == 0) {
    b->level = full;
    b->at = now;
  }
  int64_t gained = (now - b->at) * per_min / 60000;
  if (gained > 0) { /* its clock only moves by what was gained, so that asking often loses nothing */
    bool brim = b->level + gained >= full;
    b->level = brim ? full : b->level + gained;
    b->at = brim ? now : b->at + gained * 60000 / per_min;
  }
  if (b->level < 1000) {
    *retry_ms = (int)((1000 - b->level) * 60 / per_min) + 1;
    return false;
  }
  b->level -= 1000;
  return true;
}

void bucket_give(struct bucket *b) {
  b->level += 1000;
}

/* ---- addresses ---- */

struct entry {
  uint8_t network[16];
  us_t seen, strikes_since, blocked_until;
  unsigned strikes;
  struct bucket buckets[LIMIT_KIND__COUNT];
};
struct limit_book {
  struct map *by_network;
  struct entry v[ADDRESSES_MAX];
  size_t n;
};

struct limit_book *limit_book_create(uint64_t seed) {
  struct limit_book *b = calloc(1, sizeof *b);
  if (!b)
    abort();
  b->by_network = map_create(seed);
  return b;
}

void limit_book_destroy(struct limit_book *b) {
  if (b)
    map_destroy(b->by_network);
  free(b);
}

/* When all places are taken the one not seen for longest goes, but not one that is blocked before all others.
 */
static struct entry *take_place(struct limit_book *b, us_t now) {
  if (b->n < ADDRESSES_MAX)
    return &b->v[b->n++];
  struct entry *old = NULL;
  for (size_t i = 0; i < ADDRESSES_MAX; i++) {
    bool blocked = b->v[i].blocked_until > now, old_blocked = old && old->blocked_until > now;
    if (!old || (old_blocked && !blocked) || (blocked == old_blocked && b->v[i].seen < old->seen))
      old = &b->v[i];
  }
  map_del(b->by_network, old->network, sizeof old->network);
  return old;
}

static struct entry *entry_of(struct limit_book *b, const uint8_t addr[16], us_t now) {
  uint8_t network[16] = {0};
  memcpy(network, addr, addr_network(addr));
  struct entry *e = map_get(b->by_network, network, sizeof network);
  if (!e) {
    e = take_place(b, now);
    *e = (struct entry){0};
    memcpy(e->network, network, sizeof network);
    map_put(b->by_network, network, sizeof network, e);
  }
  e->seen = now;
  return e;
}

struct bucket *limit_book_bucket(struct limit_book *b, const uint8_t addr[16], us_t now,
                                 enum limit_kind kind) {
  return &entry_of(b, addr, now)->buckets[kind];
}

bool limit_book_strike(struct limit_book *b, const uint8_t addr[16], us_t now, unsigned most) {
  struct entry *e = entry_of(b, addr, now);
  if (e->strikes == 0 || now - e->strikes_since >= STRIKES_US) {
    e->strikes = 0;
    e->strikes_since = now;
  }
  if (++e->strikes < most)
    return false;
  e->strikes = 0;
  e->blocked_until = now + BLOCKED_US;
  return true;
}

int limit_book_blocked(const struct limit_book *b, const uint8_t addr[16], us_t now) {
  uint8_t network[16] = {0};
  memcpy(network, addr, addr_network(addr));
  const struct entry *e = map_get(b->by_network, network, sizeof network);
  return e && e->blocked_until > now ? (int)((e->blocked_until - now) / US_PER_MS) + 1 : 0;
}

/* ---- of the control plane ---- */

void limit_hit(struct control *c, enum limit what) {
  c->count.limits[what]++;
}

static bool take(struct control *c, struct bucket *b, enum limit what, int per_min, int burst) {
  if (bucket_take(b, c->now, per_min, burst, &c->retry_ms))
    return true;
  limit_hit(c, what);
  return false;
}

bool limit_take(struct control *c, struct bucket *b, enum limit what) {
  return take(c, b, what, LIMITS[what].value, LIMITS[what].burst);
}

bool limit_take_set(struct control *c, struct bucket *b, enum limit what, unsigned per_min) {
  int burst = LIMITS[what].burst;
  if (per_min > (unsigned)burst)
    burst = (int)per_min;
  return per_min == 0 || take(c, b, what, (int)per_min, burst);
}

bool guess_take(struct control *c, const struct conn *k, struct bucket *room, enum limit what) {
  struct bucket *own = limit_book_bucket(c->book, k->addr, c->now, LIMIT_KIND_GUESS);
  if (!limit_take(c, own, LIMIT_GUESSES))
    return false;
  if (limit_take(c, room, what))
    return true;
  bucket_give(own);
  return false;
}

void guess_give(struct control *c, const struct conn *k, struct bucket *room) {
  bucket_give(limit_book_bucket(c->book, k->addr, c->now, LIMIT_KIND_GUESS));
  bucket_give(room);
}

bool limit_counts(const struct limits_set *set, const uint8_t addr[16]) {
  return addr_known(addr) && (set->loopback || !addr_is_loopback(addr));
}

void limit_strike(struct control *c, const uint8_t addr[16]) {
  unsigned most = c->cfg.limits.strikes;
  c->count.strikes++;
  if (most == 0 || !limit_counts(&c->cfg.limits, addr) || limit_book_blocked(c->book, addr, c->now) ||
      !limit_book_strike(c->book, addr, c->now, most))
    return;
  c->count.alerts++;
  log_event(LOG_WARN, "an address is blocked for 15 minutes: it guesses at secrets", "event", "ids.alert",
            "wrong", log_int(most), NULL); /* whence is in the audit log, as a network */
  struct audit_entry e = {
      .actor = "system", .action = "ids.alert", .target = "address", .outcome = ERR_ADDRESS, .addr = addr};
  audit_note(c->access, &e);
}

int limit_blocked(struct control *c, const uint8_t addr[16]) {
  int ms = addr_known(addr) ? limit_book_blocked(c->book, addr, c->now) : 0;
  if (ms)
    limit_hit(c, LIMIT_IDS);
  return ms;
}
