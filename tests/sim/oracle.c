#include "tests/sim/oracle.h"

#include "core/wire/room_json.h"
#include "tests/sim/world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWO_PI 6.283185307179586
#define EAR_US (60 * US_PER_MS)
#define STOP_US (100 * US_PER_MS)       /* what the product promises */
#define TAIL_US (120 * US_PER_MS)       /* concealment fades out */
#define FRAME_US (80 * US_PER_MS)       /* a frame, its look-ahead and the capture's fade */
#define THIN_FRAME_US (320 * US_PER_MS) /* the same of 120 ms, twice: up and down */
#define THIN_CLEAR 0.015f               /* of five packets of 120 ms three may be lost */
#define MENDED_US (250 * US_PER_MS)
#define RUN_CLEAN 3
#define RUN_MENDED 7 /* windows: the longest concealment and the two it splashes into */
#define SPEAKS_US (1200 * US_PER_MS)
#define PATH_US (1500 * US_PER_MS)
#define TALKERS_MOST 4
#define LOSS_MOST_PCT 10

void oracle_init(struct oracle *o, struct world *w) {
  *o = (struct oracle){.w = w, .least_required = 1.0f};
  for (unsigned e = 0; e < ORACLE_PEOPLE; e++)
    for (unsigned t = 0; t < ORACLE_PEOPLE; t++)
      o->may_since[e][t] = US_NEVER;
  for (unsigned t = 0; t < ORACLE_PEOPLE; t++)
    o->spoke_at[t] = -PATH_US;
}

/* ---- who may be heard ---- */

static bool owns(const struct person *p, const struct member *m) {
  return memcmp(m->device, p->device_hash, sizeof m->device) == 0;
}

/* Of any member that is his: one he lost in a dropped connection may linger as away. */
static bool may_any(const struct room *r, const struct person *talker, const struct person *ear) {
  for (size_t i = 0; r && i < r->n_members; i++) {
    const struct member *m = &r->members[i];
    if (!owns(talker, m) || !room_may_send(r, m->id))
      continue;
    for (size_t k = 0; k < r->n_members; k++)
      if (owns(ear, &r->members[k]) && room_may_hear(r, r->members[k].id) && r->members[k].side == m->side)
        return true;
  }
  return false;
}

static const struct member *member_of(const struct room *r, const struct person *p) {
  const struct member *m = r && p->session ? room_member(r, session_me(p->session)) : NULL;
  return m && owns(p, m) ? m : NULL;
}

static bool may_now(const struct room *r, const struct person *talker, const struct person *ear) {
  const struct member *t = member_of(r, talker), *e = member_of(r, ear);
  return t && e && t->side == e->side && room_may_send(r, t->id) && room_may_hear(r, e->id);
}

/* Someone else's priority makes him softer than this oracle hears well. */
static bool is_ducked(const struct room *r, const struct person *p) {
  const struct member *m = member_of(r, p);
  for (size_t i = 0; r && i < r->n_members; i++)
    if (r->members[i].priority && !(m && m->id == r->members[i].id))
      return true;
  return false;
}

static bool sounds(const struct person *p, us_t now) {
  us_t frame = p->w->thin ? THIN_FRAME_US : FRAME_US;
  return p->talking || now < p->talk_ended + net_link_most(&p->link) + frame;
}

static void follow(us_t *since, bool yes, us_t now) {
  *since = !yes ? US_NEVER : *since == US_NEVER ? now : *since;
}

void oracle_turn(struct oracle *o) {
  struct world *w = o->w;
  const struct room *r = host_room(&w->host);
  for (unsigned t = 0; t < w->n_people; t++) {
    const struct person *talker = &w->person[t];
    const struct member *m = member_of(r, talker);
    bool ducked = is_ducked(r, talker);
    o->spoke_at[t] = m && room_may_send(r, m->id) ? w->now : o->spoke_at[t];
    for (unsigned e = 0; e < w->n_people; e++) {
      const struct person *ear = &w->person[e];
      bool possible = e != t && sounds(talker, w->now) && may_any(r, talker, ear);
      follow(&o->may_not_since[e][t], !possible, w->now);
      follow(&o->may_since[e][t], e != t && !ducked && may_now(r, talker, ear), w->now);
    }
  }
}

/* ---- the ear ---- */

static void hann(const float *pcm, float *out) {
  for (unsigned i = 0; i < PERSON_EAR; i++)
    out[i] = pcm[i] * (float)(0.5 - 0.5 * cos(TWO_PI * i / PERSON_EAR));
}

