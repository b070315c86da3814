/* token_tool.h: what gavelctl and the tests need of tokens beyond token.h: a look inside without a key, the
 * parts of foreign formats that claims do not have, and test vectors.
 *
 * Invariant: nothing here lets anybody in. Pure; any thread. */
#ifndef GAVEL_AUTH_TOKEN_TOOL_H
#define GAVEL_AUTH_TOKEN_TOOL_H

#include "core/auth/token.h"

#include <jansson.h>
#include <stdbool.h>

/* token_inspect: the claims as they stand there, by whoever wrote them. ERR_BAD_TOKEN with *why. */
MUST_CHECK enum err token_inspect(const char *text, size_t n, struct token_claims *out, const char **why);

/* What a mint may say beyond its claims. */
struct token_extra {
  const char *vcard; /* vidyo: instead of one made of the name and the scopes */
  bool t1;           /* OpenTok: the older form */
  uint32_t nonce;    /* OpenTok, Agora (salt), ConnectyCube; 0: drawn */
};
/* token_mint: what `claims` and `x` say, signed; malloc'd. Empty jti: one is drawn from rng where the format
 * has one. In the formats of others what they cannot say is left out. ERR_BAD_ARG with *why. */
MUST_CHECK enum err token_mint(const struct token_key *key, const struct token_claims *claims,
                               const struct token_extra *x, struct rng *rng, char **out, const char **why);

/* token_vector: does a test vector (tests/vectors/jwt/make.py) come out as it says? *got: what came out. */
bool token_vector(const json_t *v, const char **got);

#endif
