/* person_private.h: what person.c (signalling, time) and person_path.c (sound) share. */
#ifndef GAVEL_LOAD_PERSON_PRIVATE_H
#define GAVEL_LOAD_PERSON_PRIVATE_H

#include "core/wire/sdp.h"
#include "tests/bench/load/peek.h"
#include "tests/bench/load/person.h"

#define CHECK_KEEP_US (10 * US_PER_S) /* between checks of a path that stands */

/* person_fail: `why` is static; his connections go when the event in hand is done with. */
void person_fail(struct person *p, const char *why);
void person_set_timer(struct person *p);
void person_watch_udp(struct person *p);

/* person_open_path: from the server's answer; the first check goes out with the next timeout. */
void person_open_path(struct person *p, const struct sdp *answer);
void person_receive(struct person *p);
/* person_say: what is due at say_at, and when the next is. */
void person_say(struct person *p);

#endif