static float amplitude(const float *windowed, double freq) {
  double c = 2.0 * cos(TWO_PI * freq / AUDIO_RATE), s1 = 0.0, s2 = 0.0;
  for (unsigned i = 0; i < PERSON_EAR; i++) {
    double s0 = (double)windowed[i] + c * s1 - s2;
    s2 = s1;
    s1 = s0;
  }
  double power = s1 * s1 + s2 * s2 - c * s1 * s2;
  return (float)(4.0 * sqrt(fmax(power, 0.0)) / PERSON_EAR); /* Hann's mean is one half */
}

static bool silent(const float *pcm) {
  for (unsigned i = 0; i < PERSON_EAR; i++)
    if (fabsf(pcm[i]) > 0.005f)
      return false;
  return true;
}

/* For the report: what is in this ear, voice by voice. */
static void tell_ear(const struct oracle *o, const struct person *e) {
  if (o->w->failed)
    return;
  for (unsigned t = 0; t < o->w->n_people; t++) {
    const struct person *p = &o->w->person[t];
    char line[8 * ORACLE_AVERAGE + 1] = "";
    for (unsigned i = 0; i < ORACLE_AVERAGE; i++)
      snprintf(line + strlen(line), sizeof line - strlen(line), " %.3f",
               (double)o->heard[e->at][t][(o->windows[e->at] + 1 + i) % ORACLE_AVERAGE]);
    world_note(o->w, "ear of p%u: p%u%s%s:%s", e->at, t, p->talking ? " talks" : "", p->gate ? " gate" : "",
               line);
  }
}

/* A step in another voice (loss, a cut) splashes over all frequencies for two windows, and what is concealed
 * or repaired of several voices at once may sound like another one while it lasts. */
static void must_not(struct oracle *o, const struct person *e, unsigned t) {
  us_t since = o->may_not_since[e->at][t];
  us_t slack = since == 0 ? 0 : STOP_US + net_link_most(&e->link) + e->delay_ms * US_PER_MS + TAIL_US;
  float a = o->heard[e->at][t][o->windows[e->at] % ORACLE_AVERAGE];
  unsigned *run = &o->run[e->at][t];
  if (since == US_NEVER || o->w->now - EAR_US < since + slack) {
    *run = 0;
    return;
  }
  o->forbidden++;
  o->most_forbidden = fmaxf(o->most_forbidden, a);
  *run = a > ORACLE_HEARD ? *run + 1 : 0;
  bool mended = o->w->now - e->mended_at < MENDED_US;
  o->longest = *run > o->longest ? *run : o->longest;
  if (*run < (mended ? RUN_MENDED : RUN_CLEAN))
    return;
  tell_ear(o, e);
  world_fail(o->w, "p%u hears %s (p%u, amplitude %.3f), who may not be heard since %.3f s", e->at,
             e->at == t ? "himself" : "someone", t, (double)a, (double)since / 1e6);
}

static unsigned talkers(const struct oracle *o) {
  unsigned n = 0;
  for (unsigned i = 0; i < o->w->n_people; i++) {
    const struct person *p = &o->w->person[i];
    bool may = o->w->now - o->spoke_at[i] < PATH_US;
    n += may && (p->talking || o->w->now - p->talk_ended < PATH_US);
  }
  return n;
}

static bool path_steady(const struct oracle *o, const struct person *p) {
  us_t now = o->w->now;
  bool fresh = o->w->host.life > 1 && (p->sig_since == US_NEVER || now - p->sig_since < PATH_US);
  bool holes = o->w->thin && p->link.bursty && p->link.loss_pct > 0; /* of 120 ms each, in runs */
  return !holes && p->media_since != US_NEVER && now - p->media_since > PATH_US && !fresh &&
         p->link.loss_pct <= LOSS_MOST_PCT;
}

static void must(struct oracle *o, const struct person *e, const struct person *t) {
  us_t now = o->w->now, may_since = o->may_since[e->at][t->at];
  bool gate = t->rude || (t->gate && now - t->gate_since > SPEAKS_US);
  if (may_since == US_NEVER || now - may_since < SPEAKS_US || !t->talking ||
      now - t->talk_since < SPEAKS_US || !gate || !path_steady(o, e) || !path_steady(o, t) ||
      talkers(o) > TALKERS_MOST || o->windows[e->at] < ORACLE_AVERAGE)
    return;
  float sum = 0.0f;
  for (unsigned i = 0; i < ORACLE_AVERAGE; i++)
    sum += o->heard[e->at][t->at][i] / ORACLE_AVERAGE;
  o->required++;
  if (sum < o->least_required)
    o->least_required = sum;
  if (sum >= (o->w->thin ? THIN_CLEAR : ORACLE_CLEAR))
    return;
  tell_ear(o, e);
  world_fail(o->w, "p%u does not hear p%u (average amplitude %.3f), who has been speaking since %.3f s",
             e->at, t->at, (double)sum, (double)t->talk_since / 1e6);
}

