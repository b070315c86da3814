#include "core/server/control.h"

#include "core/access/accounts.h"
#include "core/base/log.h"
#include "core/server/control_private.h"
#include "core/server/monitor.h"
#include "core/server/ops.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void mark_dirty(struct control *c, struct conn *k) {
  if (k->dirty || k->whip)
    return;
  k->dirty = true;
  if (c->n_dirty == c->cap_dirty) {
    c->cap_dirty = c->cap_dirty ? c->cap_dirty * 2 : 64;
    c->dirty = realloc(c->dirty, c->cap_dirty * sizeof(struct conn *));
    if (!c->dirty)
      abort();
  }
  c->dirty[c->n_dirty++] = k;
}

static void put(struct control *c, struct conn *k, struct msg *m) {
  if (k->closing || k->whip)
    return;
  mark_dirty(c, k);
  outbox_put(&k->out, m);
  bool slow = outbox_is_long(&k->out, 1) && (!c->cfg.blocked || c->cfg.blocked(c->cfg.ctx, k->handle));
  if (slow || outbox_is_long(&k->out, CONTROL_QUEUE_TIMES)) { /* it must not hold the room's memory */
    c->count.slow_closed++;
    limit_hit(c, LIMIT_QUEUE);
    k->close_code = CONTROL_CLOSE_SLOW;
    k->closing = k->urgent = true;
  }
}

void control_send(struct control *c, struct conn *k, struct msg *m) {
  k->urgent = true;
  put(c, k, m);
}

void control_send_later(struct control *c, struct conn *k, struct msg *m, us_t at) {
  c->held_at = at < c->held_at ? at : c->held_at;
  put(c, k, m);
}

static void send_text(struct control *c, struct conn *k, char *text, json_int_t reply_to) {
  if (k->whip)
    whip_told(k->whip, text, reply_to);
  struct msg *m = msg_take(text);
  m->reply_to = reply_to;
  control_send(c, k, m);
  msg_unref(m);
}

void control_reply(struct control *c, struct conn *k, json_int_t id, json_t *body) {
  send_text(c, k, rpc_result(id, body), id);
}

/* Refused because a secret was wrong that can be guessed: nobody guesses 32 random bytes, and whoever shows
 * what was a good link yesterday sits beside the innocent (a forged token: seat.c). */
static bool is_guess(enum err e) {
  return e == ERR_BAD_PASSWORD || e == ERR_BAD_CODE;
}

/* An error with more in its data; takes both. */
static char *with_data(char *text, json_t *more) {
  json_t *all = json_loads(text, 0, NULL);
  json_object_update(json_object_get(json_object_get(all, "error"), "data"), more);
  char *longer = json_dumps(all, JSON_COMPACT);
  if (!longer)
    abort();
  free(text);
  json_decref(all);
  json_decref(more);
  return longer;
}

void control_refuse(struct control *c, struct conn *k, json_int_t id, enum err e, const char *detail) {
  control_refuse_with(c, k, id, e, detail, NULL);
}

void control_refuse_with(struct control *c, struct conn *k, json_int_t id, enum err e, const char *detail,
                         json_t *more) {
  c->count.refusals++;
  if (is_guess(e))
    limit_strike(c, k->addr);
  if (e == ERR_SESSIONS)
    limit_hit(c, LIMIT_SESSIONS);
  if (e == ERR_RATE)
    c->count.rate_limited++;
  bool later = e == ERR_RATE || e == ERR_AGAIN || e == ERR_DRAINING;
  int retry_ms = later && c->retry_ms ? c->retry_ms : later ? 1000 : 0;
  c->retry_ms = 0;
  char *text = rpc_error(id, e, detail, retry_ms);
  send_text(c, k, more ? with_data(text, more) : text, id);
}

void control_notify(struct control *c, struct conn *k, const char *method, json_t *body) {
  send_text(c, k, rpc_notify(method, body), 0);
}

void control_close(struct control *c, struct conn *k) {
  k->close_after = k->urgent = true;
  mark_dirty(c, k);
}

