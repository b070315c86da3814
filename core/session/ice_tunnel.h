/* ice_tunnel.h: the agent for sound inside the signalling connection, when nothing else passes: no addresses
 * and no candidates, but the same checks (with USE-CANDIDATE, answered with the server's integrity) and the
 * same DTLS-SRTP behind them.
 *
 * Invariant: as ice.h; the callbacks come from ice_tunnel_packet and ice_tunnel_timeout. Made once the server
 * has answered `media.tunnel`, gone with the connection. Sans-IO; the engine's thread. */
#ifndef GAVEL_SESSION_ICE_TUNNEL_H
#define GAVEL_SESSION_ICE_TUNNEL_H

#include "core/base/rng.h"
#include "core/session/ice.h"

struct ice_tunnel_env { /* of one connection */
  struct rng *rng;
  void (*send)(void *ctx, const uint8_t *p, size_t n); /* one datagram: a binary message */
  void *ctx;
  struct ice *agent; /* the living one, or NULL */
};
/* ice_tunnel_kind: env is borrowed and must outlive the agents. */
struct ice_kind ice_tunnel_kind(struct ice_tunnel_env *env);
/* ice_tunnel_packet: a binary message came; dropped when there is no agent. */
void ice_tunnel_packet(struct ice_tunnel_env *env, us_t now, uint8_t *p, size_t n);
void ice_tunnel_timeout(struct ice_tunnel_env *env, us_t now);
us_t ice_tunnel_due(const struct ice_tunnel_env *env); /* US_NEVER when nothing is */

#endif
