/* script.h: what the people do: moderation by those who may and by those who may not, chat, lost connections,
 * blackouts, new networks, leaving, coming back, and the server's restarts.
 *
 * Invariant: all from the world's seed. What was acknowledged is remembered and must be in the room. */
#ifndef GAVEL_SIM_SCRIPT_H
#define GAVEL_SIM_SCRIPT_H

#include "core/session/session.h"

#define SCRIPT_CHATS 256
#define SCRIPT_PASSWORD "sesame" /* known to all */

struct world;
struct person;
struct script {
  struct world *w;
  us_t next, quiet_at, restart_at;
  uint32_t last_ticket;
  bool polite;
  struct { /* public chat messages on their way and acknowledged; the text is "m<ticket>" */
    uint32_t ticket;
    bool acknowledged;
  } chat[SCRIPT_CHATS];
  unsigned n_chat;
  bool cleared; /* somebody cleared or deleted: absence proves nothing any more */
  unsigned acts, refused;
};
void script_init(struct script *s, struct world *w, us_t quiet_at);
void script_timeout(struct script *s);
us_t script_due(const struct script *s);
/* script_event: from a session; must not call it back. */
void script_event(struct script *s, struct person *p, const struct client_event *ev);
/* script_check: every acknowledged message is in the server's room. */
void script_check(struct script *s);

#endif
