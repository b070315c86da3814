/* What the screen costs on the line, counted behind a real pseudo-terminal: each figure is a promise of
 * docs/figures.md. A child draws; the parent reads the terminal's side so that nothing is held up. */
#include "tests/unit/tui/room_fixture.h"
#include "tui/term.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct bytes {
  unsigned first, idle, talk_on, talk_off, chat_slow, chat_fast, member;
  unsigned worst_backlog; /* on the 2400-baud line, of bytes the line had not carried yet */
  unsigned frames;
  bool newest_seen; /* after the storm the screen shows the last message */
};

struct desk {
  struct fixture *f;
  struct term *term;
  struct canvas *canvas;
  enum pace_tier tier;
};

static unsigned draw(struct desk *d) {
  unsigned long long before = term_bytes(d->term);
  screen_draw(&(struct scene){d->f->m, d->canvas, d->f->keys, pace_tier_info(d->tier), d->f->now});
  term_draw(d->term, d->canvas);
  return (unsigned)(term_bytes(d->term) - before);
}

static void say(struct desk *d, const char *text) {
  (void)fx_act(d->f, BOB, ACT_CHAT, NULL, 0, 0, text);
}

static bool shows(const struct desk *d, const char *text) {
  char *all = canvas_text(d->canvas);
  bool found = strstr(all, text) != NULL;
  free(all);
  return found;
}

static void measure(struct desk *d, struct bytes *out) {
  d->f->now += US_PER_S; /* alice's mark of the fixture runs out */
  model_tick(d->f->m, d->f->now);
  d->tier = PACE_SSH;
  out->first = draw(d);
  out->idle = draw(d);
  fx_step(d->f, 3 * 60 * 1000); /* toasts run out; nothing that ticks may be left */
  draw(d);
  fx_step(d->f, 1000);
  out->idle += draw(d);
  fx_talks(d->f, JOSE, 20);
  out->talk_on = draw(d);
  fx_step(d->f, 1000);
  out->talk_off = draw(d);
  say(d, "and the budget is still open, who will look at it?");
  out->chat_fast = draw(d);
  (void)fx_act(d->f, CAROL, ACT_MUTE, (uint32_t[]){LARS}, 1, 0, NULL);
  d->f->m->toast[0] = '\0';
  out->member = draw(d);
  d->tier = PACE_2400;
  d->f->m->pane = PANE_CHAT;
  draw(d);
  say(d, "one");
  draw(d);
  say(d, "I can do it on Thursday.");
  out->chat_slow = draw(d);
}

/* Ten minutes of a busy meeting over 240 bytes a second: talk marks come and go, somebody writes each second.
 * The line carries what the pace lets through; what it has not carried yet is how far the screen lags. */
static void storm(struct desk *d, struct bytes *out) {
  struct pace pace;
  double queued = 0;
  pace_init(&pace, PACE_2400);
  d->tier = PACE_2400;
  draw(d);
  for (int ms = 0; ms < 600 * 1000; ms += 50) {
    char text[64];
    fx_step(d->f, 50);
    queued = queued > 12 ? queued - 12 : 0; /* 240 bytes a second */
    if (ms % 300 == 0)
      fx_talks(d->f, ms % 600 == 0 ? ERIN : BOB, 18);
    if (ms % 1000 == 0) {
      snprintf(text, sizeof text, "message number %d of this storm", ms / 1000);
      say(d, text);
    }
    if (pace_next(&pace, d->f->now, false) > d->f->now)
      continue;
    unsigned n = draw(d);
    out->frames += n > 0;
    pace_spend(&pace, d->f->now, n);
    queued += n;
    if (queued > out->worst_backlog)
      out->worst_backlog = (unsigned)queued;
  }
  out->newest_seen = shows(d, "message number 599") || shows(d, "message number 598");
}

static void child(int slave, struct bytes *out) {
  struct winsize size = {.ws_row = 24, .ws_col = 80};
  const char *why = NULL;
  struct theme theme;
  struct desk d = {.f = fx_busy()};
  setenv("TERM", "xterm-256color", 1);
  setenv("LC_ALL", "C.UTF-8", 1);
  unsetenv("NO_COLOR");
  unsetenv("TMUX");
  if (ioctl(slave, TIOCSWINSZ, &size) != 0 || dup2(slave, 0) != 0 || dup2(slave, 1) != 1)
    _exit(2);
  theme_default(&theme);
  d.term = term_open(&(struct term_config){.theme = &theme, .colours = 256}, &why);
  d.canvas = canvas_create(80, 24, false);
  if (d.term == NULL || d.canvas == NULL)
    _exit(3);
  measure(&d, out);
  storm(&d, out);
  term_close(d.term);
  _exit(0);
}

static struct bytes *run(void) {
  struct bytes *out = mmap(NULL, sizeof *out, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  assert_true(out != MAP_FAILED && master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  assert_true(slave >= 0);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0)
    child(slave, out);
  close(slave);
  int status = -1;
  for (;;) {
    char waste[4096];
    struct pollfd p = {.fd = master, .events = POLLIN};
    if (waitpid(pid, &status, WNOHANG) == pid)
      break;
    if (poll(&p, 1, 100) > 0 && read(master, waste, sizeof waste) < 0)
      (void)poll(NULL, 0, 10); /* hung up: the child is about to end */
  }
  close(master);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  return out;
}

static void test_budget(void **state) {
  (void)state;
  struct bytes *b = run();
  print_message(
      "bytes: first paint %u, idle %u, talk mark on %u off %u, chat line %u (slow layout %u), mute %u; "
      "2400 baud: worst backlog %u of 480 allowed, %u frames\n",
      b->first, b->idle, b->talk_on, b->talk_off, b->chat_fast, b->chat_slow, b->member, b->worst_backlog,
      b->frames);
  assert_in_range(b->first, 1000, 2500);
  assert_int_equal(b->idle, 0);
  assert_in_range(b->talk_on, 1, 60);
  assert_in_range(b->talk_off, 1, 60);
  assert_in_range(b->chat_slow, 1, 80);
  assert_in_range(b->worst_backlog, 1, 480);
  assert_true(b->frames > 100);
  assert_true(b->newest_seen);
  munmap(b, sizeof *b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_budget)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
