#include "tui/options.h"

#include "core/base/bytes.h"
#include "core/base/rng.h"
#include "tui/bandwidth.h"
#include "tui/osc.h"
#include "tui/watch_expr.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum option_code {
  O_BASE = 255,
#define OPT(id, ...) O_##id,
#include "tui/options.def"
#undef OPT
};
const struct option_row OPTIONS[] = {
#define OPT(id, name_, value_, of_, help_)                                                                   \
  {.name = name_, .value = value_, .help = help_, .of = OPTION_OF_##of_},
#include "tui/options.def"
#undef OPT
    {NULL, NULL, NULL, OPTION_OF_ALL}};

static const struct option LONG[] = {
#define OPT(id, name, value, of, help) {name, sizeof(value) > 1, NULL, O_##id},
#include "tui/options.def"
#undef OPT
    {NULL, 0, NULL, 0}};

const char OPTIONS_COMMANDS[] =
    "  gavel host [ROOM]    open a room on this machine and print an invite link\n"
    "  gavel join LINK|-    join by an invite link; - reads it from standard input\n"
    "  gavel login HOST[:PORT]|LINK|-\n"
    "                       sign in to your account on a server, in a browser\n"
    "  gavel logout HOST[:PORT]|LINK|-\n"
    "                       end that session\n"
    "  gavel watch [SERVER] the live rooms of a server: by its socket (./gavel.sock) or its operators'\n"
    "                       port, https://HOST:PORT[#p=PIN]\n"
    "  gavel doctor [LINK|-]\n"
    "                       is this terminal, its sound and the way to a server fit for a call?\n"
    "  gavel demo           a room with invented people\n"
    "  gavel keys [--check FILE]\n"
    "                       all keys and commands, as a table; or what a keys file changes\n"
    "  gavel themes [--check NAME|FILE]\n"
    "                       the themes that come along; or whether one is valid\n"
    "  gavel man PAGE       a manual page: gavel or gavelctl\n"
    "  gavel completion SHELL\n"
    "                       completion for bash, zsh or fish\n";
const char OPTIONS_EXIT[] =
    "0 left, 1 usage, 2 cannot connect, 3 refused, 4 removed, 5 room ended,\n"
    "6 no audio device, 7 protocol version, 8 consent needed, 9 a --fail-if holds, 130 signal\n";

void options_help(FILE *f) {
  fprintf(f, "gavel: moderated audio conferences from the keyboard\n\n%s", OPTIONS_COMMANDS);
  static const char *const HEADS[] = {"", "host also takes:\n", "watch also takes:\n"};
  for (enum option_of of = OPTION_OF_ALL; of <= OPTION_OF_WATCH; of++) {
    fprintf(f, "\n%s", HEADS[of]);
    for (const struct option_row *o = OPTIONS; o->name != NULL; o++) {
      char form[48];
      snprintf(form, sizeof form, "--%s%s%s", o->name, o->value[0] != '\0' ? " " : "", o->value);
      if (o->of == of)
        fprintf(f, "  %-22s %s\n", form, o->help);
    }
  }
  fprintf(f, "\nexit: %s", OPTIONS_EXIT);
}

static bool number(const char *text, unsigned long max, unsigned long *out, char why[256]) {
  char *end;
  errno = 0;
  *out = strtoul(text, &end, 10);
  if (errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && *out <= max)
    return true;
  snprintf(why, 256, "%.40s is not a number from 0 to %lu", text, max);
  return false;
}

static bool set_port(const char *text, uint16_t *out, char why[256]) {
  unsigned long n;
  if (!number(text, 65535, &n, why))
    return false;
  *out = (uint16_t)n;
  return true;
}

static bool set_name(struct front_config *f, const char *name, char why[256]) {
  if (text_clean_name(name, strlen(name), f->client.name) == ERR_OK)
    return true;
  snprintf(why, 256, "%s", err_text(ERR_BAD_NAME));
  return false;
}

/* read_password: never in argv, where every process of the machine could read it. */
static bool read_password(struct options *o, char why[256]) {
  FILE *file = fopen(optarg, "re");
  bool ok = file != NULL && fgets(o->password, sizeof o->password, file) != NULL;
  if (file != NULL)
    fclose(file);
  o->password[strcspn(o->password, "\r\n")] = '\0';
  o->front.client.password = o->password;
  if (!ok)
    snprintf(why, 256, "%.160s cannot be read: %s", optarg, file == NULL ? strerror(errno) : "it is empty");
  return ok;
}

/* set_interval: 250ms, 2s, or seconds without a unit. */
static bool set_interval(const char *text, unsigned *out, char why[256]) {
  char *unit = NULL;
  unsigned long n = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &unit, 10) : 0;
  bool ms = unit && strcmp(unit, "ms") == 0, ok = unit && (ms || strcmp(unit, "s") == 0 || *unit == '\0');
  n = ms ? n : n <= 10 ? n * 1000 : 0;
  if (ok && n >= 250 && n <= 10000) {
    *out = (unsigned)n;
    return true;
  }
  snprintf(why, 256, "--interval takes 250ms to 10s, not %.60s", text);
  return false;
}