void oracle_ear(struct oracle *o, const struct person *e) {
  float windowed[PERSON_EAR];
  bool quiet = silent(e->ear);
  if (!quiet)
    hann(e->ear, windowed);
  for (unsigned t = 0; t < o->w->n_people; t++) {
    float a = quiet ? 0.0f : amplitude(windowed, o->w->person[t].freq);
    o->heard[e->at][t][o->windows[e->at] % ORACLE_AVERAGE] = a;
    o->loudest = fmaxf(o->loudest, a);
  }
  for (unsigned t = 0; t < o->w->n_people; t++)
    must_not(o, e, t);
  o->windows[e->at]++;
  for (unsigned t = 0; t < o->w->n_people; t++)
    must(o, e, &o->w->person[t]);
}

/* ---- the end ---- */

/* What one who comes in now would have of this room. */
static json_t *as_newcomer(struct world *w, const struct room *r, uint32_t viewer) {
  struct room replica;
  json_t *wire = room_to_wire(r, viewer);
  room_init(&replica);
  if (room_from_wire(wire, &replica) != ERR_OK)
    world_fail(w, "a snapshot for %u cannot be read", viewer);
  json_decref(wire);
  wire = room_to_wire(&replica, 0);
  room_free(&replica);
  return wire;
}

/* In which order people voted does not matter. */
static void unorder(json_t *votes) {
  for (size_t i = 0; i < json_array_size(votes); i++) {
    json_t *who = json_array_get(votes, i), *set = json_object();
    for (size_t k = 0; k < json_array_size(who); k++) {
      char id[16];
      snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_array_get(who, k)));
      json_object_set_new(set, id, json_true());
    }
    json_array_set_new(votes, i, set);
  }
}

/* What may differ from a newcomer's room: who has moved keeps what he read in the side room and has nothing
 * of what was said in the other before; which host muted someone is told by the policy of that time. */
static json_t *lenient(json_t *room, bool moderator) {
  json_t *chat = json_object_get(room, "chat"), *members = json_object_get(room, "members");
  for (size_t i = json_array_size(chat); i-- > 0;)
    if (strcmp(json_string_value(json_object_get(json_array_get(chat, i), "chat")), "side") == 0)
      json_array_remove(chat, i);
  for (size_t i = 0; !moderator && i < json_array_size(members); i++)
    json_object_del(json_array_get(members, i), "muted_by");
  if (!moderator)
    json_object_del(json_object_get(room, "poll"), "by");
  unorder(json_object_get(json_object_get(room, "poll"), "votes"));
  return host_normal(room, false);
}

static void compare(struct world *w, const struct person *p, const struct room *r) {
  uint32_t me = session_me(p->session);
  if (!room_member(r, me)) {
    world_fail(w, "p%u believes to be member %u, whom the server does not know", p->at, me);
    return;
  }
  bool moderator = room_view_of(r, me) == VIEW_MODERATOR;
  json_t *a = lenient(as_newcomer(w, r, me), moderator),
         *b = lenient(room_to_wire(session_room(p->session), 0), moderator);
  if (!json_equal(a, b)) {
    char *at = json_dumps(a, JSON_SORT_KEYS | JSON_COMPACT),
         *bt = json_dumps(b, JSON_SORT_KEYS | JSON_COMPACT);
    fprintf(stderr, "server  %s\nreplica %s\n", at, bt);
    free(at);
    free(bt);
    world_fail(w, "the replica of p%u is not the server's room", p->at);
  }
  json_decref(a);
  json_decref(b);
}

void oracle_end(struct oracle *o) {
  struct world *w = o->w;
  const struct room *r = host_room(&w->host);
  for (unsigned i = 0; i < w->n_people && !w->failed; i++) {
    const struct person *p = &w->person[i];
    enum client_state s = p->session ? session_state(p->session) : CLIENT_ENDED;
    if (s == CLIENT_ENDED)
      continue;
    if (!r)
      world_fail(w, "the room has ended and p%u was not told", i);
    else if (s == CLIENT_JOINED) {
      compare(w, p, r);
      bool open = room_may_send(r, session_me(p->session));
      if (!w->failed && p->gate != open)
        world_fail(w, "the gate of p%u is %s, his right to speak is %d", i, p->gate ? "open" : "closed",
                   open);
    } else if (s == CLIENT_LOBBY && room_lobby_place(r, session_me(p->session)) == 0)
      world_fail(w, "p%u waits in a lobby he is not in", i);
    else if (s == CLIENT_CONNECTING || s == CLIENT_RECONNECTING)
      world_fail(w, "p%u never came back", i);
  }
}
