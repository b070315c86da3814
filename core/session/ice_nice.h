/* ice_nice.h: libnice as the session's ICE agent. env is a struct ice_nice_env; everything runs in its
 * GMainContext. */
#ifndef GAVEL_SESSION_ICE_NICE_H
#define GAVEL_SESSION_ICE_NICE_H

#include "core/session/ice.h"

#include <glib.h>

/* ice_nice_loopback: is the server on this machine, by the host of its link? */
bool ice_nice_loopback(const char *host);

struct ice_nice_env {
  GMainContext *context;
  bool loopback;       /* offer 127.0.0.1 as well: the server is on this machine */
  struct ice *closing; /* those that still tell relays that they are done */
};
/* ice_nice_kind: env is borrowed and must outlive the agents. */
struct ice_kind ice_nice_kind(struct ice_nice_env *env);
/* ice_nice_settle: before env and context go, and after the last destroy: runs the context until the relays
 * were told, a second at most. */
void ice_nice_settle(struct ice_nice_env *env);

#endif