enum err control_create(const struct control_config *cfg, us_t now, int64_t wall_ms, struct control **out,
                        char why[256]) {
  struct control *c = calloc(1, sizeof *c);
  if (!c)
    return ERR_NOMEM;
  c->cfg = *cfg;
  c->now = c->started_at = now;
  c->wall_ms = wall_ms;
  c->rooms = map_create(rng_u64(cfg->rng));
  c->media_rooms = map_create(rng_u64(cfg->rng));
  c->conns = map_create(rng_u64(cfg->rng));
  c->peers = map_create(rng_u64(cfg->rng));
  c->next_hello = c->held_at = US_NEVER;
  c->book = limit_book_create(rng_u64(cfg->rng));
  c->seats_of = map_create(rng_u64(cfg->rng));
  c->revision = UINT64_MAX; /* nobody was looked at yet */
  struct access_config ac = cfg->access;
  ac.store = cfg->store;
  ac.rng = cfg->rng;
  enum err e = access_open(&ac, wall_ms, &c->access, why);
  upkeep_load(c);
  if (c->cfg.hooks.to_webhook)
    hooks_load(c);
  if (e == ERR_OK)
    e = hosted_load_all(c, why);
  if (e != ERR_OK) {
    control_destroy(c);
    return e;
  }
  control_commit(c);
  *out = c;
  return ERR_OK;
}

static struct conn *conn_add(struct control *c, const uint8_t *addr) {
  struct conn *k = calloc(1, sizeof *k);
  if (!k)
    abort();
  k->handle = ++c->last_conn;
  if (addr)
    memcpy(k->addr, addr, sizeof k->addr);
  k->opened_at = c->now;
  map_put_u32(c->conns, k->handle, k);
  return k;
}

static void expect_hello(struct control *c) {
  if (c->next_hello == US_NEVER)
    c->next_hello = c->now + CONTROL_HELLO_MS * US_PER_MS;
}

uint32_t control_open(struct control *c, bool admin, const uint8_t *addr) {
  struct conn *k = conn_add(c, addr);
  k->admin = admin;
  if (!admin)
    expect_hello(c);
  return k->handle;
}

uint32_t control_open_ops(struct control *c, const uint8_t *addr) {
  struct conn *k = conn_add(c, addr);
  k->ops = true;
  expect_hello(c);
  return k->handle;
}

static void forget_dirty(struct control *c, const struct conn *k) {
  for (size_t i = 0; i < c->n_dirty; i++)
    if (c->dirty[i] == k) {
      c->dirty[i] = c->dirty[--c->n_dirty];
      return;
    }
}

void control_closed(struct control *c, uint32_t conn) {
  struct conn *k = map_del_u32(c->conns, conn);
  if (!k)
    return;
  k->closing = true;
  seat_dropped(c, k);
  ops_forget(c, k);
  probe_forget(c, k);
  forget_dirty(c, k);
  outbox_free(&k->out);
  free(k);
}

static bool may_ask(struct control *c, struct conn *k) {
  bool moderates = k->seat && room_view_of(&k->room->room, k->seat->member) == VIEW_MODERATOR;
  return k->admin ||
         (moderates ? limit_take(c, &k->moderates, LIMIT_MODERATOR) : limit_take(c, &k->acts, LIMIT_ACTS));
}

static void ping(struct control *c, struct conn *k, json_int_t id, const json_t *params) {
  if (json_object_size(params) > 0)
    control_refuse(c, k, id, ERR_BAD_ARG, NULL);
  else
    control_reply(c, k, id, json_object());
}

/* What is none of a room's acts. */
static const struct {
  const char *method;
  void (*run)(struct control *c, struct conn *k, json_int_t id, const json_t *params);
} CALLS[] = {{"room.join", seat_join},      {"room.media", seat_media}, {"media.bandwidth", seat_bandwidth},
             {"media.tunnel", seat_tunnel}, {"media.via", seat_via},    {"media.probe", probe_call},
             {"media.ice", seat_ice}};

