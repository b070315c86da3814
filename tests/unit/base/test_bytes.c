/* bytes: bounds of reader and writer, RFC 4648 and FIPS 180-4 vectors, strictness of the decoders. */
#include "core/base/bytes.h"
#include "core/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_read_values(void **state) {
  (void)state;
  static const uint8_t in[] = {0x01, 0x02, 0x03, 0xff, 0xfe, 0xfd, 0x80, 0x00, 0x00, 0x01,
                               0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0xaa, 0xbb};
  struct reader r = reader_of(in, sizeof in);
  assert_int_equal(read_u8(&r), 0x01);
  assert_int_equal(read_u16(&r), 0x0203);
  assert_int_equal(read_u24(&r), 0xfffefd);
  assert_int_equal(read_u32(&r), 0x80000001);
  assert_true(read_u64(&r) == 0x1122334455667788U);
  assert_int_equal(reader_left(&r), 2);
  assert_ptr_equal(read_bytes(&r, 2), in + 18);
  assert_true(r.ok);
  assert_int_equal(reader_left(&r), 0);
}

static void test_read_past_end_stays_failed(void **state) {
  (void)state;
  static const uint8_t in[] = {1, 2, 3};
  struct reader r = reader_of(in, sizeof in);
  assert_int_equal(read_u32(&r), 0);
  assert_false(r.ok);
  assert_int_equal(read_u8(&r), 0); /* though a byte is there */
  assert_null(read_bytes(&r, 0));
  assert_int_equal(reader_left(&r), 0);
}

static void test_read_huge_and_empty(void **state) {
  (void)state;
  static const uint8_t in[] = {1};
  struct reader r = reader_of(in, sizeof in);
  assert_null(read_bytes(&r, SIZE_MAX));
  assert_false(r.ok);
  r = reader_of(NULL, 0);
  assert_int_equal(reader_left(&r), 0);
  assert_int_equal(read_u8(&r), 0);
  assert_false(r.ok);
}

static void test_write_values_and_overrun(void **state) {
  (void)state;
  uint8_t buf[20];
  memset(buf, 0xee, sizeof buf);
  struct writer w = writer_of(buf, 18);
  write_u8(&w, 0x01);
  write_u16(&w, 0x0203);
  write_u32(&w, 0x80000001);
  write_u64(&w, 0x1122334455667788U);
  write_bytes(&w, "ab", 2);
  assert_true(w.ok);
  assert_int_equal(writer_len(&w), 17);
  assert_memory_equal(buf,
                      "\x01\x02\x03\x80\x00\x00\x01\x11\x22\x33\x44\x55\x66\x77\x88"
                      "ab",
                      17);
  write_u16(&w, 0x0909);
  assert_false(w.ok);
  write_u8(&w, 7); /* one byte is free, but the writer has failed */
  assert_int_equal(writer_len(&w), 17);
  assert_int_equal(buf[17], 0xee);
}

static void test_b64url_vectors(void **state) {
  (void)state;
  static const struct {
    const char *in, *out;
  } v[] = {{"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
           {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "-__-"}};
  for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
    char text[16];
    uint8_t back[8];
    assert_int_equal(b64url_encode(v[i].in, strlen(v[i].in), text), strlen(v[i].out));
    assert_string_equal(text, v[i].out);
    assert_int_equal(b64url_decode(text, strlen(text), back, sizeof back), strlen(v[i].in));
    assert_memory_equal(back, v[i].in, strlen(v[i].in));
  }
}

static void test_b64url_refuses(void **state) {
  (void)state;
  static const char *const bad[] = {"Z",    "Zm9vY",  "Zg==", "Zg=",        "Zh",  "Zm9",
                                    "+/8A", "Zm9v\n", " Zg",  "Zm\xc3\xa9", "Z.g", "Zm9vYh"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    uint8_t out[16];
    if (b64url_decode(bad[i], strlen(bad[i]), out, sizeof out) != -1)
      fail_msg("accepted: %s", bad[i]);
  }
  uint8_t small[5];
  assert_int_equal(b64url_decode("Zm9vYmE", 7, small, 5), 5);
  assert_int_equal(b64url_decode("Zm9vYmE", 7, small, 4), -1);
}

static void test_b64url_one_text_per_value(void **state) {
  (void)state;
  struct rng r;
  rng_seed(&r, 42);
  for (int round = 0; round < 2000; round++) {
    uint8_t in[40], back[40];
    char text[60], again[60];
    size_t n = rng_below(&r, sizeof in + 1);
    r.fill(&r, in, n);
    size_t len = b64url_encode(in, n, text);
    assert_int_equal(b64url_decode(text, len, back, sizeof back), n);
    assert_memory_equal(in, back, n);
    if (len == 0)
      continue;
    text[rng_below(&r, len)] = "A-_z9=+ "[rng_below(&r, 8)];
    int m = b64url_decode(text, len, back, sizeof back);
    if (m >= 0) { /* what decodes must encode to the same text: no second spelling */
      b64url_encode(back, (size_t)m, again);
      assert_string_equal(again, text);
    }
  }
}

static void test_hex(void **state) {
  (void)state;
  char text[9];
  uint8_t out[4];
  hex_encode("\x00\x7f\x80\xff", 4, text);
  assert_string_equal(text, "007f80ff");
  assert_true(hex_decode("007F80fF", 8, out));
  assert_memory_equal(out, "\x00\x7f\x80\xff", 4);
  assert_true(hex_decode("", 0, out));
  static const char *const bad[] = {"0", "0g", "0x", "-1", " 1", "00:1"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_false(hex_decode(bad[i], strlen(bad[i]), out));
}

static void test_sha256_vectors(void **state) {
  (void)state;
  uint8_t d[32];
  char text[65];
  sha256("abc", 3, d);
  hex_encode(d, sizeof d, text);
  assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  sha256("", 0, d);
  hex_encode(d, sizeof d, text);
  assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_equal_ct(void **state) {
  (void)state;
  assert_true(bytes_equal_ct("secret", "secret", 6));
  assert_false(bytes_equal_ct("secret", "secreT", 6));
  assert_false(bytes_equal_ct("Secret", "secret", 6));
  assert_true(bytes_equal_ct("a", "b", 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_read_values),
      cmocka_unit_test(test_read_past_end_stays_failed),
      cmocka_unit_test(test_read_huge_and_empty),
      cmocka_unit_test(test_write_values_and_overrun),
      cmocka_unit_test(test_b64url_vectors),
      cmocka_unit_test(test_b64url_refuses),
      cmocka_unit_test(test_b64url_one_text_per_value),
      cmocka_unit_test(test_hex),
      cmocka_unit_test(test_sha256_vectors),
      cmocka_unit_test(test_equal_ct),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
