/* `gavel watch` on the full screen: keys, the feed and timers on one poll; a frame when something changed and
 * the line to the terminal can bear it. Listening in is a client session in between. */
#include "core/base/rng.h"
#include "tui/command.h"
#include "tui/hush.h"
#include "tui/login.h"
#include "tui/term.h"
#include "tui/watch.h"
#include "tui/watch_link.h"
#include "tui/watch_view.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOW_INTERVAL_MS 5000 /* where a screen takes seconds */
#define FEED_AT_ONCE 8        /* events between two looks at the keys, however fast a server talks */

struct app {
  struct options *o;
  struct theme theme;
  struct term *term;
  struct input *input;
  struct canvas *canvas;
  struct pace pace;
  struct keymap *keys;
  struct watch_model *m;
  struct watch_pilot u;
  struct watch_link link;
  int hushed;
  bool dirty, typing, done;
  us_t look_at;    /* when to look into the open room again */
  unsigned behind; /* events read just now; FEED_AT_ONCE: there may be more */
  enum exit_code code;
  char why[256];
};

/* ---- the terminal ---- */

static void fit(struct app *a) {
  int w, h;
  term_size(a->term, &w, &h);
  canvas_destroy(a->canvas);
  a->canvas = canvas_create(w, h, a->o->front.ascii || term_ascii(a->term));
  if (!a->canvas)
    abort();
  watch_model_page(a->m, watch_view_rows(h));
  watch_inside_page(&a->u.in, watch_view_rows(h));
  a->dirty = true;
}

static bool open_term(struct app *a) {
  const char *why = NULL;
  char log[512], path_why[256];
  a->term =
      term_open(&(struct term_config){.theme = &a->theme, .ascii = a->o->front.ascii, .colours = -1}, &why);
  if (!a->term) {
    snprintf(a->why, sizeof a->why, "%s; --line needs no terminal", why);
    return false;
  }
  a->hushed = hush_begin(options_state_path("gavel.log", log, path_why) ? log : "");
  fit(a);
  return true;
}

static void close_term(struct app *a) {
  if (!a->term)
    return;
  term_close(a->term);
  a->term = NULL;
  hush_end(a->hushed);
}

static void draw(struct app *a) {
  us_t now = clock_now();
  if (!a->dirty || pace_next(&a->pace, now, a->typing) > now)
    return;
  unsigned long long before = term_bytes(a->term);
  watch_view(&(struct watch_scene){&a->u, a->canvas, pace_tier_info(a->pace.tier), now});
  term_draw(a->term, a->canvas);
  pace_spend(&a->pace, now, term_bytes(a->term) - before);
  a->dirty = a->typing = false;
}

/* ---- listening in ---- */

/* public_link: where clients reach this server, and the room. */
static bool public_link(struct app *a, struct link *to, char why[256]) {
  const char *slash = strchr(a->u.target, '/');
  *to = a->link.home;
  if (!to->host[0]) {
    snprintf(why, 256,
             "where clients reach this server is not known with --token: gavel login --monitor HOST");
    return false;
  }
  snprintf(to->app, sizeof to->app, "%.*s", slash ? (int)(slash - a->u.target) : 0, a->u.target);
  snprintf(to->room, sizeof to->room, "%.63s", slash ? slash + 1 : a->u.target);
  return true;
}

/* bring_token: over the socket nobody has signed in yet; a session of that host says who listens. */
static bool bring_token(struct app *a, char why[256]) {
  if (!a->link.tls && !login_bring(a->o, why))
    return false;
  a->o->front.client.token = a->o->token;
  if (a->o->token[0])
    return true;
  snprintf(why, 256, "who listens has to be known: gavel login --monitor %.100s:%u first", a->link.home.host,
           a->link.home.port);
  return false;
}

