/* shell_loop.h: what the control thread waits in: libev, because libwebsockets' own poll() costs as much as
 * there are connections; epoll costs as much as something happens on them.
 *
 * Invariant: one turn waits once. libwebsockets registers its sockets here (LWS_SERVER_OPTION_LIBEV). Thread:
 * the control thread; loop_wake: any. */
#ifndef GAVEL_SERVER_SHELL_LOOP_H
#define GAVEL_SERVER_SHELL_LOOP_H

#include "core/base/clock.h"

#include <stdbool.h>

struct loop;
/* loop_create: NULL when there is no epoll. */
struct loop *loop_create(void);
/* loop_native: for lws_context_creation_info.foreign_loops. */
void *loop_native(struct loop *l);
/* loop_turn: waits until something happens, at most until `due` (US_NEVER: as long as it takes), and handles
 * it. */
void loop_turn(struct loop *l, us_t now, us_t due);
/* loop_wake: the next turn, or this one, does not wait. Any number of calls before it are one wake-up. */
void loop_wake(struct loop *l);
/* loop_watch: what can be read from fd ends the wait, until `on` is false. Two of them at most. */
void loop_watch(struct loop *l, int fd, bool on);
/* loop_destroy: NULL is fine. */
void loop_destroy(struct loop *l);

#endif
