/* The ladder on scripted links: loss by chance and in bursts, bottlenecks with and without a queue, their
 * mixtures, links that come and go. A link sees what the ladder sends and answers with reports. */
#include "core/media/ladder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct link {
  double kbps, queue_ms, base_ms; /* bottleneck, 0: none; its queue, 0: a policer */
  double loss;                    /* by chance, percent */
  double burst_ms;                /* 0: as chance has it */
  /* state */
  double backlog; /* kbit */
  uint64_t chance;
};
struct run {
  struct ladder l;
  struct link link;
  us_t now;
  unsigned changes;
  double s, over_s, copied_s; /* of all: above what the line carries; below, with copies */
};

static double dice(struct link *k) {
  k->chance = k->chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (double)(k->chance >> 11) / (double)(UINT64_C(1) << 53);
}

/* What is on the wire while somebody speaks, worked out anew: headers once, each copy with its own. */
static double sent_kbps(const struct ladder *l) {
  static const double base[] = {59.2, 45.6, 19.8, 11.5}, payload[] = {32, 32, 10.5, 7};
  const struct red_plan *p = red_plan(l->plan);
  return base[l->tier] + p->copies * (payload[l->tier] + 32.0 / tier_info(l->tier)->ptime_ms);
}

static struct ladder_report pass(struct run *r, double s) {
  struct link *k = &r->link;
  double in = sent_kbps(&r->l) * s, lost = 0;
  int ptime = tier_info(r->l.tier)->ptime_ms;
  if (k->kbps > 0) {
    double most = k->kbps * k->queue_ms / 1000;
    k->backlog += in - k->kbps * s;
    k->backlog = k->backlog < 0 ? 0 : k->backlog;
    lost = k->backlog > most ? (k->backlog - most) / in : 0;
    k->backlog = k->backlog > most ? most : k->backlog;
  }
  unsigned packets = (unsigned)(s * 1000 / ptime), gone = 0;
  for (unsigned i = 0; i < packets; i++)
    gone += dice(k) < lost + (1 - lost) * k->loss / 100;
  double p = (double)gone / packets;
  struct ladder_report out = {.loss_pct = (uint8_t)(100 * p)};
  out.burst_ms = (uint16_t)(gone == 0 ? 0 : k->burst_ms > 0 ? k->burst_ms : ptime / (1.01 - p));
  out.rtt_ms = (uint16_t)(k->base_ms + (k->kbps > 0 ? k->backlog / k->kbps * 1000 : 0) + 10 * dice(k));
  return out;
}

static void begin(struct run *r, struct link link, unsigned kbps, bool red) {
  *r = (struct run){.link = link, .now = 100 * US_PER_S};
  r->link.chance = 42;
  ladder_init(&r->l, r->now, kbps, red);
}

/* Reports for so long: each 1.5 s while it is uneasy, else each 5 s, as both ends do it. */
static void run(struct run *r, double s) {
  us_t end = r->now + (us_t)(s * 1e6);
  while (r->now < end) {
    double step = ladder_uneasy(&r->l) ? 1.5 : 5;
    bool over = r->link.kbps > 0 && sent_kbps(&r->l) > r->link.kbps;
    struct ladder_report report = pass(r, step);
    r->s += step;
    r->over_s += over ? step : 0;
    r->copied_s += !over && red_plan(r->l.plan)->copies ? step : 0;
    r->now += (us_t)(step * 1e6);
    double before = sent_kbps(&r->l);
    ladder_feed(&r->l, r->now, &report);
    r->changes += sent_kbps(&r->l) != before;
    assert_true(r->l.tier < TIER_N && r->l.plan < RED_PLANS && r->l.tier >= r->l.best);
  }
}

static void reset_counts(struct run *r) {
  r->changes = 0;
  r->s = r->over_s = r->copied_s = 0;
}

static double after_repair(const struct ladder *l, double loss) {
  double p = loss / 100, left = p;
  for (unsigned i = 0; i < red_plan(l->plan)->copies; i++)
    left *= p;
  return 100 * left;
}

static void clean(void **state) {
  (void)state;
  struct run r;
  begin(&r, (struct link){.base_ms = 40}, 0, true);
  run(&r, 600);
  assert_int_equal(r.l.tier, TIER_FULL);
  assert_int_equal(r.changes, 0);
  assert_int_equal(r.l.loss_pct, 0);
  assert_false(ladder_uneasy(&r.l));
}

