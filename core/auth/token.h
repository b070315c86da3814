/* token.h: signed join tokens: our own JWT and those of five other systems, verified by one rule set.
 *
 * Invariant: the algorithm is bound to the key record and never taken from the token; a token that verifies
 * has a subject, an end of life, and says nothing that its key may not give. Whoever shows a bad token learns
 * only `invalid_token`; `why` is for the audit log. Sans-IO; time is passed in. Pure; any thread.
 *
 * JWT: RFC 7519, 7515, 7518, 8037, 8725. Other formats: docs/protocol.md, "Tokens of other systems". */
#ifndef GAVEL_AUTH_TOKEN_H
#define GAVEL_AUTH_TOKEN_H

#include "core/auth/scope.h"
#include "core/base/err.h"
#include "core/base/rng.h"

#include <stddef.h>
#include <stdint.h>

#define TOKEN_MAX 8192 /* bytes of any token; our own: 4096 */
#define TOKEN_KID_MAX 64
#define TOKEN_ISSUER_MAX 64         /* application id in the issuer's own spelling */
#define TOKEN_SUBJECT_MAX 64        /* without "@app" */
#define TOKEN_NAMELESS "anonymous-" /* begins the subject of a token that names nobody */
#define TOKEN_ROOM_MAX 128
#define TOKEN_NAME_MAX 128
#define TOKEN_JTI_MAX 64
#define TOKEN_FORGED "signature" /* why a token is refused that was not made with the key */
#define TOKEN_KEY_MAX 256        /* bytes of a secret; an Ed25519 key has 32 */
#define TOKEN_LEEWAY_S 30
#define TOKEN_TTL_S 3600 /* longest life of a token unless its key says otherwise */
#define TOKEN_TTL_MAX_S 86400

/* X(name, word, issuer's name for its id, help) */
#define TOKEN_FORMATS(X)                                                                                     \
  X(HS256, "jwt-hs256", "gavel's JWT, HMAC-SHA256")                                                          \
  X(EDDSA, "jwt-eddsa", "gavel's JWT, Ed25519")                                                              \
  X(VIDYO, "vidyo", "vidyo.io token")                                                                        \
  X(OPENTOK, "opentok", "OpenTok T1 and JWT")                                                                \
  X(AGORA, "agora", "Agora AccessToken2 (007)")                                                              \
  X(SAMBA, "samba", "Digital Samba JWT")                                                                     \
  X(CUBE, "connectycube", "ConnectyCube session signature")

enum token_format {
#define X(name, word, help) TOKEN_##name,
  TOKEN_FORMATS(X)
#undef X
      TOKEN__COUNT
};
/* token_format_word: of the table, "" when unknown. */
const char *token_format_word(enum token_format f);
/* token_format_find: TOKEN__COUNT when unknown. */
enum token_format token_format_find(const char *word);

/* A key record. For EDDSA `secret` is the 32-byte public key when verifying, the 32-byte seed when minting.
 */
struct token_key {
  enum token_format format;
  char kid[TOKEN_KID_MAX + 1]; /* [A-Za-z0-9_-]{1,64} */
  char issuer[TOKEN_ISSUER_MAX +
              1]; /* iss of our JWT; ApplicationID, apiKey, appID, team uuid, application id */
  uint8_t secret[TOKEN_KEY_MAX];
  size_t n_secret;
  int64_t not_before_s, retire_s;      /* 0: open */
  int64_t max_ttl_s;                   /* 0: TOKEN_TTL_S */
  unsigned scopes;                     /* ceiling */
  char audience[TOKEN_ISSUER_MAX + 1]; /* of our JWT: this deployment */
};
struct token_claims {
  enum token_format format;
  char kid[TOKEN_KID_MAX + 1];
  char issuer[TOKEN_ISSUER_MAX + 1];
  char subject[TOKEN_SUBJECT_MAX + 1];
  char room[TOKEN_ROOM_MAX + 1]; /* "": any room of the application */
  char name[TOKEN_NAME_MAX + 1]; /* to be shown, "" when it says none; not cleaned */
  char jti[TOKEN_JTI_MAX + 1];   /* "": may be used again until it ends */
  int64_t iat_s, nbf_s, exp_s;   /* iat, nbf: 0 when the format has none */
  unsigned scopes;               /* already cut to the key's */
};

/* token_peek: which format it looks like, and the kid and issuer it names, to find its key by; nothing of it
 * may be trusted. ERR_BAD_TOKEN with *why. */
MUST_CHECK enum err token_peek(const char *text, size_t n, enum token_format *format,
                               char kid[TOKEN_KID_MAX + 1], char issuer[TOKEN_ISSUER_MAX + 1],
                               const char **why);
/* token_verify: with the key record found. ERR_BAD_TOKEN with *why: a stable word such as "expired",
 * "signature", "alg", "audience" (the words are listed in token.c and in docs/protocol.md). */
MUST_CHECK enum err token_verify(const char *text, size_t n, const struct token_key *key, int64_t now_s,
                                 struct token_claims *out, const char **why);
#endif
