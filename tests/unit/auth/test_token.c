/* token: what token_peek tells without trust, minting for every format, and that nothing is minted which
 * would be refused. */
#include "core/auth/token_private.h"
#include "core/auth/token_tool.h"
#include "core/base/ed25519.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1700000000
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct token_key own_key(void) {
  struct token_key k = {
      .kid = "k1", .issuer = "acme", .audience = "meet", .n_secret = 32, .scopes = SCOPE_ALL};
  memset(k.secret, 7, 32);
  return k;
}

static struct token_claims ada(void) {
  return (struct token_claims){.subject = "ada",
                               .room = "blue",
                               .name = "Ada \xc3\x96",
                               .iat_s = NOW,
                               .exp_s = NOW + 600,
                               .scopes = SCOPE_JOIN | SCOPE_SPEAK | SCOPE_CHAT};
}

static char *mint_ok(const struct token_key *k, const struct token_claims *c, uint64_t seed) {
  struct rng rng;
  char *out;
  const char *why;
  rng_seed(&rng, seed);
  if (token_mint(k, c, &(struct token_extra){0}, &rng, &out, &why) != ERR_OK)
    fail_msg("%s: %s", token_format_word(k->format), why);
  return out;
}

static void mint_refused(const struct token_key *k, const struct token_claims *c, const char *want) {
  char *out;
  const char *why;
  assert_int_equal(token_mint(k, c, &(struct token_extra){0}, rng_system(), &out, &why), ERR_BAD_ARG);
  assert_null(out);
  assert_string_equal(why, want);
}

static void test_words(void **state) {
  (void)state;
  for (unsigned f = 0; f < TOKEN__COUNT; f++)
    assert_int_equal(token_format_find(token_format_word((enum token_format)f)), f);
  assert_int_equal(token_format_find("jwt-none"), TOKEN__COUNT);
  assert_string_equal(token_format_word(TOKEN__COUNT), "");
}

static void test_own(void **state) {
  (void)state;
  struct token_key k = own_key();
  struct token_claims c = ada(), got;
  const char *why;
  char *one = mint_ok(&k, &c, 1), *two = mint_ok(&k, &c, 2);
  assert_string_not_equal(one, two); /* another jti */
  assert_int_equal(token_verify(one, strlen(one), &k, NOW, &got, &why), ERR_OK);
  assert_string_equal(got.subject, "ada");
  assert_string_equal(got.room, "blue");
  assert_string_equal(got.name, c.name);
  assert_string_equal(got.kid, "k1");
  assert_string_equal(got.issuer, "acme");
  assert_int_equal(strlen(got.jti), 22);
  assert_int_equal(got.exp_s, NOW + 600);
  assert_int_equal(got.scopes, c.scopes);
  /* bytes count, not a NUL: what a caller's length cuts off is not there */
  assert_int_equal(token_verify(one, strlen(one) - 1, &k, NOW, &got, &why), ERR_BAD_TOKEN);
  free(one);
  free(two);
  memcpy(c.jti, "mine", 5);
  c.room[0] = 0;
  one = mint_ok(&k, &c, 1);
  assert_int_equal(token_verify(one, strlen(one), &k, NOW, &got, &why), ERR_OK);
  assert_string_equal(got.jti, "mine");
  assert_string_equal(got.room, "");
  free(one);
}

static void test_eddsa(void **state) {
  (void)state;
  struct token_key seed = own_key(), public;
  struct token_claims c = ada(), got;
  const char *why;
  seed.format = TOKEN_EDDSA;
  public = seed;
  ed25519_public(seed.secret, public.secret);
  char *t = mint_ok(&seed, &c, 1);
  assert_int_equal(token_verify(t, strlen(t), &public, NOW, &got, &why), ERR_OK);
  assert_int_equal(token_verify(t, strlen(t), &seed, NOW, &got, &why), ERR_BAD_TOKEN);
  assert_string_equal(why, "signature");
  public.format = TOKEN_HS256; /* the record's word counts, not the token's */
  assert_int_equal(token_verify(t, strlen(t), &public, NOW, &got, &why), ERR_BAD_TOKEN);
  assert_string_equal(why, "alg");
  free(t);
}

static void test_mint_refuses(void **state) {
  (void)state;
  struct token_key k = own_key();
  struct token_claims c = ada();
  c.subject[0] = 0;
  mint_refused(&k, &c, "subject");
  c = ada();
  memcpy(c.subject, "a\nb", 4);
  mint_refused(&k, &c, "subject");
  c = ada();
  c.iat_s = 0;
  mint_refused(&k, &c, "iat");
  c = ada();
  c.exp_s = NOW;
  mint_refused(&k, &c, "ttl");
  c.exp_s = NOW - 30;
  mint_refused(&k, &c, "expired");
  c.exp_s = NOW + 3601;
  mint_refused(&k, &c, "ttl");
  c = ada();
  c.nbf_s = NOW + 31;
  mint_refused(&k, &c, "not_yet");
  c = ada();
  k.scopes = SCOPE_JOIN;
  mint_refused(&k, &c, "scope");
  k = own_key();
  k.n_secret = 31;
  mint_refused(&k, &c, "key");
  k = own_key();
  k.retire_s = NOW;
  mint_refused(&k, &c, "key");
  k = own_key();
  memcpy(k.kid, "../x", 5);
  mint_refused(&k, &c, "kid");
  k = own_key();
  k.audience[0] = 0;
  mint_refused(&k, &c, "audience");
  k = own_key();
  k.issuer[0] = 0;
  mint_refused(&k, &c, "issuer");
}