static void call(struct control *c, struct conn *k, const struct rpc_in *in) {
  if (!may_ask(c, k)) {
    control_refuse(c, k, in->id, ERR_RATE, NULL);
    return;
  }
  if (strcmp(in->method, "ping") == 0) {
    ping(c, k, in->id, in->params);
    return;
  }
  if (monitor_listens(k) && monitor_call(c, k, in->id, in->method))
    return;
  if (!k->ops && !k->admin && strcmp(in->method, "ops.whisper") == 0) {
    monitor_whisper_call(c, k, in->id, in->params);
    return;
  }
  if ((k->ops || k->admin) && ops_call(c, k, in->id, in->method, in->params))
    return;
  if (k->ops) {
    control_refuse(c, k, in->id, ERR_NOT_ALLOWED, "this port is for operators: join rooms at the public one");
    return;
  }
  for (size_t i = 0; i < sizeof CALLS / sizeof CALLS[0]; i++)
    if (strcmp(CALLS[i].method, in->method) == 0) {
      CALLS[i].run(c, k, in->id, in->params);
      return;
    }
  acts_call(c, k, in->id, in->method, in->params);
}

void control_message(struct control *c, uint32_t conn, const char *text, size_t n) {
  struct conn *k = map_get_u32(c->conns, conn);
  if (!k || k->closing || k->close_after)
    return;
  c->count.messages++;
  if (!k->seat && !k->admin && n > LIMIT_VALUE_FIRST_SIZE) {
    limit_hit(c, LIMIT_FIRST_SIZE);
    k->close_code = CONTROL_CLOSE_LATE;
    control_refuse(c, k, 0, ERR_BAD_REQUEST, "too long for a first message");
    control_close(c, k);
    return;
  }
  struct rpc_in in;
  enum err e = rpc_parse(text, n, false, &in);
  if (e != ERR_OK) {
    control_refuse(c, k, in.id, e, NULL);
    return;
  }
  if (in.kind == RPC_REQUEST && in.id > 0)
    call(c, k, &in);
  else if (in.kind == RPC_REQUEST || in.kind == RPC_NOTIFY) /* nothing a client does goes unanswered */
    control_refuse(c, k, in.id, ERR_BAD_REQUEST, "requests need an id above 0");
  json_decref(in.root);
}

/* When we are late, what he said may be here and not read yet: two turns are enough to read it. */
static bool had_his_chance(struct control *c, struct conn *k) {
  if (!k->late_at)
    k->late_at = c->turns + 2;
  return c->turns >= k->late_at;
}

static void hello_timeouts(struct control *c) {
  us_t next = US_NEVER;
  struct conn *k;
  for (size_t at = 0; (k = map_next(c->conns, &at));) {
    if (k->admin || k->seat || k->ops_scopes || k->close_after || k->closing)
      continue;
    us_t due = k->opened_at + (k->probe ? CONTROL_PROBE_MS : CONTROL_HELLO_MS) * US_PER_MS;
    if (due <= c->now && !had_his_chance(c, k))
      due = c->now + US_PER_MS;
    if (due <= c->now) {
      json_t *body =
          json_pack("{s:s,s:s}", "code", err_code(ERR_NOT_JOINED), "text", err_text(ERR_NOT_JOINED));
      control_notify(c, k, "bye", body);
      limit_hit(c, LIMIT_FIRST_SLOW);
      k->close_code = CONTROL_CLOSE_LATE;
      control_close(c, k);
    } else if (due < next)
      next = due;
  }
  c->next_hello = next;
}

static void release_held(struct control *c) {
  struct conn *k;
  c->held_at = US_NEVER;
  for (size_t at = 0; (k = map_next(c->conns, &at));) {
    if (k->held)
      c->cfg.want_write(c->cfg.ctx, k->handle);
    k->held = false;
  }
}

void control_tick(struct control *c, us_t now, int64_t wall_ms) {
  c->now = now;
  c->wall_ms = wall_ms;
  if (c->held_at <= now)
    release_held(c);
  if (c->next_hello <= now)
    hello_timeouts(c);
  access_tick(c->access, wall_ms);
  hosted_expire(c);
  monitor_tick(c);
  ops_tick(c);
  upkeep_tick(c);
  alerts_tick(c);
  hooks_tick(c);
}

