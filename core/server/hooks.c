#include "core/base/log.h"
#include "core/server/hooks_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_FIRST_US US_PER_S
#define BUSY_US (US_PER_S / 4)
#define GIVEN_UP_KEPT_MS (7 * INT64_C(86400000))
#define ALERTS_KEPT_MS INT64_C(3600000)

struct hooks *hooks_of(struct control *c) {
  if (!c->hooks) {
    c->hooks = calloc(1, sizeof *c->hooks);
    if (!c->hooks)
      abort();
    c->hooks->lines = map_create(rng_u64(c->cfg.rng));
  }
  return c->hooks;
}

void hook_name(uint64_t id, char out[HOOK_ID_MAX]) {
  snprintf(out, HOOK_ID_MAX, "evt_%016" PRIx64, id);
}

void hook_store(struct control *c, const struct hook *h) {
  char name[HOOK_ID_MAX];
  hook_name(h->id, name);
  json_t *o = json_pack("{s:s,s:s,s:I,s:s}", "room", h->room, "type", h->type, "until_ms",
                        (json_int_t)h->until_ms, "body", h->body);
  char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
  enum err e = text ? store_put_doc(c->cfg.store, "hook", name, "", text) : ERR_NOMEM;
  if (e != ERR_OK && c->group_err == ERR_OK)
    c->group_err = e;
  free(text);
  json_decref(o);
}

/* ---- with the database ---- */

static enum err load_one(void *ctx, const char *id, const char *pid, const char *text) {
  struct control *c = ctx;
  json_t *o = json_loads(text, 0, NULL);
  struct hook *h = calloc(1, sizeof *h);
  (void)pid;
  if (!o || !h)
    abort();
  *h = (struct hook){.id = strtoull(id + 4, NULL, 16),
                     .room = strdup(json_str(o, "room", "")),
                     .type = strdup(json_str(o, "type", "")),
                     .body = strdup(json_str(o, "body", "{}")),
                     .until_ms = json_int(o, "until_ms", 0),
                     .due = c->now,
                     .kept = true,
                     .stored = true};
  if (!h->room || !h->type || !h->body)
    abort();
  json_decref(o);
  hook_link(c->hooks, h);
  c->hooks->last_id = h->id > c->hooks->last_id ? h->id : c->hooks->last_id;
  return ERR_OK;
}

void hooks_load(struct control *c) {
  (void)hooks_of(c);
  (void)!store_each_doc(c->cfg.store, "hook", NULL, load_one, c);
}

void hooks_kept(struct control *c) {
  struct hooks *q = c->hooks;
  if (!q)
    return;
  for (struct hook *h; (h = q->gone);) {
    q->gone = h->after;
    hook_free(h);
  }
  /* The new ones are at the end. */
  for (struct hook *h = q->last; h && !(h->kept && h->stored); h = h->before)
    if (!h->kept) {
      h->kept = true;
      hook_wait(q, h, h->due);
    }
}

/* What is back may have been delivered: it is sent again, under the same id. */
void hooks_lost(struct control *c) {
  struct hooks *q = c->hooks;
  if (!q)
    return;
  for (struct hook *h = q->last, *before; h && !(h->kept && h->stored); h = before) {
    before = h->before;
    if (h->kept)
      continue;
    hook_unlink(q, h);
    hook_free(h);
  }
  for (struct hook *h; (h = q->gone);) {
    q->gone = h->after;
    if (h->kept)
      hook_link(q, h);
    else
      hook_free(h);
  }
}

void hooks_free(struct control *c) {
  struct hooks *q = c->hooks;
  if (!q)
    return;
  hooks_kept(c);
  for (struct hook *h; (h = q->first);) {
    hook_unlink(q, h);
    hook_free(h);
  }
  timers_free(&q->due[0]);
  timers_free(&q->due[1]);
  map_destroy(q->lines);
  free(q);
  c->hooks = NULL;
}

/* ---- new ones ---- */

/* Ids grow, also over restarts. */
static uint64_t next_id(struct control *c, struct hooks *q) {
  uint64_t at = (uint64_t)c->wall_ms << 16;
  q->last_id = at > q->last_id ? at : q->last_id + 1;
  return q->last_id;
}

static void drop_oldest(struct control *c, struct hooks *q) {
  struct hook *h = q->first;
  while (h && (h->sent || !h->stored))
    h = h->after;
  if (!h)
    return;
  hook_remove(c, h);
  q->count.dropped++;
}

