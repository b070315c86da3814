/* room_fixture.h: a room that decides for itself and a model that sees its events, on a clock of its own:
 * what the tests of the screen share. Acts in the model's outbox are decided by the room as the server would.
 */
#ifndef GAVEL_TESTS_ROOM_FIXTURE_H
#define GAVEL_TESTS_ROOM_FIXTURE_H

#include "tui/screen.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE_START_MS INT64_C(1760000000000) /* 2025-10-09 08:53:20 UTC */

struct fixture {
  struct room server;
  struct model *m;
  struct keymap *keys;
  struct pilot ctl;
  int64_t wall_ms;
  us_t now;
  uint32_t me, ticket;
  enum err last; /* how the last act ended */
};

static inline void fx_deliver(struct fixture *f, struct room_events *evs) {
  for (size_t i = 0; i < evs->n; i++) {
    bool before = room_event_visible(&f->server, &evs->v[i], f->me);
    room_apply(&f->server, &evs->v[i]);
    if (f->m == NULL || f->me == 0 || !f->m->have_room ||
        !(before || room_event_visible(&f->server, &evs->v[i], f->me)))
      continue;
    struct client_event ev = {.kind = CLIENT_EV_EVENT, .event = calloc(1, sizeof *ev.event)};
    room_event_copy(ev.event, &evs->v[i]);
    model_update(f->m, &ev, f->now);
    pilot_tick(&f->ctl, f->now);
  }
  room_events_free(evs);
}

static inline void fx_step(struct fixture *f, int ms) {
  f->wall_ms += ms;
  f->now += ms * US_PER_MS;
  model_tick(f->m, f->now);
  pilot_tick(&f->ctl, f->now);
}

static inline enum err fx_act_as(struct fixture *f, const struct room_cmd *cmd) {
  struct room_events evs = {0};
  enum err e = room_decide(&f->server, cmd, f->wall_ms, &evs);
  fx_deliver(f, &evs);
  return e;
}

/* fx_act: one act of `actor` on `n` targets. */
static inline enum err fx_act(struct fixture *f, uint32_t actor, enum act act, const uint32_t *who, size_t n,
                              int64_t num, const char *text) {
  return fx_act_as(f,
                   &(struct room_cmd){
                       .act = act, .actor = actor, .targets = who, .n_targets = n, .num = num, .text = text});
}

/* fx_does: an act as one types it, decided by the room; a refusal ends the test. */
static inline void fx_does(struct fixture *f, uint32_t actor, const char *line) {
  struct act_order *o = malloc(sizeof *o);
  struct room_cmd cmd;
  char name[32], why[ACT_WHY_MAX] = "";
  size_t len = strcspn(line, " ");
  snprintf(name, sizeof name, "%.*s", (int)len, line);
  bool read = act_words_parse(&f->server, act_find(name), line + len + (line[len] == ' '), o, why);
  if (read)
    act_order_cmd(o, &cmd);
  cmd.actor = actor;
  f->last = read ? fx_act_as(f, &cmd) : ERR_BAD_ARG;
  if (f->last != ERR_OK) {
    fprintf(stderr, "%s: %s\n", line, read ? err_text(f->last) : why);
    abort();
  }
  free(o);
}

/* fx_join: a person of that role; those without one knock when the lobby is on. Returns the id. */
static inline uint32_t fx_join(struct fixture *f, const char *name, enum role role) {
  struct room_events evs = {0};
  struct room_join j = {.name = name, .client = "test", .user = "", .role = role, .audio = true};
  uint32_t id = f->server.id_last + 1;
  memcpy(j.resume, &id, sizeof id);
  memcpy(j.device, &id, sizeof id);
  f->last = room_decide_join(&f->server, &j, f->wall_ms, &evs);
  fx_deliver(f, &evs);
  return f->last == ERR_OK ? id : 0;
}

static inline void fx_drop(struct fixture *f, uint32_t id) {
  struct room_events evs = {0};
  f->last = room_decide_drop(&f->server, id, f->wall_ms, &evs);
  fx_deliver(f, &evs);
}

/* fx_pump: acts waiting in the outbox are decided; a refusal comes back as the reply. Other intents are
 * counted. */
