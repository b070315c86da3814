/* RTP headers: packets of aiortc 1.4.0, and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/rtp.h"

#include <string.h>

/* Serialised by aiortc: mid "0" as element 1, level 42 with V as element 2, two CSRCs, five bytes of padding.
 */
static const uint8_t AIO_RTP[] = {0xb2, 0xe0, 0xff, 0xfd, 0xfe, 0xdc, 0xba, 0x98, 0x12, 0x34, 0x56, 0x78,
                                  0xde, 0xad, 0xbe, 0xef, 0x00, 0x00, 0x00, 0x01, 0xbe, 0xde, 0x00, 0x01,
                                  0x10, 0x30, 0x20, 0xaa, 0xf8, 0xff, 0xfe, 0x1c, 0x16, 0xa0, 0x03, 0x05};
/* Elements packed by aiortc in the two-byte form: 1 "0", 2 0x2a, 20 "twobyte". */
static const uint8_t AIO_TWO[] = {0x90, 0x60, 0x00, 0x07, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x09,
                                  0x10, 0x00, 0x00, 0x04, 0x01, 0x01, 0x30, 0x02, 0x01, 0x2a, 0x14, 0x07,
                                  0x74, 0x77, 0x6f, 0x62, 0x79, 0x74, 0x65, 0x00, 0x70, 0x61, 0x79};
static void one_byte_form(void **state) {
  (void)state;
  struct rtp r;
  uint8_t level;
  bool voice;
  size_t n;
  assert_int_equal(rtp_parse(AIO_RTP, sizeof AIO_RTP, false, &r), ERR_OK);
  assert_true(r.pt == 96 && r.marker && r.seq == 65533 && r.ts == 0xfedcba98 && r.ssrc == 0x12345678);
  assert_true(r.n_csrc == 2 && r.csrc[0] == 0xdeadbeef && r.csrc[1] == 1);
  assert_int_equal(r.payload_len, 3);
  assert_memory_equal(r.payload, "\xf8\xff\xfe", 3);
  assert_int_equal(*rtp_find_ext(&r, 1, &n), '0');
  assert_int_equal(n, 1);
  assert_null(rtp_find_ext(&r, 3, &n));
  assert_null(rtp_find_ext(&r, 0, &n));
  assert_true(rtp_level(&r, 2, &level, &voice));
  assert_true(level == 42 && voice);
  assert_int_equal(rtp_parse(AIO_RTP, sizeof AIO_RTP, true, &r), ERR_OK);
  assert_int_equal(r.payload_len, 8); /* sealed: the padding count is not ours to read */
}

static void two_byte_form(void **state) {
  (void)state;
  struct rtp r;
  uint8_t level;
  bool voice;
  size_t n;
  assert_int_equal(rtp_parse(AIO_TWO, sizeof AIO_TWO, false, &r), ERR_OK);
  assert_true(rtp_level(&r, 2, &level, &voice));
  assert_true(level == 42 && !voice);
  const uint8_t *body = rtp_find_ext(&r, 20, &n);
  assert_int_equal(n, 7);
  assert_memory_equal(body, "twobyte", 7);
  assert_memory_equal(r.payload, "pay", 3);
}

/* A cut packet is refused while its header is not whole, and never read beyond its end (see the asan run). */
static void cut(void **state) {
  (void)state;
  struct rtp r;
  for (size_t n = 0; n < 28; n++)
    assert_int_equal(rtp_parse(AIO_RTP, n, true, &r), ERR_BAD_RTP);
  for (size_t n = 28; n < sizeof AIO_RTP; n++)
    assert_int_equal(rtp_parse(AIO_RTP, n, true, &r), ERR_OK);
}

static enum err parse_changed(size_t at, uint8_t value, size_t n) {
  static uint8_t p[65000];
  struct rtp r;
  memcpy(p, AIO_RTP, sizeof AIO_RTP);
  p[at] = value;
  return rtp_parse(p, n, false, &r);
}

static void broken(void **state) {
  (void)state;
  size_t n = sizeof AIO_RTP, last = n - 1;
  assert_int_equal(parse_changed(0, 0xb2, n), ERR_OK);
  assert_int_equal(parse_changed(0, 0x72, n), ERR_BAD_RTP);  /* version 1 */
  assert_int_equal(parse_changed(0, 0xbf, n), ERR_BAD_RTP);  /* fifteen CSRCs do not fit */
  assert_int_equal(parse_changed(22, 0xff, n), ERR_BAD_RTP); /* extension of 0xff01 words */
  assert_int_equal(parse_changed(last, 0, n), ERR_BAD_RTP);  /* padding counts itself */
  assert_int_equal(parse_changed(last, 8, n), ERR_OK);       /* all padding */
  assert_int_equal(parse_changed(last, 9, n), ERR_BAD_RTP);
  assert_int_equal(parse_changed(last, 255, n), ERR_BAD_RTP);
  assert_int_equal(parse_changed(0, 0x80, 1500), ERR_OK);
  assert_int_equal(parse_changed(0, 0x80, 1501), ERR_BAD_RTP);
  assert_int_equal(parse_changed(0, 0x80, 65000), ERR_BAD_RTP);
}

