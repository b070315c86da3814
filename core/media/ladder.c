#include "core/media/ladder.h"

#include <assert.h>

#define DELAY_MS 150             /* above the least: a queue fills */
#define SLOW_MS 400              /* with loss, a queue too, while the least is not known */
#define EXPLODED_MS 1200         /* nobody is that far away */
#define BEHIND_MS 500            /* so much on its way is a queue, whatever the round trip was */
#define BEHIND_MOST 500          /* packets; more is no queue but a report that lies */
#define EARLY_US (10 * US_PER_S) /* nothing is known of the line: one bad report is enough */
#define HOPELESS_PCT 65          /* then no copies help */
#define KEEP_LEAST_US (60 * US_PER_S)
#define WAIT_US (15 * US_PER_S)
#define TRIED_MAX 4               /* 15 s to 4 min */
#define FAILED_US (30 * US_PER_S) /* congestion so soon after a step up is its fault */
#define PROVED_US (60 * US_PER_S)
#define VAIN 0.7f       /* this much of the loss is left: it was not the rate */
#define JUDGED 8        /* reports after a fall: then it is history */
#define CEILING_MAX 400 /* kb/s: more is never sent */
#define COPIES_LOSS 8   /* a smaller tier for the sake of copies is worth it from here on */
#define OFFSET_MS 341   /* the oldest copy (RFC 2198: 14 bits of 48 kHz) */

const struct tier_info *tier_info(enum media_tier t) {
  static const struct tier_info infos[TIER_N] = {
      [TIER_FULL] = {"full", 20, 32000, 62},
      [TIER_PACKED] = {"packed", 40, 24000, 46},
      [TIER_LOW] = {"low", 60, 10500, 20},
      [TIER_MIN] = {"min", 120, 7000, 12},
  };
  assert(t < TIER_N);
  return &infos[t];
}

/* By how long a burst they outlive. */
const struct red_plan *red_plan(unsigned plan) {
  static const struct red_plan plans[RED_PLANS] = {{0, 0}, {1, 1}, {1, 2}, {2, 1},
                                                   {3, 1}, {2, 2}, {2, 4}, {3, 4}};
  assert(plan < RED_PLANS);
  return &plans[plan];
}

/* ---- what to send ---- */

/* kb/s on the wire. What is copied in `packed` may be what a talker sends in `full`. */
static float rate(enum media_tier t, unsigned plan) {
  const struct tier_info *i = tier_info(t);
  float copies = red_plan(plan)->copies, ptime = (float)i->ptime_ms;
  float bitrate = (float)tier_info(t == TIER_PACKED ? TIER_FULL : t)->bitrate / 1000;
  return (float)i->wire_kbps + (copies > 0 ? copies * (bitrate + 32 / ptime) + 8 / ptime : 0);
}

/* The plan with so many copies that outlives the bursts; or as many of them as fit into RFC 2198. */
static unsigned plan_for(const struct ladder *l, enum media_tier t, unsigned copies) {
  unsigned ptime = (unsigned)tier_info(t)->ptime_ms, best = 0;
  float by_chance = (float)ptime / (1 - l->loss / 100 + 0.01f);
  bool bursts = l->burst_ms > 1.7f * by_chance;
  for (unsigned i = 0; i < RED_PLANS; i++) {
    const struct red_plan *p = red_plan(i);
    unsigned reach = p->copies * p->gap * ptime;
    if (p->copies != copies || reach > OFFSET_MS)
      continue;
    if (!best || (bursts && red_plan(best)->copies * red_plan(best)->gap * ptime * 2 < 3U * l->burst_ms))
      best = i;
  }
  return best;
}

/* Whether what is lost can be sent again within what the person allows, where that matters. */
static bool holds_resends(const struct ladder *l, enum media_tier t, unsigned plan) {
  float matters = l->tier > t ? COPIES_LOSS / 2.0f : COPIES_LOSS;
  return !l->resend || !l->kbps || l->loss < matters || l->loss > 60 ||
         rate(t, plan) * 100 / (100 - l->loss) <= l->kbps;
}

