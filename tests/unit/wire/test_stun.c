/* STUN: the vectors of RFC 5769 and what strangers may send instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/bytes.h"
#include "core/wire/stun.h"

#include <arpa/inet.h>
#include <string.h>

static const char PASSWORD[] = "VOkJxbRl1RmTxUk/WvJxBt";
static const char TID[] = "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";
#define HEAD "\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
#define TEST_VECTOR "\x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20"

/* RFC 5769 section 2.1 */
static const char REQUEST[] =
    "\x00\x01\x00\x58" HEAD "\x80\x22\x00\x10"
    "STUN test "
    "client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\x00\x06\x00\x09"
    "\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e"
    "\xf2\xb5"
    "\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\x80\x28\x00\x04\xe5\x7a\x3b\xcf";
/* section 2.2 */
static const char RESPONSE4[] =
    "\x01\x01\x00\x3c" HEAD TEST_VECTOR
    "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\x00\x08\x00\x14\x2b\x91\xf5\x99"
    "\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\x80\x28\x00\x04\xc0\x7d\x4c\x96";
/* section 2.3 */
static const char RESPONSE6[] =
    "\x01\x01\x00\x48" HEAD TEST_VECTOR
    "\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9"
    "\x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3\xed\x41"
    "\x80\x28\x00\x04\xc8\xfb\x0b\x4c";

static const uint8_t *bytes(const char *s) {
  return (const uint8_t *)s;
}

/* A bitwise CRC-32, to seal hostile messages without help from the code under test. */
static uint32_t slow_crc(const uint8_t *p, size_t n) {
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < n; i++) {
    crc ^= p[i];
    for (int k = 0; k < 8; k++)
      crc = (crc & 1) ? 0xEDB88320u ^ (crc >> 1) : crc >> 1;
  }
  return ~crc;
}

/* Replace the last 8 bytes by `extra`, a fitting length and a right FINGERPRINT. */
static size_t reseal(uint8_t *m, size_t n, const void *extra, size_t extra_n) {
  struct writer w = writer_of(m + n - 8, extra_n + 8);
  write_bytes(&w, extra, extra_n);
  n += extra_n;
  struct writer length = writer_of(m + 2, 2);
  write_u16(&length, (unsigned)(n - 20));
  uint32_t crc = slow_crc(m, n - 8) ^ 0x5354554Eu;
  write_u16(&w, 0x8028);
  write_u16(&w, 4);
  write_u32(&w, crc);
  assert_true(w.ok);
  return n;
}

static void vector_request(void **state) {
  (void)state;
  struct stun s;
  size_t n;
  assert_true(stun_looks_like(bytes(REQUEST), sizeof REQUEST - 1));
  assert_int_equal(stun_parse(bytes(REQUEST), sizeof REQUEST - 1, &s), ERR_OK);
  assert_true(s.request && !s.success && !s.error && s.controlled && !s.controlling && !s.use_candidate);
  assert_memory_equal(s.tid, TID, 12);
  assert_true(s.has_priority);
  assert_int_equal(s.priority, 0x6e0001ff);
  assert_true(s.tie_breaker == UINT64_C(0x932ff9b151263b36));
  assert_int_equal(s.username_len, 9);
  assert_memory_equal(stun_ufrag_local(&s, &n), "evtj", 4);
  assert_int_equal(n, 4);
  assert_true(stun_check(bytes(REQUEST), sizeof REQUEST - 1, &s, PASSWORD));
  assert_false(stun_check(bytes(REQUEST), sizeof REQUEST - 1, &s, "VOkJxbRl1RmTxUk/WvJxBT"));
  assert_false(stun_check(bytes(REQUEST), sizeof REQUEST - 1, &s, ""));
}

static void vector_responses(void **state) {
  (void)state;
  struct stun s;
  char ip[INET6_ADDRSTRLEN];
  assert_int_equal(stun_parse(bytes(RESPONSE4), sizeof RESPONSE4 - 1, &s), ERR_OK);
  assert_true(s.success && s.has_mapped && stun_check(bytes(RESPONSE4), sizeof RESPONSE4 - 1, &s, PASSWORD));
  const struct sockaddr_in *a4 = (const struct sockaddr_in *)&s.mapped;
  assert_int_equal(ntohs(a4->sin_port), 32853);
  assert_string_equal(inet_ntop(AF_INET, &a4->sin_addr, ip, sizeof ip), "192.0.2.1");

  assert_int_equal(stun_parse(bytes(RESPONSE6), sizeof RESPONSE6 - 1, &s), ERR_OK);
  assert_true(s.success && s.has_mapped && stun_check(bytes(RESPONSE6), sizeof RESPONSE6 - 1, &s, PASSWORD));
  const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)&s.mapped;
  assert_int_equal(s.mapped.ss_family, AF_INET6);
  assert_int_equal(ntohs(a6->sin6_port), 32853);
  assert_string_equal(inet_ntop(AF_INET6, &a6->sin6_addr, ip, sizeof ip),
                      "2001:db8:1234:5678:11:2233:4455:6677");
}

