/* audit_format.h: the audit log as it leaves the database: lines that sha256sum can check, and signed
 * checkpoints.
 *
 * A line is a JSON object with sorted keys; its hash is SHA-256(hash of the line before in hex, "\n", the
 * object without "prev" and "hash"); before the first stand 64 zeros. A checkpoint is a C2SP signed note
 * (Ed25519): origin, number of entries, base64 of the last one's hash, time; in logs and files it is one line
 * of the same words. Pure; any thread. */
#ifndef GAVEL_ACCESS_AUDIT_FORMAT_H
#define GAVEL_ACCESS_AUDIT_FORMAT_H

#include "core/base/utc.h"
#include "core/store/store.h"

#include <jansson.h>
#include <stdbool.h>

#define AUDIT_STREAM "audit"
#define AUDIT_ORIGIN_MAX 96
#define AUDIT_KEY_MAX 192        /* a verifier key as text, with its NUL */
#define AUDIT_CHECKPOINT_MAX 448 /* as a line or a note */
#define AUDIT_SIGNATURE 68       /* 4 bytes that name the key, then Ed25519's 64 */
#define AUDIT_HEX 65

struct checkpoint {
  char origin[AUDIT_ORIGIN_MAX];
  uint64_t size;
  uint8_t hash[32];
  char time[UTC_MAX];
  uint8_t signature[AUDIT_SIGNATURE];
};

/* audit_origin: what checkpoints of the server `name` say they are of: no blanks, no plus. */
void audit_origin(const char *name, char out[AUDIT_ORIGIN_MAX]);

/* audit_key_text, audit_key_read: a public key as C2SP's "origin+id+base64". */
void audit_key_text(const char *origin, const uint8_t public[32], char out[AUDIT_KEY_MAX]);
bool audit_key_read(const char *text, uint8_t public[32]);

/* checkpoint_sign fills the signature; checkpoint_fits: is it this key's? */
void checkpoint_sign(struct checkpoint *c, const uint8_t secret[32]);
bool checkpoint_fits(const struct checkpoint *c, const uint8_t public[32]);
/* checkpoint_line, checkpoint_note: as one line without its break; as a signed note. */
void checkpoint_line(const struct checkpoint *c, char out[AUDIT_CHECKPOINT_MAX]);
void checkpoint_note(const struct checkpoint *c, char out[AUDIT_CHECKPOINT_MAX]);
bool checkpoint_read_line(const char *line, struct checkpoint *c);
bool checkpoint_read_note(const char *note, struct checkpoint *c);

/* audit_object: an entry of the stream as an object without prev and hash; NULL when its data are no JSON. */
json_t *audit_object(const struct store_record *r);
/* audit_line: the object's line, malloc'd, without its break; `chain` (64 hex digits) is that of the line
 * before and becomes this one's. Steals nothing. */
char *audit_line(const json_t *object, char chain[AUDIT_HEX]);
/* audit_line_fits: does a line as it was read follow `chain`? Then `chain` becomes its hash. */
bool audit_line_fits(const json_t *line, char chain[AUDIT_HEX]);

#endif