static const uint8_t *find(const char *ext, size_t n, uint16_t profile, unsigned id, size_t *len) {
  struct rtp r = {.ext = (const uint8_t *)ext, .ext_len = n, .ext_profile = profile};
  return rtp_find_ext(&r, id, len);
}

static void extension_walk(void **state) {
  (void)state;
  size_t n;
  assert_non_null(find("\0\0\x20\x07", 4, 0xBEDE, 2, &n)); /* padding before */
  assert_null(find("\x01\x00\x20\x07", 4, 0xBEDE, 2, &n)); /* id 0 with a length ends the walk */
  assert_null(find("\xf0\x00\x20\x07", 4, 0xBEDE, 2, &n)); /* id 15 too */
  assert_null(find("\xf0\x00\x20\x07", 4, 0xBEDE, 15, &n));
  assert_null(find("\x23\x01\x02\x03", 4, 0xBEDE, 2, &n)); /* four bytes announced, three there */
  assert_null(find("\x10\x00\x00\x20", 4, 0xBEDE, 2, &n));
  assert_null(find("\x20\x07\x00\x00", 4, 0xBEDF, 2, &n)); /* another profile */
  assert_null(find("", 0, 0xBEDE, 2, &n));
  assert_non_null(find("\x0f\x00\x02\x00", 4, 0x100f, 2, &n));
  assert_int_equal(n, 0);
  assert_null(find("\x00\x00\x00\x02", 4, 0x1000, 2, &n)); /* no room for the length */
  assert_null(find("\x02\x03\x01\x02", 4, 0x1000, 2, &n));
  struct rtp none = {.ext_profile = 0xBEDE};
  assert_null(rtp_find_ext(&none, 1, &n));
}

static void build(void **state) {
  (void)state;
  struct rtp r = {.pt = 111, .marker = true, .seq = 9, .ts = 960, .ssrc = 5, .n_csrc = 15}, back;
  uint8_t levels[15], out[128];
  for (unsigned i = 0; i < 15; i++) {
    r.csrc[i] = 1000 + i;
    levels[i] = (uint8_t)(i * 8);
  }
  for (size_t k = 1; k <= 15; k++) {
    r.n_csrc = (unsigned)k;
    size_t n = rtp_build(out, sizeof out, &r, 14, levels, k), len;
    assert_int_equal(n % 4, 0);
    assert_int_equal(rtp_parse(out, n, false, &back), ERR_OK);
    assert_true(back.pt == 111 && back.marker && back.seq == 9 && back.ts == 960 && back.ssrc == 5);
    assert_memory_equal(back.csrc, r.csrc, k * sizeof r.csrc[0]);
    assert_int_equal(back.payload_len, 0);
    const uint8_t *body = rtp_find_ext(&back, 14, &len);
    assert_int_equal(len, k);
    assert_memory_equal(body, levels, k);
    for (size_t cap = 0; cap < n; cap++)
      assert_int_equal(rtp_build(out, cap, &r, 14, levels, k), 0);
  }
  r = (struct rtp){.pt = 96, .seq = 7, .ts = 8, .ssrc = 9};
  assert_int_equal(rtp_build(out, sizeof out, &r, 0, NULL, 0), 12);
  assert_memory_equal(out, "\x80\x60\x00\x07\0\0\0\x08\0\0\0\x09", 12);
  assert_int_equal(rtp_build(out, sizeof out, &r, 3, levels, 0), 12);
}

static void demultiplexing(void **state) {
  (void)state;
  assert_true(rtp_is_rtcp((const uint8_t *)"\x80\xc8", 2));
  assert_true(rtp_is_rtcp((const uint8_t *)"\x80\xcf", 2));
  assert_false(rtp_is_rtcp((const uint8_t *)"\x80\x6f", 2));
  assert_false(rtp_is_rtcp((const uint8_t *)"\x80\xef", 2)); /* 111 with the marker bit */
  assert_false(rtp_is_rtcp((const uint8_t *)"\x80", 1));
}

static void sequence(void **state) {
  (void)state;
  assert_int_equal(rtp_seq_extend(0x1fffe, 0x0001), 0x20001);
  assert_int_equal(rtp_seq_extend(0x20001, 0xfffe), 0x1fffe);
  assert_int_equal(rtp_seq_extend(0x20001, 0x0001), 0x20001);
  assert_int_equal(rtp_seq_extend(0x10000, 0x7fff), 0x17fff);
  assert_int_equal(rtp_seq_extend(0x10000, 0x8001), 0x08001);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_byte_form),  cmocka_unit_test(two_byte_form),  cmocka_unit_test(cut),
      cmocka_unit_test(broken),         cmocka_unit_test(extension_walk), cmocka_unit_test(build),
      cmocka_unit_test(demultiplexing), cmocka_unit_test(sequence),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