us_t control_next_timeout(const struct control *c) {
  us_t due = timers_next(&c->expiry), ops = ops_next(c), monitor = monitor_next(c);
  due = ops < due ? ops : due;
  due = monitor < due ? monitor : due;
  int64_t access_ms = access_next_ms(c->access), upkeep_ms = upkeep_next_ms(c);
  access_ms = upkeep_ms < access_ms ? upkeep_ms : access_ms;
  if (access_ms != INT64_MAX) {
    int64_t wait_ms = access_ms > c->wall_ms ? access_ms - c->wall_ms : 0;
    us_t at = c->now + (wait_ms < CONTROL_SLEEP_MS ? wait_ms : CONTROL_SLEEP_MS) * US_PER_MS;
    due = at < due ? at : due;
  }
  us_t hooks = hooks_next(c), alerts = alerts_next(c);
  due = hooks < due ? hooks : due;
  due = alerts < due ? alerts : due;
  due = c->held_at < due ? c->held_at : due;
  return c->next_hello < due ? c->next_hello : due;
}

struct revoke {
  struct control *c;
  struct conn *k;
  enum err why;
};
static void revoke_reply(void *ctx, json_int_t id) {
  struct revoke *r = ctx;
  control_refuse(r->c, r->k, id, r->why, NULL);
}

/* The group could not be made durable: nobody may see it. Rooms go back to what the log says. */
static void commit_failed(struct control *c, enum err why) {
  c->count.commit_failures++;
  log_event(LOG_ERROR, "commit failed", "code", err_code(why), NULL);
  store_rollback(c->cfg.store);
  for (size_t i = 0; i < c->n_dirty; i++) {
    struct revoke r = {c, c->dirty[i], why};
    outbox_revoke(&c->dirty[i]->out, revoke_reply, &r);
  }
  for (size_t i = 0; i < c->n_touched; i++)
    hosted_reload(c, c->touched[i]);
  access_reload(c->access);
  upkeep_load(c);
  hooks_lost(c);
  ops_lost(c);
  monitor_lost(c);
}

enum err control_commit(struct control *c) {
  c->turns++;
  seats_recheck(c); /* in the same group: what was revoked is gone when the operator hears of it */
  whip_sweep(c);
  bool any = c->n_touched > 0 || store_pending(c->cfg.store) > 0;
  enum err lost = access_error(c->access);
  if (c->group_err == ERR_OK)
    c->group_err = lost;
  enum err e = c->group_err != ERR_OK ? c->group_err : any ? store_commit(c->cfg.store) : ERR_OK;
  if (any) {
    c->count.commits++;
    c->commit_err = e;
    c->committed_at = c->now;
  }
  if (e != ERR_OK)
    commit_failed(c, e);
  else
    access_kept(c->access), hooks_kept(c);
  for (size_t i = 0; i < c->n_touched; i++) {
    c->touched[i]->touched = false;
    if (c->touched[i]->room.seq == 0) /* it began in the group that was lost */
      hosted_forget(c, c->touched[i]);
  }
  c->n_touched = 0;
  c->group_err = ERR_OK;
  for (size_t i = 0; i < c->n_dirty; i++) {
    struct conn *k = c->dirty[i];
    outbox_release(&k->out);
    k->held = !k->urgent && (k->held || c->held_at != US_NEVER);
    if (!k->held)
      c->cfg.want_write(c->cfg.ctx, k->handle);
    k->dirty = k->urgent = false;
  }
  c->n_dirty = 0;
  web_release(c, e == ERR_OK);
  return e;
}

char *control_next_message(struct control *c, uint32_t conn, size_t *n) {
  struct conn *k = map_get_u32(c->conns, conn);
  if (!k || k->closing)
    return NULL;
  struct msg *m = outbox_next(&k->out);
  if (!m)
    return NULL;
  *n = m->len;
  return m->text;
}