/* add_condition: a wrong one is said at once, with the spot. */
static bool add_condition(struct watch_options *w, char why[256]) {
  struct watch_expr e;
  struct watch_fault fault;
  if (watch_expr_parse(optarg, true, &e, &fault) != ERR_OK)
    snprintf(why, 256, "--fail-if '%.80s', character %zu: %s", optarg, fault.at + 1, fault.why);
  else if (w->n_fail == OPTIONS_FAIL_MAX)
    snprintf(why, 256, "at most %d times --fail-if", OPTIONS_FAIL_MAX);
  else {
    w->fail[w->n_fail++] = optarg;
    return true;
  }
  return false;
}

/* set_special: the options that need work of their own. */
static bool set_special(struct options *o, int option, char why[256]) {
  unsigned long n;
  switch (option) {
  case O_NAME:
    return set_name(&o->front, optarg, why);
  case O_PORT:
    return set_port(optarg, &o->port, why);
  case O_MEDIA_PORT:
    return set_port(optarg, &o->media_port, why);
  case O_BAUD:
    if (!number(optarg, 4000000, &n, why))
      return false;
    o->front.baud = (unsigned)n;
    return true;
  case O_BANDWIDTH:
    return bandwidth_parse(optarg, &o->front.client.kbps, why);
  case O_ACCEPT_CONSENT:
    o->front.client.consent = optarg;
    return true;
  case O_FAIL_IF:
    return add_condition(&o->watch, why);
  case O_INTERVAL:
    return set_interval(optarg, &o->watch.interval_ms, why);
  case O_PASSWORD_FILE:
    return read_password(o, why);
  case O_NOTIFY:
    if (osc_notify_find(optarg, &o->front.notify))
      return true;
    snprintf(why, 256, "--notify takes auto, bell, osc9, osc777 or off");
    return false;
  case O_INPUT:
  case O_PLAY:
    snprintf(o->input, sizeof o->input, "%s%.500s", option == O_PLAY ? "file:" : "", optarg);
    o->front.client.mic_open |= option == O_PLAY;
    return true;
  case O_OUTPUT:
  case O_RECORD:
    snprintf(o->output, sizeof o->output, "%s%.500s", option == O_RECORD ? "file:" : "", optarg);
    return true;
  default:
    return false;
  }
}

