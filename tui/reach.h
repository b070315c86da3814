/* reach.h: what reaches the running client from outside its window, and what it reaches: the control socket
 * (remote.h) and the person's hook (hook.h). Both front ends use it.
 *
 * Invariant: a command from outside does what the same words do on the `:` line, asks nothing (whoever sends
 * it means it), and disturbs neither a line being typed nor a question that is open. Thread: the front end's.
 */
#ifndef GAVEL_TUI_REACH_H
#define GAVEL_TUI_REACH_H

#include "tui/hook.h"
#include "tui/pilot.h"
#include "tui/remote.h"

#define REACH_PENDING_MAX 64 /* as many as a session has on their way */

struct reach { /* private; zero-initialise */
  struct pilot *ctl;
  struct remote *remote; /* NULL: no socket */
  struct hook hook;
  struct {
    uint32_t ticket, conn;
  } pending[REACH_PENDING_MAX]; /* acts whose reply somebody waits for */
  char *told;                   /* status as watchers know it, malloc'd */
};
/* reach_open: the socket `name` in `folder` (NULL: none). False with `why`; everything else works without it.
 */
bool reach_open(struct reach *r, struct pilot *ctl, const char *folder, const char *name, const char *hook,
                char why[256]);
/* reach_fd: -1 without a socket. reach_run: one command that came; true: carry out what it asked for, then
 * call again. False: there was none left, and whoever watches was told of changes. */
int reach_fd(const struct reach *r);
bool reach_run(struct reach *r, us_t now);
/* reach_sent: an intent from outside became this ticket. reach_reply: how an act ended. */
void reach_sent(struct reach *r, const struct intent *i, uint32_t ticket);
void reach_reply(struct reach *r, const struct client_event *ev);
/* reach_notify: INTENT_NOTIFY: text, and in text2 its kind. */
void reach_notify(struct reach *r, const struct intent *i);
/* reach_status: the client's state as one line of JSON, malloc'd. */
char *reach_status(const struct model *m);
void reach_close(struct reach *r);

#endif