/* Any single changed bit and any cut of a good message is refused by FINGERPRINT alone. */
static void damaged(void **state) {
  (void)state;
  struct stun s;
  uint8_t m[sizeof REQUEST];
  for (size_t bit = 0; bit < (sizeof REQUEST - 1) * 8; bit++) {
    memcpy(m, REQUEST, sizeof m);
    m[bit / 8] ^= (uint8_t)(1 << bit % 8);
    assert_int_equal(stun_parse(m, sizeof REQUEST - 1, &s), ERR_BAD_STUN);
  }
  for (size_t n = 0; n < sizeof REQUEST - 1; n++)
    assert_int_equal(stun_parse(bytes(REQUEST), n, &s), ERR_BAD_STUN);
  assert_int_equal(stun_parse(bytes(REQUEST), sizeof REQUEST, &s), ERR_BAD_STUN);
}

/* What comes behind MESSAGE-INTEGRITY could be added by anyone: it must not be read. */
static void after_integrity(void **state) {
  (void)state;
  struct stun s;
  uint8_t m[256];
  memcpy(m, REQUEST, sizeof REQUEST - 1);
  static const char extra[] =
      "\x00\x25\x00\x00\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\x00\x7f\x00\x00";
  size_t n = reseal(m, sizeof REQUEST - 1, extra, sizeof extra - 1);
  assert_int_equal(stun_parse(m, n, &s), ERR_OK);
  assert_false(s.use_candidate);
  assert_false(s.has_mapped);
  assert_true(stun_check(m, n, &s, PASSWORD));
  static const char overrun[] = "\x00\x25\x00\x20";
  memcpy(m, REQUEST, sizeof REQUEST - 1);
  n = reseal(m, sizeof REQUEST - 1, overrun, sizeof overrun - 1);
  assert_int_equal(stun_parse(m, n, &s), ERR_BAD_STUN);
}

/* Attributes of a message without MESSAGE-INTEGRITY: the parser reads them, stun_check says no. */
static enum err parse_attrs(const char *attrs, size_t n, unsigned type, struct stun *s) {
  static uint8_t m[1200];
  memset(m, 0, sizeof m);
  memcpy(m, REQUEST, 20);
  m[0] = (uint8_t)(type >> 8);
  m[1] = (uint8_t)type;
  size_t len = reseal(m, 28, attrs, n);
  enum err e = stun_parse(m, len, s);
  assert_true(e != ERR_OK || !stun_check(m, len, s, PASSWORD));
  return e;
}
#define ATTRS(text, type) parse_attrs(text, sizeof(text) - 1, type, &s)

static void attributes(void **state) {
  (void)state;
  struct stun s;
  assert_int_equal(ATTRS("", 0x0001), ERR_OK);
  assert_null(s.username);
  assert_int_equal(ATTRS("", 0x0011), ERR_OK);
  assert_false(s.request || s.success || s.error);
  assert_int_equal(ATTRS("", 0x0003), ERR_BAD_STUN);                 /* another method */
  assert_int_equal(ATTRS("\x00\x7f\x00\x00", 0x0001), ERR_BAD_STUN); /* unknown, required */
  assert_int_equal(ATTRS("\xff\x00\x00\x01"
                         "abcd",
                         0x0001),
                   ERR_OK); /* unknown, optional */
  assert_int_equal(ATTRS("\x00\x06\xff\xff"
                         "abcd",
                         0x0001),
                   ERR_BAD_STUN);                                                    /* overruns */
  assert_int_equal(ATTRS("\x00\x24\x00\x03\x01\x02\x03\x04", 0x0001), ERR_BAD_STUN); /* short PRIORITY */
  assert_int_equal(ATTRS("\x00\x25\x00\x01\x01\x02\x03\x04", 0x0001),
                   ERR_BAD_STUN); /* USE-CANDIDATE is empty */
  assert_int_equal(ATTRS("\x00\x08\x00\x04\x01\x02\x03\x04", 0x0001), ERR_BAD_STUN); /* short HMAC */
  assert_int_equal(ATTRS("\x80\x28\x00\x04\x01\x02\x03\x04", 0x0001),
                   ERR_BAD_STUN); /* an early FINGERPRINT */
  assert_int_equal(ATTRS("\x80\x29\x00\x08"
                         "12345678\x80\x2a\x00\x08"
                         "12345678",
                         0x0001),
                   ERR_BAD_STUN);
  assert_int_equal(ATTRS("\x00\x20\x00\x08\x00\x02\xa1\x47\xe1\x12\xa6\x43", 0x0101), ERR_BAD_STUN);
  assert_int_equal(ATTRS("\x00\x09\x00\x04\x00\x00\x04\x57", 0x0111), ERR_OK);
  assert_int_equal(s.error_code, 487);
  assert_int_equal(ATTRS("\x00\x09\x00\x04\x00\x00\x01\x57", 0x0111), ERR_BAD_STUN);
  assert_int_equal(ATTRS("\x00\x06\x00\x03"
                         "a:b_\x00\x06\x00\x03"
                         "c:d_",
                         0x0001),
                   ERR_OK);
  assert_memory_equal(s.username, "a:b", 3); /* the first of two counts */
  static const char fits[STUN_MAX - 28 + 1] = "\xff\x00\x02\x04", big[STUN_MAX - 24 + 1] = "\xff\x00\x02\x08";
  assert_int_equal(ATTRS(fits, 0x0001), ERR_OK);
  assert_int_equal(ATTRS(big, 0x0001), ERR_BAD_STUN); /* good but for its size */
}

