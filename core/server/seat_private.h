/* seat_private.h: what seat.c and seat_grant.c share: one room.join on its way. */
#ifndef GAVEL_SERVER_SEAT_PRIVATE_H
#define GAVEL_SERVER_SEAT_PRIVATE_H

#include "core/server/control_private.h"

#define SECRET_TEXT 44 /* 32 bytes as base64url, and NUL */

#define MONITOR_NAME "ops (monitor, listening)"
#define MONITOR_REASON_MAX 200
#define MONITOR_TICKET_MAX 64
struct join_monitor { /* by "monitor" of room.join */
  bool silent;
  json_int_t minutes;
  char reason[MONITOR_REASON_MAX + 1], ticket[MONITOR_TICKET_MAX + 1];
};
struct join {
  const json_t *monitor_asked; /* NULL: an ordinary one */
  struct join_monitor monitor;
  const char *room, *app, *name, *client, *sdp, *device, *invite, *resume, *password, *token, *consent;
  char slug[TEXT_SLUG_MAX + 1]; /* the room as it is named here */
  struct hosted *h;
  uint32_t member;
  struct grant grant;
  enum role role; /* that the grant gives; ROLE_NONE: the invite decides */
  enum role most; /* that it allows an invite to give; ROLE_NONE: any */
  uint8_t device_hash[16];
  char shown[TOKEN_NAME_MAX + 1]; /* the name he will have */
  char secret[SECRET_TEXT];
  uint8_t invite_hash[32], resume_hash[32], new_hash[32];
};

/* seat_grant.c. grant_claim: who he is and what room that is for: fills grant, role, shown and h, which is
 * made when his application wants that. grant_needs_mfa: he may not moderate there, having shown no second
 * factor. grant_accept: the room lets him in: may he, as this person? Then what he came with is used up.
 * grant_again: he resumes: does it still hold? */
bool grant_needs_mfa(const struct control *c, const struct join *j);
/* grant_pass: what of it the log keeps, for grant_again after a restart. */
void grant_pass(const struct grant *g, struct pass *out);
MUST_CHECK enum err grant_claim(struct control *c, struct conn *k, struct join *j);
MUST_CHECK enum err grant_accept(struct control *c, const struct join *j);
MUST_CHECK enum err grant_again(struct control *c, struct conn *k, struct join *j);
/* grant_method: by what he comes, for the audit log. */
const char *grant_method(const struct join *j);
/* grant_consent: what is asked of him, for the refusal. */
json_t *grant_consent(struct control *c);

#endif
