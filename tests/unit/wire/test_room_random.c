/* Seeded random lives of a room. After every event the invariants hold; replicas that were given only what
 * their viewer may see, over the wire form, show exactly what the server would show him; the log form
 * rebuilds the same room. (Here and not in unit/room because it needs the JSON forms.) */
#include "core/base/rng.h"
#include "core/wire/room_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS 12
#define STEPS 4000
#define VIEWERS 5
#define COMPARE_EVERY 4
#define CHAT_COMPARED 20

struct replica {
  uint32_t viewer;
  struct room r;
};
struct log_line {
  uint64_t seq;
  int64_t ts_ms;
  uint32_t actor;
  const char *kind;
  char *data, *payload;
};
struct world {
  struct rng rng;
  uint64_t seed;
  int64_t now;
  struct room r;
  struct replica rep[VIEWERS]; /* rep[0] is the operator's */
  struct log_line *log;
  size_t n_log, cap_log;
  size_t accepted, of_act[ACT__COUNT];
};

static uint64_t below(struct world *w, uint64_t n) {
  return rng_below(&w->rng, n);
}

/* ---- comparing ---- */

static bool is_kept(const json_t *message, uint64_t oldest, uint32_t viewer) {
  const char *kind = json_string_value(json_object_get(message, "chat"));
  return (uint64_t)json_integer_value(json_object_get(message, "id")) >= oldest &&
         (viewer == 0 || strcmp(kind, "side") != 0);
}

/* What a replica cannot know is left out: it may still hold messages that the server dropped for others it
 * never saw, it has those of a side room from the time it was in there, and who did something may have been
 * named or not at that time. seq counts what it saw. */
static json_t *shown(const struct room *r, uint32_t viewer, uint64_t oldest) {
  json_t *o = room_to_wire(r, viewer), *chat = json_object_get(o, "chat"), *m;
  size_t i;
  json_object_del(o, "seq");
  for (size_t n = json_array_size(chat); n > 0; n--)
    if (!is_kept(json_array_get(chat, n - 1), oldest, viewer))
      json_array_remove(chat, n - 1);
  while (json_array_size(chat) > CHAT_COMPARED)
    json_array_remove(chat, 0);
  if (room_view_of(r, viewer) == VIEW_NOTHING)
    json_object_del(o, "chat"); /* he is not told that it was cleared */
  if (room_view_of(r, viewer) != VIEW_MODERATOR) {
    json_object_del(json_object_get(o, "poll"), "by");
    json_array_foreach(json_object_get(o, "members"), i, m) json_object_del(m, "muted_by");
  }
  return o;
}

static void must_equal(struct world *w, const struct room *other, uint32_t viewer, const char *what) {
  uint64_t oldest = w->r.n_chat ? w->r.chat[0].id : 0;
  json_t *a = shown(&w->r, viewer, oldest), *b = shown(other, viewer, oldest);
  if (!json_equal(a, b)) {
    char *x = json_dumps(a, JSON_SORT_KEYS), *y = json_dumps(b, JSON_SORT_KEYS);
    fail_msg("seed %d, seq %d: %s of %u differs:\n%s\n%s", (int)w->seed, (int)w->r.seq, what, viewer, x, y);
  }
  json_decref(a);
  json_decref(b);
}

static void resync(struct world *w, struct replica *rep) {
  json_t *o = room_to_wire(&w->r, rep->viewer);
  assert_int_equal(room_from_wire(o, &rep->r), ERR_OK);
  json_decref(o);
}

/* A viewer who is gone makes place for another one. */
static void pick_viewers(struct world *w) {
  for (int i = 1; i < VIEWERS; i++)
    if (!room_member(&w->r, w->rep[i].viewer) && w->r.n_members) {
      w->rep[i].viewer = w->r.members[below(w, w->r.n_members)].id;
      resync(w, &w->rep[i]);
    }
}

static void compare_all(struct world *w) {
  for (int i = 0; i < VIEWERS; i++) {
    must_equal(w, &w->rep[i].r, w->rep[i].viewer, "the replica");
    if (room_check(&w->rep[i].r))
      fail_msg("seed %d: a replica is broken: %s", (int)w->seed, room_check(&w->rep[i].r));
  }
}

/* ---- one event, everywhere ---- */

