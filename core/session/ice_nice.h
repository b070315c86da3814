/* ice_nice.h: libnice as the session's ICE agent. env is a struct ice_nice_env; everything runs in its
 * GMainContext. */
#ifndef GAVEL_SESSION_ICE_NICE_H
#define GAVEL_SESSION_ICE_NICE_H

#include "core/session/ice.h"

#include <glib.h>

struct ice_nice_env {
  GMainContext *context;
  bool loopback; /* offer 127.0.0.1 as well: the server is on this machine */
};
/* ice_nice_kind: env is borrowed and must outlive the agents. */
struct ice_kind ice_nice_kind(struct ice_nice_env *env);

#endif
