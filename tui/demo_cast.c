#include "tui/demo_cast.h"

#include "core/base/clock.h"
#include "core/session/client.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ALICE, BOB, CAROL, DAVE, ERIN, GUESTS };
static const char *const NAMES[GUESTS] = {"Alice", "Bob", "Carol", "Dave", "Erin"};

enum deed { KNOCK, TALK, HUSH, CHAT, HAND, KEYS };
struct scene {
  int at_ms, who;
  enum deed deed;
  const char *text;
};
/* The first part runs once; from LOOP on it repeats for as long as the person stays. Whoever is not in yet
 * misses his cue. */
#define LOOP_MS 9000
#define LOOP_END_MS 39000
static const struct scene PLAY[] = {
    {300, ALICE, KNOCK, NULL},
    {1300, BOB, KNOCK, NULL},
    {2000, CAROL, KNOCK, NULL},
    {3200, DAVE, KNOCK, NULL},
    {4200, ERIN, KNOCK, NULL},
    {7000, ALICE, CHAT, "Good morning! Can you hear me?"},
    {9000, ALICE, TALK, NULL},
    {11000, DAVE, CHAT, "The draft is in the wiki."},
    {13500, BOB, TALK, NULL},
    {15000, ALICE, HUSH, NULL},
    {16000, CAROL, HAND, NULL},
    {17000, ERIN, HAND, NULL},
    {19000, CAROL, TALK, NULL},
    {20000, DAVE, TALK, NULL},
    {22000, BOB, HUSH, NULL},
    {24000, CAROL, CHAT, "Sorry, Dave, you first."},
    {25000, CAROL, HUSH, NULL},
    {28000, ERIN, TALK, NULL},
    {30000, DAVE, HUSH, NULL},
    {33000, ERIN, HUSH, NULL},
    {35000, BOB, CHAT, "Who takes the minutes?"},
};
/* What the scripted host types. */
static const struct scene HOST[] = {
    {2600, 0, KEYS, "/waiting"},
    {2800, 0, KEYS, "/admit Alice"},
    {5600, 0, KEYS, "/admit_all"},
    {6500, 0, KEYS, "Welcome, everyone."},
    {8000, 0, KEYS, "/people"},
    {14500, 0, KEYS, "/mute Bob"},
    {15500, 0, KEYS, "/ask_unmute Bob"},
    {17800, 0, KEYS, "/next"},
    {21000, 0, KEYS, "/mute_all"},
    {22500, 0, KEYS, "/mute_lift"},
    {23500, 0, KEYS, "/floor_take Dave"},
    {24500, 0, KEYS, "/undo"},
    {26000, 0, KEYS, "/role Carol cohost"},
    {27000, 0, KEYS, "/lock"},
    {28500, 0, KEYS, "/people"},
    {30500, 0, KEYS, "/leave"},
};

struct guest {
  struct client *client;
  struct room room;
  uint32_t me;
  bool joined, unmute_soon;
  us_t joined_at, path_at, heard_at, unmute_at;
  unsigned acts_ok, acts_refused, loss_pct;
  const char *profile;
  char file[512];
};
struct cast {
  struct link link;
  int keyboard;
  struct guest g[GUESTS];
  size_t scene, host_scene;
  us_t began, talk_at; /* talk_at: when the first microphone was opened */
  pthread_t thread;
  atomic_bool stop;
};

static void act(struct guest *g, enum act a, const char *text) {
  struct room_cmd cmd = {.act = a, .actor = g->me, .text = text};
  if (g->joined)
    client_act(g->client, &cmd);
}

static void knock(struct cast *c, int who) {
  struct guest *g = &c->g[who];
  struct client_config cfg = {
      .link = c->link, .input = g->file, .output = "null", .loop = true, .device_id = NAMES[who]};
  const char *why;
  snprintf(cfg.name, sizeof cfg.name, "%s", NAMES[who]);
  g->client = client_start(&cfg, &why);
}

static void perform(struct cast *c, const struct scene *s) {
  struct guest *g = &c->g[s->who];
  if (s->deed == KNOCK) {
    if (!g->client)
      knock(c, s->who);
    return;
  }
  if (!g->joined)
    return;
  if (s->deed == TALK && !c->talk_at)
    c->talk_at = clock_now();
  if (s->deed == TALK || s->deed == HUSH)
    client_mic_gate(g->client, s->deed == TALK);
  else if (s->deed == CHAT)
    act(g, ACT_CHAT, s->text);
  else
    act(g, ACT_HAND, NULL);
}

static void advance(struct cast *c, us_t now) {
  int at_ms = (int)((now - c->began) / US_PER_MS);
  while (c->scene < sizeof PLAY / sizeof PLAY[0] && PLAY[c->scene].at_ms <= at_ms)
    perform(c, &PLAY[c->scene++]);
  while (c->keyboard >= 0 && c->host_scene < sizeof HOST / sizeof HOST[0] &&
         HOST[c->host_scene].at_ms <= at_ms) {
    dprintf(c->keyboard, "%s\n", HOST[c->host_scene++].text);
    if (c->host_scene == sizeof HOST / sizeof HOST[0]) {
      close(c->keyboard);
      c->keyboard = -1;
    }
  }
  if (at_ms >= LOOP_END_MS) { /* again from the first speech */
    c->began = now - LOOP_MS * US_PER_MS;
    for (c->scene = 0; PLAY[c->scene].at_ms < LOOP_MS; c->scene++)
      ;
  }
}