static void add(struct control *c, enum runner_target target, const char *room, json_t *body) {
  struct hooks *q = hooks_of(c);
  struct hook *h = calloc(1, sizeof *h);
  char name[HOOK_ID_MAX];
  if (!h)
    abort();
  h->id = next_id(c, q);
  hook_name(h->id, name);
  json_object_set_new(body, "id", json_string(name));
  h->target = target;
  h->room = strdup(room);
  h->type = strdup(json_str(body, "type", ""));
  h->body = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
  h->stored = target == RUN_WEBHOOK;
  h->kept = !h->stored;
  h->due = c->now;
  h->until_ms = c->wall_ms + (h->stored ? HOOKS_GIVE_UP_MS : ALERTS_KEPT_MS);
  if (!h->room || !h->type || !h->body)
    abort();
  if (strlen(h->body) > RUNNER_BODY_MAX) { /* an act on very many: that it was is all that is told */
    json_object_set_new(body, "data", json_pack("{s:b}", "shortened", 1));
    free(h->body);
    h->body = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
  }
  if (h->stored)
    hook_store(c, h);
  hook_link(q, h);
  if (q->count.queued > c->cfg.hooks.most)
    drop_oldest(c, q);
}

void hooks_event(struct control *c, const struct hosted *h, const struct room_event *ev) {
  json_t *body = c->cfg.hooks.to_webhook ? hook_event_body(c, h, ev) : NULL;
  if (body)
    add(c, RUN_WEBHOOK, h->stream, body);
  json_decref(body);
}

void hooks_alert(struct control *c, json_t *body) {
  if (c->cfg.hooks.to_alert)
    add(c, RUN_ALERT, "", body);
  if (c->cfg.hooks.to_command)
    add(c, RUN_COMMAND, "", body);
  json_decref(body);
}

/* ---- sending ---- */

static enum err send_one(struct control *c, struct hook *h) {
  static struct runner_job job; /* large; the control thread's */
  job = (struct runner_job){.id = h->id, .target = h->target, .n = (uint32_t)strlen(h->body)};
  hook_name(h->id, job.name);
  snprintf(job.at, sizeof job.at, "%lld", (long long)(c->wall_ms / 1000));
  memcpy(job.body, h->body, job.n);
  if (h->target <= RUN_ALERT && c->cfg.hooks.n_secret[h->target] > 0)
    hooks_sign(c->cfg.hooks.secret[h->target], c->cfg.hooks.n_secret[h->target], job.name, job.at, job.body,
               job.n, job.signature);
  enum err e = c->cfg.hooks.run(c->cfg.ctx, &job);
  if (e == ERR_OK)
    hook_sent(c->hooks, h);
  return e;
}

/* What was given up may be asked for again, but not for ever: it tells of people. */
static void forget_old(struct control *c, struct hooks *q) {
  while (q->first && !q->first->line && c->wall_ms - q->first->until_ms >= GIVEN_UP_KEPT_MS) {
    hook_remove(c, q->first);
    q->count.dropped++;
  }
}

/* The first of a line that is due. */
static enum err try_line(struct control *c, struct hooks *q, struct hook_line *l) {
  struct hook *h = l->first;
  if (c->wall_ms >= h->until_ms) {
    hook_give_up(q, h); /* the next is due at once, or there is no line any more */
    if (!h->stored) {
      hook_remove(c, h);
      q->count.dropped++;
    }
    return ERR_OK;
  }
  enum err e = send_one(c, h);
  if (e != ERR_OK)
    hook_wait(q, h, c->now + BUSY_US);
  return e;
}

/* Alerts do not wait for events, and are not stopped by what stops those. */
void hooks_tick(struct control *c) {
  struct hooks *q = c->hooks;
  if (!q || !c->cfg.hooks.run)
    return;
  forget_old(c, q);
  struct timer *t;
  while ((t = timers_pop(&q->due[0], c->now)))
    (void)!try_line(c, q, (struct hook_line *)t);
  while (c->now >= q->busy_until && q->n_events < HOOKS_AT_ONCE && (t = timers_pop(&q->due[1], c->now)))
    if (try_line(c, q, (struct hook_line *)t) != ERR_OK)
      q->busy_until = c->now + BUSY_US;
}

