#include "tests/sim/script.h"

#include "tests/sim/world.h"

#include <stdio.h>
#include <string.h>

/* How often which act is tried, by whomever. */
static const struct {
  enum act act;
  unsigned weight;
} TRIES[] = {
    {ACT_CHAT, 9},      {ACT_MUTE, 9},          {ACT_UNMUTE, 16},     {ACT_MUTE_ALL, 3},
    {ACT_MUTE_LIFT, 6}, {ACT_ASK_UNMUTE, 4},    {ACT_FLOOR_GIVE, 9},  {ACT_FLOOR_TAKE, 4},
    {ACT_ROLE, 7},      {ACT_REMOVE, 2},        {ACT_BAN, 1},         {ACT_UNBAN, 2},
    {ACT_HAND, 5},      {ACT_HAND_LOWER, 2},    {ACT_NEXT, 4},        {ACT_LOCK, 1},
    {ACT_UNLOCK, 3},    {ACT_LOBBY, 2},         {ACT_ADMIT, 6},       {ACT_ADMIT_ALL, 7},
    {ACT_DENY, 1},      {ACT_UNDO, 6},          {ACT_CHAT_DELETE, 1}, {ACT_CHAT_CLEAR, 1},
    {ACT_CHAT_MODE, 2}, {ACT_CHAT_TO, 3},       {ACT_CHAT_HOSTS, 3},  {ACT_TOPIC, 2},
    {ACT_INVITE, 1},    {ACT_INVITE_REVOKE, 1}, {ACT_POLICY, 1},      {ACT_LEAVE, 1},
};

static uint32_t below(struct script *s, uint32_t n) {
  return (uint32_t)rng_below(&s->w->rng, n);
}

void script_init(struct script *s, struct world *w, us_t quiet_at) {
  *s = (struct script){.w = w, .quiet_at = quiet_at, .next = 400 * US_PER_MS, .restart_at = US_NEVER};
  if (below(s, 4) == 0)
    s->restart_at = US_PER_S + (us_t)rng_below(&w->rng, (uint64_t)(quiet_at - 2 * US_PER_S));
  s->polite = below(s, 2);
}

us_t script_due(const struct script *s) {
  us_t t = s->next < s->restart_at ? s->next : s->restart_at;
  return t < s->quiet_at ? t : US_NEVER;
}

/* ---- acts ---- */

static enum act pick_act(struct script *s) {
  unsigned sum = 0;
  for (size_t i = 0; i < sizeof TRIES / sizeof TRIES[0]; i++)
    sum += TRIES[i].weight;
  unsigned at = below(s, sum);
  size_t i = 0;
  for (; at >= TRIES[i].weight; i++)
    at -= TRIES[i].weight;
  return TRIES[i].act;
}

/* Mostly a moderator, else anyone; NULL when nobody is in. */
static struct person *pick_actor(struct script *s) {
  for (unsigned tries = 0; tries < 12; tries++) {
    struct person *p = &s->w->person[below(s, s->w->n_people)];
    if (!person_joined(p))
      continue;
    const struct member *me = room_member(session_room(p->session), session_me(p->session));
    if ((me && ROLE_IS_MODERATOR(me->role)) || below(s, 3) == 0)
      return p;
  }
  return NULL;
}

static uint32_t pick_target(struct script *s, const struct room *r, enum act act) {
  bool waiting = ACTS[act].target == TARGET_WAITING;
  for (unsigned tries = 0; r->n_members && tries < 8; tries++) {
    const struct member *m = &r->members[below(s, (uint32_t)r->n_members)];
    if ((m->presence == PRESENCE_WAITING) == waiting)
      return m->id;
  }
  return 0;
}

static int64_t pick_number(struct script *s, const struct room *r, enum act act) {
  static const enum role ROLES[] = {ROLE_AUDIENCE, ROLE_SPEAKER, ROLE_SPEAKER,
                                    ROLE_COHOST,   ROLE_COHOST,  ROLE_HOST};
  switch (act) {
  case ACT_ROLE:
    return ROLES[below(s, 6)];
  case ACT_MUTE_ALL:
  case ACT_LOBBY:
  case ACT_POLICY:
    return below(s, 2);
  case ACT_CHAT_MODE:
    return below(s, 8) ? CHAT_MODE_ALL : (int64_t)below(s, 4);
  case ACT_UNBAN:
    return r->n_bans ? (int64_t)r->bans[below(s, (uint32_t)r->n_bans)].id : 1;
  case ACT_CHAT_DELETE:
    return r->n_chat ? (int64_t)r->chat[below(s, (uint32_t)r->n_chat)].id : 1;
  case ACT_INVITE_REVOKE: /* never the first two: people come back with them */
    return r->n_invites > 2 ? (int64_t)r->invites[r->n_invites - 1].id : 1;
  default:
    return 0;
  }
}

/* What people do who want to be heard: without it rooms soon are silent. NULL: nobody needs it. */
static struct person *pick_wish(struct script *s, enum act *a) {
  struct person *p = &s->w->person[below(s, s->w->n_people)];
  if (!person_joined(p))
    return NULL;
  const struct room *r = session_room(p->session);
  const struct member *me = room_member(r, session_me(p->session));
  if (!me)
    return NULL;
  *a = me->muted ? ACT_UNMUTE : !me->floor ? ACT_HAND : room_hand_first(r) ? ACT_NEXT : ACT_ADMIT_ALL;
  bool needed = *a == ACT_ADMIT_ALL ? room_count(r, PRESENCE_WAITING) > 0 : *a != ACT_HAND || !me->hand;
  return needed && room_allows(r, me->id, *a, 0) == ERR_OK ? p : NULL;
}

