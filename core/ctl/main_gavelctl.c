/* main_gavelctl.c: every act of the table and every verb of ctl_verbs.def as one command, over gaveld's 0600
 * Unix socket. */
#include "core/ctl/ctl.h"

#include <malloc.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct row {
  const char *verb, *grammar, *method, *help;
} ROWS[] = {
#define CTL(verb, grammar, method, help) {verb, grammar, method, help},
#include "core/wire/ctl_verbs.def"
#undef CTL
};

/* Words with blanks between, from column `at` on, broken at 79 columns and then indented. */
static void print_wrapped(const char *text, size_t at, size_t indent) {
  const char *blank = "";
  while (*text) {
    size_t n = strcspn(text, " ");
    if (*blank && at + 1 + n > 79) {
      printf("\n%*s", (int)indent, "");
      at = indent;
      blank = "";
    }
    printf("%s%.*s", blank, (int)n, text);
    at += n + strlen(blank);
    blank = " ";
    text += n + strspn(text + n, " ");
  }
  puts("");
}

static int help_row(const struct row *r) {
  char line[512];
  snprintf(line, sizeof line, "%s %s", r->verb, r->grammar);
  fputs("  ", stdout);
  print_wrapped(line, 2, 6);
  fputs("      ", stdout);
  print_wrapped(r->help, 6, 6);
  return EXIT_OK;
}

static int help_act(enum act act) {
  const struct act_info *r = &ACTS[act];
  int n = printf("  %-14s %-22s ", r->name, r->args);
  if (n > 40)
    printf("\n%40s", "");
  print_wrapped(r->help, 40, 40);
  return EXIT_OK;
}

static int help(void) {
  fputs("usage: gavelctl [--socket FILE] [--json] [--ticket ID] [--operator NAME]\n"
        "                [--database FILE] [--master-key FILE] VERB ...\n"
        "       gavelctl --client[=NAME] [--json] status | watch | talk on|off |\n"
        "                any command of gavel\n\n",
        stdout);
  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
    help_row(&ROWS[i]);
  fputs("\n=FILE is read from that file, or with \"-\" from standard input: secrets stay off\n"
        "the command line. VERB --help shows one verb. Times are shown in UTC.\n"
        "Acts: ACT ROOM and what is listed. People are named by a unique beginning,\n"
        "\"#id\" or a \"pattern*\"; \"--\" ends them. Times are 90, 90s, 5m, 2h, 1d.\n"
        "Exit: 0 done, 1 usage or nobody of that name, 2 no server there, 3 refused.\n",
        stdout);
  for (int g = 0; g < ACT_GROUP__COUNT; g++) {
    printf("\n%s:\n", act_group_name((enum act_group)g));
    for (int i = 0; i < ACT__COUNT; i++)
      if (ACTS[i].group == (enum act_group)g)
        help_act((enum act)i);
  }
  return EXIT_OK;
}

/* The row whose one or two words argv begins with; *n how many. A group's name alone ("key") is no verb. */
static const struct row *row_find(int argc, char **argv, int *n) {
  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
    const char *blank = strchr(ROWS[i].verb, ' ');
    size_t first = blank ? (size_t)(blank - ROWS[i].verb) : strlen(ROWS[i].verb);
    *n = blank ? 2 : 1;
    if (strlen(argv[0]) == first && memcmp(argv[0], ROWS[i].verb, first) == 0 &&
        (!blank || (argc > 1 && strcmp(argv[1], blank + 1) == 0)))
      return &ROWS[i];
  }
  return NULL;
}

/* What a group of two-word verbs has, when its second word is missing or wrong. */
static int no_verb(const char *word) {
  size_t len = strlen(word);
  const char *between = ": ";
  bool group = false;
  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
    group = group || (strncmp(ROWS[i].verb, word, len) == 0 && ROWS[i].verb[len] == ' ');
  if (!group) {
    fprintf(stderr, "gavelctl: no such verb: %.80s: see gavelctl --help\n", word);
    return EXIT_USAGE;
  }
  fprintf(stderr, "gavelctl: %s what", word);
  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
    if (strncmp(ROWS[i].verb, word, len) == 0 && ROWS[i].verb[len] == ' ') {
      fprintf(stderr, "%s%s", between, ROWS[i].verb + len + 1);
      between = ", ";
    }
  fputs("?\n", stderr);
  return EXIT_USAGE;
}

