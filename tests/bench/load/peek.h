/* peek.h: one member of a JSON object without reading the rest: an answer to room.join carries a snapshot of
 * everybody, which a load tool has no use for.
 *
 * Invariant: never looks beyond n bytes; text that is no JSON has no members. Pure; any thread. */
#ifndef GAVEL_LOAD_PEEK_H
#define GAVEL_LOAD_PEEK_H

#include <stdbool.h>
#include <stddef.h>

struct peek { /* the text of a value, borrowed; p NULL: there is none */
  const char *p;
  size_t n;
};
struct peek peek(struct peek object, const char *key);
/* peek_is: a string of exactly these characters. */
bool peek_is(struct peek value, const char *text);
/* peek_number: of digits only, else 0. */
unsigned long peek_number(struct peek value);
/* peek_text: a string, malloc'd; NULL when it is none. */
char *peek_text(struct peek value);

#endif