static bool set(struct options *o, int option, bool *help, char why[256]) {
  struct front_config *f = &o->front;
  const struct {
    int option;
    bool *flag, value;
  } flags[] = {{O_NO_LOBBY, &o->lobby, false},
               {O_NO_AUDIO, &f->client.no_audio, true},
               {O_ASCII, &f->ascii, true},
               {O_READONLY, &f->readonly, true},
               {O_OPEN_MIC, &f->client.mic_open, true},
               {O_REQUIRE_AUDIO, &f->require_audio, true},
               {O_FORGET, &o->forget, true},
               {O_NO_LOGIN, &o->no_login, true},
               {O_MONITOR, &o->monitor, true},
               {O_ONCE, &o->watch.once, true},
               {O_NO_AEC, &f->client.aec, false},
               {O_NO_NS, &f->client.ns, false},
               {O_NO_AGC, &f->client.agc, false},
               {O_HELP, help, true}};
  const struct {
    int option;
    const char **text;
  } texts[] = {{O_LISTEN, &o->listen}, {O_PUBLIC, &o->public_address},
               {O_THEME, &f->theme},   {O_KEYS, &f->keys_file},
               {O_HOOK, &f->hook},     {O_CONTROL, &f->control},
               {O_PIN, &o->pin},       {O_TOKEN, &o->token_file}};
  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
    if (flags[i].option == option) {
      *flags[i].flag = flags[i].value;
      return true;
    }
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (texts[i].option == option) {
      *texts[i].text = optarg;
      return true;
    }
  if (option == O_LINE || option == O_HEADLESS || option == O_JSON) {
    f->kind = option == O_LINE ? FRONT_LINE : FRONT_HEADLESS;
    return true;
  }
  return set_special(o, option, why);
}

/* read_link: one line from standard input, byte by byte: what follows are commands and stays there. */
static void read_link(char out[LINK_MAX]) {
  size_t n = 0;
  if (isatty(STDIN_FILENO))
    fputs("Link: ", stderr);
  while (n + 1 < LINK_MAX && read(STDIN_FILENO, out + n, 1) == 1 && out[n] != '\n')
    n++;
  while (n > 0 && (out[n - 1] == '\r' || out[n - 1] == ' '))
    n--;
  out[n] = '\0';
}

/* name_link: HOST[:PORT] as a link to no room; what is a link stays. */
static void name_link(char text[LINK_MAX]) {
  char copy[LINK_MAX];
  bool scheme = strncmp(text, "https://", 8) == 0;
  memcpy(copy, text, sizeof copy);
  copy[strcspn(copy, "\n")] = '\0';
  if (strstr(copy, "/j/") == NULL)
    snprintf(text, LINK_MAX, "%s%.480s/j/0", scheme ? "" : "https://", copy);
}

/* take_pin: --pin goes before what the link says. */
static bool take_pin(struct options *o, char why[256]) {
  struct link *l = &o->front.client.link;
  if (o->pin == NULL)
    return true;
  l->has_pin = b64url_decode(o->pin, strlen(o->pin), l->pin, sizeof l->pin) == (int)sizeof l->pin;
  if (!l->has_pin)
    snprintf(why, 256, "--pin takes 43 characters of base64url");
  return l->has_pin;
}

static bool take_link(struct options *o, char *arg, bool server, char why[256]) {
  char text[LINK_MAX] = "";
  const char *reason = "";
  if (strcmp(arg, "-") == 0)
    read_link(text);
  else
    snprintf(text, sizeof text, "%s", arg);
  if (server)
    name_link(text);
  bool ok = link_parse(text, &o->front.client.link, &reason) == ERR_OK;
  if (strcmp(arg, "-") != 0)
    memset(arg, '*', strlen(arg));
  memset(text, 0, sizeof text);
  if (!ok)
    snprintf(why, 256, "%s: %s", err_text(ERR_BAD_LINK), reason);
  return ok;
}

bool options_state_path(const char *file, char out[512], char why[256]) {
  const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  char folder[400];
  if (state != NULL && state[0] == '/')
    snprintf(folder, sizeof folder, "%.380s/gavel", state);
  else
    snprintf(folder, sizeof folder, "%.360s/.local/state/gavel", home != NULL ? home : "/tmp");
  for (char *p = strchr(folder + 1, '/');; p = strchr(p + 1, '/')) {
    if (p != NULL)
      *p = '\0';
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
      snprintf(why, 256, "cannot make the folder %.160s: %s", folder, strerror(errno));
      return false;
    }
    if (p == NULL)
      break;
    *p = '/';
  }
  snprintf(out, 512, "%s/%.100s", folder, file);
  return true;
}

