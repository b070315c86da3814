#include "core/auth/password.h"

#include "core/auth/common_passwords.h"
#include "core/base/text.h"

#include <argon2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COST_KIB 19456
#define COST_PASSES 2
#define COST_LANES 1
#define LEAST_KIB 7168             /* the weakest records that are taken: OWASP's figures end here, */
#define LEAST_WORK (5 * LEAST_KIB) /* at t=5; with fewer passes more memory */
#define SALT_BYTES 16
#define HASH_BYTES 32
#define PIECES_MIN 6 /* what a password must be made of, see pieces_of */
#define WALK_MIN 3

/* ---- what may be a password ---- */

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Is c this letter, or what people write for it? */
static bool stands_for(char c, char letter) {
  static const char *const LOOKS[] = {"0o", "1i", "1l", "!i", "3e", "4a", "@a", "5s", "$s", "7t"};
  if (lower(c) == letter)
    return true;
  for (size_t i = 0; i < sizeof LOOKS / sizeof LOOKS[0]; i++)
    if (LOOKS[i][0] == c && LOOKS[i][1] == letter)
      return true;
  return false;
}

static bool digit(char c) {
  return c >= '0' && c <= '9';
}

/* The longest common word, or a year, that the text begins with. */
static size_t word_at(const char *text) {
  bool century = strncmp(text, "19", 2) == 0 || strncmp(text, "20", 2) == 0;
  size_t most = century && digit(text[2]) && digit(text[3]) ? 4 : 0;
  for (size_t w = 0; w < sizeof COMMON_WORDS / sizeof COMMON_WORDS[0]; w++) {
    size_t n = 0;
    while (COMMON_WORDS[w][n] && stands_for(text[n], COMMON_WORDS[w][n]))
      n++;
    if (!COMMON_WORDS[w][n] && n > most)
      most = n;
  }
  return most;
}

/* The longest walk over the keyboard, the alphabet or the digits, forwards or back. */
static size_t walk_at(const char *text) {
  size_t most = 0;
  for (size_t w = 0; w < sizeof COMMON_WALKS / sizeof COMMON_WALKS[0]; w++)
    for (const char *walk = COMMON_WALKS[w], *at = walk; *at; at++) {
      size_t on = 0, back = 0;
      while (at[on] && lower(text[on]) == at[on])
        on++;
      while (back <= (size_t)(at - walk) && lower(text[back]) == at[-(ptrdiff_t)back])
        back++;
      most = on > most ? on : most;
      most = back > most ? back : most;
    }
  return most >= WALK_MIN ? most : 0;
}

static size_t run_at(const char *text) {
  size_t n = 1;
  while (text[n] && text[n] == text[0])
    n++;
  return n;
}

/* Of how many pieces is it made? A common word, a walk, and one character however often are a piece each. */
static unsigned pieces_of(const char *text) {
  unsigned pieces = 0;
  while (*text) {
    size_t step = run_at(text), word = word_at(text), walk = walk_at(text);
    step = word > step ? word : step;
    step = walk > step ? walk : step;
    text += step;
    while (((unsigned char)*text & 0xc0) == 0x80) /* the rest of a character */
      text++;
    pieces++;
  }
  return pieces;
}

/* Something too short, said again and again. */
static bool repeats(const char *text, size_t n) {
  for (size_t unit = 1; unit < PASSWORD_MIN && unit * 2 <= n; unit++)
    if (memcmp(text, text + unit, n - unit) == 0)
      return true;
  return false;
}

static size_t characters(const char *text) {
  size_t n = 0;
  for (; *text; text++)
    n += ((unsigned char)*text & 0xc0) != 0x80;
  return n;
}

enum err password_check(const char *text, const char **why) {
  size_t n = strnlen(text, PASSWORD_MAX + 1);
  *why = NULL;
  if (n > PASSWORD_MAX)
    *why = "the password is longer than 128 bytes";
  else if (!text_utf8_valid(text, n))
    *why = "the password is not valid UTF-8";
  else if (characters(text) < PASSWORD_MIN)
    *why = "the password is shorter than 12 characters";
  else if (repeats(text, n) || pieces_of(text) < PIECES_MIN)
    *why = "the password is one of the common ones, or made of common words and rows of keys";
  return *why ? ERR_BAD_PASSWORD : ERR_OK;
}

/* ---- argon2id ---- */

enum err password_hash(const char *text, struct rng *rng, char phc[PASSWORD_PHC_MAX]) {
  uint8_t salt[SALT_BYTES];
  rng->fill(rng, salt, sizeof salt);
  int rc = argon2id_hash_encoded(COST_PASSES, COST_KIB, COST_LANES, text, strlen(text), salt, sizeof salt,
                                 HASH_BYTES, phc, PASSWORD_PHC_MAX);
  return rc == ARGON2_OK ? ERR_OK : ERR_NOMEM;
}

struct cost {
  unsigned kib, passes, lanes;
};

/* The costs of a PHC string, and whether its salt and hash look as they should. */
static bool phc_read(const char *phc, struct cost *c) {
  int n = 0;
  size_t salt, hash;
  static const char B64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (strnlen(phc, PASSWORD_PHC_MAX) == PASSWORD_PHC_MAX ||
      sscanf(phc, "$argon2id$v=19$m=%7u,t=%3u,p=%3u$%n", &c->kib, &c->passes, &c->lanes, &n) != 3 || n == 0)
    return false;
  salt = strspn(phc + n, B64);
  if (phc[(size_t)n + salt] != '$')
    return false;
  hash = strspn(phc + (size_t)n + salt + 1, B64);
  return salt >= 11 && hash >= 22 && phc[(size_t)n + salt + 1 + hash] == 0;
}

bool password_phc_valid(const char *phc) {
  struct cost c;
  return phc_read(phc, &c) && c.kib >= LEAST_KIB && c.kib <= 4 * COST_KIB && c.passes <= 4 * COST_PASSES &&
         c.kib * c.passes >= LEAST_WORK && c.lanes == COST_LANES;
}

bool password_verify(const char *text, const char *phc, bool *rehash) {
  /* Nobody's: a random salt and a random hash, at our cost. */
  static const char DUMMY[] = "$argon2id$v=19$m=19456,t=2,p=1$ZcLcOQfNQ5bVxW0r2yzHkA$"
                              "4dQ7mV1kR0ZpXoE8sYbT3uWnJgA6fLhC9iPqKtB2vMc";
  struct cost c;
  bool real = phc && phc_read(phc, &c);
  bool right = argon2id_verify(real ? phc : DUMMY, text, strlen(text)) == ARGON2_OK && real;
  *rehash = right && (c.kib < COST_KIB || c.passes < COST_PASSES);
  return right;
}
