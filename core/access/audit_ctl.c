/* audit_ctl.c: what operators ask of the audit log through the server. Reading it they do themselves. */
#include "core/access/audit_private.h"
#include "core/base/bytes.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err key(struct access *a, const json_t *params, json_t *reply, const char **why) {
  char text[AUDIT_KEY_MAX];
  (void)params, (void)why;
  const char *anchor = a->cfg.anchor_file && *a->cfg.anchor_file ? a->cfg.anchor_file : NULL;
  char *full = anchor ? realpath(anchor, NULL) : NULL;
  if (anchor) /* where `audit verify` looks */
    json_object_set_new(reply, "anchor", json_string(full ? full : anchor));
  free(full);
  audit_key_text(a->audit->origin, a->audit->public, text);
  json_object_set_new(reply, "key", json_string(text));
  return ERR_OK;
}

static enum err checkpoint_now(struct access *a, const json_t *params, json_t *reply, const char **why) {
  char line[AUDIT_CHECKPOINT_MAX];
  (void)params, (void)why;
  audit_checkpoint(a);
  if (!a->audit->last.time[0])
    return ERR_NOTHING;
  checkpoint_line(&a->audit->last, line);
  json_object_set_new(reply, "checkpoint", json_string(line));
  return ERR_OK;
}

static enum err prune(struct access *a, const json_t *params, json_t *reply, const char **why) {
  uint64_t n = 0;
  json_int_t days = json_int(params, "days", a->cfg.audit_days);
  if (days < AUDIT_DAYS_MIN && json_object_get(params, "days")) {
    *why = "entries are kept for 180 days at least";
    return ERR_BAD_ARG;
  }
  if (!access_may_age(a)) {
    *why = "the clock went ahead by more than a day: nothing is deleted for its age for a day";
    return ERR_AGAIN;
  }
  enum err e = audit_prune(a, days < 36500 ? (int)days : 36500, &n);
  json_object_set_new(reply, "pruned", json_integer((json_int_t)n));
  return e;
}

static enum err sign_off(struct access *a, const json_t *params, json_t *reply, const char **why) {
  const char *day = json_str(params, "day", "");
  int64_t ms;
  (void)reply;
  if (!utc_read_day(day, &ms)) {
    *why = "the day is written 2026-01-31";
    return ERR_BAD_ARG;
  }
  audit_note(a, &(struct audit_entry){.action = "audit.sign_off", .target = day});
  return ERR_OK;
}

/* An export has a chain of its own: its end is signed, and that it was made is written down. */
static enum err export(struct access *a, const json_t *params, json_t *reply, const char **why) {
  struct checkpoint c = {.size = (uint64_t)json_int(params, "n", 0)}; char note[AUDIT_CHECKPOINT_MAX];
  const char *hash = json_str(params, "hash", "");
  if (strlen(hash) != 64 || !hex_decode(hash, 64, c.hash) ||
      json_int(params, "n", 0) < 1){ *why = "an export has a number of lines and a hash"; return ERR_BAD_ARG;}
snprintf(c.origin, sizeof c.origin, "%.80s/export", a->audit->origin);
utc_text_ms(a->wall_ms, c.time);
checkpoint_sign(&c, a->audit->secret);
checkpoint_note(&c, note);
json_t *meta = json_pack("{s:I,s:s}", "n", (json_int_t)c.size, "hash", hash);
audit_note(a, &(struct audit_entry){.action = "audit.export", .meta = meta});
json_decref(meta);
json_object_set_new(reply, "checkpoint", json_string(note));
return ERR_OK;
}

const struct access_method ACCESS_AUDIT[] = {
    {"audit.key", false, key},       {"audit.checkpoint", false, checkpoint_now},
    {"audit.prune", true, prune},    {"audit.sign_off", false, sign_off},
    {"audit.export", false, export}, {NULL, false, NULL}};
