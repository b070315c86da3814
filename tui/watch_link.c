#include "tui/watch_link.h"

#include "tui/login.h"

#include <stdio.h>
#include <string.h>

/* read_target: https://HOST[:PORT][#p=PIN] as a link to no room. */
static bool read_target(struct watch_link *l, const char *text, char why[256]) {
  char full[LINK_MAX];
  const char *fragment = strchr(text, '#'), *reason = "";
  size_t n = fragment ? (size_t)(fragment - text) : strlen(text);
  while (n > 0 && text[n - 1] == '/')
    n--;
  int len = snprintf(full, sizeof full, "%.*s/j/0%s", (int)n, text, fragment ? fragment : "");
  if (len > 0 && len < LINK_MAX && link_parse(full, &l->ops, &reason) == ERR_OK)
    return true;
  snprintf(why, 256, "that is no server: https://HOST:PORT, or the path of a socket%s%.120s",
           reason[0] ? ": " : "", reason);
  return false;
}

enum exit_code watch_link_open(struct watch_link *l, struct options *o, char why[256]) {
  *l = (struct watch_link){.o = o, .wanted = true, .again_at = 0};
  l->tls = strncmp(o->watch.server, "https://", 8) == 0;
  if (l->tls && !read_target(l, o->watch.server, why))
    return EXIT_USAGE;
  if (l->tls && !login_ops(o, &l->ops, &l->home, why))
    return EXIT_REFUSED;
  l->client = l->tls ? ops_client_link(&l->ops) : ops_client_socket(o->watch.server);
  snprintf(why, 256, "%s", l->client ? "" : err_text(ERR_NOMEM));
  return l->client ? EXIT_LEFT : EXIT_CONNECT;
}

void watch_link_close(struct watch_link *l) {
  ops_client_destroy(l->client);
  l->client = NULL;
}

/* ---- asking ---- */

static void ask_feed(struct watch_link *l) {
  l->heard_at = 0;
  l->watching =
      ops_client_ask(l->client, "ops.watch", json_pack("{s:i}", "interval_ms", (int)l->o->watch.interval_ms));
}

void watch_link_want(struct watch_link *l, bool on) {
  if (l->live && on && !l->wanted)
    ask_feed(l);
  else if (l->live && !on && l->wanted)
    ops_client_ask(l->client, "ops.unwatch", NULL);
  l->wanted = on;
}

void watch_link_room(struct watch_link *l, const char *room) {
  if (l->live && !l->asking)
    l->asking = ops_client_ask(l->client, "ops.room", json_pack("{s:s}", "room", room));
}

void watch_link_whisper(struct watch_link *l, const char *room, const char *text) {
  if (l->live)
    l->whispering =
        ops_client_ask(l->client, "ops.whisper", json_pack("{s:s,s:s}", "room", room, "text", text));
}

/* ---- what comes ---- */

/* learn_home: a link to any room, https://HOST:PORT/j/...#p=PIN: its host and pin. */
static void learn_home(struct watch_link *l, const char *text) {
  char full[LINK_MAX];
  const char *path = strstr(text, "/j/"), *fragment = strchr(text, '#'), *why;
  int n = path ? snprintf(full, sizeof full, "%.*s/j/0%s", (int)(path - text), text, fragment ? fragment : "")
               : 0;
  if (n <= 0 || n >= LINK_MAX || link_parse(full, &l->home, &why) != ERR_OK)
    memset(&l->home, 0, sizeof l->home);
}

static void go_live(struct watch_link *l, struct watch_event *ev) {
  l->live = l->ever = true;
  l->tries = 0;
  if (l->wanted)
    ask_feed(l);
  if (!l->tls)
    l->informing = ops_client_ask(l->client, "server.info", NULL);
  ev->kind = WATCH_EV_LIVE;
}

static bool lost(struct watch_link *l, us_t now, enum err why, const char *text, struct watch_event *ev) {
  unsigned wait_s = 1U << (l->tries < 5 ? l->tries : 5);
  ops_client_close(l->client);
  l->live = false;
  l->signing = l->informing = l->watching = l->asking = l->whispering = 0;
  l->tries++;
  l->again_at = now + (wait_s < WATCH_AGAIN_MAX_S ? wait_s : WATCH_AGAIN_MAX_S) * US_PER_S;
  ev->kind = WATCH_EV_LOST;
  ev->why = why;
  ev->final = why != ERR_CONNECT && why != ERR_AGAIN && why != ERR_RATE && why != ERR_BUSY;
  text_show(text && text[0] ? text : err_text(why), false, ev->text, sizeof ev->text);
  return true;
}

