/* check.h: STUN checks of the one who controls (RFC 8445 7.2) towards a lite agent: is the server there, and
 * are we still allowed to send (RFC 7675)? For any way that carries datagrams.
 *
 * Invariant: an answer counts only with the server's integrity and for a check that was sent. Sans-IO; the
 * engine's thread. */
#ifndef GAVEL_SESSION_CHECK_H
#define GAVEL_SESSION_CHECK_H

#include "core/base/rng.h"
#include "core/wire/stun.h"

#define CHECK_TIDS 8
struct check { /* all zero: none was sent yet */
  uint8_t tid[CHECK_TIDS][12];
  unsigned n;
  uint64_t tie_breaker;
};
struct check_names {        /* borrowed */
  const char *theirs, *pwd; /* of the answer */
  const char *ours;         /* ufrag of the agent in whose name it is asked */
};
/* check_build: the next one, with USE-CANDIDATE; its length, 0 when the names are too long. */
size_t check_build(struct check *k, struct rng *rng, const struct check_names *who, uint32_t priority,
                   uint8_t out[STUN_MAX]);
/* check_answered: whether this datagram is the answer to one of the last CHECK_TIDS. */
bool check_answered(const struct check *k, const char *pwd, const uint8_t *p, size_t n);

#endif
