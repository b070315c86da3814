/* Seeded random lives of a room, over all acts: a replica that is told what its viewer may see, as he is
 * told it, never differs from the room in what he may know, and never breaks. */
#include "room_walk.h"

#include <stdlib.h>

#define VIEWERS 5
#define STEPS 3000

struct replica {
  uint32_t viewer;
  struct room r;
};
struct told {
  struct walk w;               /* the first: an event comes with it */
  struct replica rep[VIEWERS]; /* rep[0] is the operator's */
  size_t done[ROOM_EV__COUNT], hidden, moved_out;
};

/* ---- what a viewer knows ---- */

static bool knows(const struct room *r, uint32_t viewer, const struct member *m) {
  enum view v = room_view_of(r, viewer);
  return v == VIEW_MODERATOR || m->id == viewer || (v == VIEW_MEMBER && m->presence != PRESENCE_WAITING);
}

static void *some(size_t n, size_t size) {
  void *p = calloc(n + 1, size);
  assert_non_null(p);
  return p;
}

static void *same(const void *p, size_t n, size_t size) {
  return n ? memcpy(some(n, size), p, n * size) : NULL;
}

static bool chat_known(const struct room *r, const struct chat *c, uint32_t viewer) {
  struct room_event ev = {.kind = ROOM_EV_CHAT, .actor = c->from, .num = c->kind, .num2 = c->to};
  return room_event_visible(r, &ev, viewer);
}

static void snapshot_poll(struct poll *to, const struct poll *from, uint32_t viewer) {
  *to = *from;
  to->text = from->text ? strdup(from->text) : NULL;
  to->votes = from->n_votes ? some(from->n_votes, sizeof *to->votes) : NULL;
  to->n_votes = 0;
  to->cap_votes = from->n_votes;
  for (size_t i = 0; i < from->n_votes; i++)
    if (!from->anonymous || from->votes[i].member == viewer)
      to->votes[to->n_votes++] = from->votes[i];
}

static void snapshot(struct replica *rep, const struct room *r) {
  bool mod = room_view_of(r, rep->viewer) == VIEW_MODERATOR;
  struct room *to = &rep->r;
  room_free(to);
  *to = *r;
  to->undo = NULL;
  to->former = NULL;
  to->n_former = to->cap_former = 0;
  to->former = NULL;
  to->n_former = to->cap_former = 0;
  to->agenda = r->agenda ? strdup(r->agenda) : NULL;
  to->members = some(r->n_members, sizeof *r->members);
  to->chat = some(r->n_chat, sizeof *r->chat);
  to->n_members = to->n_chat = 0;
  for (size_t i = 0; i < r->n_members; i++)
    if (knows(r, rep->viewer, &r->members[i]))
      to->members[to->n_members++] = r->members[i];
  to->cap_members = r->n_members;
  for (size_t i = 0; i < r->n_chat; i++)
    if (chat_known(r, &r->chat[i], rep->viewer) || r->chat[i].id == r->pin) {
      to->chat[to->n_chat] = r->chat[i];
      to->chat[to->n_chat++].text = strdup(r->chat[i].text);
    }
  to->cap_chat = r->n_chat;
  to->n_bans = to->cap_bans = mod ? r->n_bans : 0;
  to->bans = same(r->bans, to->n_bans, sizeof *r->bans);
  to->n_invites = to->cap_invites = mod ? r->n_invites : 0;
  to->invites = same(r->invites, to->n_invites, sizeof *r->invites);
  to->n_trusted = to->cap_trusted = mod ? r->n_trusted : 0;
  to->trusted = same(r->trusted, to->n_trusted, sizeof *r->trusted);
  to->n_notes = to->cap_notes = mod ? r->n_notes : 0;
  to->notes = same(r->notes, to->n_notes, sizeof *r->notes);
  if (!mod)
    to->n_successors = 0;
  snapshot_poll(&to->poll, &r->poll, rep->viewer);
}

/* ---- comparing ---- */

static bool same_person(const struct member *a, const struct member *b) {
  return a->id == b->id && a->role == b->role && a->presence == b->presence && a->muted == b->muted &&
         a->floor == b->floor && a->floor_ms == b->floor_ms && a->time_up == b->time_up &&
         a->priority == b->priority && a->gain_db == b->gain_db && a->side == b->side &&
         a->silenced == b->silenced && a->exempt == b->exempt && a->audio == b->audio && a->hand == b->hand &&
         a->since_ms == b->since_ms && a->dropped_ms == b->dropped_ms && strcmp(a->name, b->name) == 0;
}

static void compare_people(const struct room *r, const struct replica *rep, const char *after) {
  size_t k = 0;
  for (size_t i = 0; i < r->n_members; i++) {
    if (!knows(r, rep->viewer, &r->members[i]))
      continue;
    if (k >= rep->r.n_members || !same_person(&rep->r.members[k], &r->members[i]))
      fail_msg("after %s, %u has another %s", after, rep->viewer, r->members[i].name);
    k++;
  }
  if (k != rep->r.n_members)
    fail_msg("after %s, %u knows %d too many", after, rep->viewer, (int)(rep->r.n_members - k));
}

