/* ladder.h: which sound a link gets: a tier (how it is coded and packed) and how much of it is sent twice.
 *
 * The same ladder serves both directions: the server climbs it for what a listener gets, the client for what
 * he sends. Loss without delay is answered by redundancy (RFC 2198), as far as it fits under what the person
 * allowed and the line carries; where it does not, a smaller tier makes room for it. Delay that grows, or
 * loss that grows with the rate, is congestion: it sets a ceiling and ends all copies. The ceiling is lifted
 * step by step; what was found to be too much is tried again later and later. Invariant: the tier never
 * exceeds what the person allowed. Pure: times are handed in; zero is not a valid ladder: ladder_init. One
 * thread. */
#ifndef GAVEL_MEDIA_LADDER_H
#define GAVEL_MEDIA_LADDER_H

#include "core/base/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum media_tier { TIER_FULL, TIER_PACKED, TIER_LOW, TIER_MIN, TIER_N };

#define LADDER_KBPS_MIN 6 /* of a person's wish */
#define LADDER_KBPS_MAX 1000
#define LADDER_RESEND_MS 150
struct tier_info {
  const char *name; /* "full", "packed", "low", "min": what people read and type */
  int ptime_ms;     /* of a packet */
  int bitrate;      /* bit/s of Opus while somebody speaks */
  int wire_kbps; /* with all headers, without copies, while somebody speaks; packed: as forwarded from full */
};
/* tier_info: static. */
const struct tier_info *tier_info(enum media_tier t);

/* Redundancy: copies of earlier packets in each packet, `copies` of them, the first `gap` packets back, each
 * next one `gap` further. */
#define RED_COPIES_MAX 3
struct red_plan {
  uint8_t copies, gap;
};
#define RED_PLANS 8 /* plan 0: none */
const struct red_plan *red_plan(unsigned plan);

struct ladder {
  enum media_tier tier, best; /* now; the best that may be used */
  uint8_t plan;               /* of red_plan() */
  uint8_t loss_pct;           /* smoothed, in steps of 5: what an encoder is told to expect */
  /* what is lost is asked for and sent again in time: set by the owner before each ladder_feed. Then
   * what the person allows has to hold that too. */
  bool resend;
  /* the rest is ladder.c's own */
  bool red, started;
  bool far;               /* delay alone says nothing of congestion here */
  uint8_t copies;         /* wanted */
  uint16_t kbps, ceiling; /* allowed; found to be carried. 0: no limit */
  uint16_t burst_ms;
  float loss; /* smoothed */
  /* the last change of the rate, and how it was before */
  enum { LADDER_STEADY, LADDER_ROSE, LADDER_SHRANK, LADDER_FELL } change; /* fell: for congestion */
  us_t began, changed;
  unsigned reports; /* since then; of them the sum of losses but the first's, part of which is older */
  float losses, rate_before, loss_before;
  uint16_t rtt_before;
  us_t calm_since, wait; /* congested last; so long after it a step up is tried */
  us_t rose_at;
  uint16_t ceiling_before, ceiling_fallen; /* the last step up, the last fall */
  uint8_t copies_before;
  uint8_t tried; /* how often that was in vain lately */
  uint8_t slow;  /* reports of delay in a row */
  uint16_t rtt_least_ms;
  us_t rtt_least_at;
};
/* ladder_init: `kbps`: the most the person allows on the wire in this direction, 0: what the line carries.
 * `red`: whether the path can carry RFC 2198. */
void ladder_init(struct ladder *l, us_t now, unsigned kbps, bool red);
/* ladder_limit: another wish; takes effect at once. `packed`: the best is TIER_PACKED even without a wish
 * (the audience of a large room). */
void ladder_limit(struct ladder *l, us_t now, unsigned kbps, bool packed);
struct ladder_report { /* how what we sent arrived, in the last interval */
  uint8_t loss_pct;    /* before any repair */
  uint16_t burst_ms;   /* mean length of a loss; 0: not known */
  uint16_t rtt_ms;     /* 0: not known */
  uint8_t passed_pct;  /* of what was sent in it, lost or not; less than all: a queue fills. 0: not known */
};
/* ladder_count: what the numbers of a report say beyond its loss: of `sent` packets the highest number he
 * names has moved by `passed`; `behind`: of those sent by now it is not the last. */
void ladder_count(const struct ladder *l, struct ladder_report *r, uint32_t sent, uint16_t passed,
                  uint16_t behind);
/* ladder_feed: true when tier, plan or loss_pct has changed. */
bool ladder_feed(struct ladder *l, us_t now, const struct ladder_report *r);
/* LADDER_RESEND_MS: a line with a longer round trip is too slow for `resend`. ladder_resend_kbps: the rate
 * below which all that is sent shall stay, with what is sent again because it was lost; 0: nothing is to be
 * sent again, the line is full. */
unsigned ladder_resend_kbps(const struct ladder *l);
/* ladder_uneasy: reports are wanted often now: each second or two. ladder_early: each second, because nothing
 * is known of the line yet, and it is not thin. */
bool ladder_uneasy(const struct ladder *l);
bool ladder_early(const struct ladder *l, us_t now);

#endif
