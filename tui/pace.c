#include "tui/pace.h"

#include <assert.h>
#include <string.h>

#define TYPING_DEBT_US                                                                                       \
  US_PER_S /* so far may typing run ahead: a held PgDn must not fill the line for minutes */

static const struct pace_tier_info tiers[] = {
#define X(id, name, rate, frame, meter, meters, boxes, clock, wide)                                          \
  {name, rate, frame, meter, PACE_METERS_##meters, boxes, clock, wide},
    PACE_TIERS(X)
#undef X
};

const struct pace_tier_info *pace_tier_info(enum pace_tier t) {
  assert((size_t)t < PACE__COUNT);
  return &tiers[t];
}

bool pace_tier_find(const char *name, enum pace_tier *out) {
  if (strcmp(name, "slow") == 0)
    name = tiers[PACE_2400].name;
  for (size_t i = 0; i < PACE__COUNT; i++)
    if (strcmp(name, tiers[i].name) == 0) {
      *out = (enum pace_tier)i;
      return true;
    }
  return false;
}

enum pace_tier pace_tier_guess(unsigned baud, bool ssh) {
  if (baud > 0 && baud <= 4800)
    return PACE_2400;
  if (baud > 0 && baud <= 19200)
    return PACE_9600;
  return ssh ? PACE_SSH : PACE_FAST;
}

void pace_init(struct pace *p, enum pace_tier t) {
  *p = (struct pace){.tier = t, .last_frame = -US_PER_S};
}

void pace_set_tier(struct pace *p, enum pace_tier t) {
  p->tier = t;
}

void pace_spend(struct pace *p, us_t now, unsigned long long bytes) {
  const unsigned long long most = 1U << 24; /* keeps the product in range; no frame is larger */
  us_t cost = (us_t)(bytes < most ? bytes : most) * US_PER_S / tiers[p->tier].bytes_per_s;
  p->paid_at = (p->paid_at > now ? p->paid_at : now) + cost;
  p->last_frame = now;
}

us_t pace_next(const struct pace *p, us_t now, bool typing) {
  us_t at = typing ? p->paid_at - TYPING_DEBT_US : p->paid_at;
  us_t frame = p->last_frame + tiers[p->tier].frame_ms * US_PER_MS;
  if (!typing && frame > at)
    at = frame;
  return at > now ? at : now;
}
