/* gavel-load: thousands of participants from one process, to see what a server carries. See load.md. */
#include "tests/bench/load/load.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "Usage: gavel-load (--link=LINK... | --link-file=FILE | --gavelctl=SOCKET --rooms=K) [OPTION...]\n"
    "Joins rooms of one server with listeners and speakers, counts what they hear, and leaves.\n\n"
    "  --link=LINK         a room to fill; give it once a room\n"
    "  --link-file=FILE    one link a line; \"-\": standard input\n"
    "  --gavelctl=SOCKET   make the rooms at the operator's socket, and end them afterwards\n"
    "  --rooms=K           so many of them (1)\n"
    "  --listeners=N       in each room (10)\n"
    "  --speakers=N        in each room, at most 16 (3)\n"
    "  --talking=N[,N...]  how many talk at once, turn by turn (1)\n"
    "  --turn=S            seconds a turn (2)\n"
    "  --speech=FILE       what is said; may be given more than once (a sine for each speaker)\n"
    "  --seconds=S         how long it is counted (10)\n"
    "  --ramp=R            joins a second (100)\n"
    "  --decode=N          one listener in N is decoded and listened to; 0: none (10)\n"
    "  --pid=PID           of the server: also print what it used\n"
    "  --json              one line of JSON\n"
    "  --help\n\n"
    "Exit: 0 everybody heard everyone, 1 not so, 2 it could not begin.\n";

enum option_id {
  O_LINK = 1,
  O_LINK_FILE,
  O_CONTROL,
  O_ROOMS,
  O_LISTENERS,
  O_SPEAKERS,
  O_TALKING,
  O_TURN,
  O_SPEECH,
  O_SECONDS,
  O_RAMP,
  O_DECODE,
  O_PID,
  O_JSON,
  O_HELP
};
static const struct option OPTIONS[] = {{"link", required_argument, NULL, O_LINK},
                                        {"link-file", required_argument, NULL, O_LINK_FILE},
                                        {"gavelctl", required_argument, NULL, O_CONTROL},
                                        {"rooms", required_argument, NULL, O_ROOMS},
                                        {"listeners", required_argument, NULL, O_LISTENERS},
                                        {"speakers", required_argument, NULL, O_SPEAKERS},
                                        {"talking", required_argument, NULL, O_TALKING},
                                        {"turn", required_argument, NULL, O_TURN},
                                        {"speech", required_argument, NULL, O_SPEECH},
                                        {"seconds", required_argument, NULL, O_SECONDS},
                                        {"ramp", required_argument, NULL, O_RAMP},
                                        {"decode", required_argument, NULL, O_DECODE},
                                        {"pid", required_argument, NULL, O_PID},
                                        {"json", no_argument, NULL, O_JSON},
                                        {"help", no_argument, NULL, O_HELP},
                                        {NULL, 0, NULL, 0}};

static bool refuse(const char *what, const char *why) {
  fprintf(stderr, "gavel-load: %s: %s\n", what, why);
  return false;
}

static bool add_link(struct load *l, const char *text) {
  struct load_room r = {.at = (unsigned)l->n_rooms};
  const char *why = "";
  if (link_parse(text, &r.link, &why) != ERR_OK)
    return refuse("a link", why);
  l->rooms = realloc(l->rooms, (l->n_rooms + 1) * sizeof *l->rooms);
  if (!l->rooms)
    abort();
  l->rooms[l->n_rooms++] = r;
  return true;
}

static bool add_links(struct load *l, const char *path) {
  FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
  if (!f)
    return refuse(path, strerror(errno));
  char line[LINK_MAX + 2];
  bool good = true;
  while (good && fgets(line, sizeof line, f)) {
    line[strcspn(line, "\r\n")] = 0;
    good = !*line || add_link(l, line);
  }
  if (f != stdin)
    fclose(f);
  return good;
}

