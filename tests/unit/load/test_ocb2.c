/* ocb2: the vectors of draft-krovetz-ocb-00, and what a packet may go through on its way. */
#include "tests/bench/load/ocb2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t KEY[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
/* The vectors' nonce is the key; one step before it. */
static const uint8_t BEFORE[16] = {0xff, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void count_up(uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)i;
}

static void test_vectors(void **state) {
  (void)state;
  static const struct {
    size_t n;
    uint8_t sealed[44];
  } V[] = {
      {0, {0x00, 0xbf, 0x31, 0x08}},
      {8, {0x00, 0xa4, 0x5f, 0x5f, 0xc6, 0x36, 0xb3, 0xa8, 0x68, 0xf4, 0x29, 0xbb}},
      {40, {0x00, 0x9d, 0xb0, 0xcd, 0xf7, 0x5d, 0x6b, 0xc8, 0xb4, 0xdc, 0x8d, 0x66, 0xb8, 0x36, 0xa2,
            0xb0, 0x8b, 0x32, 0xa6, 0x36, 0x9f, 0x1c, 0xd3, 0xc5, 0x22, 0x8d, 0x79, 0xfd, 0x6c, 0x26,
            0x7f, 0x5f, 0x6a, 0xa7, 0xb2, 0x31, 0xc7, 0xdf, 0xb9, 0xd5, 0x99, 0x51, 0xae, 0x9c}},
  };
  uint8_t plain[40], out[44];
  count_up(plain, sizeof plain);
  for (size_t i = 0; i < sizeof V / sizeof V[0]; i++) {
    struct ocb2 *c = ocb2_create(KEY, BEFORE, BEFORE);
    assert_int_equal(ocb2_seal(c, out, plain, V[i].n), V[i].n + OCB2_HEAD);
    assert_memory_equal(out, V[i].sealed, V[i].n + OCB2_HEAD);
    ocb2_destroy(c);
  }
}

static void test_what_is_sealed_opens_once(void **state) {
  (void)state;
  uint8_t plain[100], sealed[104], out[104];
  struct ocb2 *a = ocb2_create(KEY, BEFORE, KEY), *b = ocb2_create(KEY, KEY, BEFORE);
  count_up(plain, sizeof plain);
  for (size_t n = 1; n <= sizeof plain; n++) {
    assert_int_equal(ocb2_seal(a, sealed, plain, n), n + OCB2_HEAD);
    assert_int_equal(ocb2_open(b, out, sealed, n + OCB2_HEAD), n);
    assert_memory_equal(out, plain, n);
    assert_int_equal(ocb2_open(b, out, sealed, n + OCB2_HEAD), 0);
  }
  ocb2_destroy(a);
  ocb2_destroy(b);
}

static void test_losses_and_forgeries(void **state) {
  (void)state;
  uint8_t plain[30], sealed[34], out[34];
  struct ocb2 *a = ocb2_create(KEY, BEFORE, KEY), *b = ocb2_create(KEY, KEY, BEFORE);
  count_up(plain, sizeof plain);
  for (unsigned lost = 0; lost < 127; lost += 9) {
    for (unsigned i = 0; i <= lost; i++)
      ocb2_seal(a, sealed, plain, sizeof plain);
    for (size_t i = 1; i < sizeof sealed; i++) {
      sealed[i] ^= 1;
      assert_int_equal(ocb2_open(b, out, sealed, sizeof sealed), 0);
      sealed[i] ^= 1;
    }
    assert_int_equal(ocb2_open(b, out, sealed, sizeof sealed), sizeof plain);
    assert_memory_equal(out, plain, sizeof plain);
  }
  assert_int_equal(ocb2_open(b, out, sealed, 3), 0);
  ocb2_destroy(a);
  ocb2_destroy(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_vectors),
      cmocka_unit_test(test_what_is_sealed_opens_once),
      cmocka_unit_test(test_losses_and_forgeries),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
