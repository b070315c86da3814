/* relays.h: the relays a server names (`media.ice`, `media.probe`), read. Pure; any thread. */
#ifndef GAVEL_SESSION_RELAYS_H
#define GAVEL_SESSION_RELAYS_H

#include "core/session/ice.h"

#include <jansson.h>

/* relays_read: of such an answer ({"servers":[...]}) those we understand; a server may name more. NULL: none.
 * The credential is to be wiped by the caller. */
void relays_read(const json_t *answer, struct ice_relays *out);

#endif