/* Asked to unmute: a polite guest says yes after a moment. */
static void on_room_event(struct guest *g, const struct room_event *ev, us_t now) {
  for (size_t i = 0; ev->kind == ROOM_EV_ASKED && i < ev->n_targets; i++)
    if (ev->targets[i] == g->me) {
      g->unmute_soon = true;
      g->unmute_at = now + 1200 * US_PER_MS;
    }
  room_apply(&g->room, ev);
}

static void on_event(struct guest *g, struct client_event *ev, us_t now) {
  switch (ev->kind) {
  case CLIENT_EV_STATE:
    g->me = ev->me;
    g->joined = ev->state == CLIENT_JOINED;
    if (g->joined && !g->joined_at)
      g->joined_at = now;
    break;
  case CLIENT_EV_ROOM:
    room_free(&g->room);
    g->room = *ev->room;
    free(ev->room);
    ev->room = NULL;
    break;
  case CLIENT_EV_EVENT:
    on_room_event(g, ev->event, now);
    break;
  case CLIENT_EV_LINK:
    if (ev->link.connected && !g->path_at)
      g->path_at = now;
    if (ev->link.connected)
      g->profile = ev->link.profile;
    if (ev->link.loss_down_pct > g->loss_pct)
      g->loss_pct = ev->link.loss_down_pct;
    break;
  case CLIENT_EV_LEVELS:
    if (ev->n && !g->heard_at)
      g->heard_at = now;
    break;
  case CLIENT_EV_REPLY:
    g->acts_ok += ev->why == ERR_OK;
    g->acts_refused += ev->why != ERR_OK;
    break;
  default:
    break;
  }
  client_event_free(ev);
}

static void *run(void *arg) {
  struct cast *c = arg;
  while (!atomic_load(&c->stop)) {
    struct pollfd p[GUESTS];
    nfds_t n = 0;
    for (int i = 0; i < GUESTS; i++)
      if (c->g[i].client)
        p[n++] = (struct pollfd){client_fd(c->g[i].client), POLLIN, 0};
    (void)poll(p, n, 50);
    us_t now = clock_now();
    struct client_event ev;
    for (int i = 0; i < GUESTS; i++) {
      struct guest *g = &c->g[i];
      while (g->client && client_poll(g->client, &ev))
        on_event(g, &ev, now);
      if (g->unmute_soon && now >= g->unmute_at) {
        g->unmute_soon = false;
        const struct member *self = room_member(&g->room, g->me);
        if (self && self->muted)
          act(g, ACT_UNMUTE, NULL);
        client_mic_gate(g->client, true);
      }
    }
    advance(c, now);
  }
  return NULL;
}

struct cast *cast_start(const struct link *guest, const char *dir, int keyboard) {
  struct cast *c = calloc(1, sizeof *c);
  if (!c)
    return NULL;
  c->link = *guest;
  c->keyboard = keyboard;
  c->began = clock_now();
  for (int i = 0; i < GUESTS; i++) {
    room_init(&c->g[i].room);
    char file[16];
    snprintf(file, sizeof file, "%s", NAMES[i]);
    file[0] = (char)(file[0] + ('a' - 'A'));
    snprintf(c->g[i].file, sizeof c->g[i].file, "file:%s/%s.opus", dir, file);
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  int rc = pthread_create(&c->thread, NULL, run, c);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (rc == 0)
    return c;
  free(c);
  return NULL;
}

static int by_value(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b;
  return x < y ? -1 : x > y;
}

static int median(int *v, size_t n) {
  if (n == 0)
    return -1;
  qsort(v, n, sizeof *v, by_value);
  return v[n / 2];
}

static void measure(const struct cast *c, struct cast_results *out) {
  int path[GUESTS], heard[GUESTS];
  size_t n_path = 0, n_heard = 0;
  *out = (struct cast_results){.guests = GUESTS, .profile = "no SRTP"};
  for (int i = 0; i < GUESTS; i++) {
    const struct guest *g = &c->g[i];
    out->admitted += g->joined_at != 0;
    out->acts_ok += g->acts_ok;
    out->acts_refused += g->acts_refused;
    if (g->loss_pct > out->loss_pct)
      out->loss_pct = g->loss_pct;
    if (g->profile && *g->profile)
      out->profile = g->profile;
    if (g->path_at && g->joined_at)
      path[n_path++] = (int)((g->path_at - g->joined_at) / US_PER_MS);
    if (g->heard_at && c->talk_at && g->heard_at > c->talk_at)
      heard[n_heard++] = (int)((g->heard_at - c->talk_at) / US_PER_MS);
  }
  out->path_ms = median(path, n_path);
  out->heard_ms = median(heard, n_heard);
}

void cast_stop(struct cast *c, struct cast_results *out) {
  atomic_store(&c->stop, true);
  pthread_join(c->thread, NULL);
  measure(c, out);
  for (int i = 0; i < GUESTS; i++) {
    client_stop(c->g[i].client);
    room_free(&c->g[i].room);
  }
  if (c->keyboard >= 0)
    close(c->keyboard);
  free(c);
}