static void log_put(struct world *w, const struct room_event *ev) {
  if (w->n_log == w->cap_log) {
    w->cap_log = w->cap_log ? 2 * w->cap_log : 64;
    w->log = realloc(w->log, w->cap_log * sizeof *w->log);
    assert_non_null(w->log);
  }
  json_t *data, *payload;
  room_event_to_log(ev, &data, &payload);
  struct log_line *l = &w->log[w->n_log++];
  *l = (struct log_line){ev->seq, ev->ts_ms, ev->actor, room_ev_name(ev->kind), NULL, NULL};
  l->data = json_dumps(data, JSON_COMPACT);
  l->payload = payload ? json_dumps(payload, JSON_COMPACT) : NULL;
  json_decref(data);
  json_decref(payload);
}

static void replica_apply(struct world *w, struct replica *rep, const struct room_event *ev) {
  json_t *o = room_event_to_wire(ev);
  struct room_event back = {0};
  if (room_event_from_wire(o, &back) != ERR_OK)
    fail_msg("seed %d: own %s does not parse", (int)w->seed, room_ev_name(ev->kind));
  room_apply(&rep->r, &back);
  room_event_free(&back);
  json_decref(o);
}

static void one_event(struct world *w, const struct room_event *ev) {
  enum view before[VIEWERS];
  struct room_event seen[VIEWERS] = {0};
  for (int i = 0; i < VIEWERS; i++) {
    uint32_t viewer = w->rep[i].viewer;
    before[i] = room_view_of(&w->r, viewer);
    if (room_event_visible(&w->r, ev, viewer) && !room_event_as_seen(&w->r, ev, viewer, &seen[i]))
      room_event_copy(&seen[i], ev);
  }
  struct room_event copy;
  room_event_copy(&copy, ev);
  log_put(w, &copy);
  room_apply(&w->r, &copy);
  room_event_free(&copy);
  const char *why = room_check(&w->r);
  if (why)
    fail_msg("seed %d, seq %d, after %s: %s", (int)w->seed, (int)ev->seq, room_ev_name(ev->kind), why);
  for (int i = 0; i < VIEWERS; i++) {
    if (seen[i].seq)
      replica_apply(w, &w->rep[i], &seen[i]);
    room_event_free(&seen[i]);
    if (room_view_of(&w->r, w->rep[i].viewer) != before[i] && room_member(&w->r, w->rep[i].viewer))
      resync(w, &w->rep[i]);
  }
}

static void all_events(struct world *w, struct room_events *out) {
  for (size_t i = 0; i < out->n; i++)
    one_event(w, &out->v[i]);
  room_events_free(out);
}

/* ---- random people and acts ---- */

static uint32_t some_id(struct world *w) {
  if (w->r.n_members == 0 || below(w, 20) == 0)
    return (uint32_t)below(w, w->r.id_last + 2);
  return w->r.members[below(w, w->r.n_members)].id;
}

static int64_t some_num(struct world *w) {
  const struct room *r = &w->r;
  switch (below(w, 7)) {
  case 0:
    return r->n_chat ? (int64_t)r->chat[below(w, r->n_chat)].id : 1;
  case 1:
    return r->n_bans ? (int64_t)r->bans[below(w, r->n_bans)].id : 0;
  case 2:
    return r->n_invites ? (int64_t)r->invites[below(w, r->n_invites)].id : 2;
  case 3:
    return r->n_notes ? (int64_t)r->notes[below(w, r->n_notes)].id : 2;
  case 4:
    return r->n_trusted ? (int64_t)r->trusted[below(w, r->n_trusted)].id : 2;
  default:
    return (int64_t)below(w, 9) - 1;
  }
}

static const char *const TEXTS[] = {
    "hello",        "",          "x\x1b[2Jy",           "\xff",        "two\nlines",
    "na\xc3\xafve", "a | b | c", "https://x.example/y", "one; two; 3", NULL};
static const char *const WORDS[] = {"user:u1", "user:u2", "invite:3", "cidr:10.0.0.0/8", "rule", NULL};
#define SOME(w, list) (list)[below(w, sizeof(list) / sizeof *(list))]

