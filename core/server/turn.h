/* turn.h: which relays there are for people whose network lets nothing else through ([turn]), and credentials
 * for them: made from a secret that the relay (coturn's use-auth-secret) knows too, good for a few minutes
 * (draft-uberti-behave-turn-rest-00).
 *
 * Invariant: neither the secret nor a credential is ever logged; the secret is wiped. Thread: the control
 * thread; the clock is passed in. */
#ifndef GAVEL_SERVER_TURN_H
#define GAVEL_SERVER_TURN_H

#include "core/base/err.h"
#include "core/wire/turn_uri.h"

#include <jansson.h>

#define TURN_SECRET_MAX 256
#define TURN_USER_MAX 64
#define TURN_CREDENTIAL_LEN 28 /* 20 bytes in base64 */

struct turn;
/* turn_open: `uris`: separated by commas or spaces; "": no relays, and *out is NULL. `secret_file`: its first
 * line is the secret, what follows is the relay's business (the one before, while it changes). ERR_BAD_CONFIG
 * with `why`. */
MUST_CHECK enum err turn_open(const char *uris, const char *secret_file, unsigned ttl_s, struct turn **out,
                              char why[256]);
/* turn_mint: user name and password of this seat until wall_s + ttl_s; returns that time. */
int64_t turn_mint(const struct turn *t, int64_t wall_s, const char *seat, char user[TURN_USER_MAX],
                  char credential[TURN_CREDENTIAL_LEN + 1]);
/* turn_servers: what `media.ice` answers; t NULL: no relays. */
json_t *turn_servers(const struct turn *t, int64_t wall_s, const char *seat);
void turn_close(struct turn *t);

#endif