static void by_chance(void **state) {
  (void)state;
  static const struct {
    double loss, left; /* after copies; Opus's own redundancy makes it less */
  } cases[] = {{5, 5}, {10, 1.1}, {15, 1}, {20, 1}, {30, 1}, {40, 3}, {50, 7}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct run r;
    begin(&r, (struct link){.base_ms = 40, .loss = cases[i].loss}, 0, true);
    run(&r, 15);
    assert_int_equal(r.l.tier, TIER_FULL);
    assert_true(after_repair(&r.l, cases[i].loss) <= cases[i].left);
    reset_counts(&r);
    run(&r, 600);
    assert_int_equal(r.l.tier, TIER_FULL);
    assert_true(r.changes <= 12);
    assert_true(r.l.loss_pct >= cases[i].loss - 10 && r.l.loss_pct <= cases[i].loss + 15);
    r.link.loss = 0;
    run(&r, 60);
    assert_int_equal(r.l.plan, 0);
    assert_int_equal(r.l.tier, TIER_FULL);
  }
}

static void without_red(void **state) {
  (void)state;
  struct run r;
  begin(&r, (struct link){.base_ms = 40, .loss = 20}, 0, false);
  run(&r, 300);
  assert_int_equal(r.l.tier, TIER_FULL);
  assert_int_equal(r.l.plan, 0);
  assert_true(r.l.loss_pct >= 15); /* LBRR is left */
}

static void in_bursts(void **state) {
  (void)state;
  static const double burst[] = {60, 80, 100, 160};
  for (size_t i = 0; i < 4; i++) {
    struct run r;
    begin(&r, (struct link){.base_ms = 40, .loss = 15, .burst_ms = burst[i]}, 0, true);
    run(&r, 60);
    const struct red_plan *p = red_plan(r.l.plan);
    assert_int_equal(r.l.tier, TIER_FULL);
    assert_true(p->copies * p->gap * 20 > burst[i] || p->copies * p->gap * 20 == 160);
  }
}

/* Where the limit is narrow a smaller tier makes room for what is sent again, instead of copies. */
static void with_resends(void **state) {
  (void)state;
  struct run r;
  begin(&r, (struct link){.base_ms = 40, .loss = 20}, 0, true);
  r.l.resend = true;
  run(&r, 60);
  assert_int_equal(r.l.tier, TIER_FULL);
  assert_true(ladder_resend_kbps(&r.l) > sent_kbps(&r.l) * 1.3);
  begin(&r, (struct link){.base_ms = 40, .loss = 30, .burst_ms = 100}, 20, true);
  r.l.resend = true;
  run(&r, 60);
  assert_int_equal(r.l.tier, TIER_MIN);
  assert_int_equal(r.l.plan, 0);
  assert_int_equal(ladder_resend_kbps(&r.l), 18);
  begin(&r, (struct link){.base_ms = 40, .loss = 3}, 20, true);
  r.l.resend = true;
  run(&r, 60);
  assert_int_equal(r.l.tier, TIER_LOW);
  assert_int_equal(ladder_resend_kbps(&r.l), 20);
}

/* A line that is full is not given anything twice. */
static void no_resends_when_full(void **state) {
  (void)state;
  struct run r;
  begin(&r, (struct link){.base_ms = 40, .kbps = 30, .queue_ms = 600}, 0, true);
  r.l.resend = true;
  unsigned none = 0;
  for (int i = 0; i < 20; i++) {
    run(&r, 1.5);
    bool slow = r.l.slow > 0;
    none += ladder_resend_kbps(&r.l) == 0;
    assert_true(!slow || ladder_resend_kbps(&r.l) == 0);
  }
  assert_true(none > 0);
}

static void bottlenecks(void **state) {
  (void)state;
  static const struct {
    double kbps;
    enum media_tier tier;
  } cases[] = {{12, TIER_MIN}, {25, TIER_LOW}, {50, TIER_PACKED}, {100, TIER_FULL}};
  static const double queue[] = {0, 100, 400, 1500};
  for (size_t q = 0; q < 4; q++) {
    for (size_t i = 0; i < 4; i++) {
      struct run r;
      begin(&r, (struct link){.kbps = cases[i].kbps, .queue_ms = queue[q], .base_ms = 60}, 0, true);
      run(&r, 10);
      assert_true(sent_kbps(&r.l) <= cases[i].kbps);
      reset_counts(&r);
      run(&r, 900); /* it tries again, later and later */
      assert_true(r.over_s / r.s < 0.05);
      assert_true(r.changes <= 16);
      if (cases[i].tier == TIER_FULL)
        assert_int_equal(r.l.tier, TIER_FULL);
      r.link.kbps = 0;
      run(&r, 400);
      assert_int_equal(r.l.tier, TIER_FULL);
    }
  }
}

/* From the first sound on a line nobody knows: how long until it is not overrun any more. Reports come as
 * both ends send them; the round trip they know is that of the report before. */
