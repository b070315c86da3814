/* The E-model: published points of ITU-T G.107 (tables of annex B and of the delay impairment), and that
 * worse is never better. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/media/emodel.h"

#include <math.h>

static double r_of(double loss, double burst, double delay_ms, int bitrate) {
  return emodel_r(&(struct emodel_in){loss, burst, delay_ms, bitrate});
}

/* G.107 table B.1: R 90, 80, 70, 60, 50 are MOS 4.34, 4.03, 3.60, 3.10, 2.58; the best, 93.2, is 4.41. */
static void annex_b(void **state) {
  (void)state;
  static const struct {
    double r;
    int mos;
  } T[] = {{93.2, 44}, {90, 43}, {80, 40}, {70, 36},  {60, 31},
           {50, 26},   {0, 10},  {-5, 10}, {100, 45}, {120, 45}};
  for (size_t i = 0; i < sizeof T / sizeof T[0]; i++)
    assert_int_equal(emodel_mos(T[i].r), T[i].mos);
  uint8_t last = 10;
  for (double r = 0; r <= 100; r += 0.25) { /* the polynomial dips below 1 near 0: MOS does not */
    assert_true(emodel_mos(r) >= last);
    last = emodel_mos(r);
  }
}

static void near(double a, double b) {
  if (fabs(a - b) > 0.05)
    fail_msg("%g is not %g", a, b);
}

static void points(void **state) {
  (void)state;
  near(r_of(0, 1, 0, 24000), 93.2);
  near(r_of(0, 1, 100, 32000), 93.2);         /* up to 100 ms delay does nothing */
  near(r_of(0, 1, 200, 32000), 93.2 - 3.04);  /* X = 1: 25 (2^(1/6) - 3 (1 + 3^-6)^(1/6) + 2) */
  near(r_of(0, 1, 800, 32000), 93.2 - 40.83); /* X = 3: 25 (730^(1/6) - 3 * 2^(1/6) + 2) */
  near(r_of(0, 1, 0, 8000), 93.2 - 11);
  near(r_of(19, 1, 0, 24000), 93.2 - 95.0 * 19 / 38); /* loss of Bpl costs half of what there is */
}

static void monotone(void **state) {
  (void)state;
  double last = 100;
  for (double loss = 0; loss <= 120; loss += 0.5) {
    double r = r_of(loss, 1, 0, 24000);
    assert_true(r >= 0 && r <= last && r <= 93.2);
    assert_true(r_of(loss, 3, 0, 24000) <= r); /* bursts are worse than the same loss at random */
    assert_true(r_of(loss, 1, 300, 24000) <= r);
    assert_true(r_of(loss, 1, 0, 7000) <= r);
    assert_true(r_of(loss, 0, 0, 24000) == r); /* rarer than chance counts as chance */
    last = r;
  }
  last = 100;
  for (double ms = 0; ms < 5000; ms += 10) {
    double r = r_of(0, 1, ms, 24000);
    assert_true(r >= 0 && r <= last);
    last = r;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(annex_b), cmocka_unit_test(points),
                                     cmocka_unit_test(monotone)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
