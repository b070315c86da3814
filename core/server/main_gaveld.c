/* main_gaveld.c: the room server as a daemon: one INI file or defaults, logfmt on stderr, a clean end on
 * SIGTERM. */
#include "core/base/log.h"
#include "core/room/room.h"
#include "core/server/control.h"
#include "core/server/harden.h"
#include "core/server/limits.h"
#include "core/server/runner.h"
#include "core/server/server.h"
#include "core/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_OK = 0, EXIT_USAGE = 1, EXIT_START = 2, EXIT_DATABASE = 3 };

static const char USAGE[] =
    "usage: gaveld [--config FILE] [--listen ADDR] [--port N] [--media-port N] [--public ADDR]\n"
    "              [--database FILE] [--socket FILE] [--log debug|info|warn|error] [--check-config] "
    "[--limits]\n"
    "\n"
    "The room server. Without a file it listens on all addresses, TCP 8443 (TLS) and any free UDP port, "
    "keeps its rooms\n"
    "in ./gavel.db and takes commands from gavelctl on ./gavel.sock. Stop it with SIGTERM.\n"
    "Exit: 0 stopped, 1 wrong usage or configuration, 2 a port, certificate or socket cannot be had, 3 the "
    "database.\n";

static void print_limits(void) {
  static const struct {
    const char *what;
    long long n;
  } SIZES[] = {{"people in a room", ROOM_MEMBERS_MAX},
               {"people waiting for a room", ROOM_WAITING_MAX},
               {"bans in a room", ROOM_BANS_MAX},
               {"invites of a room", ROOM_INVITES_MAX},
               {"chat messages kept", ROOM_CHAT_KEPT},
               {"chat message, bytes", TEXT_CHAT_MAX},
               {"name, bytes", TEXT_NAME_MAX},
               {"time to resume, s", ROOM_AWAY_MS / 1000},
               {"time to undo, s", ROOM_UNDO_MS / 1000},
               {"rooms", CONTROL_ROOMS_MAX},
               {"bytes queued a client", CONTROL_QUEUE_BYTES}};
  for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++)
    printf("%-27s %lld\n", SIZES[i].what, SIZES[i].n);
  printf("\nEach of these has a counter in `gavelctl metrics`: gavel_limit_total{limit=\"NAME\"}. [limits] "
         "can change those "
         "with a *.\n\n%-22s %7s %-24s %5s  %-18s %s\n",
         "NAME", "VALUE", "UNIT", "BURST", "BEYOND", "OF");
  for (size_t i = 0; i < LIMIT__COUNT; i++) {
    const struct limit_row *l = &LIMITS[i];
    char burst[16] = "-";
    if (l->burst)
      snprintf(burst, sizeof burst, "%d", l->burst);
    printf("%s%-*s %7d %-24s %5s  %-18s %s\n", l->set ? "*" : "", l->set ? 21 : 22, l->name, l->value,
           l->unit, burst, l->beyond, l->of);
  }
}

/* -1: no such level. */
static int log_level(const char *s) {
  static const char *const names[] = {"debug", "info", "warn", "error"};
  for (int i = 0; i < 4; i++)
    if (strcmp(s, names[i]) == 0)
      return i;
  return -1;
}

static void log_as(const char *level) {
  log_set(log_to_stderr, NULL, *level ? (enum log_level)log_level(level) : LOG_INFO);
}

static bool to_port(const char *s, uint16_t *out) {
  char *end;
  long n = strtol(s, &end, 10);
  if (end == s || *end || n < 0 || n > 65535)
    return false;
  *out = (uint16_t)n;
  return true;
}

struct options {
  struct server_config cfg;
  bool check_only;
  char why[256]; /* what is wrong with the file */
};

static int usage(const char *what) {
  if (what)
    fprintf(stderr, "gaveld: %s\n", what);
  fputs(USAGE, what ? stderr : stdout);
  return what ? EXIT_USAGE : EXIT_OK;
}

/* Options win over the file, whatever their order: the file is read first. */
static int read_config(int argc, char **argv, struct options *o) {
  for (int i = 1; i < argc; i++) {
    const char *path = NULL;
    if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
      path = argv[i + 1];
    else if (strncmp(argv[i], "--config=", 9) == 0)
      path = argv[i] + 9;
    if (path && server_config_load(path, &o->cfg, o->why) != ERR_OK)
      return EXIT_USAGE;
  }
  return -1;
}

