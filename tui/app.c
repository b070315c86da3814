/* The full screen: keys, engine events and timers on one poll; a frame when something changed and the line
 * can bear it. */
#include "tui/front.h"
#include "tui/hush.h"
#include "tui/options.h"
#include "tui/screen.h"
#include "tui/term.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct app {
  struct front f;
  struct theme theme;
  struct term *term;
  struct input *input;
  struct canvas *canvas;
  struct pace pace;
  bool dirty, typing, focused;
  us_t meter_next; /* when moving meters deserve a frame */
  char title[SAY_MAX];
};

static void fit(struct app *a) {
  int w, h;
  term_size(a->term, &w, &h);
  canvas_destroy(a->canvas);
  a->canvas = canvas_create(w, h, a->f.m->ascii);
  if (a->canvas == NULL)
    abort();
  a->dirty = true;
}

static void set_theme(struct app *a, const char *name) {
  struct theme loaded;
  char why[256];
  if (theme_find(name, &loaded, why) != ERR_OK) {
    model_toast(a->f.m, clock_now(), STYLE_WARN, why);
    return;
  }
  a->theme = loaded;
  term_theme(a->term, &a->theme);
}

/* page_end: as much of the open page as the clipboard takes, from the beginning of a line. */
static const char *page_end(const struct model *m) {
  const char *page = m->page != NULL ? m->page : "";
  size_t n = strlen(page);
  if (n <= OSC_COPY_MAX)
    return page;
  const char *line = strchr(page + n - OSC_COPY_MAX, '\n');
  return line != NULL ? line + 1 : "";
}

static void do_intent(struct app *a, const struct intent *i) {
  switch (i->kind) {
  case INTENT_REDRAW:
    term_redraw(a->term);
    break;
  case INTENT_SUSPEND:
    pilot_mic(&a->f.ctl, false, clock_now());
    client_mic_gate(a->f.client, false); /* nobody talks from a stopped program */
    term_suspend(a->term);
    fit(a);
    break;
  case INTENT_THEME:
    set_theme(a, i->text);
    break;
  case INTENT_COPY:
    if (!term_copy(a->term, i->text[0] != '\0' ? i->text : page_end(a->f.m)))
      model_toast(a->f.m, clock_now(), STYLE_WARN, "this terminal has no clipboard: :link shows the link");
    break;
  case INTENT_MOUSE:
    term_mouse(a->term, i->on);
    break;
  case INTENT_BELL:
    if (a->f.config->notify != OSC_NOTIFY_OFF)
      term_bell(a->term);
    break;
  case INTENT_NOTIFY:
    if (!a->focused)
      term_notify(a->term, a->f.config->notify, i->text);
    break;
  default:
    break;
  }
}

static void carry(struct app *a) {
  struct intent i;
  bool other;
  while (!a->f.done && model_take(a->f.m, &i)) {
    front_carry(&a->f, &i, &other);
    if (other)
      do_intent(a, &i);
    a->dirty = true;
  }
}

/* click: a person is chosen; nothing is ever done to him by a click alone. */
static void click(struct app *a, struct key k) {
  uint32_t id = canvas_person_at(a->canvas, k.x, k.y);
  if (id == 0 || a->f.m->mode != MODE_KEYS)
    return;
  a->f.m->cursor = id;
  a->dirty = a->typing = true;
}

static void on_key(struct app *a, struct key k, us_t now) {
  enum term_releases r;
  switch (k.code) {
  case KEY_KITTY:
    term_kitty_answer(a->term, k.mods);
    return;
  case KEY_RECEIPT:
  case KEY_RESIZE:
    return;
  case KEY_CLICK:
    click(a, k);
    return;
  case KEY_WHEEL_UP:
  case KEY_WHEEL_DOWN:
    for (int i = 0; i < 3; i++)
      pilot_key(&a->f.ctl, (struct key){.code = k.code == KEY_WHEEL_UP ? KEY_UP : KEY_DOWN}, NULL, now);
    a->dirty = a->typing = true;
    return;
  case KEY_FOCUS_IN:
  case KEY_FOCUS_OUT:
    a->focused = k.code == KEY_FOCUS_IN;
    return;
  default:
    r = term_releases(a->term);
    a->f.ctl.releases = r == TERM_RELEASES_ALL || (r == TERM_RELEASES_NAMED && k.code >= KEY_ESC);
    pilot_key(&a->f.ctl, k, k.code == KEY_PASTE ? input_paste(a->input) : NULL, now);
    a->dirty = a->typing = true;
  }
}

static void read_keys(struct app *a) {
  char bytes[4096];
  struct key k;
  us_t now = clock_now();
  size_t n = term_read(a->term, bytes, sizeof bytes);
  if (n == (size_t)-1) { /* the terminal is gone, and with it whoever could leave politely */
    a->f.code = EXIT_SIGNAL;
    a->f.done = true;
    return;
  }
  if (n > 0)
    input_feed(a->input, now, bytes, n);
  while (!a->f.done && input_poll(a->input, now, &k)) {
    on_key(a, k, now);
    carry(a);
  }
}

static void read_events(struct app *a) {
  struct client_event ev;
  while (client_poll(a->f.client, &ev)) {
    us_t now = clock_now();
    a->dirty = a->dirty || ev.kind != CLIENT_EV_LEVELS; /* levels are drawn at the meters' own pace */
    front_state(&a->f, &ev);
    model_update(a->f.m, &ev, now);
    pilot_tick(&a->f.ctl, now);
    carry(a);
  }
}