/* WORD --help of a group: each of its verbs. False: no group. */
static bool help_group(const char *word) {
  size_t len = strlen(word), n = 0;
  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
    if (strncmp(ROWS[i].verb, word, len) == 0 && ROWS[i].verb[len] == ' ' && ++n > 0)
      help_row(&ROWS[i]);
  return n > 0;
}

static int run_row(struct ctl *c, const struct row *row, int argc, char **argv) {
  ctl_verb_fn *local = row->method[0] ? NULL : ctl_local(row->verb);
  json_t *params = ctl_words(row->grammar, argc, argv);
  if (!params)
    return EXIT_USAGE;
  int rc = local ? local(c, params) : ctl_ask_print(c, row->method, json_incref(params));
  json_decref(params);
  return rc;
}

static int run(struct ctl *c, int argc, char **argv) {
  int n;
  const struct row *row = row_find(argc, argv, &n);
  enum act act = act_find(argv[0]);
  if (row && argc == n + 1 && strcmp(argv[n], "--help") == 0)
    return help_row(row);
  if (!row && act != ACT__COUNT && argc == 2 && strcmp(argv[1], "--help") == 0)
    return help_act(act);
  if (!row && argc == 2 && strcmp(argv[1], "--help") == 0 && help_group(argv[0]))
    return 0;
  if (row)
    return run_row(c, row, argc - n, argv + n);
  return act == ACT__COUNT ? no_verb(argv[0]) : ctl_act(c, act, argc - 1, argv + 1);
}

/* An option with a value at argv[*i]; NULL when it is another. */
static const char *valued(const char *name, int argc, char **argv, int *i) {
  size_t n = strlen(name);
  if (strncmp(argv[*i], name, n) == 0 && argv[*i][n] == '=')
    return argv[*i] + n + 1;
  return strcmp(argv[*i], name) == 0 && *i + 1 < argc ? argv[++*i] : NULL;
}

/* Who sits there: services and cron set no LOGNAME. */
static const char *login_name(void) {
  const char *name = getenv("SUDO_USER");
  const struct passwd *pw;
  if (!name)
    name = getenv("LOGNAME");
  if (!name && (pw = getpwuid(getuid())))
    name = pw->pw_name;
  return name;
}

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define DUMPABLE 1 /* leaks are looked for with ptrace */
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DUMPABLE 1
#endif
#endif
#ifndef DUMPABLE
#define DUMPABLE 0
#endif

/* Keys and passwords pass through here: neither a core file nor a debugger gets them. */
static void harden(void) {
  struct rlimit none = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  (void)prctl(PR_SET_DUMPABLE, DUMPABLE, 0, 0, 0);
}

/* What jansson lets go of may be a key or a password. */
static void wipe_free(void *p) {
  if (p)
    explicit_bzero(p, malloc_usable_size(p));
  free(p);
}

int main(int argc, char **argv) {
  harden();
  json_set_alloc_funcs(malloc, wipe_free);
  struct ctl c = {.socket = "gavel.sock", .fd = -1};
  const char *client = NULL, *v;
  int i = 1;
  c.operator_name = login_name();
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (strcmp(argv[i], "--json") == 0)
      c.json = true;
    else if ((v = valued("--socket", argc, argv, &i)))
      c.socket = v;
    else if ((v = valued("--ticket", argc, argv, &i)))
      c.ticket = v;
    else if ((v = valued("--operator", argc, argv, &i)))
      c.operator_name = v;
    else if ((v = valued("--database", argc, argv, &i)))
      c.database = v;
    else if ((v = valued("--master-key", argc, argv, &i)))
      c.master_key = v;
    else if (strncmp(argv[i], "--client", 8) == 0 && (argv[i][8] == 0 || argv[i][8] == '='))
      client = argv[i] + 8;
    else if (strcmp(argv[i], "--version") == 0)
      return puts("gavelctl " GAVEL_VERSION), EXIT_OK;
    else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
      return help();
    else {
      fprintf(stderr, "gavelctl: there is no option %.80s, or its value is missing: see gavelctl --help\n",
              argv[i]);
      return EXIT_USAGE;
    }
  }
  if (i >= argc)
    return ctl_fail(EXIT_USAGE, "which verb? see gavelctl --help");
  int rc =
      client ? ctl_client(&c, *client ? client + 1 : NULL, argc - i, argv + i) : run(&c, argc - i, argv + i);
  if (c.fd >= 0)
    close(c.fd);
  return rc;
}