static int options(int argc, char **argv, struct options *o) {
  static const struct option LONG[] = {{"config", required_argument, NULL, 'c'},
                                       {"listen", required_argument, NULL, 'l'},
                                       {"port", required_argument, NULL, 'p'},
                                       {"media-port", required_argument, NULL, 'm'},
                                       {"public", required_argument, NULL, 'a'},
                                       {"database", required_argument, NULL, 'd'},
                                       {"socket", required_argument, NULL, 's'},
                                       {"log", required_argument, NULL, 'L'},
                                       {"check-config", no_argument, NULL, 'C'},
                                       {"limits", no_argument, NULL, 'M'},
                                       {"help", no_argument, NULL, 'h'},
                                       {"version", no_argument, NULL, 'v'},
                                       {NULL, 0, NULL, 0}};
  server_config_default(&o->cfg);
  o->cfg.admin_socket = "gavel.sock";
  optind = 0;
  int rc = read_config(argc, argv, o), k;
  if (rc >= 0)
    return rc;
  while ((k = getopt_long(argc, argv, "h", LONG, NULL)) != -1) {
    switch (k) {
    case 'c':
      break;
    case 'l':
      o->cfg.listen = optarg;
      break;
    case 'p':
      if (!to_port(optarg, &o->cfg.port))
        return usage("--port wants 0..65535");
      break;
    case 'm':
      if (!to_port(optarg, &o->cfg.media_port))
        return usage("--media-port wants 0..65535");
      break;
    case 'a':
      o->cfg.public_address = optarg;
      break;
    case 'd':
      o->cfg.database = optarg;
      break;
    case 's':
      o->cfg.admin_socket = optarg;
      break;
    case 'L':
      if (log_level(optarg) < 0)
        return usage("--log wants debug, info, warn or error");
      o->cfg.log = optarg;
      break;
    case 'C':
      o->check_only = true;
      break;
    case 'M':
      print_limits();
      return EXIT_OK;
    case 'v':
      puts("gaveld " GAVEL_VERSION);
      return EXIT_OK;
    case 'h':
      return usage(NULL);
    default:
      return EXIT_USAGE;
    }
  }
  return optind < argc ? usage("no arguments are expected") : -1;
}

static int exit_code(enum err e) {
  return e == ERR_DB_OPEN || e == ERR_DB_NEWER || e == ERR_DB_CORRUPT || e == ERR_DISK_FULL ? EXIT_DATABASE
                                                                                            : EXIT_START;
}

static enum err start(struct options *o, struct server **s, char why[256]) {
  static uint8_t key[32];
  bool given = false;
  enum err e = files_given_key(getenv("CREDENTIALS_DIRECTORY"), getenv("GAVEL_KEY_FD"), key, &given, why);
  o->cfg.master_key = given ? key : NULL;
  if (e == ERR_OK)
    e = server_start(&o->cfg, s, why);
  OPENSSL_cleanse(key, sizeof key);
  o->cfg.master_key = NULL;
  return e;
}

/* What is not needed any more once all ports, files and threads are there. */
static enum err harden(const struct server_config *c, char why[256]) {
  char erased[4096] = ""; /* server.c keeps it beside the backups */
  if (*c->backup_folder)
    snprintf(erased, sizeof erased, "%s/erased", c->backup_folder);
  const char *owned[6] = {c->database};
  const char *const also[] = {c->admin_socket, c->backup_folder, c->anchor_file, erased};
  for (size_t i = 0, n = 1; i < sizeof also / sizeof also[0]; i++)
    if (also[i] && *also[i])
      owned[n++] = also[i];
  enum err e = harden_user(c->user, owned, why);
  return e == ERR_OK && c->seccomp ? harden_syscalls(why) : e;
}

/* On SIGHUP; the command line still wins over the file. */
static void reload(int argc, char **argv, struct server *s) {
  struct options o = {.check_only = false};
  bool good = options(argc, argv, &o) < 0;
  if (good)
    log_as(o.cfg.log);
  server_reload(s, good ? &o.cfg : NULL, o.why);
}

int main(int argc, char **argv) {
  static struct options o; /* static: what the file says is kept as long as the process lives */
  int rc = options(argc, argv, &o);
  if (o.why[0])
    fprintf(stderr, "gaveld: %s\n", o.why);
  if (rc >= 0)
    return rc;
  if (o.check_only) {
    puts("the configuration is valid");
    return EXIT_OK;
  }
  log_as(o.cfg.log);
  sigset_t set; /* blocked before any thread starts, taken by sigwait below */
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  struct server *s;
  char why[256];
  harden_early();
  static struct runner runner;
  if (server_runner_start(&o.cfg, &runner, why) != ERR_OK) {
    log_event(LOG_ERROR, why, NULL);
    return EXIT_START;
  }
  /* A snapshot of a full room is large and soon gone: it must not leave a hole in the heap. */
  (void)mallopt(M_MMAP_THRESHOLD, 64 << 10);
  (void)mallopt(M_TRIM_THRESHOLD, 256 << 10);
  json_set_alloc_funcs(malloc, harden_free);
  enum err e = start(&o, &s, why);
  bool started = e == ERR_OK;
  if (started)
    e = harden(&o.cfg, why);
  if (e == ERR_OK && (e = server_start_backups(s)) != ERR_OK)
    snprintf(why, sizeof why, "the backups cannot be started: %s", err_text(e));
  if (e != ERR_OK) {
    log_event(LOG_ERROR, why, "code", err_code(e), NULL);
    if (started)
      server_stop(s);
    return exit_code(e);
  }
  log_event(LOG_INFO, "listening", "version", GAVEL_VERSION, "tcp", log_int(server_port(s)), "udp",
            log_int(server_media_port(s)), "database", o.cfg.database, NULL);
  int sig;
  while (sigwait(&set, &sig) == 0 && sig == SIGHUP)
    reload(argc, argv, s);
  log_event(LOG_INFO, "stopping", "signal", strsignal(sig), NULL);
  server_stop(s);
  log_event(LOG_INFO, "stopped", NULL);
  return EXIT_OK;
}
