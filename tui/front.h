/* front.h: what every front end shares: the engine, the model, the keys, and carrying acts from the one to
 * the other.
 *
 * Invariant: the client is told only what was taken from the model's outbox. One thread: the front end's. */
#ifndef GAVEL_TUI_FRONT_H
#define GAVEL_TUI_FRONT_H

#include "tui/exit.h"
#include "tui/osc.h"
#include "tui/reach.h"
#include "tui/terms.h"

enum front_kind { FRONT_AUTO, FRONT_SCREEN, FRONT_LINE, FRONT_HEADLESS };
/* What the server asks consent to. */
struct front_terms {
  char version[TERMS_VERSION_MAX];
  char *text; /* malloc'd; NULL: nothing was asked */
};
struct front_config {
  enum front_kind kind;
  struct client_config client;   /* strings borrowed for the run */
  const char *theme, *keys_file; /* NULL: the default */
  const char *hook;              /* command for what needs the person, NULL: none */
  const char *control;           /* name of the control socket; NULL: by the process id; "none" */
  enum osc_notify notify;
  bool ascii, readonly, require_audio;
  unsigned baud;             /* 0: what the terminal says */
  enum err *end;             /* why it ended goes there; NULL: nowhere */
  struct front_terms *terms; /* what consent is asked to goes there; NULL: nowhere */
  bool within;               /* another screen comes back afterwards */
  const char *hint;          /* one sentence for the beginning, borrowed; NULL: none */
  char invite[LINK_MAX];     /* the guest link when one is known, else "" */
};
struct front {
  const struct front_config *config;
  struct model *m;
  struct keymap *keys;
  struct pilot ctl;
  struct client *client;
  struct reach reach;
  enum exit_code code;        /* how it ends, once `done` */
  bool leaving, ending, done; /* ending: this person ended the room */
};
/* front_open: false with `why` when the keys file is bad or the engine cannot start; `code` says how to exit.
 */
bool front_open(struct front *f, const struct front_config *c, char why[256]);
/* front_state: after each polled event, before the model takes it over: notices the end. */
void front_state(struct front *f, const struct client_event *ev);
/* front_carry: hand an intent to the engine. Returns the ticket of an act, 0 for the rest; *other: not for
 * the engine, the front end must do it itself. */
uint32_t front_carry(struct front *f, const struct intent *i, bool *other);
void front_close(struct front *f);

/* app_run: the full screen. FRONT_SCREEN only; EXIT_USAGE and a message on stderr when the terminal cannot do
 * it. */
enum exit_code app_run(const struct front_config *c);
/* stream_run: line mode and headless mode on stdin and stdout. */
enum exit_code stream_run(const struct front_config *c);
/* front_run: the one that `kind` says; FRONT_AUTO takes line mode without a terminal or with TERM=dumb. */
enum exit_code front_run(const struct front_config *c);

#endif
