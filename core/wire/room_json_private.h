/* room_json_private.h: typed reading of JSON and the words for our enums, shared by room_json*.c only.
 *
 * Invariant: a reader that met a wrong type or value stays failed (`ok` false), so a parser checks once at
 * the end. An absent key gives the fallback; `need` makes it a fault. Pure; any thread. */
#ifndef GAVEL_WIRE_ROOM_JSON_PRIVATE_H
#define GAVEL_WIRE_ROOM_JSON_PRIVATE_H

#include "core/wire/room_json.h"

#define JSON_NUMBER_MAX INT64_C(9007199254740991) /* 2^53-1: what every JSON reader keeps exactly */

struct in {
  const json_t *o;
  bool ok;
};
/* A list of words for 0..n-1; an empty word has no name on the wire. */
struct words {
  const char *const *v;
  size_t n;
};
extern const struct words WORDS_ROLE, WORDS_PRESENCE, WORDS_CHAT, WORDS_CHAT_MODE, WORDS_POLICY, WORDS_MUTE,
    WORDS_AUTO_ADMIT, WORDS_BAN, WORDS_RANK;

struct in in_of(const json_t *o); /* fails unless an object */
bool in_has(const struct in *in, const char *key);
void in_need(struct in *in, const char *key);
int64_t in_int(struct in *in, const char *key, int64_t min, int64_t max, int64_t fallback);
bool in_bool(struct in *in, const char *key);
/* in_str: at most `max` bytes, no NUL inside; borrowed. */
const char *in_str(struct in *in, const char *key, size_t max, const char *fallback);
/* in_copy: likewise, into a buffer of max+1 bytes. */
void in_copy(struct in *in, const char *key, char *out, size_t max);
int64_t in_word(struct in *in, const char *key, struct words words, int64_t fallback);
void in_hex(struct in *in, const char *key, uint8_t *out, size_t n);
const json_t *in_array(struct in *in, const char *key, size_t max);
/* in_ids: an id or an array of ids (1..2^32-1) into out; returns how many. */
size_t in_ids(struct in *in, const char *key, uint32_t *out, size_t max);

void out_int(json_t *o, const char *key, int64_t v);
void out_number(json_t *o, const char *key, int64_t v); /* only when not 0 */
void out_true(json_t *o, const char *key, bool v);      /* only when true */
void out_str(json_t *o, const char *key, const char *s);
void out_text(json_t *o, const char *key, const char *s);                /* only when not "" */
void out_ids(json_t *o, const char *key, const uint32_t *ids, size_t n); /* only when there are any */
void out_word(json_t *o, const char *key, struct words words, int64_t v);
void out_hex(json_t *o, const char *key, const uint8_t *v, size_t n); /* only when not all zero */

json_t *member_to_json(const struct member *m);
void member_from_json(struct in *in, struct member *m);
json_t *invite_to_json(const struct invite *inv);
void invite_from_json(struct in *in, struct invite *inv);
/* ban_to_json: who and why apart, for the log; on the wire both are one object. Never device or address. */
void ban_to_json(const struct ban *b, json_t *open, json_t *personal);
void ban_from_json(struct in *open, struct in *personal, struct ban *b);

#endif
