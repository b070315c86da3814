/* gavel: the terminal client. `host`, `join`, `watch`, `login`, `logout`, `demo`, `keys`, `man`,
 * `completion`; everything else is help. */
#include "audio/device.h"
#include "tui/completion.h"
#include "tui/demo.h"
#include "tui/doctor.h"
#include "tui/host.h"
#include "tui/login.h"
#include "tui/manual.h"
#include "tui/pages.h"
#include "tui/theme.h"
#include "tui/watch.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int usage(const char *why) {
  fprintf(stderr, "gavel: %s (see gavel --help)\n", why);
  return EXIT_USAGE;
}

static int run(int argc, char **argv) {
  struct options o;
  bool help = false;
  char why[256] = "";
  if (!options_parse(argc, argv, &o, &help, why))
    return usage(why);
  if (help) {
    options_help(stdout);
    return EXIT_LEFT;
  }
  if (strcmp(argv[0], "demo") == 0)
    return (int)demo_run(&o);
  if (strcmp(argv[0], "watch") == 0)
    return (int)watch_run(&o);
  if (strcmp(argv[0], "login") == 0)
    return (int)login_run(&o);
  if (strcmp(argv[0], "logout") == 0)
    return (int)logout_run(&o);
  if (strcmp(argv[0], "doctor") == 0)
    return (int)doctor_run(&o);
  if (strcmp(argv[0], "join") == 0 && !login_bring(&o, why))
    return usage(why);
  return strcmp(argv[0], "host") == 0 ? (int)host_run(&o) : (int)front_run(&o.front);
}

/* print: takes the text; NULL: there is no such page or shell. */
static int print(char *text) {
  if (text == NULL)
    return usage("that is not known");
  fputs(text, stdout);
  free(text);
  return EXIT_LEFT;
}

static int check_keys(const char *file) {
  bool ok;
  int code = print(pages_conflicts(file, &ok));
  return ok ? code : EXIT_USAGE;
}

/* check_theme: a theme by name, or a file of one's own. */
static int check_theme(const char *what) {
  struct theme t;
  char why[256];
  enum err e = strpbrk(what, "/.") != NULL ? theme_load(what, &t, why) : theme_find(what, &t, why);
  if (e != ERR_OK) {
    fprintf(stderr, "gavel: %s\n", why);
    return EXIT_USAGE;
  }
  printf("the theme %s is valid\n", t.name);
  return EXIT_LEFT;
}

static int list_themes(void) {
  for (size_t i = 0; theme_shipped(i) != NULL; i++)
    puts(theme_shipped(i));
  return EXIT_LEFT;
}

int main(int argc, char **argv) {
  const struct rlimit none = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &none); /* a core file would hold keys; sound servers want the rest readable */
  setlocale(LC_CTYPE, "");
  device_prepare(); /* before any thread: it sets an environment variable */
  const char *what = argc > 1 ? argv[1] : "--help";
  if (strcmp(what, "--help") == 0 || strcmp(what, "help") == 0) {
    options_help(stdout);
    return EXIT_LEFT;
  }
  if (strcmp(what, "--version") == 0) {
    puts("gavel " GAVEL_VERSION);
    return EXIT_LEFT;
  }
  if (strcmp(what, "keys") == 0 && argc == 2)
    return print(pages_keys());
  if (strcmp(what, "keys") == 0)
    return argc == 4 && strcmp(argv[2], "--check") == 0 ? check_keys(argv[3])
                                                        : usage("keys takes nothing, or --check FILE");
  if (strcmp(what, "themes") == 0)
    return argc == 2 ? list_themes()
           : argc == 4 && strcmp(argv[2], "--check") == 0
               ? check_theme(argv[3])
               : usage("themes takes nothing, or --check NAME|FILE");
  if (strcmp(what, "man") == 0)
    return argc == 3 ? print(manual_page(argv[2])) : usage("man needs a page: gavel or gavelctl");
  if (strcmp(what, "completion") == 0)
    return argc == 3 ? print(completion_script(argv[2]))
                     : usage("completion needs a shell: bash, zsh or fish");
  if (strcmp(what, "host") == 0 || strcmp(what, "join") == 0 || strcmp(what, "demo") == 0 ||
      strcmp(what, "watch") == 0 || strcmp(what, "login") == 0 || strcmp(what, "logout") == 0 ||
      strcmp(what, "doctor") == 0)
    return run(argc - 1, argv + 1);
  char why[80];
  snprintf(why, sizeof why, "there is no command %.40s", what);
  return usage(why);
}
