/* scope.h: what a token or a session permits (RFC 6749 section 3.3: words with blanks between).
 *
 * Invariant: a set of scopes is a bit mask of enum scope; unknown words are an error where we mint and
 * dropped where we verify (data minimisation). Pure; any thread. */
#ifndef GAVEL_AUTH_SCOPE_H
#define GAVEL_AUTH_SCOPE_H

#include "core/base/err.h"

#include <stdbool.h>

/* X(name, word, help): the order is kept in databases; new ones go to the end. */
#define SCOPE_TABLE(X)                                                                                       \
  X(JOIN, "room:join", "enter rooms")                                                                        \
  X(SPEAK, "room:speak", "be heard")                                                                         \
  X(CHAT, "room:chat", "write")                                                                              \
  X(ADMIT, "room:admit", "admit from the lobby: co-host")                                                    \
  X(MODERATE, "room:moderate", "moderate: host")                                                             \
  X(ADMIN, "room:admin", "own rooms")                                                                        \
  X(LISTEN, "monitor:listen", "listen as an announced monitor")                                              \
  X(AUDIT, "audit:read", "read the audit log")                                                               \
  X(PRIVACY, "privacy:admin", "export and erase what is stored about people")                                \
  X(OPERATE, "server:operate", "everything gavelctl can do")                                                 \
  X(WATCH, "monitor:watch", "see all rooms live, without hearing them")                                      \
  X(SILENT, "monitor:silent", "listen unannounced, under conditions")                                        \
  X(METER, "metering:read", "read attendance and metering")                                                  \
  X(MANAGE, "rooms:manage", "manage the rooms of one's application (REST)")

enum scope_bit {
#define X(name, word, help) SCOPE_BIT_##name,
  SCOPE_TABLE(X)
#undef X
      SCOPE__COUNT
};
enum scope {
#define X(name, word, help) SCOPE_##name = 1 << SCOPE_BIT_##name,
  SCOPE_TABLE(X)
#undef X
};
/* What is about being in rooms. */
#define SCOPE_ROOMS                                                                                          \
  ((unsigned)(SCOPE_JOIN | SCOPE_SPEAK | SCOPE_CHAT | SCOPE_ADMIT | SCOPE_MODERATE | SCOPE_ADMIN))
#define SCOPE_ALL ((1U << SCOPE__COUNT) - 1)
#define SCOPE_TEXT_MAX 256 /* bytes of all words with their blanks, and NUL */

/* scope_parse: words with single blanks between; "" is 0. Unknown: ERR_BAD_ARG if strict, else dropped. */
MUST_CHECK enum err scope_parse(const char *words, bool strict, unsigned *out);
/* scope_format: into out[SCOPE_TEXT_MAX], in the order of the table. */
void scope_format(unsigned scopes, char out[SCOPE_TEXT_MAX]);

#endif