static inline size_t fx_pump(struct fixture *f) {
  struct intent *i = malloc(sizeof *i);
  size_t others = 0;
  while (model_take(f->m, i)) {
    if (i->kind != INTENT_ACT) {
      others++;
      continue;
    }
    struct room_cmd cmd;
    act_order_cmd(&i->order, &cmd);
    cmd.actor = f->me;
    model_sent(f->m, ++f->ticket, i->order.act);
    f->last = fx_act_as(f, &cmd);
    struct client_event ev = {.kind = CLIENT_EV_REPLY, .why = f->last, .ticket = f->ticket};
    model_update(f->m, &ev, f->now);
  }
  free(i);
  return others;
}

static inline void fx_state(struct fixture *f, enum client_state s, enum err why, const char *text) {
  struct client_event ev = {
      .kind = CLIENT_EV_STATE, .state = s, .why = why, .me = f->me, .place = 1, .waiting = 2};
  snprintf(ev.text, sizeof ev.text, "%s", text);
  model_update(f->m, &ev, f->now);
}

/* fx_enter: from here on the model is the screen of `me`, with a snapshot of the room. */
static inline void fx_enter(struct fixture *f, uint32_t me) {
  f->me = me;
  fx_state(f, CLIENT_JOINED, ERR_OK, "");
  struct client_event ev = {.kind = CLIENT_EV_ROOM, .room = calloc(1, sizeof *ev.room)};
  room_init(ev.room);
  for (size_t i = 0; i < f->server.n_members; i++) { /* people only: enough for a test that starts early */
    struct member copy = f->server.members[i];
    struct room_event joined = {
        .seq = i + 2, .group = i + 2, .ts_ms = f->wall_ms, .kind = ROOM_EV_JOINED, .entry = &copy};
    if (i == 0) {
      struct room_event made = {.seq = 1,
                                .group = 1,
                                .ts_ms = f->server.created_ms,
                                .kind = ROOM_EV_CREATED,
                                .num = f->server.lobby,
                                .text = f->server.name};
      room_apply(ev.room, &made);
    }
    room_apply(ev.room, &joined);
  }
  ev.room->seq = f->server.seq;
  model_update(f->m, &ev, f->now);
  pilot_tick(&f->ctl, f->now);
}

static inline struct fixture *fx_create(bool lobby) {
  struct fixture *f = calloc(1, sizeof *f);
  struct room_events evs = {0};
  room_init(&f->server);
  f->wall_ms = FIXTURE_START_MS;
  f->now = 1000 * US_PER_S;
  f->m = model_create();
  f->keys = command_keymap();
  assert(f->m != NULL && f->keys != NULL);
  f->m->wall_ms_at_0 = f->wall_ms - f->now / US_PER_MS;
  snprintf(f->m->link_room, sizeof f->m->link_room, "standup");
  pilot_init(&f->ctl, f->m, f->keys);
  f->last = room_decide_create("standup", lobby, HOST_GONE_CONTINUE, f->wall_ms, &evs);
  assert(f->last == ERR_OK);
  fx_deliver(f, &evs);
  return f;
}

static inline void fx_destroy(struct fixture *f) {
  room_free(&f->server);
  model_destroy(f->m);
  keymap_destroy(f->keys);
  free(f);
}

static inline void fx_key(struct fixture *f, const char *name) {
  struct key k;
  bool known = key_from_name(name, &k);
  assert(known);
  (void)known;
  pilot_key(&f->ctl, k, NULL, f->now);
}

static inline void fx_type(struct fixture *f, const char *text) {
  for (; *text != '\0'; text++)
    pilot_key(&f->ctl, (struct key){.code = (uint8_t)*text}, NULL, f->now);
}

static inline void fx_talks(struct fixture *f, uint32_t who, unsigned level) {
  struct client_event ev = {.kind = CLIENT_EV_LEVELS, .n = 1};
  ev.level_of[0].member = who;
  ev.level_of[0].level = (uint8_t)level;
  model_update(f->m, &ev, f->now);
}

