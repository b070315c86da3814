/* gavel: the terminal client. `host`, `join`, `demo`, `keys`; everything else is help. */
#include "audio/device.h"
#include "tui/demo.h"
#include "tui/host.h"
#include "tui/pages.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(const char *why) {
  fprintf(stderr, "gavel: %s\n\n%s", why, OPTIONS_HELP);
  return EXIT_USAGE;
}

static int run(int argc, char **argv) {
  struct options o;
  bool help = false;
  char why[256] = "";
  if (!options_parse(argc, argv, &o, &help, why)) {
    fprintf(stderr, "gavel: %s\n", why);
    return EXIT_USAGE;
  }
  if (help) {
    fputs(OPTIONS_HELP, stdout);
    return EXIT_LEFT;
  }
  if (strcmp(argv[0], "demo") == 0)
    return (int)demo_run(&o);
  return strcmp(argv[0], "host") == 0 ? (int)host_run(&o) : (int)front_run(&o.front);
}

int main(int argc, char **argv) {
  setlocale(LC_CTYPE, "");
  device_prepare(); /* before any thread: it sets an environment variable */
  const char *what = argc > 1 ? argv[1] : "--help";
  if (strcmp(what, "--help") == 0 || strcmp(what, "help") == 0) {
    fputs(OPTIONS_HELP, stdout);
    return EXIT_LEFT;
  }
  if (strcmp(what, "--version") == 0) {
    puts("gavel " GAVEL_VERSION);
    return EXIT_LEFT;
  }
  if (strcmp(what, "keys") == 0) {
    char *keys = pages_keys();
    fputs(keys, stdout);
    free(keys);
    return EXIT_LEFT;
  }
  if (strcmp(what, "host") == 0 || strcmp(what, "join") == 0 || strcmp(what, "demo") == 0)
    return run(argc - 1, argv + 1);
  return usage("unknown command");
}
