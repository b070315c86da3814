/* options.h: the command line of `gavel host`, `join`, `demo`, `login` and `logout`, and the files of the
 * person who starts it.
 *
 * Invariant: after parsing, a link is no longer readable in argv (ps shows it to everyone). Thread: main. */
#ifndef GAVEL_TUI_OPTIONS_H
#define GAVEL_TUI_OPTIONS_H

#include "tui/front.h"

#include <stdio.h>

struct options {
  struct front_config front;
  const char *listen, *public_address, *room; /* host only */
  uint16_t port, media_port;
  bool lobby, forget;
  bool no_login;
  const char *token_file, *pin; /* NULL: none */
  char input[512], output[512]; /* what front.client points to */
  char device_id[40], password[128], token[8192 + 1];
};
/* The table of options.def; ends with a NULL name. */
struct option_row {
  const char *name, *value, *help;
  bool host; /* `gavel host` only */
};
extern const struct option_row OPTIONS[];
extern const char OPTIONS_COMMANDS[], OPTIONS_EXIT[];
/* options_help: what --help prints. */
void options_help(FILE *f);
/* options_parse: argv[0] is the subcommand: host [ROOM], join LINK, demo, login HOST, logout HOST. False
 * with a sentence in `why`; *help when --help was asked. */
bool options_parse(int argc, char **argv, struct options *o, bool *help, char why[256]);
/* options_state_path: FILE in $XDG_STATE_HOME/gavel (made when missing, 0700). False with `why`. */
bool options_state_path(const char *file, char out[512], char why[256]);

#endif
