/* RFC 2198: payloads written by hand from the RFC's figures, what is refused, and what we write. */
#include "core/wire/red.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Section 4's header, F=1, PT, offset, length: type 111, 960 samples back (0b00001111000000), 3 bytes
 * (0b0000000011). */
static const uint8_t one_copy[] = {0xef, 0x0f, 0x00, 0x03, 0x6f, 'o', 'l', 'd', 'n', 'e', 'w', '!'};

static void one(void **state) {
  (void)state;
  struct red_block v[RED_BLOCKS_MAX];
  size_t n;
  assert_int_equal(red_parse(one_copy, sizeof one_copy, v, &n), ERR_OK);
  assert_int_equal(n, 2);
  assert_int_equal(v[0].pt, 111);
  assert_int_equal(v[0].offset, 960);
  assert_int_equal(v[0].len, 3);
  assert_memory_equal(v[0].p, "old", 3);
  assert_int_equal(v[1].pt, 111);
  assert_int_equal(v[1].offset, 0);
  assert_int_equal(v[1].len, 4);
  assert_memory_equal(v[1].p, "new!", 4);
}

/* Section 7's example: DVI4 (type 5) in the packet, LPC (type 7) 160 samples back; 84 and 14 bytes there. */
static void of_the_rfc(void **state) {
  (void)state;
  uint8_t p[1 + 4 + 14 + 84] = {0x87, 0x02, 0x80, 0x0e, 0x05, 'L'};
  p[5 + 14] = 'D';
  struct red_block v[RED_BLOCKS_MAX];
  size_t n;
  assert_int_equal(red_parse(p, 5 + 14 + 84, v, &n), ERR_OK);
  assert_int_equal(n, 2);
  assert_int_equal(v[0].pt, 7);
  assert_int_equal(v[0].offset, 160);
  assert_int_equal(v[0].len, 14);
  assert_int_equal(v[0].p[0], 'L');
  assert_int_equal(v[1].pt, 5);
  assert_int_equal(v[1].len, 84);
  assert_int_equal(v[1].p[0], 'D');
}

/* All fields at their largest: offset 16383, length 1023. */
static void largest(void **state) {
  (void)state;
  uint8_t p[4 + 1 + 1023 + 1] = {0xff, 0xff, 0xff, 0xff, 0x7f};
  p[5] = 1;
  p[5 + 1022] = 2;
  p[5 + 1023] = 3;
  struct red_block v[RED_BLOCKS_MAX];
  size_t n;
  assert_int_equal(red_parse(p, sizeof p, v, &n), ERR_OK);
  assert_int_equal(n, 2);
  assert_int_equal(v[0].pt, 127);
  assert_int_equal(v[0].offset, RED_OFFSET_MAX);
  assert_int_equal(v[0].len, RED_LEN_MAX);
  assert_int_equal(v[0].p[1022], 2);
  assert_int_equal(v[1].p[0], 3);
  uint8_t out[sizeof p];
  assert_int_equal(red_build(out, sizeof out, v, 2), sizeof p);
  assert_memory_equal(out, p, sizeof p);
}

/* The sender's order of copies is his; ours is by age. An empty one and one of the packet's own time say
 * nothing. */
static void order(void **state) {
  (void)state;
  static const uint8_t p[] = {0xef, 0x0f, 0x00, 0x01, /* 960 back, 1 byte */
                              0xef, 0x1e, 0x00, 0x02, /* 1920 back, 2 bytes */
                              0xef, 0x2d, 0x00, 0x00, /* 2880 back, empty */
                              0xef, 0x00, 0x00, 0x01, /* 0 back, 1 byte */
                              0x6f, 'b',  'a',  'a',  'x', 'c'};
  struct red_block v[RED_BLOCKS_MAX];
  size_t n;
  assert_int_equal(red_parse(p, sizeof p, v, &n), ERR_OK);
  assert_int_equal(n, 3);
  assert_int_equal(v[0].offset, 1920);
  assert_memory_equal(v[0].p, "aa", v[0].len);
  assert_int_equal(v[1].offset, 960);
  assert_memory_equal(v[1].p, "b", v[1].len);
  assert_int_equal(v[2].offset, 0);
  assert_memory_equal(v[2].p, "c", v[2].len);
}

static void alone(void **state) {
  (void)state;
  static const uint8_t p[] = {0x6f, 'x'};
  struct red_block v[RED_BLOCKS_MAX];
  size_t n;
  assert_int_equal(red_parse(p, 2, v, &n), ERR_OK);
  assert_int_equal(n, 1);
  assert_int_equal(v[0].pt, 111);
  assert_ptr_equal(v[0].p, p + 1);
  assert_int_equal(v[0].len, 1);
}

static void refused(void **state) {
  (void)state;
  struct red_block v[RED_BLOCKS_MAX];
  size_t n;
  for (size_t cut = 0; cut <= 8; cut++) { /* at 8 the primary is empty */
    uint8_t exact[8];                     /* so that the sanitizer sees a byte too many */
    memcpy(exact + 8 - cut, one_copy, cut);
    assert_int_equal(red_parse(exact + 8 - cut, cut, v, &n), ERR_BAD_RTP);
    assert_int_equal(n, 0);
  }
  uint8_t endless[64];
  memset(endless, 0xff, sizeof endless);
  assert_int_equal(red_parse(endless, sizeof endless, v, &n), ERR_BAD_RTP);
  /* Seven copies are read, eight are not. */
  uint8_t many[8 * 4 + 1 + 8 + 1];
  for (size_t copies = 7; copies <= 8; copies++) {
    memset(many, 'x', sizeof many);
    for (size_t i = 0; i < copies; i++)
      memcpy(many + 4 * i, "\xef\x0f\x00\x01", 4);
    many[4 * copies] = 0x6f;
    assert_int_equal(red_parse(many, 4 * copies + 1 + copies + 1, v, &n), copies == 7 ? ERR_OK : ERR_BAD_RTP);
    assert_int_equal(n, copies == 7 ? 8 : 0);
  }
}

static void built(void **state) {
  (void)state;
  struct red_block v[] = {{111, 960, (const uint8_t *)"old", 3}, {111, 0, (const uint8_t *)"new!", 4}};
  uint8_t out[sizeof one_copy];
  for (size_t cap = 0; cap < sizeof out; cap++)
    assert_int_equal(red_build(out, cap, v, 2), 0);
  assert_int_equal(red_build(out, sizeof out, v, 2), sizeof one_copy);
  assert_memory_equal(out, one_copy, sizeof one_copy);
  assert_int_equal(red_build(out, sizeof out, v + 1, 1), 5);
  assert_memory_equal(out, "\x6fnew!", 5);
  static const uint8_t big[RED_LEN_MAX + 1];
  uint8_t room[2048];
  struct red_block far[] = {{111, RED_OFFSET_MAX + 1, big, 1}, {111, 0, big, 1}};
  assert_int_equal(red_build(room, sizeof room, far, 2), 0);
  struct red_block fat[] = {{111, 960, big, sizeof big}, {111, 0, big, 1}};
  assert_int_equal(red_build(room, sizeof room, fat, 2), 0);
  struct red_block primary[] = {{111, 960, big, 1}, {111, 0, big, sizeof big}};
  assert_int_equal(red_build(room, sizeof room, primary, 2), 4 + 1 + 1 + sizeof big);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one),   cmocka_unit_test(of_the_rfc), cmocka_unit_test(largest),
      cmocka_unit_test(order), cmocka_unit_test(alone),      cmocka_unit_test(refused),
      cmocka_unit_test(built),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
