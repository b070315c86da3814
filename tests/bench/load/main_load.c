/* gavel-load: thousands of participants from one process, to see what a server carries. See load.md. */
#include "tests/bench/load/load.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "Usage: gavel-load (--link=LINK... | --link-file=FILE | --gavelctl=SOCKET --rooms=K | --peer=...)\n"
    "                  [OPTION...]\n"
    "Joins rooms of one server with listeners and speakers, counts what they hear, and leaves.\n\n"
    "  --link=LINK         a room to fill; give it once a room\n"
    "  --link-file=FILE    one link a line; \"-\": standard input\n"
    "  --gavelctl=SOCKET   make the rooms at the operator's socket, and end them afterwards\n"
    "  --peer=KIND/HOST:PORT  another server (bridge, videoroom: Janus; murmur), with rooms as load.md says\n"
    "  --rooms=K           so many of them (1)\n"
    "  --listeners=N       in each room (10)\n"
    "  --speakers=N        in each room, at most 16 (3)\n"
    "  --talking=N[,N...]  how many talk at once, turn by turn (1); \"conversation\": one after the other,\n"
    "                      an eighth of the time two\n"
    "  --turn=S            seconds a turn (2)\n"
    "  --speech=FILE       what is said; may be given more than once (a sine for each speaker)\n"
    "  --once              each room says one file, from the beginning, when all are there\n"
    "  --record=FOLDER     what the decoded ones hear, as WAV\n"
    "  --bandwidth=KBPS    what each person allows towards him\n"
    "  --seconds=S         how long it is counted (10)\n"
    "  --soak=MINUTES      instead: people come and go for so long, and what has grown is told\n"
    "  --impair=SPEC       each listener's network, both ways (tests/bench/relay/impair.h has the SPEC)\n"
    "  --impair-speakers   the speakers' too\n"
    "  --impair-after=MS   of the count (0)\n"
    "  --seed=N            of the impairment (1)\n"
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
  O_PEER,
  O_ONCE,
  O_RECORD,
  O_BANDWIDTH,
  O_SOAK,
  O_IMPAIR,
  O_IMPAIR_SPEAKERS,
  O_IMPAIR_AFTER,
  O_SEED,
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
                                        {"peer", required_argument, NULL, O_PEER},
                                        {"once", no_argument, NULL, O_ONCE},
                                        {"record", required_argument, NULL, O_RECORD},
                                        {"bandwidth", required_argument, NULL, O_BANDWIDTH},
                                        {"soak", required_argument, NULL, O_SOAK},
                                        {"impair", required_argument, NULL, O_IMPAIR},
                                        {"impair-speakers", no_argument, NULL, O_IMPAIR_SPEAKERS},
                                        {"impair-after", required_argument, NULL, O_IMPAIR_AFTER},
                                        {"seed", required_argument, NULL, O_SEED},
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
  if (strcmp(text, "conversation") == 0)
    return true;
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
  } RANGE[] = {
      [O_ROOMS] = {1, 100000},  [O_LISTENERS] = {0, 100000},     [O_SPEAKERS] = {1, LOAD_SPEAKERS_MAX},
      [O_TURN] = {1, 3600},     [O_SECONDS] = {1, 86400},        [O_RAMP] = {1, 100000},
      [O_DECODE] = {0, 100000}, [O_PID] = {1, 1 << 22},          [O_BANDWIDTH] = {6, 1000},
      [O_SOAK] = {1, 10000},    [O_IMPAIR_AFTER] = {0, 3600000}, [O_SEED] = {0, 1 << 30}};
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
  case O_BANDWIDTH:
    c->kbps = (unsigned)n;
    break;
  case O_SOAK:
    c->soak_us = n * 60 * US_PER_S;
    break;
  case O_IMPAIR_AFTER:
    c->impair_after_us = n * US_PER_MS;
    break;
  case O_SEED:
    c->seed = (uint64_t)n;
    break;
  default:
    c->pid = (pid_t)n;
  }
  return true;
}

/* KIND/HOST:PORT */
static bool peer(struct load_config *c, char *text) {
  static const struct kind *const KINDS[] = {&KIND_BRIDGE, &KIND_VIDEOROOM, &KIND_MURMUR};
  char *slash = strchr(text, '/'), *colon = strrchr(text, ':');
  long port;
  if (!slash || !colon || colon < slash || !number(colon + 1, 1, 65535, &port))
    return false;
  *slash = *colon = 0;
  for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
    if (strcmp(text, KINDS[i]->name) == 0)
      c->kind = KINDS[i];
  c->peer_port = (uint16_t)port;
  return snprintf(c->peer_host, sizeof c->peer_host, "%s", slash + 1) > 0 && c->kind != &KIND_GAVEL;
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
  case O_PEER:
    return peer(c, text) || refuse(text, "no KIND/HOST:PORT");
  case O_ONCE:
    return c->once = true;
  case O_RECORD:
    c->record = text;
    return true;
  case O_IMPAIR:
    c->impaired = true;
    return impair_parse(text, &c->impair) == ERR_OK || refuse(text, "not an impairment");
  case O_IMPAIR_SPEAKERS:
    return c->impair_speakers = true;
  case O_JSON:
    return c->json = true;
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
                   .cfg = {.kind = &KIND_GAVEL,
                           .seed = 1,
                           .listeners = 10,
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
  if (good && !!l.cfg.control + !!l.n_rooms + !!*l.cfg.peer_host != 1)
    good = refuse("which rooms", "either links, --gavelctl or --peer; see --help");
  if (good && *l.cfg.peer_host)
    rooms_count(&l);
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
