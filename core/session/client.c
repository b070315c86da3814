/* client.c: the engine thread around session.c: GLib's main context (libnice, timers) and the mailboxes of
 * the other threads.
 *
 *   front end --intents--> [engine: session.c, libnice, DTLS-SRTP] --messages--> signalling thread
 * (ws_client.c)
 *             <--events---            |  ^ packets                                audio thread
 * (audio_thread.c) */
#include "core/session/client.h"

#include "core/base/mailbox.h"
#include "core/media/cert.h"
#include "core/session/audio_thread.h"
#include "core/session/ice_nice.h"
#include "core/session/ice_tunnel.h"
#include "core/session/network.h"
#include "core/session/session.h"
#include "core/session/ws_client.h"

#include <assert.h>
#include <glib-unix.h>
#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 2048
#define AUDIO_PATH_MAX 256
#define KEPT_MAX 256 /* answers for a front end that does not read: at most as many as there are intents */

struct intent {
  enum { DO_ACT, DO_HISTORY, DO_PRIVACY, DO_GATE, DO_AUDIO, DO_BANDWIDTH, DO_OTHER, DO_LEAVE, DO_WAKE } kind;
  uint32_t ticket;
  struct room_cmd cmd; /* targets, text, word and invite are owned copies */
  uint64_t before;     /* message; OTHER: member */
  bool open;           /* of the gate; privacy: withdraw */
  unsigned kbps;
  char input[AUDIO_PATH_MAX], output[AUDIO_PATH_MAX];
};
struct client {
  struct session_config cfg;
  struct audio_thread_config audio_cfg;
  char *input, *output, *device_id, *token, *password, *consent;
  struct mailbox *intents, *events;
  pthread_t thread;
  uint32_t last_ticket;
  atomic_bool stop;
  /* the engine thread's own */
  struct session *session;
  struct ws_client *ws;
  struct audio_thread *audio;
  struct cert cert;
  struct ice_nice_env nice;
  struct ice_tunnel_env tunnel;
  struct network network;
  bool told_why;             /* why the first attempt to connect failed */
  bool lost;                 /* an event did not fit; a fresh room replaces it */
  struct client_event state; /* the last told */
  struct client_event *kept; /* those that did not fit and that nothing can replace */
  size_t n_kept;
};

/* ---- session -> others ---- */

static void on_connect(void *ctx) {
  struct client *c = ctx;
  ws_client_connect(c->ws);
}
static void on_disconnect(void *ctx) {
  struct client *c = ctx;
  ws_client_close(c->ws);
}
static void on_abort(void *ctx) {
  struct client *c = ctx;
  ws_client_abort(c->ws);
}
static void on_datagram(void *ctx, const uint8_t *p, size_t n) {
  struct client *c = ctx;
  ws_client_datagram(c->ws, p, n);
}
static void on_send(void *ctx, char *text) {
  struct client *c = ctx;
  ws_client_send(c->ws, text);
}
static void on_event(void *ctx, struct client_event *ev) {
  struct client *c = ctx;
  if (ev->kind == CLIENT_EV_STATE)
    c->state = *ev;
  if (c->n_kept == 0 && mailbox_put(c->events, ev))
    return;
  bool answer = ev->kind == CLIENT_EV_REPLY || ev->kind == CLIENT_EV_HISTORY ||
                ev->kind == CLIENT_EV_CONSENT || ev->kind == CLIENT_EV_PRIVACY ||
                ev->kind == CLIENT_EV_SECURITY;
  if (answer && c->n_kept < KEPT_MAX) {
    c->kept = realloc(c->kept, (c->n_kept + 1) * sizeof *c->kept);
    if (!c->kept)
      abort();
    c->kept[c->n_kept++] = *ev;
    return;
  }
  c->lost |= ev->kind == CLIENT_EV_EVENT || ev->kind == CLIENT_EV_ROOM || ev->kind == CLIENT_EV_STATE;
  client_event_free(ev);
}
static void on_audio(void *ctx, const struct rtp *h) {
  struct client *c = ctx;
  if (c->audio)
    audio_thread_play(c->audio, clock_now(), h);
}
static void on_copy(void *ctx, const struct rtp *h, uint32_t offset) {
  struct client *c = ctx;
  if (c->audio)
    audio_thread_copy(c->audio, clock_now(), h, offset);
}
static void on_expect(void *ctx, unsigned wait_ms) {
  struct client *c = ctx;
  if (c->audio)
    audio_thread_expect(c->audio, clock_now(), wait_ms);
}
static void on_voice(void *ctx, const struct session_voice *v) {
  struct client *c = ctx;
  if (c->audio)
    audio_thread_voice(c->audio, v->ptime_ms, v->bitrate, v->loss_pct, v->hush);
}
static void on_gate(void *ctx, bool open) {
  struct client *c = ctx;
  if (c->audio)
    audio_thread_gate(c->audio, open);
}

