/* Line mode and headless mode: stdin and stdout as streams of lines, around line.h and headless.h. */
#include "tui/front.h"
#include "tui/headless.h"
#include "tui/line.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define LINE_BYTES 8192 /* a longer line of input is cut */

struct stream {
  struct front f;
  bool json;
  struct line line;
  struct headless headless;
  char in[LINE_BYTES];
  size_t n_in;
  bool eof;
  int signals;
};

static void put_stdout(void *ctx, const char *text) {
  (void)ctx;
  if (puts(text) == EOF || fflush(stdout) == EOF)
    clearerr(stdout); /* nobody reads any more: the session goes on, as with a closed log */
}

static void one_line(struct stream *s, const char *text) {
  if (s->json)
    headless_input(&s->headless, text, clock_now());
  else
    line_input(&s->line, text, clock_now());
}

static void read_signal(struct stream *s) {
  struct signalfd_siginfo info;
  if (read(s->signals, &info, sizeof info) != (ssize_t)sizeof info)
    return;
  s->f.code = EXIT_SIGNAL;
  s->f.done = true;
}

static void read_events(struct stream *s) {
  struct client_event ev;
  while (client_poll(s->f.client, &ev)) {
    us_t now = clock_now();
    front_state(&s->f, &ev);
    bool ended = ev.kind == CLIENT_EV_STATE && ev.state == CLIENT_ENDED;
    if (s->json)
      headless_event(&s->headless, &ev, now);
    else
      line_event(&s->line, &ev, now, clock_wall_ms());
    s->f.done = s->f.done || ended;
  }
}

static void tell(struct stream *s, const char *text) {
  struct client_event ev = {.kind = CLIENT_EV_NOTICE};
  snprintf(ev.text, sizeof ev.text, "%s", text);
  if (s->json)
    headless_event(&s->headless, &ev, clock_now());
  else
    line_event(&s->line, &ev, clock_now(), clock_wall_ms());
}

/* tell_warnings: what did not go well before anything was said: the keys file, the control socket. */
static void tell_warnings(struct stream *s) {
  const struct model *m = s->f.m;
  for (size_t i = 0, n = m->n_lines; i < n; i++)
    if (m->lines[i].style == STYLE_WARN)
      tell(s, m->lines[i].text);
}

static void carry(struct stream *s) {
  struct intent i;
  bool other;
  while (!s->f.done && model_take(s->f.m, &i)) {
    uint32_t ticket = front_carry(&s->f, &i, &other);
    if (i.kind == INTENT_ACT && s->json)
      headless_sent(&s->headless, i.order.act, ticket);
    else if (other && i.kind == INTENT_BELL && !s->json && isatty(STDOUT_FILENO))
      put_stdout(NULL, "\a");
    else if (i.kind == INTENT_SAVE)
      tell(s, s->f.m->toast); /* how it went */
    else if (i.kind == INTENT_DEVICES)
      one_line(s, ""); /* the list came as a page: say it */
  }
}

/* feed: complete lines out of what was read; a carriage return before the newline is not part of the line. */
static void feed(struct stream *s, const char *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (bytes[i] != '\n') {
      if (s->n_in + 1 < sizeof s->in && bytes[i] != '\0')
        s->in[s->n_in++] = bytes[i];
      continue;
    }
    s->n_in -= s->n_in > 0 && s->in[s->n_in - 1] == '\r';
    s->in[s->n_in] = '\0';
    s->n_in = 0;
    one_line(s, s->in);
    carry(s); /* the outbox is short: many lines may come at once */
  }
}

static void read_input(struct stream *s) {
  char bytes[4096];
  ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
  if (n > 0) {
    feed(s, bytes, (size_t)n);
    return;
  }
  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  s->eof =
      true; /* no more commands; from a keyboard Ctrl-D means to leave, from a file the session goes on */
  if (isatty(STDIN_FILENO))
    model_intent(s->f.m, INTENT_LEAVE);
}

static int timeout_ms(const struct stream *s) {
  us_t a = line_next_tick(&s->line), now = clock_now();
  if (a == US_NEVER)
    return -1;
  return a <= now ? 0 : a - now > 60 * US_PER_S ? 60000 : (int)((a - now) / US_PER_MS) + 1;
}

static int open_signals(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGTERM);
  sigaddset(set, SIGHUP);
  signal(SIGPIPE, SIG_IGN);
  if (pthread_sigmask(SIG_BLOCK, set, NULL) != 0) /* before the engine's threads: they inherit it */
    return -1;
  return signalfd(-1, set, SFD_CLOEXEC);
}

/* listens: commands wait in the pipe until there is a room, or a lobby, that could take them. */
static bool listens(const struct stream *s) {
  const struct model *m = s->f.m;
  return !s->eof && m->state != CLIENT_CONNECTING && (m->state != CLIENT_JOINED || m->have_room);
}

static void loop(struct stream *s) {
  while (!s->f.done) {
    struct pollfd fds[4] = {{.fd = client_fd(s->f.client), .events = POLLIN},
                            {.fd = s->signals, .events = POLLIN},
                            {.fd = listens(s) ? STDIN_FILENO : -1, .events = POLLIN},
                            {.fd = reach_fd(&s->f.reach), .events = POLLIN}};
    if (poll(fds, 4, timeout_ms(s)) < 0 && errno != EINTR)
      break;
    if (fds[1].revents != 0)
      read_signal(s);
    if (fds[0].revents != 0)
      read_events(s);
    if (fds[2].revents != 0 && !s->f.done)
      read_input(s);
    if (s->json)
      headless_tick(&s->headless, clock_now());
    else
      line_tick(&s->line, clock_now());
    while (reach_run(&s->f.reach, clock_now()))
      carry(s); /* one by one: what is to be carried out has little room to wait in */
    carry(s);
  }
}

enum exit_code stream_run(const struct front_config *c) {
  struct stream s = {.json = c->kind == FRONT_HEADLESS};
  sigset_t set;
  char why[256];
  s.signals = open_signals(&set);
  if (s.signals < 0 || !front_open(&s.f, c, why)) {
    fprintf(stderr, "gavel: %s\n", s.signals < 0 ? "no signals to be had" : why);
    return s.signals < 0 ? EXIT_USAGE : s.f.code;
  }
  line_init(&s.line, &s.f.ctl, put_stdout, NULL);
  headless_init(&s.headless, &s.f.ctl, put_stdout, NULL);
  tell_warnings(&s);
  loop(&s);
  front_close(&s.f);
  close(s.signals);
  return s.f.code;
}