static void usernames(void **state) {
  (void)state;
  struct stun s;
  size_t n;
  assert_int_equal(ATTRS("\x00\x06\x00\x04"
                         "abcd",
                         0x0001),
                   ERR_OK);
  assert_null(stun_ufrag_local(&s, &n));
  assert_int_equal(ATTRS("\x00\x06\x00\x04"
                         ":bcd",
                         0x0001),
                   ERR_OK);
  assert_null(stun_ufrag_local(&s, &n));
  assert_int_equal(ATTRS("\x00\x06\x00\x04"
                         "abc:",
                         0x0001),
                   ERR_OK);
  assert_null(stun_ufrag_local(&s, &n));
  assert_int_equal(ATTRS("\x00\x06\x00\x04"
                         "a:b:",
                         0x0001),
                   ERR_OK);
  assert_null(stun_ufrag_local(&s, &n));
  assert_int_equal(ATTRS("\x00\x06\x00\x00", 0x0001), ERR_OK);
  assert_null(stun_ufrag_local(&s, &n));
}

/* Built messages come back equal; with the vector's address the response carries the vector's bytes. */
static void built(void **state) {
  (void)state;
  uint8_t m[STUN_MAX];
  struct stun s;
  size_t n = stun_build_request(m, sizeof m, bytes(TID), "left:right", PASSWORD, true, 77, 1234, true);
  assert_int_equal(stun_parse(m, n, &s), ERR_OK);
  assert_true(s.request && s.controlling && s.use_candidate && s.tie_breaker == 77 && s.priority == 1234);
  assert_true(stun_check(m, n, &s, PASSWORD));
  assert_false(stun_check(m, n, &s, "other"));

  struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(32853)};
  assert_int_equal(inet_pton(AF_INET6, "2001:db8:1234:5678:11:2233:4455:6677", &a6.sin6_addr), 1);
  n = stun_build_success(m, sizeof m, bytes(TID), (struct sockaddr *)&a6, PASSWORD);
  assert_memory_equal(m + 20, RESPONSE6 + 36, 24);
  assert_int_equal(stun_parse(m, n, &s), ERR_OK);
  assert_true(stun_check(m, n, &s, PASSWORD));
  struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(32853)};
  assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &a4.sin_addr), 1);
  n = stun_build_success(m, sizeof m, bytes(TID), (struct sockaddr *)&a4, PASSWORD);
  assert_memory_equal(m + 20, RESPONSE4 + 36, 12);

  n = stun_build_error(m, sizeof m, bytes(TID), 487, PASSWORD);
  assert_int_equal(stun_parse(m, n, &s), ERR_OK);
  assert_true(s.error && s.error_code == 487 && stun_check(m, n, &s, PASSWORD));
  for (size_t cap = 0; cap < n; cap++)
    assert_int_equal(stun_build_error(m, cap, bytes(TID), 487, PASSWORD), 0);
}

static void demultiplexing(void **state) {
  (void)state;
  assert_false(stun_looks_like(bytes("\x80\x6f\x00\x58" HEAD), 20)); /* RTP */
  assert_false(stun_looks_like(bytes("\x16\xfe\xfd\x00" HEAD), 20)); /* DTLS */
  assert_false(stun_looks_like(bytes("\x00\x01\x00\x00\x21\x12\xa4\x43"
                                     "123456789012"),
                               20));
  assert_false(stun_looks_like(bytes(REQUEST), 19));
  assert_false(stun_looks_like(NULL, 0));
  struct stun s;
  assert_int_equal(stun_parse(bytes("\x00\x01\xff\xff" HEAD), 20, &s), ERR_BAD_STUN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(vector_request),  cmocka_unit_test(vector_responses), cmocka_unit_test(damaged),
      cmocka_unit_test(after_integrity), cmocka_unit_test(attributes),       cmocka_unit_test(usernames),
      cmocka_unit_test(built),           cmocka_unit_test(demultiplexing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
