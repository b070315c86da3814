/* login.h: `gavel login` and `gavel logout`, and the session they keep for joining: files and waiting around
 * core/session/login.h.
 *
 * Invariant: a session is in $XDG_STATE_HOME/gavel/sessions/HOST_PORT.json, 0600 in a 0700 folder, or
 * nowhere; no secret is printed or stands in argv. One process at a time refreshes. Thread: main. */
#ifndef GAVEL_TUI_LOGIN_H
#define GAVEL_TUI_LOGIN_H

#include "tui/options.h"

/* login_run: starts the device flow, shows the code, waits for the approval, keeps the session. */
enum exit_code login_run(const struct options *o);
/* logout_run: revokes the session and deletes its file. */
enum exit_code logout_run(const struct options *o);
/* login_bring: for joining: what --token names, or the session for where the link leads, refreshed when it is
 * about to end, into o->front.client.token. False with `why` when there is one that cannot be used. */
bool login_bring(struct options *o, char why[256]);
/* login_ops: for the operators' port `to` (gavel watch): what --token names, or the session of its host, also
 * of another port, into o->token; `to` gets that session's pin when it has none, *home where it comes from.
 * False with `why`. */
bool login_ops(struct options *o, struct link *to, struct link *home, char why[256]);

#endif