static bool sign_in(struct watch_link *l, us_t now, struct watch_event *ev) {
  char why[256] = "";
  if (!l->tls) {
    go_live(l, ev);
    return true;
  }
  if (l->ever && !login_ops(l->o, &l->ops, &l->home, why)) /* the session may have to be refreshed */
    return lost(l, now, ERR_BAD_TOKEN, why, ev);
  l->signing = ops_client_ask(l->client, "ops.sign_in", json_pack("{s:s}", "token", l->o->token));
  return false;
}

static bool refused(struct watch_link *l, us_t now, const struct rpc_in *in, struct watch_event *ev) {
  bool own = in->id == l->asking || in->id == l->whispering;
  if (in->id == 0) /* of nothing that was asked here */
    return false;
  if (in->id == l->asking)
    l->asking = 0;
  if (in->id == l->whispering)
    l->whispering = 0;
  if (in->id == l->signing || in->id == l->watching)
    return lost(l, now, in->error, in->message, ev);
  ev->kind = WATCH_EV_REFUSED;
  ev->why = in->error;
  text_show(in->message, false, ev->text, sizeof ev->text);
  return own;
}

static bool answered(struct watch_link *l, const struct rpc_in *in, struct watch_event *ev) {
  ev->params = in->result;
  if (in->id == l->signing)
    go_live(l, ev);
  else if (in->id == l->watching) {
    ev->kind = WATCH_EV_FEED;
    ev->whole = true;
  } else if (in->id == l->asking) {
    ev->kind = WATCH_EV_ROOM;
    l->asking = 0;
  } else if (in->id == l->whispering) {
    ev->kind = WATCH_EV_SAID;
    l->whispering = 0;
  } else {
    if (in->id == l->informing)
      learn_home(l, json_str(in->result, "link", ""));
    return false;
  }
  return true;
}

static bool notified(struct watch_link *l, us_t now, const struct rpc_in *in, struct watch_event *ev) {
  ev->params = in->params;
  ev->kind = WATCH_EV_FEED;
  ev->whole = json_flag(in->params, "all", false);
  if (strcmp(in->method, "ops") == 0)
    return l->wanted; /* else it was under way when the display was paused */
  if (strcmp(in->method, "bye") != 0)
    return false;
  enum err why = err_from_code(json_str(in->params, "code", ""));
  return lost(l, now, why, json_str(in->params, "text", ""), ev);
}

static bool message(struct watch_link *l, us_t now, struct ops_event *got, struct watch_event *ev) {
  bool any = got->in.kind == RPC_RESULT  ? answered(l, &got->in, ev)
             : got->in.kind == RPC_ERROR ? refused(l, now, &got->in, ev)
                                         : notified(l, now, &got->in, ev);
  if (any)
    ev->root = got->in.root;
  else
    json_decref(got->in.root);
  return any;
}

/* silent_at: when its silence says that it is lost: it tells of itself as long as the feed is wanted. */
static us_t silent_at(const struct watch_link *l) {
  if (l->again_at != US_NEVER || (l->live && !l->wanted))
    return US_NEVER;
  return l->heard_at + WATCH_SILENCE_US + l->o->watch.interval_ms * US_PER_MS;
}

bool watch_link_poll(struct watch_link *l, us_t now, struct watch_event *ev) {
  struct ops_event got;
  if (now >= l->again_at) {
    l->again_at = US_NEVER;
    l->heard_at = now;
    ops_client_connect(l->client);
  }
  l->heard_at = l->heard_at ? l->heard_at : now;
  *ev = (struct watch_event){.kind = WATCH_EV_LIVE};
  while (ops_client_poll(l->client, &got)) {
    l->heard_at = now;
    *ev = (struct watch_event){.kind = WATCH_EV_LIVE};
    if (got.kind == OPS_OPENED   ? sign_in(l, now, ev)
        : got.kind == OPS_CLOSED ? l->again_at == US_NEVER && lost(l, now, got.why, got.text, ev)
                                 : message(l, now, &got, ev))
      return true;
  }
  return now >= silent_at(l) && lost(l, now, ERR_CONNECT, "the server does not answer", ev);
}

us_t watch_link_next(const struct watch_link *l) {
  us_t silent = silent_at(l);
  return silent < l->again_at ? silent : l->again_at;
}

int watch_link_fd(const struct watch_link *l) {
  return ops_client_fd(l->client);
}
