/* ice.h: a full ICE agent as the session sees it. ice_nice.c is libnice; the simulator brings a small
 * stand-in, because libnice owns its sockets and its clock.
 *
 * Invariant: the callbacks come on the engine's thread, never from inside a call into the agent. One
 * component, RTCP multiplexed. */
#ifndef GAVEL_SESSION_ICE_H
#define GAVEL_SESSION_ICE_H

#include "core/base/clock.h"
#include "core/wire/sdp.h"
#include "core/wire/turn_uri.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ice;
struct ice_events {
  void (*gathered)(void *ctx, us_t now); /* local credentials and candidates are complete */
  void (*up)(void *ctx, us_t now);       /* a pair works: sending is possible */
  void (*failed)(void *ctx, us_t now);
  void (*packet)(void *ctx, us_t now, uint8_t *p, size_t n); /* anything but STUN; may be changed in place */
  void *ctx;
};
struct ice_relays { /* for who finds no direct way; n 0: none */
  struct turn_uri uri[TURN_URIS_MAX];
  size_t n;
  char user[128], credential[128];
};
struct ice_kind { /* how agents are made; `env` is the maker's own (a GMainContext, a simulated network) */
  /* With relays: only through them, by UDP before TCP before TLS. */
  struct ice *(*create)(void *env, const struct ice_events *ev, const struct ice_relays *relays);
  /* local: ufrag[], pwd[] and candidates into `out` after gathered; returns the number of candidates. */
  size_t (*local)(struct ice *i, char ufrag[257], char pwd[257], struct sdp_candidate *out, size_t max);
  void (*remote)(struct ice *i, const struct sdp *answer);
  void (*send)(struct ice *i, const uint8_t *p, size_t n);
  const char *(*via)(struct ice *i); /* once up: "udp", "turn-udp", "turn-tcp" or "turn-tls" */
  void (*destroy)(struct ice *i);
  void *env;
};

#endif
