/* audit_format.c: lines and checkpoints of the audit log. */
#include "core/access/audit_format.h"
#include "core/base/bytes.h"
#include "core/base/ed25519.h"
#include "core/base/utc.h"
#include "core/wire/json.h"

#include <ctype.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ED25519_NOTE 1 /* the algorithm's number in a signed note */
#define DASH "\xe2\x80\x94 "

void audit_origin(const char *name, char out[AUDIT_ORIGIN_MAX]) {
  size_t n = (size_t)snprintf(out, AUDIT_ORIGIN_MAX, "gavel-audit/");
  for (; *name && n < AUDIT_ORIGIN_MAX - 8; name++)
    out[n++] = isalnum((unsigned char)*name) || strchr("._/-", *name) ? *name : '-';
  out[n] = 0;
}

/* ---- base64 with padding, as notes have it ---- */

static void base64(const uint8_t *in, size_t n, char *out) {
  EVP_EncodeBlock((unsigned char *)out, in, (int)n);
}

/* Exactly n bytes, in the one way they can be written. */
static bool unbase64(const char *in, uint8_t *out, size_t n) {
  uint8_t raw[AUDIT_SIGNATURE + 4];
  char again[(AUDIT_SIGNATURE + 4) * 2];
  size_t len = strlen(in);
  if (len != (n + 2) / 3 * 4 || n > AUDIT_SIGNATURE ||
      EVP_DecodeBlock(raw, (const unsigned char *)in, (int)len) < (int)n)
    return false;
  memcpy(out, raw, n);
  base64(out, n, again);
  return strcmp(again, in) == 0;
}

/* ---- keys ---- */

/* The four bytes by which a note names its key. */
static void key_id(const char *origin, const uint8_t public[32], uint8_t id[4]) {
  uint8_t buf[AUDIT_ORIGIN_MAX + 34], hash[32];
  struct writer w = writer_of(buf, sizeof buf);
  write_bytes(&w, origin, strlen(origin));
  write_u8(&w, '\n');
  write_u8(&w, ED25519_NOTE);
  write_bytes(&w, public, 32);
  sha256(buf, writer_len(&w), hash);
  memcpy(id, hash, 4);
}

void audit_key_text(const char *origin, const uint8_t public[32], char out[AUDIT_KEY_MAX]) {
  uint8_t id[4], raw[33] = {ED25519_NOTE};
  char hex[9], text[48];
  key_id(origin, public, id);
  memcpy(raw + 1, public, 32);
  hex_encode(id, sizeof id, hex);
  base64(raw, sizeof raw, text);
  snprintf(out, AUDIT_KEY_MAX, "%s+%s+%s", origin, hex, text);
}

bool audit_key_read(const char *text, uint8_t public[32]) {
  char origin[AUDIT_ORIGIN_MAX], hex[9], body[48], want[9];
  uint8_t raw[33], id[4];
  if (sscanf(text, "%95[^+ \n]+%8[0-9a-f]+%47s", origin, hex, body) != 3 ||
      !unbase64(body, raw, sizeof raw) || raw[0] != ED25519_NOTE)
    return false;
  key_id(origin, raw + 1, id);
  hex_encode(id, sizeof id, want);
  memcpy(public, raw + 1, 32);
  return strcmp(want, hex) == 0;
}

/* ---- checkpoints ---- */

static size_t signed_text(const struct checkpoint *c, char out[AUDIT_CHECKPOINT_MAX]) {
  char hash[48];
  base64(c->hash, sizeof c->hash, hash);
  return (size_t)snprintf(out, AUDIT_CHECKPOINT_MAX, "%s\n%" PRIu64 "\n%s\n%s\n", c->origin, c->size, hash,
                          c->time);
}

void checkpoint_sign(struct checkpoint *c, const uint8_t secret[32]) {
  char text[AUDIT_CHECKPOINT_MAX];
  uint8_t public[32];
  size_t n = signed_text(c, text);
  ed25519_public(secret, public);
  key_id(c->origin, public, c->signature);
  ed25519_sign(secret, text, n, c->signature + 4);
}

bool checkpoint_fits(const struct checkpoint *c, const uint8_t public[32]) {
  char text[AUDIT_CHECKPOINT_MAX];
  uint8_t id[4];
  size_t n = signed_text(c, text);
  key_id(c->origin, public, id);
  return memcmp(id, c->signature, 4) == 0 && ed25519_check(public, text, n, c->signature + 4);
}

