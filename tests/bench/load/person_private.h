/* person_private.h: what person.c (connection, time), sound.c (saying, hearing), line.c (his network) and the
 * kinds share. */
#ifndef GAVEL_LOAD_PERSON_PRIVATE_H
#define GAVEL_LOAD_PERSON_PRIVATE_H

#include "core/wire/sdp.h"
#include "tests/bench/load/peek.h"
#include "tests/bench/load/person.h"

#define CHECK_KEEP_US (10 * US_PER_S) /* between checks of a path that stands */

/* person_fail: `why` is static; his connections go when the event in hand is done with. */
void person_fail(struct person *p, const char *why);
/* person_joined: he is in the room. person_up: he has sound. */
void person_joined(struct person *p);
void person_up(struct person *p);

/* person_bind: a UDP socket on the address this machine talks to the server from. False: failed. */
bool person_bind(struct person *p);
/* person_connect: to the candidate for the server's address, else to the first. False: failed. */
bool person_connect(struct person *p, const struct sdp *answer);
/* person_check: STUN checks towards this ICE agent begin with the next timeout. */
void person_check(struct person *p, const struct sdp *answer, bool controlled);

/* line_send: one datagram to the server, through his bad network if there is one. line_take: one has come. */
void line_send(struct person *p, const uint8_t *b, size_t n);
void line_take(struct person *p, uint8_t *b, size_t n);

/* person_receive: reads his socket. person_datagram: what has come through the line. */
void person_receive(struct person *p);
void person_datagram(struct person *p, uint8_t *b, size_t n);
/* person_heard: one packet of sound. */
void person_heard(struct person *p, const struct heard *h);
/* person_say: what is due at say_at, and when the next is. */
void person_say(struct person *p);

#endif