static double settles_s(double kbps, double queue_ms) {
  struct run r;
  struct ladder_report report, before = {0};
  begin(&r, (struct link){.kbps = kbps, .queue_ms = queue_ms, .base_ms = 60}, 0, true);
  double behind = 0, next = 1, s = 0;
  for (bool fed = false; s < 30; fed = true) {
    double step = next, rate = sent_kbps(&r.l), ptime = tier_info(r.l.tier)->ptime_ms;
    report = pass(&r, step);
    double on_the_way = r.link.backlog / rate * 1000 / ptime;
    uint32_t sent = (uint32_t)(step * 1000 / ptime);
    uint16_t rtt_ms = report.rtt_ms;
    report.rtt_ms = before.rtt_ms;
    if (fed)
      ladder_count(&r.l, &report, sent, (uint16_t)(sent + behind - on_the_way), (uint16_t)on_the_way);
    before.rtt_ms = rtt_ms;
    behind = on_the_way;
    s += step;
    r.now += (us_t)(step * 1e6);
    if (fed)
      ladder_feed(&r.l, r.now, &report);
    if (sent_kbps(&r.l) <= kbps)
      break;
    next = ladder_early(&r.l, r.now) ? 1 : r.l.tier >= TIER_LOW ? 3 : 1.5;
  }
  return s;
}

static void quickly(void **state) {
  (void)state;
  static const double queue[] = {0, 200, 400, 1500, 5000};
  for (size_t q = 0; q < 5; q++) {
    assert_true(settles_s(12, queue[q]) <= 3);
    assert_true(settles_s(25, queue[q]) <= 4);
    assert_true(settles_s(50, queue[q]) <= 5);
  }
}

/* A narrow line that also loses by chance: what fits, with copies. */
static void narrow_and_lossy(void **state) {
  (void)state;
  static const double kbps[] = {25, 50, 100};
  for (size_t i = 0; i < 3; i++) {
    struct run r;
    begin(&r, (struct link){.kbps = kbps[i], .queue_ms = 300, .base_ms = 60, .loss = 20}, 0, true);
    run(&r, 60);
    reset_counts(&r);
    run(&r, 900);
    assert_true(r.copied_s / r.s > 0.8);
    assert_true(r.over_s / r.s < 0.05);
    assert_true(r.changes <= 40); /* most from two to three copies and back: the dice of few packets */
  }
}

static void far_away(void **state) {
  (void)state;
  struct run r;
  begin(&r, (struct link){.base_ms = 700, .loss = 20}, 0, true); /* a satellite */
  run(&r, 60);
  assert_int_equal(r.l.tier, TIER_FULL);
  assert_true(red_plan(r.l.plan)->copies >= 2);
  begin(&r, (struct link){.base_ms = 60}, 0, true); /* another route in mid-call */
  run(&r, 60);
  r.link.base_ms = 400;
  run(&r, 120);
  assert_int_equal(r.l.tier, TIER_FULL);
}

static void comes_and_goes(void **state) {
  (void)state;
  struct run r;
  begin(&r, (struct link){.queue_ms = 400, .base_ms = 60}, 0, true);
  for (int i = 0; i < 40; i++) {
    r.link.kbps = i % 2 ? 0 : 15;
    r.link.backlog = 0;
    run(&r, 15);
  }
  assert_true(r.changes <= 30);
  r.link.kbps = 0;
  run(&r, 600);
  assert_int_equal(r.l.tier, TIER_FULL);
}

static void wishes(void **state) {
  (void)state;
  static const struct {
    unsigned kbps;
    enum media_tier tier;
  } cases[] = {{6, TIER_MIN},  {12, TIER_MIN},    {19, TIER_MIN},    {20, TIER_LOW}, {35, TIER_LOW},
               {45, TIER_LOW}, {46, TIER_PACKED}, {61, TIER_PACKED}, {62, TIER_FULL}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct run r;
    begin(&r, (struct link){.base_ms = 40}, cases[i].kbps, true);
    assert_int_equal(r.l.tier, cases[i].tier); /* at once */
    run(&r, 120);
    assert_int_equal(r.l.tier, cases[i].tier);
    r.link.loss = 25;
    run(&r, 120);
    assert_true(cases[i].kbps < 12 || sent_kbps(&r.l) <= cases[i].kbps); /* copies too */
    if (cases[i].kbps == 20) { /* the same in smaller words, twice */
      assert_int_equal(r.l.tier, TIER_MIN);
      assert_int_equal(red_plan(r.l.plan)->copies, 1);
    }
    ladder_limit(&r.l, r.now, 0, true);
    assert_int_equal(r.l.best, TIER_PACKED);
    assert_true(r.l.tier >= TIER_PACKED);
    ladder_limit(&r.l, r.now, 0, false);
    assert_int_equal(r.l.tier, TIER_FULL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(clean),     cmocka_unit_test(by_chance),      cmocka_unit_test(without_red),
      cmocka_unit_test(in_bursts), cmocka_unit_test(bottlenecks),    cmocka_unit_test(narrow_and_lossy),
      cmocka_unit_test(far_away),  cmocka_unit_test(comes_and_goes), cmocka_unit_test(wishes),
      cmocka_unit_test(quickly),   cmocka_unit_test(with_resends),   cmocka_unit_test(no_resends_when_full),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