/* The best tier with the copies wanted; with fewer when none leaves room for them. */
static void choose(struct ladder *l) {
  float budget = l->kbps ? l->kbps : 100000;
  if (l->ceiling && l->ceiling < budget)
    budget = l->ceiling;
  for (unsigned n = l->red ? l->copies + 1U : 1; n-- > 0;) {
    for (enum media_tier t = l->best; t < TIER_N; t++) {
      unsigned plan = plan_for(l, t, n);
      bool smaller = t > l->best && rate((enum media_tier)(t - 1), 0) <= budget; /* only to have copies */
      float worth = l->tier == t && l->plan ? COPIES_LOSS / 2.0f : COPIES_LOSS;
      if ((n && !plan) || rate(t, plan) > budget || !holds_resends(l, t, plan) ||
          (smaller && l->loss < worth))
        continue;
      l->tier = t;
      l->plan = (uint8_t)plan;
      return;
    }
  }
  l->tier = TIER_MIN;
  l->plan = 0;
}

static void want_copies(struct ladder *l) {
  static const float from[RED_COPIES_MAX] = {4, 12, 27};
  while (l->copies < RED_COPIES_MAX && l->loss >= from[l->copies])
    l->copies++;
  while (l->copies > 0 && l->loss < 0.6f * from[l->copies - 1])
    l->copies--;
}

/* Choose anew; what changes the rate is judged by the reports to come. */
static void settle(struct ladder *l, us_t now) {
  float before = rate(l->tier, l->plan);
  choose(l);
  float after = rate(l->tier, l->plan);
  if (after == before)
    return;
  l->change = after > 1.1f * before ? LADDER_ROSE : after < 0.9f * before ? LADDER_SHRANK : LADDER_STEADY;
  l->rate_before = before;
  l->loss_before = l->reports > 1 ? l->losses / (float)(l->reports - 1) : l->loss;
  l->changed = now;
  l->reports = 0;
  l->losses = 0;
}

void ladder_init(struct ladder *l, us_t now, unsigned kbps, bool red) {
  *l = (struct ladder){.began = now, .changed = now, .calm_since = now, .wait = WAIT_US, .red = red};
  ladder_limit(l, now, kbps, false);
}

void ladder_limit(struct ladder *l, us_t now, unsigned kbps, bool packed) {
  l->kbps = (uint16_t)(kbps < UINT16_MAX ? kbps : UINT16_MAX);
  l->best = packed ? TIER_PACKED : TIER_FULL;
  while (kbps && l->best < TIER_MIN && (unsigned)tier_info(l->best)->wire_kbps > kbps)
    l->best++;
  settle(l, now);
}

/* ---- what came of it ---- */

static void observe(struct ladder *l, us_t now, const struct ladder_report *r) {
  float d = (float)r->loss_pct - l->loss;
  bool afresh = !l->started || (l->change == LADDER_FELL && l->reports == 1);
  l->loss += d * (afresh ? 1.0f : d > 10 ? 0.5f : 0.2f);
  l->began = l->started ? l->began : now;
  l->started = true;
  l->burst_ms = r->burst_ms;
  if (++l->reports > 1)
    l->losses += r->loss_pct;
  if (r->rtt_ms && (!l->rtt_least_ms || r->rtt_ms <= l->rtt_least_ms)) {
    l->rtt_least_ms = r->rtt_ms;
    l->rtt_least_at = now;
  } else if (r->rtt_ms && now - l->rtt_least_at > KEEP_LEAST_US)
    l->rtt_least_ms = (uint16_t)(l->rtt_least_ms + (r->rtt_ms - l->rtt_least_ms) / 8);
  bool slow = r->rtt_ms > l->rtt_least_ms + DELAY_MS ||
              (!l->far && r->rtt_ms >= SLOW_MS && r->loss_pct >= 5) || (!l->far && r->rtt_ms >= EXPLODED_MS);
  l->slow = (uint8_t)(slow ? l->slow + (l->slow < UINT8_MAX) : 0);
  if (l->change == LADDER_FELL && l->reports > JUDGED)
    l->change = LADDER_STEADY;
}