/* Acts that need one another to be possible at all. */
static const enum act PAIRS[] = {ACT_ASK_UNMUTE, ACT_DECLINE,   ACT_HAND,  ACT_HAND_LOWER, ACT_MUTE,
                                 ACT_PIN,        ACT_CHAT_EDIT, ACT_UNPIN, ACT_POLL,       ACT_VOTE,
                                 ACT_DENY,       ACT_HOLD,      ACT_NAME};

/* Those who may do more, more often; a meeting is not ended or emptied at once. */
static void pick_act(struct world *w, struct room_cmd *cmd) {
  cmd->act = (enum act)below(w, ACT__COUNT);
  cmd->actor = some_id(w);
  for (int i = 0; i < 3 && room_view_of(&w->r, cmd->actor) != VIEW_MODERATOR; i++)
    cmd->actor = some_id(w);
  if (below(w, 10) == 0)
    cmd->actor = 0;
  if ((cmd->act == ACT_END && below(w, 10)) || (cmd->act == ACT_BAN && below(w, 4)))
    cmd->act = ACT_UNDO;
  if (below(w, 4) == 0)
    cmd->act = below(w, 2) ? ACT_UNDO : ACT_CHAT;
  else if (below(w, 8) == 0)
    cmd->act = SOME(w, PAIRS);
}

/* By chance alone an act hardly ever meets whom it needs. */
static uint32_t some_fit(struct world *w, enum act act) {
  for (int i = 0; i < 8; i++) {
    uint32_t id = some_id(w);
    const struct member *m = room_member(&w->r, id);
    bool fits = ACTS[act].target == TARGET_WAITING ? m && m->presence == PRESENCE_WAITING
                                                   : act != ACT_DECLINE || (m && m->exempt);
    if (fits)
      return id;
  }
  return some_id(w);
}

static void random_act(struct world *w) {
  uint32_t who[4];
  struct cidr cidrs[4] = {{{0}, 0}, {{32, 1}, 64}, {{32, 2}, 128}, {{0}, 0}};
  struct secret secret = {{1}, {(uint8_t)below(w, 2)}};
  struct invite inv = {
      .role = (enum role)below(w, 8), .bypass = below(w, 2), .uses_left = (uint32_t)below(w, 4)};
  memset(inv.hash, (int)below(w, 8) + 1, sizeof inv.hash);
  inv.expires_ms = below(w, 3) ? 0 : w->now + (int64_t)below(w, 100000);
  struct room_cmd cmd = {.targets = who, .invite = &inv, .secret = &secret, .cidrs = cidrs};
  pick_act(w, &cmd);
  enum act_target target = ACTS[cmd.act].target;
  cmd.n_targets = target == TARGET_NONE ? 0 : target == TARGET_ONE ? 1 : below(w, 4);
  for (size_t i = 0; i < cmd.n_targets; i++)
    who[i] = some_fit(w, cmd.act);
  if (cmd.act == ACT_DECLINE)
    cmd.actor = some_fit(w, cmd.act);
  cmd.num = some_num(w);
  if (cmd.act == ACT_CHAT_EDIT && w->r.n_chat) { /* by chance alone one hardly ever meets one's own */
    cmd.num = (int64_t)w->r.chat[w->r.n_chat - 1].id;
    cmd.actor = w->r.chat[w->r.n_chat - 1].from;
  }
  cmd.has_num = below(w, 2);
  cmd.has_num2 = below(w, 2);
  cmd.num2 = cmd.has_num2 ? (int64_t)below(w, 200) - 1 : 0;
  cmd.flags = (unsigned)below(w, 64);
  cmd.text = SOME(w, TEXTS);
  cmd.word = SOME(w, WORDS);
  struct room_events out = {0};
  enum err e = room_decide(&w->r, &cmd, w->now, &out);
  if (cmd.act == ACT_BAN_CHECK || cmd.act == ACT_ATTENDANCE) /* questions */
    assert_int_equal(out.n, 0);
  else if ((e == ERR_OK) != (out.n > 0))
    fail_msg("%s: %s with %d events", ACTS[cmd.act].name, err_code(e), (int)out.n);
  w->accepted += e == ERR_OK;
  w->of_act[cmd.act] += e == ERR_OK;
  all_events(w, &out);
}

