#include "tui/term_restore.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define STACK_BYTES 32768 /* a handler needs its own stack: an overflow of the other may be what kills us */

struct text {
  size_t n;
  char bytes[RESTORE_MAX];
};
struct caught {
  int signal;
  bool ours_only; /* only where the program left the default */
  bool installed;
  struct sigaction old;
};

/* Globals, as a signal handler has no other way to its data. The string is changed in the copy that is not in
 * use. */
static struct text texts[2];
static _Atomic(struct text *) current;
static struct termios saved_termios;
static int term_fd_now = -1;
static char stack[STACK_BYTES];
static struct caught caught[] = {
    {.signal = SIGSEGV},
    {.signal = SIGABRT},
    {.signal = SIGBUS},
    {.signal = SIGFPE},
    {.signal = SIGILL},
    {.signal = SIGTERM, .ours_only = true},
    {.signal = SIGHUP, .ours_only = true},
    {.signal = SIGINT, .ours_only = true},
    {.signal = SIGQUIT, .ours_only = true},
};
#define CAUGHT_N (sizeof caught / sizeof caught[0])

static void on_fatal(int sig) {
  struct text *t = atomic_exchange(&current, NULL); /* only the first of several dying threads writes */
  if (t) {
    ssize_t done = write(term_fd_now, t->bytes, t->n);
    (void)done;
    tcsetattr(term_fd_now, TCSANOW, &saved_termios);
  }
  for (size_t i = 0; i < CAUGHT_N; i++)
    if (caught[i].signal == sig)
      sigaction(sig, &caught[i].old, NULL);
  raise(sig); /* delivered when this handler returns */
}

void restore_arm(int fd, const struct termios *saved) {
  assert(term_fd_now < 0);
  term_fd_now = fd;
  saved_termios = *saved;
  stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack}, old_stack;
  if (sigaltstack(NULL, &old_stack) == 0 && (old_stack.ss_flags & SS_DISABLE))
    sigaltstack(&ss, NULL);
  for (size_t i = 0; i < CAUGHT_N; i++) {
    struct caught *c = &caught[i];
    struct sigaction sa = {.sa_handler = on_fatal, .sa_flags = SA_ONSTACK};
    sigemptyset(&sa.sa_mask);
    sigaction(c->signal, NULL, &c->old);
    bool is_default = !(c->old.sa_flags & SA_SIGINFO) && c->old.sa_handler == SIG_DFL;
    c->installed = !c->ours_only || is_default;
    if (c->installed)
      sigaction(c->signal, &sa, NULL);
  }
}

void restore_string(const char *s, size_t n) {
  assert(n <= RESTORE_MAX);
  struct text *next = atomic_load(&current) == &texts[0] ? &texts[1] : &texts[0];
  memcpy(next->bytes, s, n);
  next->n = n;
  atomic_store(&current, next);
}

void restore_disarm(void) {
  atomic_store(&current, NULL);
  for (size_t i = 0; i < CAUGHT_N; i++)
    if (caught[i].installed)
      sigaction(caught[i].signal, &caught[i].old, NULL);
  term_fd_now = -1;
}
