/* token_private.h: what the files of the token formats share.
 *
 * Invariant: a fault is a word of the list in token.c; NULL is none. Pure; any thread. */
#ifndef GAVEL_AUTH_TOKEN_PRIVATE_H
#define GAVEL_AUTH_TOKEN_PRIVATE_H

#include "core/auth/jwt.h"
#include "core/auth/token_tool.h"

#include <openssl/evp.h>

/* A token taken apart; nothing is believed yet. */
struct token_open {
  enum token_format format;
  size_t n; /* bytes of the text */
  bool t1;  /* OpenTok's older form */
  char kid[TOKEN_KID_MAX + 1], issuer[TOKEN_ISSUER_MAX + 1];
  struct jwt jwt;          /* of those that are JWTs */
  char raw[TOKEN_MAX + 1]; /* of the others: their bytes, decoded */
  const char *body;        /* what is signed, and its signature as bytes */
  size_t n_body;
  uint8_t sig[64];
  size_t n_sig;
  const char *field[4];  /* vidyo: user, expires, vCard, all ending in NUL */
  uint32_t issued, salt; /* Agora */
};

struct token_ops {
  bool (*check)(const struct token_open *o, const struct token_key *key);
  /* read: fills subject, room, name, jti, times and scopes, not yet cut to `ceiling`. */
  const char *(*read)(const struct token_open *o, unsigned ceiling, int64_t now_s, struct token_claims *out);
  char *(*mint)(const struct token_key *key, const struct token_claims *c, const struct token_extra *x,
                const char **why);
  int64_t max_ttl_s; /* 0: the format has no beginning, only a key's own limit holds */
  int64_t ttl_s;     /* when the key says nothing */
  int64_t leeway_s;
};
extern const struct token_ops TOKEN_OWN, TOKEN_OPS_VIDYO, TOKEN_OPS_OPENTOK, TOKEN_OPS_AGORA, TOKEN_OPS_SAMBA,
    TOKEN_OPS_CUBE;
/* Taking apart what is no JWT: kid, issuer, body, sig. */
const char *vidyo_open(const char *text, size_t n, struct token_open *o);
const char *opentok_open_t1(const char *text, size_t n, struct token_open *o);
const char *agora_open(const char *text, size_t n, struct token_open *o);
const char *cube_open(const char *text, size_t n, struct token_open *o);

/* token_open: then token_close in any case. */
const char *token_open(const char *text, size_t n, struct token_open *o);
void token_close(struct token_open *o);
/* token_read: the claims as they stand there, not verified. */
const char *token_read(const struct token_open *o, unsigned ceiling, int64_t now_s, struct token_claims *out);

/* token_text.c */
/* token_copy: 1..cap-1 bytes of UTF-8 that may be shown, as they are; false: not so. */
bool token_copy(char *out, size_t cap, const char *s, size_t n);
/* token_number: decimal digits without a sign or needless zeros, below 10^15. */
bool token_number(const char *s, size_t n, int64_t *out);
/* token_b64: RFC 4648 section 4 with its padding, canonical; bytes or -1. token_b64_make: malloc'd, after
 * `prefix`. */
int token_b64(const char *in, size_t n, uint8_t *out, size_t cap);
char *token_b64_make(const char *prefix, const void *p, size_t n);
/* token_hmac: bytes written to out[64]. */
size_t token_hmac(const EVP_MD *md, const void *key, size_t n_key, const void *msg, size_t n,
                  uint8_t out[64]);
/* token_field: the value of key in a=b&c=d, percent-decoded when `decode`; -1 said twice, too long or badly
 * escaped, 0 not there, 1 found. */
int token_field(const char *s, size_t n, const char *key, bool decode, char *out, size_t cap);
/* token_anonymous: a subject for a token that names nobody: the same for the same token only. */
void token_anonymous(const uint8_t *sig, size_t n, char out[TOKEN_SUBJECT_MAX + 1]);
/* token_claim_text, token_claim_time: a claim of a JWT; time is an integer of 1..2^53. */
bool token_claim_text(const json_t *claims, const char *key, char *out, size_t cap);
bool token_claim_time(const json_t *claims, const char *key, int64_t *out);
/* token_role: what a role of a foreign format may; false: unknown. token_role_for: the highest role that
 * gives no more than scopes, NULL: none. */
bool token_role(enum token_format f, const char *role, unsigned *scopes);
const char *token_role_for(enum token_format f, unsigned scopes);

#endif
