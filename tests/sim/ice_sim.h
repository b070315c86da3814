/* ice_sim.h: a stand-in for libnice on the virtual network: it has its candidates at once, sends binding
 * requests with USE-CANDIDATE to the server until one is answered, then one every 2 s to keep consent.
 *
 * Invariant: an answer counts only with the server's integrity. The callbacks come from ice_sim_packet and
 * ice_sim_timeout, never from inside a call into the agent. */
#ifndef GAVEL_SIM_ICE_SIM_H
#define GAVEL_SIM_ICE_SIM_H

#include "core/base/rng.h"
#include "core/session/ice.h"

#include <netinet/in.h>

struct ice_sim_env { /* of one participant */
  struct rng *rng;
  uint32_t ip; /* host order; each agent takes a new port */
  uint16_t last_port;
  void (*send)(void *ctx, const struct sockaddr_in *local, const uint8_t *p, size_t n);
  void *ctx;
  struct ice *agent; /* the living one, or NULL */
};
struct ice_kind ice_sim_kind(struct ice_sim_env *env);
/* ice_sim_packet: a datagram arrived at `local`; dropped when that is not the living agent's. */
void ice_sim_packet(struct ice_sim_env *env, us_t now, const struct sockaddr_in *local, uint8_t *p, size_t n);
void ice_sim_timeout(struct ice_sim_env *env, us_t now);
us_t ice_sim_due(const struct ice_sim_env *env);

#endif