static void listen_in(struct app *a) {
  struct front_config c;
  struct client_monitor *mon = &a->o->front.client.monitor;
  enum err end = ERR_OK;
  char why[256] = "", text[300];
  if (!public_link(a, &a->o->front.client.link, why) || !bring_token(a, why)) {
    watch_pilot_say(&a->u, clock_now(), true, why);
    return;
  }
  *mon = (struct client_monitor){.minutes = a->u.minutes};
  snprintf(mon->mode, sizeof mon->mode, "%s", a->u.silent ? "silent" : "listen");
  snprintf(mon->reason, sizeof mon->reason, "%s", a->u.reason);
  snprintf(mon->ticket, sizeof mon->ticket, "%s", a->u.ticket);
  c = a->o->front;
  c.kind = FRONT_SCREEN;
  c.end = &end;
  c.within = true;
  c.control = "none";
  c.client.mic_open = false;
  c.hint = a->u.silent ? "You listen; nobody here knows. q goes back to the rooms."
                       : "You listen, and everybody here is told. q goes back to the rooms.";
  watch_link_want(&a->link, false);
  close_term(a);
  (void)front_run(&c); /* how it ended is said below */
  if (!open_term(a)) {
    a->code = EXIT_USAGE;
    a->done = true;
    return;
  }
  watch_link_want(&a->link, !a->u.paused);
  if (end == ERR_OK)
    snprintf(text, sizeof text, "you have listened to %s", a->u.target);
  else
    snprintf(text, sizeof text, "%s (%s)", err_text(end), err_code(end));
  watch_pilot_say(&a->u, clock_now(), end != ERR_OK && end != ERR_MONITOR_OVER, text);
}

/* ---- what keys want ---- */

static void look(struct app *a) {
  watch_link_room(&a->link, a->u.in.room);
  a->look_at = clock_now() + a->o->watch.interval_ms * US_PER_MS;
}

static void carry(struct app *a) {
  switch (watch_pilot_take(&a->u)) {
  case WATCH_ORDER_QUIT:
    a->done = true;
    break;
  case WATCH_ORDER_REDRAW:
    term_redraw(a->term);
    break;
  case WATCH_ORDER_SUSPEND:
    term_suspend(a->term);
    fit(a);
    break;
  case WATCH_ORDER_LOOK:
    look(a);
    break;
  case WATCH_ORDER_PAUSE:
    watch_link_want(&a->link, !a->u.paused);
    break;
  case WATCH_ORDER_WHISPER:
    if (!a->link.live)
      watch_pilot_say(&a->u, clock_now(), true, "not sent: there is no connection");
    watch_link_whisper(&a->link, a->u.target, a->u.text);
    break;
  case WATCH_ORDER_LISTEN:
    listen_in(a);
    break;
  case WATCH_ORDER_NONE:
    break;
  }
}

static void read_keys(struct app *a) {
  char bytes[4096];
  struct key k;
  us_t now = clock_now();
  size_t n = term_read(a->term, bytes, sizeof bytes);
  if (n == (size_t)-1) { /* the terminal is gone */
    a->code = EXIT_SIGNAL;
    a->done = true;
    return;
  }
  if (n > 0)
    input_feed(a->input, now, bytes, n);
  while (!a->done && input_poll(a->input, now, &k)) {
    watch_pilot_key(&a->u, k, k.code == KEY_PASTE ? input_paste(a->input) : NULL, now);
    carry(a);
    a->dirty = a->typing = true;
  }
}

/* ---- what the server says ---- */

static void fail(struct app *a, enum err why, const char *text) {
  snprintf(a->why, sizeof a->why, "%.250s", text);
  a->code = exit_of(why);
  a->done = true;
}

static void on_lost(struct app *a, const struct watch_event *ev) {
  if (ev->final || !a->link.ever) {
    fail(a, ev->why, ev->text);
    return;
  }
  snprintf(a->u.server, sizeof a->u.server, "NO CONNECTION, trying again: %.200s", ev->text);
}

static void on_room(struct app *a, const struct watch_event *ev, us_t now) {
  const char *room = json_str(json_object_get(ev->params, "room"), "room", "");
  if (a->u.page == WATCH_PAGE_ROOMS || a->u.paused || strcmp(room, a->u.in.room) != 0)
    return; /* he has gone on */
  if (watch_inside_take(&a->u.in, ev->params) != ERR_OK)
    watch_pilot_say(&a->u, now, true, err_text(ERR_PROTOCOL));
}

static void on_refused(struct app *a, const struct watch_event *ev, us_t now) {
  char text[300];
  snprintf(text, sizeof text, "%.200s (%s)", ev->text, err_code(ev->why));
  watch_pilot_say(&a->u, now, true, text);
  if (ev->why == ERR_NO_ROOM || ev->why == ERR_ROOM_ENDED)
    a->u.page = WATCH_PAGE_ROOMS;
}

static void on_event(struct app *a, const struct watch_event *ev, us_t now) {
  enum err e;
  a->dirty = true;
  switch (ev->kind) {
  case WATCH_EV_LIVE:
    a->u.server[0] = '\0';
    break;
  case WATCH_EV_FEED:
    if ((e = watch_model_take(a->m, ev->params, ev->whole, now)) != ERR_OK)
      fail(a, e, err_text(e));
    break;
  case WATCH_EV_ROOM:
    on_room(a, ev, now);
    break;
  case WATCH_EV_SAID:
    watch_pilot_say(&a->u, now, false, "The hosts have it.");
    break;
  case WATCH_EV_REFUSED:
    on_refused(a, ev, now);
    break;
  case WATCH_EV_LOST:
    on_lost(a, ev);
    break;
  }
}