/* install_id: what a ban can hold on to; made once, readable by the owner only. Without a state folder there
 * is none. */
static void install_id(char out[40]) {
  char path[512], why[256];
  out[0] = '\0';
  if (!options_state_path("install-id", path, why))
    return;
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return;
  ssize_t n = read(fd, out, 32);
  out[n > 0 ? n : 0] = '\0';
  if (n != 32) {
    rng_token(rng_system(), out, 32);
    if (pwrite(fd, out, 32, 0) != 32)
      out[0] = '\0';
  }
  close(fd);
}

static bool check(const struct options *o, bool host, char why[256]) {
  if (o->front.require_audio && o->front.client.no_audio)
    snprintf(why, 256, "--no-audio and --require-audio exclude each other");
  else if (host && !text_slug_valid(o->room))
    snprintf(why, 256, "%.60s cannot be the name of a room: small letters, digits, . _ -", o->room);
  else
    return true;
  return false;
}

bool options_parse(int argc, char **argv, struct options *o, bool *help, char why[256]) {
  const char *user = getenv("USER");
  const struct passwd *account = user == NULL ? getpwuid(getuid()) : NULL;
  bool host = strcmp(argv[0], "host") == 0, join = strcmp(argv[0], "join") == 0,
       watch = strcmp(argv[0], "watch") == 0, doctor = strcmp(argv[0], "doctor") == 0;
  bool server = strcmp(argv[0], "login") == 0 || strcmp(argv[0], "logout") == 0;
  int option;
  *o = (struct options){.listen = "", .public_address = "", .room = "room", .lobby = true};
  o->watch = (struct watch_options){.server = "gavel.sock", .interval_ms = 1000};
  o->front.client = (struct client_config){.input = o->input,
                                           .output = o->output,
                                           .aec = true,
                                           .ns = true,
                                           .agc = true,
                                           .device_id = o->device_id};
  if (account != NULL)
    user = account->pw_name;
  (void)set_name(&o->front, user != NULL ? user : "guest", why);
  *help = false;
  opterr = 0;
  optind = 1;
  while ((option = getopt_long(argc, argv, ":", LONG, NULL)) != -1) {
    const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";
    if (option == '?' || option == ':') {
      snprintf(why, 256, option == '?' ? "there is no option %.80s" : "%.80s needs a value", word);
      return false;
    }
    if (option > O_BASE && OPTIONS[option - O_BASE - 1].of == OPTION_OF_WATCH && !watch) {
      snprintf(why, 256, "--%s is for gavel watch", OPTIONS[option - O_BASE - 1].name);
      return false;
    }
    if (!set(o, option, help, why))
      return false;
  }
  if (*help)
    return true;
  int words = argc - optind;
  if (join || server ? words != 1 : words > (int)(host || watch || doctor)) {
    snprintf(why, 256, "%s",
             server   ? "login and logout need the name of one server, or a link of it, or - to read that"
             : join   ? "join needs one link, or - to read it from standard input"
             : host   ? "host takes one room name"
             : doctor ? "doctor takes one link, or - to read it from standard input"
             : watch  ? "watch takes one server: the path of its socket, or https://HOST:PORT"
                      : "demo takes options only");
    return false;
  }
  if (host && argc > optind)
    o->room = argv[optind];
  if (watch && argc > optind)
    o->watch.server = argv[optind];
  if ((join || server || (doctor && argc > optind)) &&
      !(take_link(o, argv[optind], server, why) && take_pin(o, why)))
    return false;
  install_id(o->device_id);
  return check(o, host, why);
}