static void compare(const struct room *r, const struct replica *rep, const char *after) {
  const char *why = room_check(&rep->r);
  if (why)
    fail_msg("after %s, the replica of %u: %s", after, rep->viewer, why);
  enum view v = room_view_of(r, rep->viewer);
  if (v == VIEW_NOTHING)
    return;
  compare_people(r, rep, after);
  for (int kind = 0; kind < ROOM_EV__COUNT; kind++)
    if (room_setting(r, (enum room_ev)kind) != room_setting(&rep->r, (enum room_ev)kind))
      fail_msg("after %s, %u has another %s", after, rep->viewer, room_ev_name((enum room_ev)kind));
  assert_string_equal(r->topic, rep->r.topic);
  assert_string_equal(r->agenda ? r->agenda : "", rep->r.agenda ? rep->r.agenda : "");
  assert_true(r->poll.id == rep->r.poll.id && r->poll.open == rep->r.poll.open);
  assert_memory_equal(r->poll.count, rep->r.poll.count, sizeof r->poll.count);
  assert_int_equal(r->no_host_ms, rep->r.no_host_ms);
  if (v == VIEW_MODERATOR)
    assert_true(r->n_bans == rep->r.n_bans && r->n_trusted == rep->r.n_trusted &&
                r->n_notes == rep->r.n_notes && r->n_invites == rep->r.n_invites &&
                r->n_successors == rep->r.n_successors && r->has_password == rep->r.has_password);
}

/* ---- one event, everywhere ---- */

/* What must never be told to one who is no moderator. */
static void told_well(struct told *t, const struct room_event *ev, uint32_t viewer) {
  const struct room *r = &t->w.f.r;
  const struct member *actor = room_member(r, ev->actor);
  assert_false(ev->ban || ev->secret || ev->invite);
  t->hidden += ev->actor == ROOM_SOME_HOST;
  t->moved_out += ev->kind == ROOM_EV_LEFT && ev->num == 2;
  if (r->hide_hosts && ev->actor != viewer && actor && ROLE_IS_MODERATOR(actor->role) && ev->n_targets)
    assert_true(ev->n_targets == 1 && ev->targets[0] == ev->actor);
  for (size_t i = 0; i < ev->n_targets; i++) /* who shares their fate may know */
    if (ev->targets[i] == viewer || ev->kind == ROOM_EV_ADMITTED)
      return;
  for (size_t i = 0; i < ev->n_targets; i++) {
    const struct member *m = room_member(r, ev->targets[i]);
    bool wrote = ev->kind == ROOM_EV_CHAT_PURGED; /* his messages go everywhere, wherever he is by now */
    if (!wrote && (!m || m->presence == PRESENCE_WAITING))
      fail_msg("%u learns by %s who waits", viewer, room_ev_name(ev->kind));
  }
}

static void one_event(struct walk *w, const struct room_event *ev) {
  struct told *t = (struct told *)w;
  struct room *r = &w->f.r;
  struct room_event seen[VIEWERS] = {0};
  enum view before[VIEWERS];
  bool told[VIEWERS];
  for (int i = 0; i < VIEWERS; i++) {
    uint32_t viewer = t->rep[i].viewer;
    before[i] = room_view_of(r, viewer);
    told[i] = room_event_visible(r, ev, viewer);
    if (told[i] && !room_event_as_seen(r, ev, viewer, &seen[i]))
      room_event_copy(&seen[i], ev);
    if (told[i] && before[i] != VIEW_MODERATOR)
      told_well(t, &seen[i], viewer);
  }
  room_apply(r, ev);
  const char *why = room_check(r);
  if (why)
    fail_msg("after %s: %s", room_ev_name(ev->kind), why);
  t->done[ev->kind]++;
  for (int i = 0; i < VIEWERS; i++) {
    if (told[i])
      room_apply(&t->rep[i].r, &seen[i]);
    room_event_free(&seen[i]);
    if (room_view_of(r, t->rep[i].viewer) != before[i])
      snapshot(&t->rep[i], r);
    compare(r, &t->rep[i], room_ev_name(ev->kind));
  }
}

static void pick_viewers(struct told *t) {
  struct walk *w = &t->w;
  for (int i = 1; i < VIEWERS; i++)
    if (!room_member(&w->f.r, t->rep[i].viewer) && w->f.r.n_members) {
      t->rep[i].viewer = anyone(w);
      snapshot(&t->rep[i], &w->f.r);
    }
}

static void one_life(struct told *t, uint64_t seed) {
  *t = (struct told){0};
  walk_begin(&t->w, seed, one_event);
  for (int i = 0; i < VIEWERS; i++)
    snapshot(&t->rep[i], &t->w.f.r);
  for (int i = 0; i < STEPS; i++) {
    walk_step(&t->w);
    pick_viewers(t);
  }
}

static void replicas_agree_whatever_happens(void **state) {
  (void)state;
  static struct told t;
  size_t done[ROOM_EV__COUNT] = {0}, hidden = 0, moved_out = 0;
  for (uint64_t seed = 1; seed <= 12; seed++) {
    one_life(&t, seed);
    for (int i = 0; i < ROOM_EV__COUNT; i++)
      done[i] += t.done[i];
    hidden += t.hidden;
    moved_out += t.moved_out;
    for (int i = 0; i < VIEWERS; i++)
      room_free(&t.rep[i].r);
    fix_close(&t.w.f);
  }
  assert_true(hidden > 0 && moved_out > 0);
  for (int i = 0; i < ROOM_EV__COUNT; i++) /* or the walk shows nothing about it */
    if (!done[i] && i != ROOM_EV_CREATED && i != ROOM_EV_ENDED && i != ROOM_EV_ENDING)
      fail_msg("%s never happened", room_ev_name((enum room_ev)i));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(replicas_agree_whatever_happens)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