static void read_feed(struct app *a) {
  struct watch_event ev;
  us_t now = clock_now();
  for (a->behind = 0; !a->done && a->behind < FEED_AT_ONCE && watch_link_poll(&a->link, now, &ev);
       a->behind++) {
    on_event(a, &ev, now);
    json_decref(ev.root);
  }
}

/* ---- the loop ---- */

static bool looks(const struct app *a) {
  return a->u.page != WATCH_PAGE_ROOMS && !a->u.paused && a->link.live;
}

static void tick(struct app *a) {
  us_t now = clock_now();
  if (!a->u.paused && watch_model_tick(a->m, now))
    a->dirty = true;
  if (looks(a) && now >= a->look_at)
    look(a);
  if (a->u.toast_until != 0 && now >= a->u.toast_until) {
    a->u.toast_until = 0;
    a->dirty = true;
  }
}

static us_t earlier(us_t a, us_t b) {
  return a < b ? a : b;
}

static int timeout_ms(const struct app *a) {
  us_t now = clock_now(), next = earlier(input_next_timeout(a->input), watch_link_next(&a->link));
  if (!a->u.paused)
    next = earlier(next, watch_model_next_tick(a->m));
  if (looks(a))
    next = earlier(next, a->look_at);
  if (a->u.toast_until != 0)
    next = earlier(next, a->u.toast_until);
  if (a->dirty)
    next = earlier(next, pace_next(&a->pace, now, a->typing));
  if (a->behind == FEED_AT_ONCE)
    return 0;
  if (next == US_NEVER)
    return -1;
  return next <= now ? 0 : next - now > 60 * US_PER_S ? 60000 : (int)((next - now) / US_PER_MS) + 1;
}

static void loop(struct app *a) {
  while (!a->done) {
    read_feed(a);
    draw(a);
    struct pollfd fds[3] = {{.fd = term_fd(a->term), .events = POLLIN},
                            {.fd = term_resize_fd(a->term), .events = POLLIN},
                            {.fd = watch_link_fd(&a->link), .events = POLLIN}};
    if (!a->done && poll(fds, 3, timeout_ms(a)) < 0 && errno != EINTR)
      break;
    if (fds[1].revents != 0 && term_resized(a->term))
      fit(a);
    read_keys(a); /* also without input: a lone Esc is decided by time */
    if (!a->done)
      tick(a);
  }
}

/* prepare: everything but the terminal; false with why and code. */
static bool prepare(struct app *a) {
  const struct front_config *f = &a->o->front;
  a->code = EXIT_USAGE;
  a->input = input_create();
  a->m = watch_model_create(rng_u64(rng_system()));
  a->keys = command_keymap();
  if (!a->input || !a->m || !a->keys || !watch_pilot_init(&a->u, a->m, a->keys))
    abort();
  a->u.readonly = f->readonly;
  theme_default(&a->theme);
  if ((f->theme && theme_find(f->theme, &a->theme, a->why) != ERR_OK) ||
      (f->keys_file && keymap_load(a->keys, f->keys_file, a->why) != ERR_OK))
    return false;
  pace_init(&a->pace, pace_tier_guess(f->baud, getenv("SSH_CONNECTION") != NULL));
  if (pace_tier_info(a->pace.tier)->meters == PACE_METERS_NONE && a->o->watch.interval_ms < SLOW_INTERVAL_MS)
    a->o->watch.interval_ms = SLOW_INTERVAL_MS;
  a->code = watch_link_open(&a->link, a->o, a->why);
  return a->code == EXIT_LEFT;
}

enum exit_code watch_app_run(struct options *o) {
  struct app *a = calloc(1, sizeof *a);
  if (!a)
    abort();
  a->o = o;
  if (prepare(a)) {
    if (open_term(a))
      loop(a);
    else
      a->code = EXIT_USAGE;
    close_term(a);
  }
  if (a->why[0])
    fprintf(stderr, "gavel: %s\n", a->why); /* after the screen is given back */
  enum exit_code code = a->code;
  watch_link_close(&a->link);
  watch_pilot_free(&a->u);
  watch_model_destroy(a->m);
  keymap_destroy(a->keys);
  input_destroy(a->input);
  canvas_destroy(a->canvas);
  free(a);
  return code;
}