/* Every format: what was minted verifies with the same user, room and end, as far as the format has them. */
static void test_every_format(void **state) {
  (void)state;
  static const struct {
    enum token_format f;
    const char *issuer;
    bool user, room, end;
  } v[] = {
      {TOKEN_HS256, "acme", true, true, true},
      {TOKEN_VIDYO, "app-1", true, false, true},
      {TOKEN_OPENTOK, "123456", false, true, true},
      {TOKEN_AGORA, "970CA35de60c44645bbae8a215061b33", true, true, true},
      {TOKEN_SAMBA, "6d12d819-c0ae-42b5-b320-a7791890c662", true, true, true},
      {TOKEN_CUBE, "8056", true, false, false},
  };
  for (size_t i = 0; i < COUNT(v); i++) {
    struct token_key k = own_key();
    struct token_claims c = ada(), got;
    enum token_format f;
    char kid[TOKEN_KID_MAX + 1], issuer[TOKEN_ISSUER_MAX + 1];
    const char *why;
    k.format = v[i].f;
    snprintf(k.issuer, sizeof k.issuer, "%s", v[i].issuer);
    char *t = mint_ok(&k, &c, i);
    assert_int_equal(token_peek(t, strlen(t), &f, kid, issuer, &why), ERR_OK);
    assert_int_equal(f, v[i].f);
    assert_string_equal(issuer, v[i].issuer);
    assert_int_equal(token_verify(t, strlen(t), &k, NOW, &got, &why), ERR_OK);
    assert_string_equal(got.room, v[i].room ? "blue" : "");
    assert_int_equal(got.scopes, c.scopes);
    if (v[i].user)
      assert_string_equal(got.subject, "ada");
    assert_int_equal(got.exp_s, NOW + (v[i].end ? 600 : 3600));
    /* a key of another issuer, another secret, or with no right at all */
    k.secret[0] ^= 1;
    assert_int_equal(token_verify(t, strlen(t), &k, NOW, &got, &why), ERR_BAD_TOKEN);
    assert_string_equal(why, "signature");
    k.secret[0] ^= 1;
    k.scopes = 0;
    assert_int_equal(token_verify(t, strlen(t), &k, NOW, &got, &why), ERR_OK);
    assert_int_equal(got.scopes, 0);
    k.issuer[0] ^= 1;
    assert_int_equal(token_verify(t, strlen(t), &k, NOW, &got, &why), ERR_BAD_TOKEN);
    assert_string_equal(why, "issuer");
    free(t);
  }
}

static void test_foreign_mint_refuses(void **state) {
  (void)state;
  struct token_key k = own_key();
  struct token_claims c = ada();
  k.format = TOKEN_OPENTOK;
  c.scopes = SCOPE_JOIN; /* no role says so little */
  mint_refused(&k, &c, "role");
  k.format = TOKEN_SAMBA;
  mint_refused(&k, &c, "role");
  c = ada();
  c.room[0] = 0; /* they name a room */
  mint_refused(&k, &c, "room");
  k.format = TOKEN_AGORA;
  mint_refused(&k, &c, "issuer"); /* "acme" is no app id */
  memcpy(k.issuer, "970CA35de60c44645bbae8a215061b33", 33);
  mint_refused(&k, &c, "room");
  c = ada();
  c.exp_s = NOW + 86401;
  mint_refused(&k, &c, "ttl");
  c = ada();
  k.format = TOKEN_VIDYO;
  memcpy(k.issuer, "a@b", 4); /* would be read as application b */
  mint_refused(&k, &c, "issuer");
  k.format = TOKEN_CUBE;
  mint_refused(&k, &c, "issuer"); /* not a number */
  k.n_secret = 0;
  mint_refused(&k, &c, "key");
}

static void test_peek_refuses(void **state) {
  (void)state;
  static const struct {
    const char *text, *why;
  } v[] = {
      {"", "size"},
      {"x", "format"},
      {"T1==", "base64"},
      {"T1==cGFydG5lcl9pZD0x", "format"},
      {"007", "base64"},
      {"007AAAA", "format"},
      {"006AAAA", "format"},
      {"cHJvdmlzaW9uAA==", "format"},
      {"cHJvdmlzaW9uA", "base64"},
      {"application_id=1", "format"},
      {"application_id=1&signature=00", "format"},
      {"cs1_0123456789", "format"},
  };
  for (size_t i = 0; i < COUNT(v); i++) {
    enum token_format f;
    char kid[TOKEN_KID_MAX + 1], issuer[TOKEN_ISSUER_MAX + 1];
    const char *why;
    if (token_peek(v[i].text, strlen(v[i].text), &f, kid, issuer, &why) == ERR_OK ||
        strcmp(why, v[i].why) != 0)
      fail_msg("'%s': %s", v[i].text, why);
  }
  char *big = malloc(TOKEN_MAX + 1);
  memset(big, 'A', TOKEN_MAX + 1);
  static const char *const begins[] = {"T1==", "007", "cHJvdmlzaW9uA", "application_id=", "eyJ."};
  for (size_t i = 0; i < COUNT(begins); i++)
    for (size_t n = TOKEN_MAX - 4; n <= TOKEN_MAX + 1; n++) {
      enum token_format f;
      char kid[TOKEN_KID_MAX + 1], issuer[TOKEN_ISSUER_MAX + 1];
      const char *why;
      memcpy(big, begins[i], strlen(begins[i]));
      assert_int_equal(token_peek(big, n, &f, kid, issuer, &why), ERR_BAD_TOKEN);
      assert_int_equal(n > TOKEN_MAX, strcmp(why, "size") == 0);
    }
  free(big);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_words),        cmocka_unit_test(test_own),
      cmocka_unit_test(test_eddsa),        cmocka_unit_test(test_mint_refuses),
      cmocka_unit_test(test_every_format), cmocka_unit_test(test_foreign_mint_refuses),
      cmocka_unit_test(test_peek_refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