/* ---- others -> session ---- */

static void intent_free(struct intent *i) {
  free((void *)(uintptr_t)i->cmd.targets);
  free((void *)(uintptr_t)i->cmd.text);
  free((void *)(uintptr_t)i->cmd.word);
  free((void *)(uintptr_t)i->cmd.invite);
}

static void serve_intents(struct client *c, us_t now) {
  struct intent i;
  while (mailbox_get(c->intents, &i)) {
    switch (i.kind) {
    case DO_ACT:
      session_act(c->session, now, i.ticket, &i.cmd);
      break;
    case DO_GATE:
      session_gate(c->session, now, i.open);
      break;
    case DO_AUDIO:
      if (c->audio)
        audio_thread_device(c->audio, i.input, i.output);
      break;
    case DO_BANDWIDTH:
      session_bandwidth(c->session, now, i.kbps);
      break;
    case DO_OTHER:
      session_other(c->session, now, (uint32_t)i.before);
      break;
    case DO_HISTORY:
      session_history(c->session, now, i.before);
      break;
    case DO_PRIVACY:
      session_privacy(c->session, now, i.open);
      break;
    case DO_LEAVE:
      session_leave(c->session, now);
      break;
    case DO_WAKE:
      break;
    }
    intent_free(&i);
  }
}

static void tell_notice(struct client *c, const char *text) {
  struct client_event ev = {.kind = CLIENT_EV_NOTICE};
  snprintf(ev.text, sizeof ev.text, "%s", text);
  on_event(c, &ev);
}

/* The first attempt that fails tells why: who mistyped an address need not wait for the last. */
static void closed(struct client *c, us_t now, const struct ws_event *ev) {
  session_closed(c->session, now, ev->why);
  if (!ev->text || c->told_why || c->state.state != CLIENT_CONNECTING)
    return;
  char text[160];
  snprintf(text, sizeof text, "%.120s; trying again for 30 s", ev->text);
  tell_notice(c, text);
  c->told_why = true;
}

static void serve_signalling(struct client *c, us_t now) {
  struct ws_event ev;
  while (ws_client_poll(c->ws, &ev)) {
    if (ev.kind == WS_OPENED) {
      network_towards(&c->network, &ev.server);
      session_connected(c->session, now, ev.text);
    } else if (ev.kind == WS_MESSAGE)
      session_message(c->session, now, ev.text, ev.n);
    else if (ev.kind == WS_DATAGRAM)
      ice_tunnel_packet(&c->tunnel, now, (uint8_t *)ev.text, ev.n);
    else
      closed(c, now, &ev);
    free(ev.text);
  }
}

static void serve_audio(struct client *c, us_t now) {
  struct audio_report r;
  while (c->audio && audio_thread_poll(c->audio, &r)) {
    if (r.kind == AUDIO_PACKET)
      session_captured(c->session, now, &r.packet);
    else if (r.kind == AUDIO_STATUS) {
      session_input(c->session, now, r.has_input, r.level, r.muted_talk);
      session_ear(c->session, now,
                  &(struct session_ear){r.buffer_ms, r.played, r.concealed, r.playout_ms, r.underruns});
    } else if (r.kind == AUDIO_NOTICE)
      tell_notice(c, r.text);
  }
}

/* The front end missed something: what was kept for it, a whole room, and where we are, make it right again.
 */
static void repair(struct client *c) {
  size_t told = 0;
  struct client_event ev = c->state;
  while (told < c->n_kept && mailbox_put(c->events, &c->kept[told]))
    told++;
  c->n_kept -= told;
  if (told)
    memmove(c->kept, c->kept + told, c->n_kept * sizeof *c->kept);
  if (!c->lost || c->n_kept || !mailbox_put(c->events, &ev))
    return;
  c->lost = false;
  session_repeat_room(c->session);
}

/* ---- the engine's loop ---- */

static gboolean wake(GSource *source, GSourceFunc f, gpointer user) {
  (void)f;
  (void)user;
  g_source_set_ready_time(source, -1);
  return G_SOURCE_CONTINUE; /* waking up is all: the turn does the rest */
}