static void act(struct script *s) {
  enum act a = ACT__COUNT;
  struct person *p = below(s, 3) ? pick_wish(s, &a) : NULL;
  if (!p) {
    p = pick_actor(s);
    a = pick_act(s);
  }
  if (!p)
    return;
  const struct room *r = session_room(p->session);
  char text[24];
  uint32_t ticket = ++s->last_ticket, target[2] = {pick_target(s, r, a), pick_target(s, r, a)};
  snprintf(text, sizeof text, "m%u", ticket);
  struct room_cmd cmd = {.act = a, .num = pick_number(s, r, a), .text = text};
  bool self = (a == ACT_MUTE || a == ACT_HAND_LOWER) && below(s, 4) == 0;
  bool many = ACTS[a].target == TARGET_MANY || ACTS[a].target == TARGET_WAITING;
  if ((many || ACTS[a].target == TARGET_ONE) && !self && target[0]) {
    cmd.targets = target;
    cmd.n_targets = many && target[1] && target[1] != target[0] && below(s, 3) == 0 ? 2 : 1;
  }
  if (a == ACT_CHAT && s->n_chat < SCRIPT_CHATS)
    s->chat[s->n_chat++].ticket = ticket;
  s->cleared |= a == ACT_CHAT_CLEAR || a == ACT_CHAT_DELETE;
  s->acts++;
  world_note(s->w, "p%u: #%u %s %u num %lld", p->at, ticket, ACTS[a].name, cmd.n_targets ? target[0] : 0,
             (long long)cmd.num);
  session_act(p->session, s->w->now, ticket, &cmd);
}

/* ---- what else happens ---- */

static void accident(struct script *s) {
  struct world *w = s->w;
  struct person *p = &w->person[below(s, w->n_people)];
  if (!p->session || session_state(p->session) == CLIENT_ENDED)
    return;
  switch (below(s, 5)) {
  case 0:
  case 1:
    world_note(w, "p%u: signalling cut", p->at);
    person_cut(p);
    break;
  case 2:
    world_note(w, "p%u: new network", p->at);
    session_network_changed(p->session, w->now);
    break;
  case 3:
    world_note(w, "p%u: half a second of darkness", p->at);
    p->link.dark_until = w->now + US_PER_S / 2;
    break;
  default:
    world_note(w, "p%u: leaves", p->at);
    session_leave(p->session, w->now);
  }
}

static void come_back(struct script *s) {
  for (unsigned i = 0; i < s->w->n_people; i++) {
    struct person *p = &s->w->person[i];
    bool out = p->session && session_state(p->session) == CLIENT_ENDED;
    if (out && p->rejoin_at == US_NEVER)
      p->rejoin_at = s->w->now + (us_t)(200 + below(s, 800)) * US_PER_MS;
  }
}

void script_timeout(struct script *s) {
  struct world *w = s->w;
  if (script_due(s) > w->now)
    return;
  if (s->restart_at <= w->now) {
    s->restart_at = US_NEVER;
    world_note(w, "server: restarts %s", s->polite ? "politely" : "without warning");
    host_crash(&w->host, s->polite, (us_t)(100 + below(s, 400)) * US_PER_MS);
    return;
  }
  s->next = w->now + (us_t)(30 + below(s, 170)) * US_PER_MS;
  come_back(s);
  if (below(s, 12) == 0)
    accident(s);
  else
    act(s);
}

/* ---- answers ---- */

static void acknowledged(struct script *s, uint32_t ticket) {
  for (unsigned i = 0; i < s->n_chat; i++)
    if (s->chat[i].ticket == ticket)
      s->chat[i].acknowledged = true;
}

void script_event(struct script *s, struct person *p, const struct client_event *ev) {
  static const char *const STATES[] = {"connecting", "in the lobby", "joined", "reconnecting", "ended"};
  if (ev->kind == CLIENT_EV_STATE)
    world_note(s->w, "p%u: %s (me %u) %s", p->at, STATES[ev->state], ev->me, ev->text);
  else if (ev->kind == CLIENT_EV_NOTICE)
    world_note(s->w, "p%u: notice: %s", p->at, ev->text);
  else if (ev->kind == CLIENT_EV_REPLY) {
    s->refused += ev->why != ERR_OK;
    if (ev->why == ERR_OK)
      acknowledged(s, ev->ticket);
    world_note(s->w, "p%u: #%u %s", p->at, ev->ticket, err_code(ev->why));
  }
}

void script_check(struct script *s) {
  const struct room *r = host_room(&s->w->host);
  for (unsigned i = 0; r && !s->cleared && i < s->n_chat; i++) {
    char text[24];
    bool found = !s->chat[i].acknowledged;
    snprintf(text, sizeof text, "m%u", s->chat[i].ticket);
    for (size_t k = 0; k < r->n_chat && !found; k++)
      found = r->chat[k].text && strcmp(r->chat[k].text, text) == 0;
    if (!found)
      world_fail(s->w, "the acknowledged message %s is not in the room", text);
  }
}