static bool someone_talks(const struct model *m) {
  for (size_t i = 0; i < CLIENT_LEVELS_MAX; i++)
    if (m->talk[i].member != 0)
      return true;
  return false;
}

static void tick(struct app *a) {
  us_t now = clock_now();
  a->dirty |= model_tick(a->f.m, now);
  pilot_tick(&a->f.ctl, now);
  if (someone_talks(a->f.m) && now >= a->meter_next) {
    a->meter_next = now + pace_tier_info(a->pace.tier)->meter_ms * US_PER_MS;
    a->dirty = true;
  }
}

static void draw(struct app *a) {
  us_t now = clock_now();
  char title[SAY_MAX];
  if (!a->dirty || pace_next(&a->pace, now, a->typing) > now)
    return;
  unsigned long long before = term_bytes(a->term);
  const struct scene scene = {a->f.m, a->canvas, a->f.keys, pace_tier_info(a->pace.tier), now};
  screen_draw(&scene);
  if (view_chat_shown(&scene, a->canvas->w))
    a->f.m->unread = 0;
  term_draw(a->term, a->canvas);
  screen_title(a->f.m, title);
  if (strcmp(title, a->title) != 0)
    term_title(a->term, title);
  memcpy(a->title, title, sizeof a->title);
  pace_spend(&a->pace, now, term_bytes(a->term) - before);
  a->dirty = a->typing = false;
}

static us_t earlier(us_t a, us_t b) {
  return a < b ? a : b;
}

static int timeout_ms(const struct app *a) {
  us_t now = clock_now();
  us_t next = earlier(model_next_tick(a->f.m), pilot_next_tick(&a->f.ctl));
  next = earlier(next, input_next_timeout(a->input));
  if (a->dirty)
    next = earlier(next, pace_next(&a->pace, now, a->typing));
  if (someone_talks(a->f.m))
    next = earlier(next, a->meter_next);
  if (next == US_NEVER)
    return -1;
  return next <= now ? 0 : next - now > 60 * US_PER_S ? 60000 : (int)((next - now) / US_PER_MS) + 1;
}

static void loop(struct app *a) {
  while (!a->f.done) {
    struct pollfd fds[4] = {{.fd = term_fd(a->term), .events = POLLIN},
                            {.fd = client_fd(a->f.client), .events = POLLIN},
                            {.fd = term_resize_fd(a->term), .events = POLLIN},
                            {.fd = reach_fd(&a->f.reach), .events = POLLIN}};
    draw(a);
    if (poll(fds, 4, timeout_ms(a)) < 0 && errno != EINTR)
      break;
    if (fds[2].revents != 0 && term_resized(a->term))
      fit(a);
    read_keys(a); /* also without input: a lone Esc is decided by time */
    if (fds[1].revents != 0)
      read_events(a);
    tick(a);
    while (reach_run(&a->f.reach, clock_now()))
      carry(a); /* one by one: what is to be carried out has little room to wait in */
    a->dirty |= fds[3].revents != 0;
    carry(a);
  }
}

static bool open_term(struct app *a, const struct front_config *c) {
  const char *why = NULL;
  char theme_why[256];
  theme_default(&a->theme);
  if (c->theme != NULL && theme_find(c->theme, &a->theme, theme_why) != ERR_OK) {
    fprintf(stderr, "gavel: %s\n", theme_why);
    return false;
  }
  a->term = term_open(
      &(struct term_config){.theme = &a->theme, .ascii = c->ascii, .colours = -1, .kitty = true}, &why);
  if (a->term == NULL)
    fprintf(stderr, "gavel: %s; --line needs no terminal\n", why);
  return a->term != NULL;
}

enum exit_code app_run(const struct front_config *c) {
  struct app *a = calloc(1, sizeof *a);
  char why[256] = "", words[SAY_MAX], log[512] = "";
  enum exit_code code = EXIT_USAGE;
  int hushed = -1;
  if (a == NULL || (a->input = input_create()) == NULL || !open_term(a, c))
    goto out;
  if (!options_state_path("gavel.log", log, why))
    log[0] = '\0';
  hushed = hush_begin(log);
  a->focused = true;
  if (!front_open(&a->f, c, why)) {
    code = a->f.code;
    goto out;
  }
  a->f.m->ascii = term_ascii(a->term);
  pace_init(&a->pace, pace_tier_guess(c->baud, getenv("SSH_CONNECTION") != NULL));
  if (pace_tier_info(a->pace.tier)->chat_full_width)
    a->f.m->pane = PANE_CHAT; /* one pane at a time: the roster is a line over the chat */
  fit(a);
  loop(a);
  code = a->f.code;
  if (a->f.m->state == CLIENT_ENDED && (code != EXIT_LEFT || !(a->f.leaving || a->f.ending))) {
    model_end_words(a->f.m, words);
    snprintf(why, sizeof why, "%.250s", words);
  }
  front_close(&a->f);
out:
  if (a != NULL && a->term != NULL)
    term_close(a->term);
  hush_end(hushed);
  if (why[0] != '\0')
    fprintf(stderr, "gavel: %s\n", why); /* after the screen is given back */
  if (a != NULL) {
    input_destroy(a->input);
    canvas_destroy(a->canvas);
  }
  free(a);
  return code;
}