void checkpoint_line(const struct checkpoint *c, char out[AUDIT_CHECKPOINT_MAX]) {
  char signature[100];
  size_t n = signed_text(c, out);
  for (size_t i = 0; i < n; i++)
    out[i] = out[i] == '\n' ? ' ' : out[i];
  base64(c->signature, sizeof c->signature, signature);
  snprintf(out + n, AUDIT_CHECKPOINT_MAX - n, "%s", signature);
}

void checkpoint_note(const struct checkpoint *c, char out[AUDIT_CHECKPOINT_MAX]) {
  char signature[100];
  size_t n = signed_text(c, out);
  base64(c->signature, sizeof c->signature, signature);
  snprintf(out + n, AUDIT_CHECKPOINT_MAX - n, "\n" DASH "%s %s\n", c->origin, signature);
}

static bool read_words(struct checkpoint *c, const char *hash, const char *signature) {
  return unbase64(hash, c->hash, sizeof c->hash) && unbase64(signature, c->signature, sizeof c->signature);
}

bool checkpoint_read_line(const char *line, struct checkpoint *c) {
  char hash[48], signature[100];
  *c = (struct checkpoint){0};
  return sscanf(line, "%95s %" SCNu64 " %47s %31s %99s", c->origin, &c->size, hash, c->time, signature) ==
             5 &&
         read_words(c, hash, signature);
}

bool checkpoint_read_note(const char *note, struct checkpoint *c) {
  char hash[48], signature[100], name[AUDIT_ORIGIN_MAX];
  *c = (struct checkpoint){0};
  return sscanf(note, "%95s\n%" SCNu64 "\n%47s\n%31s\n\n" DASH "%95s %99s", c->origin, &c->size, hash,
                c->time, name, signature) == 6 &&
         strcmp(name, c->origin) == 0 && read_words(c, hash, signature);
}

/* ---- lines ---- */

json_t *audit_object(const struct store_record *r) {
  char time[32];
  json_t *o = json_loads(r->data, 0, NULL);
  if (!json_is_object(o)) {
    json_decref(o);
    return NULL;
  }
  utc_text_ms(r->ts_ms, time);
  if (!json_object_get(o, "meta"))
    json_object_set_new(o, "meta", json_object());
  if (!json_object_get(o, "room"))
    json_object_set_new(o, "room", json_string(""));
  json_object_set_new(o, "seq", json_integer((json_int_t)r->seq));
  json_object_set_new(o, "ts", json_string(time));
  json_object_set_new(o, "actor", json_string(r->actor));
  json_object_set_new(o, "action", json_string(r->kind));
  json_object_set_new(o, "target", json_string(r->target));
  return o;
}

static char *canonical(const json_t *o) {
  char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
  if (!text)
    abort();
  return text;
}

/* The chain's next hash: 64 digits, a line break, the text. */
static void chain_next(char chain[AUDIT_HEX], const char *text) {
  size_t n = strlen(text);
  uint8_t hash[32];
  char *all = malloc(AUDIT_HEX + n);
  if (!all)
    abort();
  memcpy(all, chain, AUDIT_HEX - 1);
  all[AUDIT_HEX - 1] = '\n';
  memcpy(all + AUDIT_HEX, text, n);
  sha256(all, AUDIT_HEX + n, hash);
  hex_encode(hash, sizeof hash, chain);
  free(all);
}

char *audit_line(const json_t *object, char chain[AUDIT_HEX]) {
  char *text = canonical(object), *line;
  json_t *full = json_copy((json_t *)(uintptr_t)object);
  json_object_set_new(full, "prev", json_string(chain));
  chain_next(chain, text);
  json_object_set_new(full, "hash", json_string(chain));
  line = canonical(full);
  json_decref(full);
  free(text);
  return line;
}

bool audit_line_fits(const json_t *line, char chain[AUDIT_HEX]) {
  json_t *o = json_copy((json_t *)(uintptr_t)line);
  bool fits = strcmp(json_str(line, "prev", ""), chain) == 0;
  json_object_del(o, "prev");
  json_object_del(o, "hash");
  char *text = canonical(o);
  chain_next(chain, text);
  fits = fits && strcmp(json_str(line, "hash", ""), chain) == 0;
  free(text);
  json_decref(o);
  return fits;
}
