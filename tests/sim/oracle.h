/* oracle.h: what must hold: who may be heard is heard, who may not is not, nobody hears himself, every
 * replica is the server's room, and no acknowledged act is lost.
 *
 * Invariant: judges by the server's room and the sound in the ears only, never by what a client believes of
 * its rights. A voice's amplitude is Goertzel's at his frequency in a Hann window of 60 ms. */
#ifndef GAVEL_SIM_ORACLE_H
#define GAVEL_SIM_ORACLE_H

#include "core/base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define ORACLE_PEOPLE 6
#define ORACLE_HEARD 0.035f /* of the 0.25 that is sent, in several windows running: he is heard */
#define ORACLE_CLEAR 0.05f  /* average over ORACLE_AVERAGE windows that counts as being heard */
#define ORACLE_AVERAGE 20   /* windows, 30 ms apart: 600 ms */

struct world;
struct person;
struct oracle {
  struct world *w;
  us_t may_not_since[ORACLE_PEOPLE][ORACLE_PEOPLE]; /* [ear][talker], US_NEVER while he may be heard */
  us_t may_since[ORACLE_PEOPLE][ORACLE_PEOPLE];     /* US_NEVER while he may not */
  us_t spoke_at[ORACLE_PEOPLE];                     /* when he last had the right */
  float heard[ORACLE_PEOPLE][ORACLE_PEOPLE][ORACLE_AVERAGE];
  unsigned windows[ORACLE_PEOPLE];
  unsigned run[ORACLE_PEOPLE][ORACLE_PEOPLE]; /* windows in which one is heard who must not be */
  unsigned longest;
  float most_forbidden, least_required;
  float loudest; /* what is sent is PERSON_AMPLITUDE: more is a fault of a seam or of concealment */
  uint64_t forbidden, required; /* windows judged */
};
void oracle_init(struct oracle *o, struct world *w);
/* oracle_turn: after each turn of the world: what holds from now on. */
void oracle_turn(struct oracle *o);
/* oracle_ear: the 60 ms in the ear of `p` are new. */
void oracle_ear(struct oracle *o, const struct person *p);
/* oracle_end: after the quiet: replicas and acknowledged acts. */
void oracle_end(struct oracle *o);

#endif
