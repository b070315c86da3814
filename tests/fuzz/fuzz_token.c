/* No text makes a token of any format read out of bounds, and what verifies keeps token.h's promises. The
 * keys are those of the seed corpus, so that the seeds get past the signature. */
#include "core/auth/token_tool.h"
#include "core/base/bytes.h"

#include <assert.h>
#include <string.h>

static const struct {
  enum token_format format;
  const char *kid, *issuer, *secret;
  int64_t now_s;
} KEYS[] = {
    {TOKEN_HS256, "k1", "acme", "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
     1700000000},
    {TOKEN_EDDSA, "e1", "acme", "da29e95b02e00ffa15645775fb1d2ba222a1943395eea06b94e2c057b7be69d0",
     1700000000},
    {TOKEN_VIDYO, "", "ApplicationID", "rUlaMASgt1Byi4Kp3sKYDeQzo", 1485383000},
    {TOKEN_OPENTOK, "", "123456", "1234567890abcdef1234567890abcdef1234567890", 1700000000},
    {TOKEN_AGORA, "", "970CA35de60c44645bbae8a215061b33", "5CFd2fd1755d40ecb72977518be15d3b", 1111111},
    {TOKEN_SAMBA, "", "6d12d819-c0ae-42b5-b320-a7791890c662", "developer-key", 1700000000},
    {TOKEN_CUBE, "", "8056", "azj3WKRTbTkeHad", 1734454656},
};

static void verify(const char *text, size_t n, size_t i, bool peeked) {
  struct token_key k = {.format = KEYS[i].format,
                        .scopes = SCOPE_JOIN | SCOPE_SPEAK | SCOPE_MODERATE,
                        .audience = "meet.example"};
  struct token_claims c;
  const char *why;
  memcpy(k.kid, KEYS[i].kid, strlen(KEYS[i].kid));
  memcpy(k.issuer, KEYS[i].issuer, strlen(KEYS[i].issuer));
  k.n_secret = strlen(KEYS[i].secret);
  if (k.format == TOKEN_HS256 || k.format == TOKEN_EDDSA) {
    bool ok = hex_decode(KEYS[i].secret, k.n_secret, k.secret);
    assert(ok);
    k.n_secret /= 2;
  } else {
    memcpy(k.secret, KEYS[i].secret, k.n_secret);
  }
  if (token_verify(text, n, &k, KEYS[i].now_s, &c, &why) != ERR_OK) {
    assert(why && !c.scopes && !c.subject[0]);
    return;
  }
  assert(peeked && !why && c.format == k.format && strcmp(c.issuer, k.issuer) == 0);
  assert(c.subject[0] && c.exp_s > KEYS[i].now_s - TOKEN_LEEWAY_S && (c.scopes & ~k.scopes) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  enum token_format f;
  char kid[TOKEN_KID_MAX + 1], issuer[TOKEN_ISSUER_MAX + 1];
  const char *why;
  bool peeked = token_peek(text, size, &f, kid, issuer, &why) == ERR_OK;
  assert(peeked == !why);
  for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
    verify(text, size, i, peeked);
  struct token_claims c; /* what nobody signed: gavelctl token inspect */
  if (token_inspect(text, size, &c, &why) == ERR_OK)
    assert(c.subject[0] && c.exp_s >= 0);
  return 0;
}
