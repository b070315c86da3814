/* Certificates: what the openssl tool reads, pairs that do not match, file modes. */
#include "core/base/bytes.h"
#include "core/media/cert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct files {
  char dir[64], cert[96], key[96];
};

static int open_dir(void **state) {
  static struct files f;
  snprintf(f.dir, sizeof f.dir, "/tmp/gavel-cert-XXXXXX");
  if (mkdtemp(f.dir) == NULL)
    return -1;
  snprintf(f.cert, sizeof f.cert, "%s/cert.pem", f.dir);
  snprintf(f.key, sizeof f.key, "%s/key.pem", f.dir);
  *state = &f;
  return 0;
}

static int close_dir(void **state) {
  struct files *f = *state;
  unlink(f->cert);
  unlink(f->key);
  return rmdir(f->dir);
}

/* What `openssl x509 ARGS` prints about the saved certificate. */
static void ask_openssl(const struct files *f, const char *args, char *out, size_t cap) {
  char command[256];
  snprintf(command, sizeof command, "openssl x509 -noout -in %s %s 2>&1", f->cert, args);
  FILE *p = popen(command, "r");
  assert_non_null(p);
  size_t n = fread(out, 1, cap - 1, p);
  out[n] = '\0';
  assert_int_equal(pclose(p), 0);
}

static void test_openssl_reads_it(void **state) {
  struct files *f = *state;
  struct cert c;
  assert_int_equal(cert_make("voice.example.org", 30, &c), ERR_OK);
  assert_int_equal(cert_save(&c, f->cert, f->key), ERR_OK);
  char text[8192];
  ask_openssl(f, "-text", text, sizeof text);
  assert_non_null(strstr(text, "CN = voice.example.org"));
  assert_non_null(strstr(text, "DNS:voice.example.org"));
  assert_non_null(strstr(text, "NIST CURVE: P-256"));
  assert_non_null(strstr(text, "ecdsa-with-SHA256"));
  ask_openssl(f, "-checkend 2500000", text, sizeof text); /* 28.9 days: still valid then */

  char hex[65], listed[128] = "";
  hex_encode(c.sha256, 32, hex);
  ask_openssl(f, "-fingerprint -sha256", text, sizeof text);
  const char *colon = strchr(text, '=');
  assert_non_null(colon);
  size_t n = 0;
  for (const char *p = colon + 1; *p != '\0' && *p != '\n' && n < 64; p++)
    if (*p != ':')
      listed[n++] = *p;
  assert_int_equal(strcasecmp(listed, hex), 0);
  cert_free(&c);
}

static void test_names(void **state) {
  struct files *f = *state;
  static const struct {
    const char *name, *expected;
  } good[] = {
      {"192.0.2.7", "IP Address:192.0.2.7"},
      {"2001:db8::7", "IP Address:2001:DB8:0:0:0:0:0:7"},
      {"a-name-longer-than-the-64-characters-that-a-common-name-may-have.example.org", "DNS:a-name-"}};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    struct cert c;
    char text[8192];
    assert_int_equal(cert_make(good[i].name, 1, &c), ERR_OK);
    assert_int_equal(cert_save(&c, f->cert, f->key), ERR_OK);
    ask_openssl(f, "-ext subjectAltName", text, sizeof text);
    assert_non_null(strstr(text, good[i].expected));
    cert_free(&c);
  }
  static const char *const bad[] = {"", "a,DNS:b", "a b", "a\nb", "not:an:address", "email@example.org"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct cert c;
    assert_int_not_equal(cert_make(bad[i], 1, &c), ERR_OK);
    assert_null(c.key);
  }
}

static void test_two_are_different(void **state) {
  (void)state;
  struct cert a, b;
  assert_int_equal(cert_make("x", 1, &a), ERR_OK);
  assert_int_equal(cert_make("x", 1, &b), ERR_OK);
  assert_memory_not_equal(a.sha256, b.sha256, 32);
  assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(a.x509), X509_get0_serialNumber(b.x509)), 0);
  cert_free(&a);
  cert_free(&b);
}

static void test_load_what_was_saved(void **state) {
  struct files *f = *state;
  struct cert a, b;
  assert_int_equal(cert_make("localhost", 1, &a), ERR_OK);
  assert_int_equal(cert_save(&a, f->cert, f->key), ERR_OK);
  assert_int_equal(cert_load(f->cert, f->key, &b), ERR_OK);
  assert_memory_equal(a.sha256, b.sha256, 32);
  assert_int_equal(EVP_PKEY_eq(a.key, b.key), 1);
  cert_free(&a);
  cert_free(&b);
}

static void test_key_mode(void **state) {
  struct files *f = *state;
  struct cert c;
  struct stat st;
  assert_int_equal(cert_make("localhost", 1, &c), ERR_OK);
  unlink(f->key);
  mode_t old = umask(0);
  assert_int_equal(cert_save(&c, f->cert, f->key), ERR_OK);
  umask(old);
  assert_int_equal(stat(f->key, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  assert_int_equal(chmod(f->key, 0644), 0); /* a loose old file is tightened */
  assert_int_equal(cert_save(&c, f->cert, f->key), ERR_OK);
  assert_int_equal(stat(f->key, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  assert_int_equal(cert_save(&c, f->cert, "/nonexistent/key.pem"), ERR_IO);
  cert_free(&c);
}

static void test_refuses_bad_files(void **state) {
  struct files *f = *state;
  struct cert a, b, out;
  assert_int_equal(cert_make("localhost", 1, &a), ERR_OK);
  assert_int_equal(cert_make("localhost", 1, &b), ERR_OK);
  assert_int_equal(cert_save(&a, f->cert, f->key), ERR_OK);
  assert_int_equal(cert_load("/nonexistent", f->key, &out), ERR_IO);
  assert_int_equal(cert_load(f->cert, "/nonexistent", &out), ERR_IO);
  assert_int_equal(cert_load(f->key, f->cert, &out), ERR_IO);

  FILE *key = fopen(f->key, "w"); /* another pair's key */
  assert_non_null(key);
  assert_int_equal(PEM_write_PrivateKey(key, b.key, NULL, NULL, 0, NULL, NULL), 1);
  fclose(key);
  assert_int_equal(cert_load(f->cert, f->key, &out), ERR_IO);
  assert_null(out.key);
  assert_null(out.x509);

  key = fopen(f->key, "w"); /* the right key, but under a passphrase: no prompt, a refusal */
  assert_non_null(key);
  assert_int_equal(
      PEM_write_PrivateKey(key, a.key, EVP_aes_128_cbc(), (const uint8_t *)"pass", 4, NULL, NULL), 1);
  fclose(key);
  assert_int_equal(cert_load(f->cert, f->key, &out), ERR_IO);
  cert_free(&a);
  cert_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_openssl_reads_it),  cmocka_unit_test(test_names),
      cmocka_unit_test(test_two_are_different), cmocka_unit_test(test_load_what_was_saved),
      cmocka_unit_test(test_key_mode),          cmocka_unit_test(test_refuses_bad_files)};
  return cmocka_run_group_tests(tests, open_dir, close_dir);
}
