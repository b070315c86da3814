/* main_gaveld.c: the room server as a daemon: one INI file or defaults, logfmt on stderr, a clean end on
 * SIGTERM. */
#include "core/base/log.h"
#include "core/room/room.h"
#include "core/server/control.h"
#include "core/server/server.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
  printf("people in a room            %d\n", ROOM_MEMBERS_MAX);
  printf("people waiting for a room   %d\n", ROOM_WAITING_MAX);
  printf("bans in a room              %d\n", ROOM_BANS_MAX);
  printf("invites of a room           %d\n", ROOM_INVITES_MAX);
  printf("chat messages kept          %d\n", ROOM_CHAT_KEPT);
  printf("chat message, bytes         %d\n", TEXT_CHAT_MAX);
  printf("name, bytes                 %d\n", TEXT_NAME_MAX);
  printf("time to resume, s           %d\n", ROOM_AWAY_MS / 1000);
  printf("time to undo, s             %d\n", ROOM_UNDO_MS / 1000);
  printf("rooms                       %d\n", CONTROL_ROOMS_MAX);
  printf("messages queued a client    %d\n", CONTROL_QUEUE_MAX);
  printf("bytes queued a client       %d\n", CONTROL_QUEUE_BYTES);
  printf("time from connect to join   %d ms\n", CONTROL_HELLO_MS);
  printf("acts all see, a minute      %d (%d at once; hand, name, mute, vote; not for moderators)\n",
         CONTROL_SHOWN_PER_MIN, CONTROL_SHOWN_BURST);
  printf("wrong guesses of an address %d a minute (passwords, claim codes)\n", CONTROL_GUESSES_PER_MIN);
  printf("passwords set in a room     %d a minute\n", CONTROL_NEW_PASSWORDS_PER_MIN);
}

static bool log_level(const char *s, enum log_level *out) {
  static const char *const names[] = {"debug", "info", "warn", "error"};
  for (unsigned i = 0; i < 4; i++)
    if (strcmp(s, names[i]) == 0) {
      *out = (enum log_level)i;
      return true;
    }
  return false;
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
  enum log_level level;
  bool check_only;
};

static int usage(const char *what) {
  if (what)
    fprintf(stderr, "gaveld: %s\n", what);
  fputs(USAGE, what ? stderr : stdout);
  return what ? EXIT_USAGE : EXIT_OK;
}

/* Options win over the file, whatever their order: the file is read first. */
static int read_config(int argc, char **argv, struct options *o) {
  char why[256];
  for (int i = 1; i < argc; i++) {
    const char *path = NULL;
    if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
      path = argv[i + 1];
    else if (strncmp(argv[i], "--config=", 9) == 0)
      path = argv[i] + 9;
    if (path && server_config_load(path, &o->cfg, why) != ERR_OK) {
      fprintf(stderr, "gaveld: %s\n", why);
      return EXIT_USAGE;
    }
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
      if (!log_level(optarg, &o->level))
        return usage("--log wants debug, info, warn or error");
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

int main(int argc, char **argv) {
  static struct options o = {
      .level = LOG_INFO}; /* static: what the file says is kept as long as the process lives */
  server_config_default(&o.cfg);
  o.cfg.admin_socket = "gavel.sock";
  int rc = options(argc, argv, &o);
  if (rc >= 0)
    return rc;
  if (o.check_only) {
    puts("the configuration is valid");
    return EXIT_OK;
  }
  log_set(log_to_stderr, NULL, o.level);
  sigset_t set; /* blocked before any thread starts, taken by sigwait below */
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  struct server *s;
  char why[256];
  enum err e = server_start(&o.cfg, &s, why);
  if (e != ERR_OK) {
    log_event(LOG_ERROR, why, "code", err_code(e), NULL);
    return exit_code(e);
  }
  log_event(LOG_INFO, "listening", "version", GAVEL_VERSION, "tcp", log_int(server_port(s)), "udp",
            log_int(server_media_port(s)), "database", o.cfg.database, NULL);
  int sig;
  do
    sigwait(&set, &sig);
  while (sig == SIGHUP);
  log_event(LOG_INFO, "stopping", "signal", strsignal(sig), NULL);
  server_stop(s);
  log_event(LOG_INFO, "stopped", NULL);
  return EXIT_OK;
}