static void random_join(struct world *w) {
  static const char *const NAMES[] = {"Ada", "ada", "Bob", "Ada (2)", "\xe6\xbc\xa2", "", "Operator"};
  static const char *const USERS[] = {"", "", "u1", "u2", "u3"};
  uint8_t hash[32];
  memset(hash, (int)below(w, 9) + 1, sizeof hash);
  struct room_join j = {.name = NAMES[below(w, 7)], .client = "gavel/\x01", .user = USERS[below(w, 5)]};
  j.role = (enum role)below(w, 7);
  j.invite_hash = below(w, 3) ? NULL : hash;
  j.device[0] = (uint8_t)below(w, 6);
  w->rng.fill(&w->rng, j.resume, sizeof j.resume);
  j.audio = below(w, 2);
  struct room_events out = {0};
  if (w->r.n_members < 40 && room_decide_join(&w->r, &j, w->now, &out) == ERR_OK)
    all_events(w, &out);
}

static void random_connection(struct world *w) {
  struct room_events out = {0};
  uint32_t id = some_id(w);
  const struct member *m = room_member(&w->r, id);
  if (below(w, 2) && m) {
    uint8_t secret[32], fresh[32];
    memcpy(secret, m->resume, sizeof secret);
    w->rng.fill(&w->rng, fresh, sizeof fresh);
    enum err e = room_decide_resume(&w->r, secret, fresh, true, w->now, &id, &out);
    assert_true(e == ERR_OK || e == ERR_NO_RESUME);
  } else if (room_decide_drop(&w->r, id, w->now, &out) != ERR_OK) {
    assert_int_equal(out.n, 0);
  }
  all_events(w, &out);
}

/* What time alone brings, act by act, until nothing is due. */
static void random_wait(struct world *w) {
  w->now += (int64_t)below(w, ROOM_AWAY_MS);
  bool any = true;
  for (int i = 0; any; i++) {
    struct room_events out = {0};
    room_decide_expire(&w->r, w->now, &out);
    any = out.n > 0;
    if (i > 100)
      fail_msg("seed %d: %s is due for ever", (int)w->seed, room_ev_name(out.v[0].kind));
    all_events(w, &out);
  }
  assert_true(room_next_expiry(&w->r) > w->now);
}

static void random_step(struct world *w) {
  w->now += (int64_t)below(w, 2000);
  uint64_t dice = below(w, 100);
  if (dice < 15)
    random_join(w);
  else if (dice < 22)
    random_connection(w);
  else if (dice < 24)
    random_wait(w);
  else
    random_act(w);
  pick_viewers(w);
}

/* ---- the log ---- */

static json_t *loads(const char *s) {
  json_t *o = s ? json_loads(s, 0, NULL) : NULL;
  assert_true(!s || o);
  return o;
}

/* What no view shows must come back as well: a ban or a resume after a crash depends on it. */
static void same_secrets(const struct room *a, const struct room *b) {
  assert_int_equal(a->seq, b->seq);
  assert_int_equal(a->id_last, b->id_last);
  assert_int_equal(a->n_members, b->n_members);
  for (size_t i = 0; i < a->n_members; i++) {
    const struct member *m = &a->members[i], *n = &b->members[i];
    assert_string_equal(m->user, n->user);
    assert_memory_equal(m->device, n->device, sizeof m->device);
    assert_memory_equal(m->resume, n->resume, sizeof m->resume);
    assert_int_equal(m->invite, n->invite);
    assert_int_equal(m->chat_ms, n->chat_ms);
    assert_int_equal(m->held, n->held);
    assert_int_equal(m->clash, n->clash);
  }
  for (size_t i = 0; i < a->n_bans; i++) {
    assert_memory_equal(a->bans[i].device, b->bans[i].device, 16);
    assert_memory_equal(&a->bans[i].cidr, &b->bans[i].cidr, sizeof a->bans[i].cidr);
  }
  assert_int_equal(a->n_former, b->n_former);
  for (size_t i = 0; i < a->n_former; i++) {
    const struct former *x = &a->former[i], *y = &b->former[i];
    assert_string_equal(x->user, y->user);
    assert_memory_equal(x->device, y->device, 16);
    assert_true(x->role == y->role && x->floor == y->floor && x->held == y->held);
  }
  for (size_t i = 0; i < a->n_chat; i++)
    assert_int_equal(a->chat[i].role, b->chat[i].role);
  for (size_t i = 0; i < a->n_trusted; i++) {
    assert_string_equal(a->trusted[i].user, b->trusted[i].user);
    assert_memory_equal(a->trusted[i].device, b->trusted[i].device, 16);
  }
  assert_memory_equal(&a->password, &b->password, sizeof a->password);
  assert_memory_equal(&a->claim, &b->claim, sizeof a->claim);
  assert_int_equal(a->poll.n_votes, b->poll.n_votes);
  for (size_t i = 0; i < a->poll.n_votes; i++) {
    assert_int_equal(a->poll.votes[i].member, b->poll.votes[i].member);
    assert_int_equal(a->poll.votes[i].answer, b->poll.votes[i].answer);
  }
  for (size_t i = 0; i < a->n_invites; i++)
    assert_memory_equal(a->invites[i].hash, b->invites[i].hash, 32);
}