static bool number(const char *text, long least, long most, long *out) {
  char *end;
  errno = 0;
  *out = strtol(text, &end, 10);
  return errno == 0 && end != text && !*end && *out >= least && *out <= most;
}

static bool pattern(struct load_config *c, char *text) {
  long n;
  c->n_pattern = 0;
  for (char *save = NULL, *t = strtok_r(text, ",", &save); t; t = strtok_r(NULL, ",", &save)) {
    if (c->n_pattern == LOAD_PATTERN_MAX || !number(t, 0, LOAD_SPEAKERS_MAX, &n))
      return false;
    c->pattern[c->n_pattern++] = (unsigned)n;
  }
  return c->n_pattern > 0;
}

static void add_speech(struct load_config *c, char *path) {
  c->speech = realloc(c->speech, (c->n_speech + 1) * sizeof *c->speech);
  if (!c->speech)
    abort();
  c->speech[c->n_speech++] = path;
}

static bool take_number(struct load_config *c, int option, const char *text) {
  static const struct {
    long least, most;
  } RANGE[] = {[O_ROOMS] = {1, 100000},  [O_LISTENERS] = {0, 100000}, [O_SPEAKERS] = {1, LOAD_SPEAKERS_MAX},
               [O_TURN] = {1, 3600},     [O_SECONDS] = {1, 86400},    [O_RAMP] = {1, 100000},
               [O_DECODE] = {0, 100000}, [O_PID] = {1, 1 << 22}};
  long n;
  if (!number(text, RANGE[option].least, RANGE[option].most, &n))
    return refuse(text, "no number in range");
  switch (option) {
  case O_ROOMS:
    c->rooms = (unsigned)n;
    break;
  case O_LISTENERS:
    c->listeners = (unsigned)n;
    break;
  case O_SPEAKERS:
    c->speakers = (unsigned)n;
    break;
  case O_TURN:
    c->turn_us = n * US_PER_S;
    break;
  case O_SECONDS:
    c->seconds_us = n * US_PER_S;
    break;
  case O_RAMP:
    c->ramp = (unsigned)n;
    break;
  case O_DECODE:
    c->decode = (unsigned)n;
    break;
  default:
    c->pid = (pid_t)n;
  }
  return true;
}

static bool take_option(struct load *l, int option, char *text) {
  struct load_config *c = &l->cfg;
  switch (option) {
  case O_LINK:
    return add_link(l, text);
  case O_LINK_FILE:
    return add_links(l, text);
  case O_CONTROL:
    c->control = text;
    return true;
  case O_TALKING:
    return pattern(c, text) || refuse(text, "numbers from 0 to 16 with commas between");
  case O_SPEECH:
    add_speech(c, text);
    return true;
  case O_JSON:
    c->json = true;
    return true;
  case O_HELP:
    fputs(USAGE, stdout);
    exit(0);
  case '?':
    return false;
  default:
    return take_number(c, option, text);
  }
}

int main(int argc, char **argv) {
  struct load l = {.epoll = -1,
                   .cfg = {.listeners = 10,
                           .speakers = 3,
                           .rooms = 1,
                           .pattern = {1},
                           .n_pattern = 1,
                           .turn_us = 2 * US_PER_S,
                           .seconds_us = 10 * US_PER_S,
                           .ramp = 100,
                           .decode = 10}};
  bool good = true;
  int o;
  signal(SIGPIPE, SIG_IGN);
  while (good && (o = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
    good = take_option(&l, o, optarg);
  if (good && optind < argc)
    good = refuse(argv[optind], "not an option");
  if (good && !l.cfg.control == !l.n_rooms)
    good = refuse("which rooms", "either links or --gavelctl; see --help");
  bool made = good && l.cfg.control && (good = rooms_make(&l));
  good = good && load_run(&l);
  bool heard = good && report_print(&l);
  load_leave(&l);
  if (made)
    rooms_end(&l);
  load_free(&l);
  free(l.cfg.speech);
  return heard ? 0 : good ? 1 : 2;
}
