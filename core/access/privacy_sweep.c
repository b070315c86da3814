/* privacy_sweep.c: retention: what has been kept long enough goes, class by class; a legal hold keeps it.
 *
 * A sweep goes on over many ticks, so that nobody waits for it. What it has done with a room that has ended
 * is a document, in the same group. Disposal is by destroying ciphertext and keys: the store deletes them and
 * truncates its write-ahead log. */
#include "core/access/privacy_private.h"
#include "core/base/log.h"
#include "core/wire/json.h"

#include <stdlib.h>
#include <string.h>

#define AUDIT_DAYS_MIN 180
#define TICK_MS 20        /* between two parts of a sweep */
#define STREAMS_MOST 16   /* looked at a tick */
#define PAYLOADS_MOST 100 /* after so many erased the tick is over */
#define CHAT "chat.sent,chat.edited"
/* What tells of people; what a room that goes on still needs is not among it. */
#define PEOPLE                                                                                               \
  CHAT ",member.knocked,member.joined,member.admitted,member.back,member.denied,member.held,member.removed," \
       "member.silenced,member.muted,member.floor,member.role,member.renamed,note.added,poll.opened,"        \
       "poll.voted"

struct purge {
  struct access *a;
  const char **held; /* pids, NULL at the end */
  uint64_t chat, payloads, events;
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

static uint64_t erase(struct purge *p, const char *stream, const char *kinds, int64_t before_ms) {
  uint64_t n = 0;
  keep(p->a, store_erase_before(p->a->cfg.store, stream, kinds, before_ms, p->held, &n));
  return n;
}

/* ---- rooms that have ended ---- */

static int64_t rest_days(const struct access *a) {
  return a->cfg.quality_days > a->cfg.chat_days ? a->cfg.quality_days : a->cfg.chat_days;
}

/* How far such a room should have been purged by now. */
static int due(const struct access *a, int64_t end_ms) {
  int64_t age = a->wall_ms - end_ms;
  int64_t audit_days = a->cfg.audit_days > AUDIT_DAYS_MIN ? a->cfg.audit_days : AUDIT_DAYS_MIN;
  return age < a->cfg.chat_days * DAY_MS ? 0
         : age < rest_days(a) * DAY_MS   ? 1
         : age < audit_days * DAY_MS     ? 2
                                         : 3;
}

static int done_with(const struct access *a, const char *stream, int64_t *end_ms) {
  const json_t *was = json_object_get(a->privacy->swept, stream);
  *end_ms = json_integer_value(json_array_get(json_object_get(was, "at"), 1));
  return (int)json_integer_value(json_array_get(json_object_get(was, "at"), 0));
}

/* A log that was tampered with stays as it is: that is for the operator to see. */
static bool prune(struct purge *p, const char *stream) {
  uint64_t n = 0;
  enum err e = store_prune(p->a->cfg.store, stream, INT64_MAX, &n);
  bool tampered = e >= ERR_AUDIT_EDITED && e <= ERR_AUDIT_RECHAINED;
  if (tampered)
    log_event(LOG_ERROR, "a log is not what was signed: it is not pruned", "stream", stream, "code",
              err_code(e), NULL);
  else
    keep(p->a, e);
  p->events += n;
  return e == ERR_OK;
}

static void purge_stream(struct purge *p, const char *stream) {
  struct access *a = p->a;
  int64_t end_ms;
  int was = done_with(a, stream, &end_ms), now;
  if (!end_ms)
    end_ms = ended_ms(a, stream);
  now = end_ms ? due(a, end_ms) : 0;
  if (now == 3 && p->held[0])
    now = 2;
  if (now <= was)
    return;
  if (now == 1)
    p->chat += erase(p, stream, CHAT, INT64_MAX);
  if (now >= 2 && was < 2)
    p->payloads += erase(p, stream, "*", INT64_MAX);
  if (now == 3 && !prune(p, stream))
    now = 2;
  if (p->held[0]) /* again next time: the hold may have been lifted */
    return;
  if (now == 3) { /* the store does not name it any more */
    json_object_del(a->privacy->swept, stream);
    doc_del(a, "swept", stream);
    return;
  }
  json_t *doc = json_pack("{s:[i,I]}", "at", now, (json_int_t)end_ms);
  json_object_set(a->privacy->swept, stream, doc);
  doc_put(a, "swept", stream, "", doc);
}

/* Those of which something may be due; what is known of a room is not looked up again. */
static json_t *streams_due(struct access *a) {
  json_t *all = json_array(), *list = json_array(), *v;
  size_t i;
  keep(a, store_sweepable(a->cfg.store, "room:", take_stream, all));
  json_array_foreach(all, i, v) {
    int64_t end_ms;
    int was = done_with(a, json_string_value(v), &end_ms);
    if (!end_ms || due(a, end_ms) > was)
      json_array_append(list, v);
  }
  json_decref(all);
  return list;
}

/* ---- rooms that go on ---- */

#define GRACE_MS HOUR_MS /* who comes back from a break finds what was said */

/* The last meeting that ended so long ago. */
static int64_t newest(const int64_t *end_ms, size_t n, int64_t until_ms) {
  while (n > 0 && end_ms[n - 1] > until_ms)
    n--;
  return n ? end_ms[n - 1] : 0;
}

uint64_t access_purge_room(struct access *a, const char *stream, const int64_t *end_ms, size_t n,
                           struct access_purged *kept) {
  if (!access_may_age(a)) {
    kept->again_ms = a->age_from_ms;
    return 0;
  }
  struct purge p = {.a = a, .held = access_held(a)};
  int64_t chat_ms = newest(end_ms, n, a->wall_ms - GRACE_MS - a->cfg.chat_days * DAY_MS);
  int64_t rest_ms = newest(end_ms, n, a->wall_ms - GRACE_MS - rest_days(a) * DAY_MS);
  uint64_t chat = chat_ms > kept->chat_ms ? erase(&p, stream, CHAT, chat_ms) : 0;
  uint64_t rest = rest_ms > kept->rest_ms ? erase(&p, stream, PEOPLE, rest_ms) : 0;
  if (p.held[0])
    kept->again_ms = a->wall_ms + DAY_MS;
  else
    *kept = (struct access_purged){.chat_ms = chat_ms, .rest_ms = rest_ms};
  free(p.held);
  if (chat + rest > 0) {
    json_t *meta = json_pack("{s:I,s:I}", "chat", (json_int_t)chat, "payloads", (json_int_t)rest);
    audit_note(a, &(struct audit_entry){
                      .actor = "system", .action = "retention.purge", .app = "", .room = "", .meta = meta});
    json_decref(meta);
  }
  return chat + rest;
}

static int64_t next_after(const int64_t *end_ms, size_t n, int64_t done_ms, int64_t days) {
  for (size_t i = 0; i < n; i++)
    if (end_ms[i] > done_ms)
      return end_ms[i] + GRACE_MS + days * DAY_MS;
  return INT64_MAX;
}

int64_t access_purge_next_ms(const struct access *a, const int64_t *end_ms, size_t n,
                             const struct access_purged *kept) {
  int64_t chat = next_after(end_ms, n, kept->chat_ms, a->cfg.chat_days);
  int64_t rest = next_after(end_ms, n, kept->rest_ms, rest_days(a));
  int64_t next = chat < rest ? chat : rest;
  return next > kept->again_ms ? next : kept->again_ms;
}

/* ---- a sweep ---- */

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

/* A part of the queue, from its end. */
static void purge_streams(struct access *a, struct purge *p) {
  json_t *queue = a->privacy->queue;
  for (unsigned i = 0; i < STREAMS_MOST && json_array_size(queue) > 0; i++) {
    size_t last = json_array_size(queue) - 1;
    purge_stream(p, json_string_value(json_array_get(queue, last)));
    json_array_remove(queue, last);
    if (p->chat + p->payloads > PAYLOADS_MOST || p->events > 0)
      break;
  }
}

static uint64_t drop_keys(struct access *a) {
  uint64_t n = 0;
  if (a->privacy->keys_done)
    return 0;
  keep(a, store_drop_keys(a->cfg.store, a->privacy->key, SWEEP_MOST, &n));
  a->privacy->keys_done = a->privacy->key[0] == 0;
  return n;
}

void privacy_sweep(struct access *a) {
  struct privacy *v = a->privacy;
  size_t holds = 0;
  if (!v->queue) {
    holds = end_holds(a);
    v->queue = streams_due(a);
    v->keys_done = false;
  }
  struct purge p = {.a = a, .held = access_held(a)};
  purge_streams(a, &p);
  size_t anonymous = visits_age(a, a->wall_ms - a->cfg.quality_days * DAY_MS), usage = visits_drop(a);
  size_t consents = consents_age(a);
  uint64_t keys = drop_keys(a),
           all = p.chat + p.payloads + p.events + holds + anonymous + usage + consents + keys;
  bool more = json_array_size(v->queue) > 0 || anonymous == SWEEP_MOST || usage == SWEEP_MOST ||
              consents == SWEEP_MOST || !v->keys_done;
  if (all > 0) {
    json_t *meta = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "chat", (json_int_t)p.chat, "payloads",
                             (json_int_t)p.payloads, "room_events", (json_int_t)p.events, "holds_ended",
                             (json_int_t)holds, "visits_anonymised", (json_int_t)anonymous, "usage",
                             (json_int_t)usage, "consents", (json_int_t)consents, "keys", (json_int_t)keys);
    audit_note(a, &(struct audit_entry){
                      .actor = "system", .action = "retention.purge", .app = "", .room = "", .meta = meta});
    json_decref(meta);
  }
  free(p.held);
  if (all > 0)
    store_fold_soon(a->cfg.store);
  if (!more) {
    json_decref(v->queue);
    v->queue = NULL;
  }
  v->next_ms = a->wall_ms + (more ? TICK_MS : HOUR_MS);
}
