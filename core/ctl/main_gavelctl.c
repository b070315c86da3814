/* main_gavelctl.c: every act of the table and every verb of ctl_verbs.def as one command, over gaveld's 0600
 * Unix socket. */
#include "core/ctl/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct row {
  const char *verb, *grammar, *method, *help;
} ROWS[] = {
#define CTL(verb, grammar, method, help) {verb, grammar, method, help},
#include "core/wire/ctl_verbs.def"
#undef CTL
};

static int help(void) {
  fputs(
      "usage: gavelctl [--socket FILE] [--json] [--ticket ID] [--operator NAME] [--database FILE] VERB ...\n"
      "       gavelctl --client[=NAME] [--json] status | watch | talk on|off | any command of gavel\n\n",
      stdout);
  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
    printf("  %-16s %-40s %s\n", ROWS[i].verb, ROWS[i].grammar, ROWS[i].help);
  fputs("\n=FILE is read from that file, or with \"-\" from standard input: secrets stay off the command "
        "line.\n"
        "Acts: ACT ROOM and what is listed. People are named by a unique beginning, \"#id\" or a "
        "\"pattern*\";\n"
        "\"--\" ends them. Times are 90, 90s, 5m, 2h, 1d.\n",
        stdout);
  for (int g = 0; g < ACT_GROUP__COUNT; g++) {
    printf("\n%s:\n", act_group_name((enum act_group)g));
    for (int i = 0; i < ACT__COUNT; i++)
      if (ACTS[i].group == (enum act_group)g)
        printf("  %-14s %-22s %s\n", ACTS[i].name, ACTS[i].args, ACTS[i].help);
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

int main(int argc, char **argv) {
  struct ctl c = {.socket = "gavel.sock", .fd = -1};
  const char *client = NULL, *v;
  int i = 1;
  c.operator_name = getenv("SUDO_USER") ? getenv("SUDO_USER") : getenv("LOGNAME");
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
