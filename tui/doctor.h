/* doctor.h: `gavel doctor [LINK]`: is this terminal, its sound and the way to the server fit for a call? One
 * line a check, with what to do where something is wrong; --json: one object.
 *
 * Invariant: it enters no room, and nobody hears it. Thread: main. */
#ifndef GAVEL_TUI_DOCTOR_H
#define GAVEL_TUI_DOCTOR_H

#include "core/session/probe.h"
#include "tui/options.h"

#include <jansson.h>

enum doctor_state { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WARN, DOCTOR_FAIL };
struct doctor_check {
  const char *id; /* static: "udp"; what scripts look for */
  enum doctor_state state;
  char text[320];
  const char *advice; /* static; NULL: nothing to do */
  json_t *figures;    /* owned, may be NULL: for --json */
};
#define DOCTOR_CHECKS_MAX 40
struct doctor {
  struct doctor_check of[DOCTOR_CHECKS_MAX];
  size_t n;
  void (*tell)(const struct doctor_check *c); /* as soon as it is known; NULL: not */
};
/* doctor_add: one more; takes `figures`. */
void doctor_add(struct doctor *d, const char *id, enum doctor_state state, const char *advice,
                json_t *figures, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* doctor_network: what a probe says, as checks, and at the end what to expect. Pure. */
void doctor_network(struct doctor *d, const struct link *l, const struct probe *p);
/* doctor_sound (doctor_sound.c): devices, the level of the microphone, and with `echo` a spoken test: what
 * one says comes back from the loudspeaker. */
void doctor_sound(struct doctor *d, const struct client_config *c, bool echo);
/* doctor_json: all of them, and whether any failed; a new reference. */
json_t *doctor_json(const struct doctor *d);
void doctor_free(struct doctor *d);

/* doctor_run: EXIT_CONNECT when a check failed. */
enum exit_code doctor_run(const struct options *o);

#endif
