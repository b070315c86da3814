/* privacy_records.c: the record of processing: every table and every class of documents, what it is for, and
 * how long it is kept. A test compares it with the schema and with the classes in the code. */
#include "core/access/privacy_private.h"

#include <stdio.h>
#include <string.h>

enum keep {
  KEEP_SERVER,
  KEEP_PERSON,
  KEEP_ROOM,
  KEEP_CHAT,
  KEEP_QUALITY,
  KEEP_USAGE,
  KEEP_SHORT,
  KEEP_HOLD,
  KEEP_GUEST
};
static const struct row {
  const char *kind, *name, *category, *purpose;
  enum keep keep;
} ROWS[] = {
#include "core/access/privacy_records.def"
};

static void retention(const struct access *a, enum keep keep, char out[160]) {
  switch (keep) {
  case KEEP_SERVER:
    snprintf(out, 160, "as long as it is in use; nothing of a person");
    break;
  case KEEP_PERSON:
    snprintf(out, 160, "until it is replaced, withdrawn or erased");
    break;
  case KEEP_ROOM:
    snprintf(out, 160, "%d days after the end of the room; the audit log as long", a->cfg.audit_days);
    break;
  case KEEP_CHAT:
    snprintf(out, 160, "chat %d days, names and the rest %d days after the end of the meeting or room",
             a->cfg.chat_days,
             a->cfg.quality_days > a->cfg.chat_days ? a->cfg.quality_days : a->cfg.chat_days);
    break;
  case KEEP_QUALITY:
    snprintf(out, 160, "%d days, then without the person", a->cfg.quality_days);
    break;
  case KEEP_USAGE:
    snprintf(out, 160, "%d months", USAGE_MONTHS);
    break;
  case KEEP_SHORT:
    snprintf(out, 160, "until it runs out");
    break;
  case KEEP_HOLD:
    snprintf(out, 160, "until its end date, or until it is lifted");
    break;
  case KEEP_GUEST:
    snprintf(out, 160, "a guest: 30 days after the last visit; a user: until it is replaced or erased");
    break;
  }
}

static enum err add_columns(void *ctx, const char *table, const char *columns) {
  json_object_set_new(ctx, table, json_string(columns));
  return ERR_OK;
}

json_t *privacy_records(struct access *a) {
  json_t *list = json_array(), *columns = json_object();
  enum err e = store_schema(a->cfg.store, add_columns, columns);
  if (e != ERR_OK && a->failed == ERR_OK)
    a->failed = e;
  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
    char how_long[160];
    retention(a, ROWS[i].keep, how_long);
    json_t *row = json_pack("{s:s,s:s,s:s,s:s,s:s}", "kind", ROWS[i].kind, "name", ROWS[i].name, "category",
                            ROWS[i].category, "purpose", ROWS[i].purpose, "retention", how_long);
    if (strcmp(ROWS[i].kind, "table") == 0)
      json_object_set(row, "columns", json_object_get(columns, ROWS[i].name));
    json_array_append_new(list, row);
  }
  json_decref(columns);
  return list;
}