size_t control_next_size(const struct control *c, uint32_t conn) {
  const struct conn *k = map_get_u32(c->conns, conn);
  return k && !k->closing ? outbox_next_size(&k->out) : 0;
}

bool control_wants_close(const struct control *c, uint32_t conn) {
  const struct conn *k = map_get_u32(c->conns, conn);
  return !k || k->closing || (k->close_after && k->out.n == 0);
}

unsigned control_close_code(const struct control *c, uint32_t conn) {
  const struct conn *k = map_get_u32(c->conns, conn);
  return k && k->close_code ? k->close_code : 1000;
}

bool control_ending(const struct control *c, uint32_t conn) {
  const struct conn *k = map_get_u32(c->conns, conn);
  return k && (k->closing || k->close_after);
}

void control_audit(struct control *c, const struct audit_entry *e) {
  audit_note(c->access, e);
}

void control_backup(struct control *c, enum err e, const char *name) {
  json_t *meta = e == ERR_OK ? json_pack("{s:s}", "backup", name) : NULL;
  struct audit_entry entry = {.actor = "system", .action = "backup.make", .outcome = e, .meta = meta};
  *(e == ERR_OK ? &c->count.backups : &c->count.backup_failures) += 1;
  audit_note(c->access, &entry);
  json_decref(meta);
  alerts_backup(c, e != ERR_OK);
}

void control_ran(struct control *c, const struct runner_answer *a) {
  bool lost = a && a->id == RUNNER_ALL_LOST;
  if (lost)
    log_event(LOG_WARN, "the process for webhooks or alerts has died, there is a new one", NULL);
  if (!a)
    alerts_runner_gone(c);
  if (a && (lost || a->target >= RUN_WATCH))
    alerts_ran(c, a);
  if (a && (lost || a->target < RUN_WATCH))
    hooks_ran(c, a);
}

void control_configure(struct control *c, const struct access_config *a, const struct limits_set *limits) {
  access_configure(c->access, a);
  monitor_recheck(c);
  c->cfg.limits = *limits;
}

void control_relays(struct control *c, const struct turn *t) {
  c->cfg.turn = t;
}

void control_stop(struct control *c, int64_t wall_ms) {
  control_commit(c);
  access_tick(c->access, wall_ms);
  audit_stop(c->access);
  control_commit(c);
}

void control_bye(struct control *c, int retry_ms) {
  struct conn *k;
  monitor_stop(c);
  for (size_t at = 0; (k = map_next(c->conns, &at));) {
    if (k->close_after)
      continue;
    json_t *body = json_pack("{s:s,s:s,s:i}", "code", err_code(ERR_AGAIN), "text", "the server is going down",
                             "retry_ms", retry_ms);
    control_notify(c, k, "bye", body);
    control_close(c, k);
  }
}

void control_counters(const struct control *c, struct control_counters *out) {
  *out = c->count;
  out->conns = (uint32_t)map_count(c->conns);
  out->rooms = (uint32_t)map_count(c->rooms);
  memcpy(&out->limits[LIMIT_LOGIN_ACCOUNT], login_limits_held(c->access),
         LOGIN_LIMIT__COUNT * sizeof out->limits[0]); /* the same rows, counted over there */
}

void control_destroy(struct control *c) {
  if (!c)
    return;
  struct conn *k;
  for (size_t at = 0; (k = map_next(c->conns, &at));) {
    ops_forget(c, k);
    outbox_free(&k->out);
    free(k);
  }
  ops_free(c);
  monitor_free(c);
  struct hosted *h;
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    hosted_destroy(c, h);
  struct peer_ref *p;
  for (size_t at = 0; (p = map_next(c->peers, &at));)
    free(p);
  map_destroy(c->conns);
  map_destroy(c->rooms);
  map_destroy(c->media_rooms);
  map_destroy(c->peers);
  map_destroy(c->seats_of);
  web_free(c);
  hooks_free(c);
  whip_free(c);
  access_close(c->access);
  limit_book_destroy(c->book);
  timers_free(&c->expiry);
  free(c->dirty);
  free(c->touched);
  free(c);
}
