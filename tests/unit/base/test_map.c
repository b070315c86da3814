/* The map: short keys, numbers, texts of any length; growth; walking; what was removed is gone. */
#include "core/base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define MANY 5000

static int places[MANY];

static void test_numbers(void **state) {
  struct map *m = map_create(7);
  (void)state;
  for (uint32_t i = 0; i < MANY; i++)
    map_put_u32(m, i * 2654435761U, &places[i]);
  assert_int_equal(map_count(m), MANY);
  for (uint32_t i = 0; i < MANY; i++)
    assert_ptr_equal(map_get_u32(m, i * 2654435761U), &places[i]);
  for (uint32_t i = 0; i < MANY; i += 2)
    assert_ptr_equal(map_del_u32(m, i * 2654435761U), &places[i]);
  assert_null(map_del_u32(m, 0));
  size_t seen = 0;
  for (size_t at = 0; map_next(m, &at);)
    seen++;
  assert_int_equal(seen, MANY / 2);
  assert_int_equal(map_count(m), MANY / 2);
  map_destroy(m);
}

static void test_texts(void **state) {
  char key[600];
  struct map *m = map_create(7);
  (void)state;
  memset(key, 'x', sizeof key); /* longer than a key may be, and alike but for the end */
  for (int i = 0; i < 100; i++) {
    snprintf(key + 580, sizeof key - 580, "%d", i);
    map_put_text(m, key, &places[i]);
  }
  map_put_text(m, "", &places[100]);
  assert_int_equal(map_count(m), 101);
  for (int i = 0; i < 100; i++) {
    snprintf(key + 580, sizeof key - 580, "%d", i);
    assert_ptr_equal(map_get_text(m, key), &places[i]);
  }
  assert_ptr_equal(map_del_text(m, ""), &places[100]);
  assert_null(map_get_text(m, ""));
  map_put_text(m, key, &places[7]); /* replaces */
  assert_ptr_equal(map_get_text(m, key), &places[7]);
  assert_int_equal(map_count(m), 100);
  map_destroy(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
