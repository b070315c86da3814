/* world.h: one simulated conference: the real server and the real clients on one virtual clock, in one
 * thread.
 *
 * Invariant: everything follows from the seed; time jumps to the next timeout. The first violation of an
 * oracle stops the run (world_fail) and is told with the last acts. */
#ifndef GAVEL_SIM_WORLD_H
#define GAVEL_SIM_WORLD_H

#include "tests/sim/host.h"
#include "tests/sim/net.h"
#include "tests/sim/oracle.h"
#include "tests/sim/person.h"
#include "tests/sim/script.h"

#define WORLD_PEOPLE_MAX 6
#define WORLD_NOTES 30
#define WORLD_NOTE_MAX 200
#define WORLD_WALL_MS INT64_C(1700000000000)

struct world {
  us_t now;
  uint64_t seed;
  bool verbose, failed;
  bool thin; /* people say what their lines carry, and change it in the call */
  char why[600];
  struct rng rng; /* network and script */
  struct net net;
  struct host host;
  struct person person[WORLD_PEOPLE_MAX];
  unsigned n_people;
  struct oracle oracle;
  struct script script;
  char note[WORLD_NOTES][WORLD_NOTE_MAX]; /* the last acts, a ring */
  unsigned n_notes;
  unsigned tiers, copies_up, copies_down; /* changes of somebody's tier; reports of a path with copies */
};

/* world_run: true when every oracle held for the whole run of `seconds` and the quiet end. */
bool world_run(uint64_t seed, int seconds, bool thin, bool verbose);
void world_note(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
int64_t world_wall_ms(const struct world *w);

#endif