static void *run(void *arg) {
  struct client *c = arg;
  GMainContext *context = c->nice.context;
  g_main_context_push_thread_default(context);
  static GSourceFuncs funcs = {.dispatch = wake};
  GSource *source = g_source_new(&funcs, sizeof(GSource));
  g_source_add_unix_fd(source, mailbox_fd(c->intents), G_IO_IN);
  g_source_add_unix_fd(source, ws_client_fd(c->ws), G_IO_IN);
  if (c->audio)
    g_source_add_unix_fd(source, audio_thread_fd(c->audio), G_IO_IN);
  if (c->network.fd >= 0)
    g_source_add_unix_fd(source, c->network.fd, G_IO_IN);
  g_source_attach(source, context);
  session_start(c->session, clock_now());
  while (!atomic_load(&c->stop)) {
    us_t due = session_next_timeout(c->session);
    if (c->network.due < due)
      due = c->network.due;
    if (ice_tunnel_due(&c->tunnel) < due)
      due = ice_tunnel_due(&c->tunnel);
    if ((c->lost || c->n_kept) && clock_now() + 50 * US_PER_MS < due)
      due = clock_now() + 50 * US_PER_MS;
    g_source_set_ready_time(source, due == US_NEVER ? -1 : due); /* GLib's clock is CLOCK_MONOTONIC too */
    g_main_context_iteration(context, TRUE);
    us_t now = clock_now();
    serve_intents(c, now);
    serve_signalling(c, now);
    serve_audio(c, now);
    if (network_changed(&c->network, now))
      session_network_changed(c->session, now);
    ice_tunnel_timeout(&c->tunnel, now);
    session_tick(c->session, now);
    repair(c);
  }
  session_destroy(c->session); /* frees the agent, which belongs to this context */
  ice_nice_settle(&c->nice);
  g_source_destroy(source);
  g_source_unref(source);
  while (g_main_context_iteration(context, FALSE))
    ;
  g_main_context_pop_thread_default(context);
  return NULL;
}

/* ---- the front end's side ---- */

static char *copy(const char *s) {
  char *p = strdup(s ? s : "");
  if (!p)
    abort();
  return p;
}

static void configure(struct client *c, const struct client_config *cfg) {
  c->input = copy(cfg->input);
  c->output = copy(cfg->output);
  c->device_id = copy(cfg->device_id);
  c->password = copy(cfg->password);
  c->token = copy(cfg->token);
  c->consent = copy(cfg->consent);
  c->audio_cfg = (struct audio_thread_config){c->input, c->output, cfg->loop, cfg->aec, cfg->ns, cfg->agc};
  struct session_config *s = &c->cfg;
  s->link = cfg->link;
  memcpy(s->name, cfg->name, sizeof s->name);
  s->device_id = c->device_id;
  s->password = c->password;
  s->token = c->token;
  s->consent = c->consent;
  s->monitor = cfg->monitor;
  s->ask_terms = true;
  s->no_audio = cfg->no_audio;
  s->mic_open = cfg->mic_open;
  s->kbps = cfg->kbps;
  s->has_input = !cfg->no_audio;
  s->rng = rng_system();
  s->connect = on_connect;
  s->disconnect = on_disconnect;
  s->abort = on_abort;
  s->send = on_send;
  s->event = on_event;
  s->audio = on_audio;
  s->copy = on_copy;
  s->expect = on_expect;
  s->voice = on_voice;
  s->gate = on_gate;
  s->ctx = c;
  c->nice.context = g_main_context_new();
  c->nice.loopback = ice_nice_loopback(cfg->link.host);
  s->ice = ice_nice_kind(&c->nice);
  c->tunnel = (struct ice_tunnel_env){.rng = rng_system(), .send = on_datagram, .ctx = c};
  s->tunnel = ice_tunnel_kind(&c->tunnel);
  network_open(&c->network);
}

static void release(struct client *c) {
  audio_thread_stop(c->audio);
  ws_client_destroy(c->ws);
  dtls_ctx_destroy(c->cfg.dtls);
  cert_free(&c->cert);
  mailbox_destroy(c->intents);
  mailbox_destroy(c->events);
  if (c->nice.context)
    g_main_context_unref(c->nice.context);
  network_close(&c->network);
  free(c->input);
  free(c->output);
  free(c->device_id);
  free(c->password);
  explicit_bzero(c->token, strlen(c->token));
  free(c->token);
  free(c->consent);
  free(c->kept);
  free(c);
}

