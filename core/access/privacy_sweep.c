/* privacy_sweep.c: retention: what has been kept long enough goes, class by class; a legal hold keeps it.
 *
 * Disposal is by destroying ciphertext and keys: the store deletes them and truncates its write-ahead log. */
#include "core/access/privacy_private.h"
#include "core/wire/json.h"

#include <stdlib.h>
#include <string.h>

#define AUDIT_DAYS_MIN 180
#define PRUNE_MOST 20 /* streams a sweep: each signs a base and commits */

struct purge {
  struct access *a;
  const char **held; /* pids, NULL at the end */
  uint64_t chat, payloads, events;
  unsigned pruned;
};

static enum err take_stream(void *ctx, const char *stream) {
  json_array_append_new(ctx, json_string(stream));
  return ERR_OK;
}

static enum err take_end(void *ctx, const struct store_record *r) {
  if (strcmp(r->kind, "room.ended") == 0)
    *(int64_t *)ctx = r->ts_ms;
  return ERR_OK;
}

static void keep(struct access *a, enum err e) {
  if (a->failed == ERR_OK)
    a->failed = e;
}

/* When the room of this stream ended, 0: it has not. */
static int64_t ended_ms(struct access *a, const char *stream) {
  uint64_t seq = 0;
  uint8_t hash[32];
  int64_t at = 0;
  enum err e = store_head(a->cfg.store, stream, &seq, hash);
  if (e == ERR_OK && seq > 0)
    e = store_replay(a->cfg.store, stream, seq - 1, take_end, &at);
  keep(a, e);
  return at;
}

static void purge_stream(struct purge *p, const char *stream) {
  struct access *a = p->a;
  json_int_t done = json_int(a->privacy->swept, stream, 0);
  int64_t end = done < 3 ? ended_ms(a, stream) : 0, age = a->wall_ms - end;
  int64_t audit_days = a->cfg.audit_days > AUDIT_DAYS_MIN ? a->cfg.audit_days : AUDIT_DAYS_MIN;
  uint64_t n = 0;
  if (end == 0)
    return;
  if (done < 1 && age >= a->cfg.chat_days * DAY_MS) {
    keep(a, store_erase_before(a->cfg.store, stream, "chat.sent,chat.edited", a->wall_ms + 1, p->held, &n));
    p->chat += n;
    done = 1;
  }
  if (done == 1 && age >= a->cfg.quality_days * DAY_MS && age >= a->cfg.chat_days * DAY_MS) {
    keep(a, store_erase_before(a->cfg.store, stream, "*", a->wall_ms + 1, p->held, &n));
    p->payloads += n;
    done = 2;
  }
  if (done == 2 && !p->held[0] && age >= audit_days * DAY_MS && p->pruned < PRUNE_MOST) {
    keep(a, store_prune(a->cfg.store, stream, a->wall_ms + 1, &n));
    p->events += n;
    p->pruned++;
    done = 3;
  }
  if (!p->held[0]) /* else again next time: the hold may have been lifted */
    json_object_set_new(a->privacy->swept, stream, json_integer(done));
}

/* Holds whose time is over, taken out of the list and the store. */
static size_t end_holds(struct access *a) {
  json_t *holds = a->privacy->holds;
  size_t n = 0;
  for (size_t i = json_array_size(holds); i-- > 0;) {
    const json_t *h = json_array_get(holds, i);
    if (json_int(h, "until_ms", 0) > a->wall_ms)
      continue;
    doc_del(a, "hold", json_str(h, "id", ""));
    json_array_remove(holds, i);
    n++;
  }
  return n;
}

static void tell(struct access *a, const struct purge *p, size_t holds, size_t anonymised, size_t usage) {
  if (p->chat + p->payloads + p->events + holds + anonymised + usage == 0)
    return;
  json_t *meta =
      json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "chat", (json_int_t)p->chat, "payloads", (json_int_t)p->payloads,
                "room_events", (json_int_t)p->events, "holds_ended", (json_int_t)holds, "visits_anonymised",
                (json_int_t)anonymised, "usage", (json_int_t)usage);
  audit_note(a, &(struct audit_entry){
                    .actor = "system", .action = "retention.purge", .app = "", .room = "", .meta = meta});
  json_decref(meta);
}

void privacy_sweep(struct access *a) {
  size_t holds = end_holds(a), n = json_array_size(a->privacy->holds), i;
  struct purge p = {.a = a, .held = calloc(n + 1, sizeof *p.held)};
  json_t *streams = json_array(), *v;
  if (!p.held)
    abort();
  json_array_foreach(a->privacy->holds, i, v) p.held[i] = json_str(v, "pid", "");
  keep(a, store_streams(a->cfg.store, "room:", take_stream, streams));
  json_array_foreach(streams, i, v) purge_stream(&p, json_string_value(v));
  size_t anonymised = visits_anonymise(a, NULL, a->wall_ms - a->cfg.quality_days * DAY_MS);
  tell(a, &p, holds, anonymised, visits_drop(a));
  json_decref(streams);
  free(p.held);
}
