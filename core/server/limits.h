/* limits.h: how much one may do: the table (limits.def), the buckets, who guesses at secrets, and how often
 * each limit held. Pure: the time is passed in.
 *
 * Invariant: whatever is refused because of a row of the table grows that row's counter, once. A bucket's
 * clock only moves when at least one token came back, so that asking often does not starve it. Thread: the
 * control thread. */
#ifndef GAVEL_SERVER_LIMITS_H
#define GAVEL_SERVER_LIMITS_H

#include "core/base/clock.h"
#include "core/room/room.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum limit {
#define LIMIT(id, ...) LIMIT_##id,
#include "core/server/limits.def"
#undef LIMIT
  LIMIT__COUNT
};
enum { /* the numbers of the table as constants */
#define LIMIT(id, name, value, burst, ...) LIMIT_VALUE_##id = (value), LIMIT_BURST_##id = (burst),
#include "core/server/limits.def"
#undef LIMIT
       LIMIT_VALUE__END
};
struct limit_row {
  const char *name;
  bool set; /* [limits] may change it */
  int value, burst;
  const char *unit, *beyond, *of;
};
extern const struct limit_row LIMITS[LIMIT__COUNT];

/* What the configuration says of the rows it may change; 0: no such limit. */
struct limits_set {
  unsigned half_open_per_network, joins_per_address, joins_per_invite, joins_per_room, waiting_per_address,
      handshakes_waiting, chat_per_minute, strikes;
  bool loopback; /* joins from this very machine count as well */
};
extern const struct limits_set LIMITS_DEFAULT;

struct bucket { /* token bucket in milli-tokens */
  int64_t level;
  us_t at; /* 0: never used, full */
};
/* bucket_take: one of `per_min` that come back a minute, at most `burst` at once. False when none is left,
 * with *retry_ms until there is. bucket_give: the last one taken was for nothing. */
bool bucket_take(struct bucket *b, us_t now, int per_min, int burst, int *retry_ms);
void bucket_give(struct bucket *b);

/* What is remembered of addresses for a while: so many at most, then the one not seen for longest goes. */
struct limit_book;
struct limit_book *limit_book_create(uint64_t seed);
void limit_book_destroy(struct limit_book *b);
/* limit_book_bucket: the bucket of kind 0..2 of this address. */
enum limit_kind { LIMIT_KIND_GUESS, LIMIT_KIND_JOIN, LIMIT_KIND__COUNT };
struct bucket *limit_book_bucket(struct limit_book *b, const uint8_t addr[16], us_t now,
                                 enum limit_kind kind);
/* limit_book_strike: a wrong secret came from there; true when this one makes it blocked. */
bool limit_book_strike(struct limit_book *b, const uint8_t addr[16], us_t now, unsigned most);
/* limit_book_blocked: how long it still is, ms; 0: it is not. */
int limit_book_blocked(const struct limit_book *b, const uint8_t addr[16], us_t now);

struct control;
/* limit_hit: a row held somebody back; for the shells too (shell_ws.c, shell_http.c). */
void limit_hit(struct control *c, enum limit what);
/* limit_counts: are joins from there counted? Not from an unknown address, nor from this very machine, where
 * the operator's tools are and where a proxy would make one address of all people. */
bool limit_counts(const struct limits_set *set, const uint8_t addr[16]);
/* limit_strike: a wrong secret from there: after LIMIT_VALUE_IDS of them in 10 minutes the address is blocked
 * for 15, with a line in the log and `ids.alert` in the audit log. An unknown address is nobody's. */
void limit_strike(struct control *c, const uint8_t addr[16]);
/* limit_blocked: may nobody from there come in now? ms until they may, 0: they may. */
int limit_blocked(struct control *c, const uint8_t addr[16]);

#endif
