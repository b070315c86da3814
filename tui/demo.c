/* demo.c: `gavel demo`: a real server on loopback and five real clients who play recorded speech, knock,
 * talk, talk over each other, raise hands and chat. The person at the keyboard is the host. Without a
 * terminal the same play is hosted by a script in line mode and ends in one line of measured results. */
#include "tui/demo.h"

#include "core/server/server.h"
#include "tui/demo_cast.h"
#include "tui/options.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char HINT[] =
    "Five people will knock. Try: a admit  A admit all  Up/Down choose a person  m mute  U ask to unmute  "
    "f/F give/take the floor  n next hand  x remove  Enter chat  : commands  ? help  q leave";

static const char *speech_dir(void) {
  static const char *const dirs[] = {GAVEL_DATADIR "/demo", GAVEL_SRCDIR "/tests/data"};
  for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
    char path[512];
    snprintf(path, sizeof path, "%s/alice.opus", dirs[i]);
    if (access(path, R_OK) == 0)
      return dirs[i];
  }
  return NULL;
}

static struct server *start_server(struct link *host, struct link *guest, char why[256]) {
  struct server_config c;
  struct server *s;
  server_config_default(&c);
  c.listen = "127.0.0.1";
  c.port = 0;
  c.database = ":memory:";
  sigset_t all, before; /* the server's threads leave signals to the front end */
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  enum err e = server_start(&c, &s, why);
  if (e == ERR_OK) {
    e = server_room_create(s, "demo", true, host, guest);
    if (e != ERR_OK) {
      snprintf(why, 256, "%s", err_text(e));
      server_stop(s);
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return e == ERR_OK ? s : NULL;
}

/* The scripted host types into the same line mode a person would. */
static int script_stdin(void) {
  int p[2];
  if (pipe2(p, O_CLOEXEC) != 0)
    return -1;
  if (dup2(p[0], STDIN_FILENO) < 0) {
    close(p[1]);
    p[1] = -1;
  }
  close(p[0]);
  return p[1];
}

static enum exit_code play(struct options *o, const struct link *guest, const char *dir) {
  bool scripted = o->front.kind == FRONT_LINE || o->front.kind == FRONT_HEADLESS || !isatty(STDIN_FILENO) ||
                  !isatty(STDOUT_FILENO);
  int keyboard = -1;
  if (scripted) {
    o->front.kind = o->front.kind == FRONT_HEADLESS ? FRONT_HEADLESS : FRONT_LINE;
    keyboard = script_stdin();
    snprintf(o->input, sizeof o->input, "null");
    snprintf(o->output, sizeof o->output, "null");
    o->front.client.input = o->input;
    o->front.client.output = o->output;
  }
  struct cast *cast = cast_start(guest, dir, keyboard);
  if (!cast) {
    fprintf(stderr, "gavel: the demo's guests cannot be started\n");
    return EXIT_CONNECT;
  }
  enum exit_code code = front_run(&o->front);
  struct cast_results r;
  cast_stop(cast, &r);
  if (scripted)
    printf("demo: %u of %u guests admitted, sound path up %d ms after admission (median), "
           "speech heard %d ms after the first microphone opened (median), %s, loss %u %%, %u acts "
           "acknowledged, %u refused\n",
           r.admitted, r.guests, r.path_ms, r.heard_ms, r.profile, r.loss_pct, r.acts_ok, r.acts_refused);
  if (scripted && code == EXIT_LEFT && (r.admitted < r.guests || r.path_ms < 0 || r.heard_ms < 0))
    return EXIT_CONNECT;
  return code;
}

enum exit_code demo_run(struct options *o) {
  char why[256] = "";
  const char *dir = speech_dir();
  if (!dir) {
    fprintf(stderr, "gavel: the demo's speech files are neither in %s/demo nor in the source tree\n",
            GAVEL_DATADIR);
    return EXIT_USAGE;
  }
  struct link host, guest;
  struct server *s = start_server(&host, &guest, why);
  if (!s) {
    fprintf(stderr, "gavel: %s\n", why);
    return EXIT_CONNECT;
  }
  o->front.client.link = host;
  o->front.hint = HINT;
  link_format(&guest, o->front.invite);
  enum exit_code code = play(o, &guest, dir);
  server_stop(s);
  return code;
}
