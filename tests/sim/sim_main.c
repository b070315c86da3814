/* sim: conferences on a virtual clock over a seeded bad network, with an oracle that listens.
 *   sim --seeds A-B [--seconds N] [--thin] [--verbose]     exit 1 when a seed fails; the same seed fails
 * again */
#include "tests/sim/world.h"

#include "core/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(void) {
  fputs("usage: sim --seeds A-B [--seconds N] [--thin] [--verbose]\n", stderr);
  return 2;
}

int main(int argc, char **argv) {
  unsigned long long first = 1, last = 10;
  long seconds = 7;
  bool verbose = false, thin = false, seeds = false;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--verbose") == 0)
      verbose = true;
    else if (strcmp(argv[i], "--thin") == 0)
      thin = true;
    else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc)
      seeds = sscanf(argv[++i], "%llu-%llu", &first, &last) == 2;
    else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
      seconds = strtol(argv[++i], NULL, 10);
    else
      return usage();
  }
  if (!seeds || first > last || seconds < 4 || seconds > 3600)
    return usage();
  if (verbose)
    log_set(log_to_stderr, NULL, LOG_INFO);
  unsigned long long failed = 0;
  for (unsigned long long seed = first; seed <= last; seed++)
    failed += !world_run(seed, (int)seconds, thin, verbose);
  printf("%llu of %llu seeds failed\n", failed, last - first + 1);
  return failed != 0;
}