static float loss_since(const struct ladder *l) {
  return l->reports > 1 ? l->losses / (float)(l->reports - 1) : l->loss;
}

/* By how much the rate was changed, and what arrives. On a line that loses by chance they are the same; on
 * one that is full no more arrives at any rate. */
static float changed_by(const struct ladder *l) {
  return rate(l->tier, l->plan) / l->rate_before;
}

static float arrives_by(const struct ladder *l) {
  return changed_by(l) * (100 - loss_since(l)) / (100 - l->loss_before + 0.01f);
}

/* A small step is judged by more packets: dice are rough. */
static bool rose_in_vain(const struct ladder *l) {
  return l->change == LADDER_ROSE && l->reports > (changed_by(l) < 1.5f ? 2 : 1) &&
         loss_since(l) > l->loss_before + 0.12f * (100 - l->loss_before) &&
         arrives_by(l) < (1 + changed_by(l)) / 2;
}

static bool congested(const struct ladder *l, us_t now, const struct ladder_report *r) {
  bool exploded = l->slow && (r->rtt_ms > l->rtt_least_ms + BEHIND_MS || r->rtt_ms >= EXPLODED_MS);
  if (l->change == LADDER_FELL) /* a queue takes its time to empty */
    return (l->reports > 2 && loss_since(l) >= 10 && loss_since(l) < VAIN * l->loss_before) ||
           (l->reports > 4 && l->slow && r->rtt_ms + 50 > l->rtt_before);
  return rose_in_vain(l) || l->slow > 1 ||
         (ladder_early(l, now) && (exploded || r->loss_pct >= HOPELESS_PCT)) || (l->slow && r->loss_pct >= 5);
}

/* It was not the rate: less of it changed nothing. So far away is this peer, or so lossy is his line. */
static bool fell_in_vain(const struct ladder *l, us_t now, const struct ladder_report *r) {
  if (l->change != LADDER_FELL || l->reports < 4 || now - l->calm_since < (l->tried ? l->wait : 0))
    return false;
  if (l->loss_before >= 5)
    return loss_since(l) >= VAIN * l->loss_before;
  return l->tier == TIER_MIN && l->slow && r->rtt_ms + 50 > l->rtt_before;
}

static bool note_failure(struct ladder *l, us_t now) {
  if (!l->rose_at || now - l->rose_at >= FAILED_US)
    return false;
  l->tried = (uint8_t)(l->tried < TRIED_MAX ? l->tried + 1 : TRIED_MAX);
  l->wait = WAIT_US << l->tried;
  l->rose_at = 0;
  return true;
}

static void fall(struct ladder *l, us_t now, const struct ladder_report *r) {
  float had = rate(l->tier, l->plan), arrives = had * (float)(100 - r->loss_pct) / 100;
  if (r->passed_pct)
    arrives *= (float)r->passed_pct / 100;
  float ceiling = arrives > 0.9f * had ? 0.75f * had : 0.95f * arrives;
  float least = (float)tier_info(TIER_MIN)->wire_kbps;
  l->calm_since = now;
  if (had <= least)
    return;
  l->copies = 0;
  bool known = false;
  if (note_failure(l, now)) { /* what was before it will do */
    known = l->ceiling_before != 0;
    ceiling = known ? l->ceiling_before : ceiling;
    l->copies = known ? l->copies_before : 0;
  }
  l->ceiling_fallen = l->ceiling;
  l->ceiling = (uint16_t)(ceiling > least ? ceiling : least);
  settle(l, now);
  l->change = LADDER_FELL;
  l->loss_before = known ? 0 : r->loss_pct;
  l->rtt_before = r->rtt_ms;
  l->slow = 0;
}