struct client *client_start(const struct client_config *cfg, const char **why) {
  struct client *c = calloc(1, sizeof *c);
  *why = "no memory, threads or file descriptors left";
  if (!c)
    return NULL;
  configure(c, cfg);
  c->intents = mailbox_create(sizeof(struct intent), 256);
  c->events = mailbox_create(sizeof(struct client_event), EVENTS);
  bool ok = c->intents && c->events && cert_make("gavel", 30, &c->cert) == ERR_OK;
  if (ok) {
    memcpy(c->cfg.dtls_sha256, c->cert.sha256, sizeof c->cfg.dtls_sha256);
    c->cfg.dtls = dtls_ctx_create(&c->cert, false);
    c->ws = ws_client_create(&cfg->link);
    if (!cfg->no_audio)
      c->audio = audio_thread_start(&c->audio_cfg);
    ok = c->cfg.dtls && c->ws && (c->audio || cfg->no_audio);
  }
  if (ok)
    c->session = session_create(&c->cfg);
  if (!c->session || pthread_create(&c->thread, NULL, run, c) != 0) {
    session_destroy(c->session);
    release(c);
    return NULL;
  }
  return c;
}

int client_fd(const struct client *c) {
  return mailbox_fd(c->events);
}

bool client_poll(struct client *c, struct client_event *ev) {
  return mailbox_get(c->events, ev);
}

void client_event_free(struct client_event *ev) {
  if (ev->kind == CLIENT_EV_ROOM && ev->room) {
    room_free(ev->room);
    free(ev->room);
    ev->room = NULL;
  }
  if (ev->kind == CLIENT_EV_EVENT && ev->event) {
    room_event_free(ev->event);
    free(ev->event);
    ev->event = NULL;
  }
  for (size_t i = 0; i < ev->n_chat; i++)
    free(ev->chat[i].text);
  free(ev->chat);
  free(ev->data);
  ev->chat = NULL;
  ev->data = NULL;
  ev->n_chat = 0;
}

static void ask(struct client *c, struct intent *i) {
  if (!mailbox_put(c->intents, i))
    intent_free(i); /* 256 intents nobody served: the engine is gone */
}

uint32_t client_act(struct client *c, const struct room_cmd *cmd) {
  struct intent i = {.kind = DO_ACT, .cmd = *cmd};
  i.ticket = ++c->last_ticket ? c->last_ticket : ++c->last_ticket;
  i.cmd.text = cmd->text ? copy(cmd->text) : NULL;
  i.cmd.word = cmd->word ? copy(cmd->word) : NULL;
  i.cmd.secret = NULL; /* the server's to fill, as the addresses */
  i.cmd.cidrs = NULL;
  if (cmd->n_targets) {
    uint32_t *t = malloc(cmd->n_targets * sizeof *t);
    if (!t)
      abort();
    memcpy(t, cmd->targets, cmd->n_targets * sizeof *t);
    i.cmd.targets = t;
  } else
    i.cmd.targets = NULL;
  if (cmd->invite) {
    struct invite *inv = malloc(sizeof *inv);
    if (!inv)
      abort();
    *inv = *cmd->invite;
    i.cmd.invite = inv;
  }
  uint32_t ticket = i.ticket;
  ask(c, &i);
  return ticket;
}

void client_history(struct client *c, uint64_t before) {
  ask(c, &(struct intent){.kind = DO_HISTORY, .before = before});
}

void client_bandwidth(struct client *c, unsigned kbps) {
  ask(c, &(struct intent){.kind = DO_BANDWIDTH, .kbps = kbps});
}

void client_other(struct client *c, uint32_t member) {
  ask(c, &(struct intent){.kind = DO_OTHER, .before = member});
}

void client_privacy(struct client *c, bool withdraw) {
  ask(c, &(struct intent){.kind = DO_PRIVACY, .open = withdraw});
}

void client_mic_gate(struct client *c, bool open) {
  ask(c, &(struct intent){.kind = DO_GATE, .open = open});
}

void client_audio(struct client *c, const char *input, const char *output) {
  struct intent i = {.kind = DO_AUDIO};
  snprintf(i.input, sizeof i.input, "%s", input ? input : "");
  snprintf(i.output, sizeof i.output, "%s", output ? output : "");
  ask(c, &i);
}

void client_leave(struct client *c) {
  ask(c, &(struct intent){.kind = DO_LEAVE});
}

void client_stop(struct client *c) {
  if (!c)
    return;
  atomic_store(&c->stop, true);
  ask(c, &(struct intent){.kind = DO_WAKE}); /* does not fit: the engine is awake */
  pthread_join(c->thread, NULL);
  struct client_event ev;
  while (mailbox_get(c->events, &ev))
    client_event_free(&ev);
  for (size_t i = 0; i < c->n_kept; i++)
    client_event_free(&c->kept[i]);
  struct intent i;
  while (mailbox_get(c->intents, &i))
    intent_free(&i);
  release(c);
}