us_t hooks_next(const struct control *c) {
  const struct hooks *q = c->hooks;
  if (!q || !c->cfg.hooks.run)
    return US_NEVER;
  us_t alerts = timers_next(&q->due[0]), events = timers_next(&q->due[1]);
  events = q->n_events >= HOOKS_AT_ONCE ? US_NEVER : events < q->busy_until ? q->busy_until : events;
  us_t due = alerts < events ? alerts : events;
  if (!q->first || q->first->line)
    return due;
  int64_t left_ms = q->first->until_ms + GIVEN_UP_KEPT_MS - c->wall_ms; /* see forget_old */
  us_t old = c->now + (left_ms > 0 ? left_ms : 0) * US_PER_MS;
  return due < old ? due : old;
}

/* Twice as long each time, up to an hour, and half of that by chance. */
static us_t wait_of(struct control *c, unsigned tries) {
  us_t wait = RETRY_FIRST_US << (tries < 12 ? tries : 12);
  wait = wait < HOOKS_RETRY_MOST_US ? wait : HOOKS_RETRY_MOST_US;
  return wait / 2 + (us_t)rng_below(c->cfg.rng, (uint64_t)wait / 2 + 1);
}

/* It takes things again: nobody waits for his hour to be over. */
static void wake_all(struct control *c, struct hooks *q) {
  const struct hook_line *l;
  for (size_t at = 0; (l = map_next(q->lines, &at));)
    if (l->first->stored && !l->first->sent && l->first->due > c->now)
      hook_wait(q, l->first, c->now);
}

static void ended(struct control *c, struct hook *h, const struct runner_answer *a) {
  struct hooks *q = c->hooks;
  bool done = h->target == RUN_COMMAND ? a->status >= 0 : a->status >= 200 && a->status < 300;
  hook_returned(q, h);
  if (h->target == RUN_COMMAND && a->status != 0)
    log_event(LOG_WARN, "the command of [alert] failed", "status", log_int(a->status), "why", a->text, NULL);
  if (done) {
    bool stored = h->stored;
    q->count.delivered++;
    hook_remove(c, h);
    if (stored && q->stuck_since)
      wake_all(c, q);
    q->stuck_since = stored ? 0 : q->stuck_since;
    return;
  }
  q->count.failed++;
  q->stuck_since = q->stuck_since || !h->stored ? q->stuck_since : c->now;
  snprintf(h->said, sizeof h->said, "%.0d%s%s", a->status > 0 ? a->status : 0,
           a->status > 0 && *a->text ? " " : "", a->text);
  hook_wait(q, h, c->now + wait_of(c, h->tries++));
}

void hooks_ran(struct control *c, const struct runner_answer *a) {
  struct hooks *q = hooks_of(c);
  bool all = a->id == RUNNER_ALL_LOST;
  for (size_t i = 0; i < RUNNER_AT_ONCE; i++) {
    struct hook *h = q->at_work[i];
    if (h && (all ? (h->target == RUN_COMMAND) == (a->target == RUN_COMMAND) : h->id == a->id))
      ended(c, h, a);
  } /* none: dropped meanwhile */
}

/* ---- who is erased ---- */

static bool unname(json_t *person, const char *pid) {
  return strcmp(json_str(person, "pid", ""), pid) == 0 && json_object_del(person, "name") == 0;
}

void hooks_unname(struct control *c, const char *pid) {
  for (struct hook *h = c->hooks && *pid ? c->hooks->first : NULL; h; h = h->after) {
    json_t *body = h->stored && strstr(h->body, pid) ? json_loads(h->body, 0, NULL) : NULL;
    json_t *data = json_object_get(body, "data"), *who = json_object_get(data, "who");
    bool changed = unname(json_object_get(data, "by"), pid);
    for (size_t i = 0; i < json_array_size(who); i++)
      changed |= unname(json_array_get(who, i), pid);
    char *text = changed ? json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(body);
    if (!text)
      continue;
    free(h->body);
    h->body = text;
    hook_store(c, h);
  }
}

struct hooks_counters hooks_counters(const struct control *c) {
  return c->hooks ? c->hooks->count : (struct hooks_counters){0};
}

us_t hooks_stuck(const struct control *c) {
  return c->hooks && c->hooks->stuck_since ? c->now - c->hooks->stuck_since : 0;
}