static void rise(struct ladder *l, us_t now) {
  struct ladder next = *l;
  float had = rate(l->tier, l->plan);
  do {
    next.ceiling = (uint16_t)(next.ceiling + next.ceiling / 5 + 1);
    choose(&next);
  } while (rate(next.tier, next.plan) <= had && next.ceiling < CEILING_MAX);
  l->ceiling_before = l->ceiling;
  l->copies_before = l->copies;
  l->ceiling = next.ceiling < CEILING_MAX ? next.ceiling : 0;
  l->calm_since = now;
  settle(l, now);
  if (l->changed == now)
    l->rose_at = now;
}

/* A smaller tier was taken to make room for copies, and the loss they were for is gone with the rate. */
static bool shrank_for_good(const struct ladder *l) {
  return l->change == LADDER_SHRANK && l->reports == 4 && l->loss_before >= 8 &&
         loss_since(l) < l->loss_before / 3;
}

static void climb(struct ladder *l, us_t now, const struct ladder_report *r) {
  if (fell_in_vain(l, now, r)) {
    l->far = true;
    l->rtt_least_ms = r->rtt_ms;
    l->slow = 0;
    l->ceiling = l->ceiling_fallen;
    l->change = LADDER_STEADY;
  } else if (shrank_for_good(l)) {
    l->ceiling = (uint16_t)(l->rate_before * (100 - l->loss_before) / 100);
    note_failure(l, now);
    l->calm_since = now;
    l->copies = 0;
    l->loss = 0;
  } else if (congested(l, now, r))
    fall(l, now, r);
  else if (l->ceiling && !l->slow && now - l->calm_since >= l->wait)
    rise(l, now);
  if (l->tried && l->rose_at && now - l->rose_at > PROVED_US) {
    l->tried = 0;
    l->wait = WAIT_US;
  }
}

bool ladder_feed(struct ladder *l, us_t now, const struct ladder_report *r) {
  enum media_tier tier = l->tier;
  uint8_t plan = l->plan, loss_pct = l->loss_pct;
  observe(l, now, r);
  climb(l, now, r);
  if (l->change == LADDER_STEADY || l->change == LADDER_SHRANK ||
      l->reports > 2) /* else this is being judged */
    want_copies(l);
  settle(l, now);
  l->loss_pct = (uint8_t)((unsigned)(l->loss + 4) / 5 * 5);
  return l->tier != tier || l->plan != plan || l->loss_pct != loss_pct;
}

unsigned ladder_resend_kbps(const struct ladder *l) {
  float kbps = 1.5f * rate(l->tier, l->plan);
  if (l->slow || l->change == LADDER_FELL)
    return 0;
  if (l->kbps && l->kbps < kbps)
    kbps = l->kbps;
  if (l->ceiling && l->ceiling < kbps)
    kbps = l->ceiling;
  return (unsigned)kbps;
}

void ladder_count(const struct ladder *l, struct ladder_report *r, uint32_t sent, uint16_t passed,
                  uint16_t behind) {
  if (passed > INT16_MAX || behind > BEHIND_MOST || sent == 0)
    return;
  bool same = l->reports > 0 || l->change == LADDER_STEADY; /* else some of them are of another length */
  uint32_t queue_ms = same ? behind * (uint32_t)tier_info(l->tier)->ptime_ms : 0;
  r->passed_pct = (uint8_t)(passed >= sent ? 100 : passed * UINT64_C(100) / sent);
  if (queue_ms >= BEHIND_MS && queue_ms > r->rtt_ms)
    r->rtt_ms = (uint16_t)(queue_ms < UINT16_MAX ? queue_ms : UINT16_MAX);
}

bool ladder_early(const struct ladder *l, us_t now) {
  return l->tier < TIER_LOW && now - l->began < EARLY_US;
}

bool ladder_uneasy(const struct ladder *l) {
  return l->slow || l->loss >= 2 || l->reports < 4;
}
