/* `gavel watch` without a screen: a table or an object once, or sentences or objects as things change. */
#include "core/base/rng.h"
#include "tui/watch.h"
#include "tui/watch_link.h"
#include "tui/watch_text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stream {
  const struct options *o;
  struct watch_link link;
  struct watch_model *m;
  bool json, once, quiet, done; /* quiet: only conditions were asked for */
  bool told;                    /* rooms are known: what comes now are changes */
  char state[sizeof(((struct watch_server *)0)->state)];
  enum exit_code code;
};

/* put: what cannot be said ends it, as there is nothing else to do. */
static void put(struct stream *s, const char *text, const char *end) {
  if (fputs(text, stdout) != EOF && fputs(end, stdout) != EOF && fflush(stdout) != EOF)
    return;
  if (!s->done)
    fprintf(stderr, "gavel: standard output: %s\n", strerror(errno));
  s->done = true;
  s->code = EXIT_USAGE;
}

static void say(struct stream *s, const char *text) {
  put(s, text, "\n");
}

static void on_change(void *ctx, const struct watch_row *before, const struct watch_row *after) {
  struct stream *s = ctx;
  char text[WATCH_SENTENCE_MAX];
  if (!s->json && s->told && watch_text_change(before, after, text))
    say(s, text);
}

/* fails: the conditions that hold, each said; `list`: gathered there instead. */
static bool fails(struct stream *s, us_t now, json_t *list) {
  char text[WATCH_SENTENCE_MAX];
  bool any = false;
  for (size_t i = 0; i < s->o->watch.n_fail; i++) {
    json_t *rooms = list ? json_array() : NULL;
    bool holds = watch_text_fails(s->m, s->o->watch.fail[i], now, text, rooms);
    if (holds && list)
      json_array_append_new(list, json_pack("{s:s,s:O}", "condition", s->o->watch.fail[i], "rooms", rooms));
    else if (holds)
      say(s, text);
    json_decref(rooms);
    any = any || holds;
  }
  return any;
}

static void say_json(struct stream *s, const struct watch_event *ev, us_t now) {
  json_t *o = json_copy((json_t *)(uintptr_t)ev->params), *failed = json_array(); /* shallow; not changed */
  json_object_set_new(o, "event", json_string("rooms"));
  json_object_set_new(o, "whole", json_boolean(ev->whole));
  if (fails(s, now, failed))
    s->code = EXIT_CONDITION;
  if (json_array_size(failed) > 0)
    json_object_set(o, "failed", failed);
  char *text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
  if (!text)
    abort();
  say(s, text);
  free(text);
  json_decref(failed);
  json_decref(o);
}

static void say_feed(struct stream *s, us_t now) {
  char text[WATCH_SENTENCE_MAX];
  if (s->once && !s->quiet) {
    char *table = watch_text_table(s->m, now);
    put(s, table, "");
    free(table);
  } else if (!s->once && !s->told) {
    watch_text_server(s->m, text);
    say(s, text);
  }
  if (strcmp(s->state, s->m->server.state) != 0 && s->told) {
    snprintf(text, sizeof text, "The server: %s.",
             s->m->server.state[0] ? s->m->server.state : "serving as usual");
    say(s, text);
  }
  if (fails(s, now, NULL))
    s->code = EXIT_CONDITION;
}

static void on_feed(struct stream *s, const struct watch_event *ev, us_t now) {
  enum err e = watch_model_take(s->m, ev->params, ev->whole, now);
  if (e != ERR_OK) {
    fprintf(stderr, "gavel: the feed: %s\n", err_text(e));
    s->code = exit_of(e);
    s->done = true;
    return;
  }
  if (s->json)
    say_json(s, ev, now);
  else
    say_feed(s, now);
  s->told = true;
  memcpy(s->state, s->m->server.state, sizeof s->state);
  s->done = s->done || s->once || s->code == EXIT_CONDITION;
}

static void on_lost(struct stream *s, const struct watch_event *ev) {
  char text[WATCH_SENTENCE_MAX];
  if (s->once || ev->final || !s->link.ever) {
    fprintf(stderr, "gavel: %s\n", ev->text);
    s->code = exit_of(ev->why);
    s->done = true;
  } else if (s->json) {
    say(s, "{\"event\":\"lost\"}");
  } else {
    snprintf(text, sizeof text, "The server is lost: %.250s. Trying again.", ev->text);
    say(s, text);
  }
}

static void on_event(struct stream *s, const struct watch_event *ev, us_t now) {
  switch (ev->kind) {
  case WATCH_EV_FEED:
    on_feed(s, ev, now);
    break;
  case WATCH_EV_LOST:
    on_lost(s, ev);
    break;
  case WATCH_EV_LIVE:
    if (s->told && !s->json)
      say(s, "Connected again.");
    break;
  default:
    break; /* nothing else was asked */
  }
}

static int timeout_ms(const struct stream *s) {
  us_t next = watch_link_next(&s->link), now = clock_now();
  if (next == US_NEVER)
    return -1;
  return next <= now ? 0 : (int)((next - now) / US_PER_MS) + 1;
}

static void loop(struct stream *s) {
  struct watch_event ev;
  while (!s->done) {
    us_t now = clock_now();
    while (!s->done && watch_link_poll(&s->link, now, &ev)) {
      on_event(s, &ev, now);
      json_decref(ev.root);
    }
    struct pollfd p = {.fd = watch_link_fd(&s->link), .events = POLLIN};
    if (!s->done && poll(&p, 1, timeout_ms(s)) < 0 && errno != EINTR)
      break;
  }
}

enum exit_code watch_stream_run(struct options *o) {
  char why[256] = "";
  struct stream s = {.o = o, .json = o->front.kind == FRONT_HEADLESS};
  bool stays = s.json || o->front.kind == FRONT_LINE;
  s.quiet = !o->watch.once && !stays;
  s.once = o->watch.once || !stays;
  s.m = watch_model_create(rng_u64(rng_system()));
  if (!s.m)
    abort();
  s.code = watch_link_open(&s.link, o, why);
  if (s.code != EXIT_LEFT) {
    fprintf(stderr, "gavel: %s\n", why);
    watch_model_destroy(s.m);
    return s.code;
  }
  s.m->changed = on_change;
  s.m->ctx = &s;
  loop(&s);
  watch_link_close(&s.link);
  watch_model_destroy(s.m);
  return s.code;
}

enum exit_code watch_run(struct options *o) {
  const char *term = getenv("TERM");
  bool plain = !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !term || strcmp(term, "dumb") == 0;
  bool once = o->watch.once || o->watch.n_fail > 0;
  if (o->front.kind == FRONT_AUTO && !once)
    o->front.kind = plain ? FRONT_LINE : FRONT_SCREEN;
  return o->front.kind == FRONT_SCREEN ? watch_app_run(o) : watch_stream_run(o);
}
