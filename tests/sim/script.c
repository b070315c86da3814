#include "tests/sim/script.h"

#include "tests/sim/world.h"

#include <stdio.h>
#include <string.h>

/* How often which act is tried, by whomever. */
static const struct {
  enum act act;
  unsigned weight;
} TRIES[] = {
    {ACT_CHAT, 9},         {ACT_MUTE, 9},          {ACT_UNMUTE, 16},     {ACT_MUTE_ALL, 3},
    {ACT_MUTE_LIFT, 6},    {ACT_ASK_UNMUTE, 4},    {ACT_FLOOR_GIVE, 9},  {ACT_FLOOR_TAKE, 4},
    {ACT_ROLE, 7},         {ACT_REMOVE, 2},        {ACT_BAN, 2},         {ACT_UNBAN, 2},
    {ACT_HAND, 5},         {ACT_HAND_LOWER, 2},    {ACT_NEXT, 4},        {ACT_LOCK, 1},
    {ACT_UNLOCK, 3},       {ACT_LOBBY, 2},         {ACT_ADMIT, 6},       {ACT_ADMIT_ALL, 7},
    {ACT_DENY, 1},         {ACT_UNDO, 6},          {ACT_CHAT_DELETE, 1}, {ACT_CHAT_CLEAR, 1},
    {ACT_CHAT_MODE, 2},    {ACT_CHAT_TO, 3},       {ACT_CHAT_HOSTS, 3},  {ACT_TOPIC, 2},
    {ACT_INVITE, 1},       {ACT_INVITE_REVOKE, 1}, {ACT_POLICY, 1},      {ACT_LEAVE, 1},
    {ACT_HOLD, 5},         {ACT_LOBBY_SAY, 2},     {ACT_AUTO_ADMIT, 1},  {ACT_TRUST, 2},
    {ACT_UNTRUST, 1},      {ACT_MUTE_ENTRY, 1},    {ACT_DECLINE, 1},     {ACT_ONE_SPEAKER, 1},
    {ACT_PRIORITY, 2},     {ACT_GAIN, 3},          {ACT_TALK_TIME, 2},   {ACT_HANDS_DOWN, 1},
    {ACT_NAME, 1},         {ACT_RENAME, 1},        {ACT_BAN_CHECK, 1},   {ACT_BAN_RULE, 2},
    {ACT_BAN_EDIT, 1},     {ACT_NOTE, 2},          {ACT_NOTE_DELETE, 1}, {ACT_SUCCESSION, 1},
    {ACT_CLAIM_CODE, 1},   {ACT_CLAIM, 1},         {ACT_MOVE, 6},        {ACT_BREAKOUTS, 4},
    {ACT_DISTRIBUTE, 2},   {ACT_RECALL, 2},        {ACT_ANNOUNCE, 2},    {ACT_CHAT_EDIT, 2},
    {ACT_CHAT_PURGE, 1},   {ACT_SLOW, 1},          {ACT_LINKS, 1},       {ACT_PIN, 2},
    {ACT_UNPIN, 1},        {ACT_PASSWORD, 1},      {ACT_AGENDA, 1},      {ACT_AGENDA_NEXT, 1},
    {ACT_MAX_SPEAKERS, 1}, {ACT_POLL, 2},          {ACT_VOTE, 4},        {ACT_POLL_END, 1},
    {ACT_NAME_HOSTS, 1},   {ACT_ATTENDANCE, 1},
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

/* What has to come first for an act to mean anything. */
static enum act instead(const struct room *r, enum act a) {
  if ((a == ACT_MOVE || a == ACT_DISTRIBUTE || a == ACT_RECALL) && !r->sides)
    return ACT_BREAKOUTS;
  if ((a == ACT_VOTE || a == ACT_POLL_END) && !r->poll.open)
    return ACT_POLL;
  return (a == ACT_ADMIT || a == ACT_DENY) && room_count(r, PRESENCE_WAITING) == 0 ? ACT_HOLD : a;
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

static uint32_t pick_target(struct script *s, const struct room *r, enum act act, uint32_t me) {
  bool waiting = ACTS[act].target == TARGET_WAITING;
  for (unsigned tries = 0; r->n_members && tries < 8; tries++) {
    const struct member *m = &r->members[below(s, (uint32_t)r->n_members)];
    if ((m->presence == PRESENCE_WAITING) == waiting && (m->id != me || below(s, 8) == 0))
      return m->id;
  }
  return 0;
}

/* The number an act names a thing by, or 1. */
static int64_t pick_id(struct script *s, const struct room *r, enum act act) {
  switch (act) {
  case ACT_UNBAN:
  case ACT_BAN_EDIT:
    return r->n_bans ? (int64_t)r->bans[below(s, (uint32_t)r->n_bans)].id : 1;
  case ACT_UNTRUST:
    return r->n_trusted ? (int64_t)r->trusted[below(s, (uint32_t)r->n_trusted)].id : 1;
  case ACT_NOTE_DELETE:
    return r->n_notes ? (int64_t)r->notes[below(s, (uint32_t)r->n_notes)].id : 1;
  case ACT_INVITE_REVOKE: /* never the first two: people come back with them */
    return r->n_invites > 2 ? (int64_t)r->invites[r->n_invites - 1].id : 1;
  default:
    return r->n_chat ? (int64_t)r->chat[below(s, (uint32_t)r->n_chat)].id : 1;
  }
}

static int64_t pick_number(struct script *s, const struct room *r, enum act act, const struct act_param *p) {
  static const enum role ROLES[] = {ROLE_AUDIENCE, ROLE_SPEAKER, ROLE_SPEAKER,
                                    ROLE_COHOST,   ROLE_COHOST,  ROLE_HOST};
  if (strcmp(p->key, "id") == 0)
    return pick_id(s, r, act);
  switch (act) {
  case ACT_ROLE:
    return ROLES[below(s, 6)];
  case ACT_CHAT_MODE:
    return below(s, 8) ? CHAT_MODE_ALL : (int64_t)below(s, 4);
  case ACT_POLICY: /* people are to come in and stay */
    return below(s, 2);
  case ACT_GAIN: /* what the oracle still hears */
    return (int64_t)below(s, 13) - 6;
  case ACT_BREAKOUTS:
    return r->sides && below(s, 3) == 0 ? 0 : 1 + below(s, 3);
  case ACT_VOTE:
    return 1 + below(s, 2);
  default:
    return p->kind == PARAM_TIME || p->kind == PARAM_NUMBER ? below(s, 4) : below(s, 2);
  }
}

static const char *pick_text(struct script *s, enum act act, uint32_t ticket, char text[48]) {
  snprintf(text, 48, "m%u", ticket);
  if (act == ACT_PASSWORD)
    return below(s, 2) ? SCRIPT_PASSWORD : "";
  if (act == ACT_POLL)
    snprintf(text, 48, "m%u? | yes | no | perhaps", ticket);
  if (act == ACT_AGENDA)
    snprintf(text, 48, "m%u; second; third", ticket);
  return text;
}

/* Everything an act's row lets one say besides people. */
static void fill(struct script *s, const struct room *r, uint32_t ticket, struct room_cmd *cmd, char text[48],
                 char word[48]) {
  struct act_arg arg;
  for (size_t i = 0; act_param_at(cmd->act, i, &arg); i++) {
    const struct act_param *p = arg.param;
    if (p->kind == PARAM_PEOPLE || (arg.optional && p->kind != PARAM_TIME && below(s, 2)))
      continue;
    if (p->kind == PARAM_TEXT)
      cmd->text = pick_text(s, cmd->act, ticket, text);
    else if (p->kind == PARAM_WORD) {
      snprintf(word, 48, "cidr:10.0.0.%u", PERSON_IP_FIRST + below(s, s->w->n_people));
      cmd->word = word;
    } else if (p->kind == PARAM_FLAG)
      cmd->flags |= (unsigned)p->flag;
    else if (p->second) {
      cmd->num2 = pick_number(s, r, cmd->act, p);
      cmd->has_num2 = true;
    } else {
      cmd->num = pick_number(s, r, cmd->act, p);
      cmd->has_num = true;
    }
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
  a = instead(r, a);
  char text[48] = "", word[48] = "";
  uint32_t ticket = ++s->last_ticket, me = session_me(p->session),
           target[2] = {pick_target(s, r, a, me), pick_target(s, r, a, me)};
  struct room_cmd cmd = {.act = a};
  fill(s, r, ticket, &cmd, text, word);
  bool self = (a == ACT_MUTE || a == ACT_HAND_LOWER) && below(s, 4) == 0;
  bool many =
      ACTS[a].target == TARGET_MANY || ACTS[a].target == TARGET_WAITING || ACTS[a].target == TARGET_LIST;
  if ((many || ACTS[a].target == TARGET_ONE) && !self && target[0]) {
    cmd.targets = target;
    cmd.n_targets = many && target[1] && target[1] != target[0] && below(s, 3) == 0 ? 2 : 1;
  }
  if (a == ACT_CHAT && s->n_chat < SCRIPT_CHATS)
    s->chat[s->n_chat++].ticket = ticket;
  s->cleared |= a == ACT_CHAT_CLEAR || a == ACT_CHAT_DELETE || a == ACT_CHAT_PURGE || a == ACT_CHAT_EDIT;
  s->cleared |= a == ACT_BREAKOUTS && r->sides; /* what was said in a room that closes goes with it */
  s->acts++;
  world_note(s->w, "p%u: #%u %s %u num %lld %lld flags %u %s%s", p->at, ticket, ACTS[a].name,
             cmd.n_targets ? target[0] : 0, (long long)cmd.num, (long long)cmd.num2, cmd.flags,
             cmd.word ? cmd.word : "", cmd.text ? cmd.text : "");
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
  if (w->thin && below(s, 8) == 0)
    person_wish(&w->person[below(s, w->n_people)]);
  else if (below(s, 12) == 0)
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
