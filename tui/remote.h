/* remote.h: the control socket of a running client: a window manager, a foot pedal or a script steers it with
 * `gavelctl --client`. One command a line, as on the `:` line; one JSON answer a line.
 *
 * Invariant: a 0600 socket in a 0700 folder of the user's own; who reads too slowly or writes too much is
 * dropped, the front end never waits for him. Thread: the front end's. */
#ifndef GAVEL_TUI_REMOTE_H
#define GAVEL_TUI_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REMOTE_LINE_MAX 4096
#define REMOTE_CONNS_MAX 8
#define REMOTE_OUT_MAX (8 << 20) /* bytes that wait for one who reads slowly; then he is dropped */

struct remote;
/* remote_folder: where the sockets are: $XDG_RUNTIME_DIR/gavel, else run in the state folder given; made when
 * missing. False: it is not ours alone. */
bool remote_folder(const char *runtime, const char *state, char out[400]);
/* remote_open: `name`.sock in the folder. NULL with `why`: the name is taken by a living client, or has a
 * slash. */
struct remote *remote_open(const char *folder, const char *name, char why[256]);
/* remote_fd: readable when remote_next has something to do. */
int remote_fd(const struct remote *r);
struct remote_line {
  uint32_t conn; /* whom to answer */
  char text[REMOTE_LINE_MAX];
};
/* remote_next: the next command line; false: none now. What waits to be written goes on meanwhile. */
bool remote_next(struct remote *r, struct remote_line *out);
/* remote_answer: one line of JSON, without newline. Unknown or gone connections are ignored. */
void remote_answer(struct remote *r, uint32_t conn, const char *json);
/* remote_watch: this one is told of changes from now on. remote_watched: somebody is. remote_tell: tells
 * them. */
void remote_watch(struct remote *r, uint32_t conn);
bool remote_watched(const struct remote *r);
void remote_tell(struct remote *r, const char *json);
/* remote_close: the socket goes from the folder too. NULL is fine. */
void remote_close(struct remote *r);

#endif