/* The undo list is part of the fold too: both rooms decide alike for everyone. */
static void same_undo(const struct room *a, const struct room *b, int64_t now) {
  for (size_t i = 0; i <= a->n_members; i++) {
    struct room_cmd cmd = {.act = ACT_UNDO, .actor = i < a->n_members ? a->members[i].id : 0};
    struct room_events x = {0}, y = {0};
    assert_int_equal(room_decide(a, &cmd, now, &x), room_decide(b, &cmd, now, &y));
    assert_int_equal(x.n, y.n);
    for (size_t k = 0; k < x.n; k++) {
      json_t *p = room_event_to_wire(&x.v[k]), *q = room_event_to_wire(&y.v[k]);
      assert_true(json_equal(p, q));
      json_decref(p);
      json_decref(q);
    }
    room_events_free(&x);
    room_events_free(&y);
  }
}

static void rebuild_and_compare(struct world *w) {
  struct room r;
  room_init(&r);
  for (size_t i = 0; i < w->n_log; i++) {
    const struct log_line *l = &w->log[i];
    json_t *data = loads(l->data), *payload = loads(l->payload);
    struct room_event ev;
    assert_int_equal(room_event_from_log(l->seq, l->ts_ms, l->actor, l->kind, data, payload, &ev), ERR_OK);
    room_apply(&r, &ev);
    room_event_free(&ev);
    json_decref(data);
    json_decref(payload);
  }
  must_equal(w, &r, 0, "the room from the log");
  same_secrets(&w->r, &r);
  same_undo(&w->r, &r, w->now);
  room_free(&r);
}

/* ---- a life ---- */

static void life_begin(struct world *w) {
  struct room_events out = {0};
  room_init(&w->r);
  for (int i = 0; i < VIEWERS; i++) {
    room_init(&w->rep[i].r);
    w->rep[i].viewer = i ? UINT32_MAX : 0;
  }
  enum err e = room_decide_create("standup", below(w, 2), (enum host_policy)below(w, 3), w->now, &out);
  assert_int_equal(e, ERR_OK);
  all_events(w, &out);
  for (int i = 1; i < VIEWERS; i++)
    resync(w, &w->rep[i]);
}

static void life_end(struct world *w) {
  rebuild_and_compare(w);
  for (int i = 0; i < VIEWERS; i++)
    room_free(&w->rep[i].r);
  room_free(&w->r);
  for (size_t i = 0; i < w->n_log; i++) {
    free(w->log[i].data);
    free(w->log[i].payload);
  }
  free(w->log);
  w->log = NULL;
  w->n_log = w->cap_log = 0;
}

static void random_lives_keep_every_promise(void **state) {
  (void)state;
  struct world w = {.now = 1700000000000};
  for (w.seed = 1; w.seed <= SEEDS; w.seed++) {
    rng_seed(&w.rng, w.seed);
    life_begin(&w);
    for (int step = 0; step < STEPS; step++) {
      random_step(&w);
      if (step % COMPARE_EVERY == 0)
        compare_all(&w);
      if (w.r.ended) {
        life_end(&w);
        life_begin(&w);
      }
    }
    compare_all(&w);
    life_end(&w);
  }
  assert_true(w.accepted > 4000); /* else this would test refusals only */
  for (int a = 0; a < ACT__COUNT; a++)
    if (w.of_act[a] == 0)
      fail_msg("act %s was never accepted", ACTS[a].name);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_lives_keep_every_promise)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