static inline struct canvas *fx_draw(struct fixture *f, int w, int h, bool ascii) {
  struct canvas *c = canvas_create(w, h, ascii);
  struct scene s = {f->m, c, f->keys, pace_tier_info(PACE_FAST), f->now};
  f->m->ascii = ascii;
  screen_draw(&s);
  return c;
}

/* The busy room of the goldens: 12 people, two who wait, hands, mutes, chat, one who talks; seen by carol, a
 * host. */
enum { ALICE = 1, BOB, CAROL, DAVE, ERIN, FRANK, GRETE, HENRI, INES, JOSE, KEIKO, LARS, ANN, ZOE };
static inline struct fixture *fx_busy(void) {
  static const struct {
    const char *name;
    enum role role;
  } PEOPLE[] = {{"alice", ROLE_HOST},
                {"bob", ROLE_SPEAKER},
                {"carol", ROLE_HOST},
                {"dave", ROLE_SPEAKER},
                {"erin", ROLE_SPEAKER},
                {"frank", ROLE_AUDIENCE},
                {"grete", ROLE_COHOST},
                {"Henri", ROLE_SPEAKER},
                {"In\u00e9s", ROLE_SPEAKER},
                {"Jos\u00e9", ROLE_SPEAKER},
                {"\u6075\u5b50 Keiko", ROLE_SPEAKER},
                {"Lars van den Berg", ROLE_SPEAKER}};
  struct fixture *f = fx_create(false);
  enum err e = ERR_OK;
  fx_join(f, PEOPLE[0].name, PEOPLE[0].role);
  fx_join(f, PEOPLE[1].name, PEOPLE[1].role);
  fx_join(f, PEOPLE[2].name, PEOPLE[2].role);
  fx_enter(f, CAROL);
  for (size_t i = 3; i < sizeof PEOPLE / sizeof PEOPLE[0]; i++) {
    fx_join(f, PEOPLE[i].name, PEOPLE[i].role);
    fx_step(f, 7000);
  }
  e |= fx_act(f, BOB, ACT_CHAT, NULL, 0, 0, "who owns the release notes?");
  fx_step(f, 40000);
  e |= fx_act(f, CAROL, ACT_CHAT, NULL, 0, 0,
              "I do. The draft is in the wiki, please read it before Thursday and write what is missing.");
  e |= fx_act(f, CAROL, ACT_TOPIC, NULL, 0, 0, "release 2.4");
  e |= fx_act(f, BOB, ACT_MUTE, (uint32_t[]){BOB}, 1, 0, NULL);
  e |= fx_act(f, ALICE, ACT_MUTE, (uint32_t[]){DAVE}, 1, 0, NULL);
  e |= fx_act(f, ERIN, ACT_HAND, NULL, 0, 0, NULL);
  fx_step(f, 61000);
  e |= fx_act(f, FRANK, ACT_HAND, NULL, 0, 0, NULL);
  e |= fx_act(f, DAVE, ACT_CHAT_TO, (uint32_t[]){CAROL}, 1, 0, "may I say something about the budget?");
  fx_drop(f, HENRI);
  e |= fx_act(f, CAROL, ACT_LOBBY, NULL, 0, 1, NULL);
  fx_join(f, "ann", ROLE_SPEAKER);
  fx_join(f, "Zo\u00eb", ROLE_SPEAKER);
  fx_step(f, 20000);
  e |= fx_act(f, CAROL, ACT_MUTE, (uint32_t[]){INES}, 1, 0, NULL);
  if (e != ERR_OK)
    abort();
  fx_talks(f, ALICE, 12);
  f->now += 100 * US_PER_MS;
  fx_talks(f, ALICE, 12);
  f->m->mic = MIC_CLOSED;
  f->m->link = (struct client_link){.connected = true,
                                    .profile = "AEAD_AES_256_GCM",
                                    .loss_up_pct = 1,
                                    .rtt_ms = 23,
                                    .jitter_ms = 4,
                                    .buffer_ms = 45,
                                    .tier_down = "full",
                                    .tier_up = "full",
                                    .ptime_down_ms = 20,
                                    .ptime_up_ms = 20,
                                    .mos_down = 44,
                                    .mos_up = 43,
                                    .kbps_down = 57,
                                    .kbps_up = 1};
  return f;
}

#endif
