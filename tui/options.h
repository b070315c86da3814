/* options.h: the command line of `gavel host`, `join`, `watch`, `demo`, `login` and `logout`, and the files
 * of the person who starts it.
 *
 * Invariant: after parsing, a link is no longer readable in argv (ps shows it to everyone). Thread: main. */
#ifndef GAVEL_TUI_OPTIONS_H
#define GAVEL_TUI_OPTIONS_H

#include "tui/front.h"

#include <stdio.h>

#define OPTIONS_FAIL_MAX 16
struct watch_options {
  const char *server; /* path of a socket, or https://HOST[:PORT][#p=PIN] */
  bool once;
  unsigned interval_ms;
  const char *fail[OPTIONS_FAIL_MAX]; /* conditions, valid ones */
  size_t n_fail;
};
struct options {
  struct front_config front;
  const char *listen, *public_address, *room; /* host only */
  uint16_t port, media_port;
  bool lobby, forget;
  bool no_login, monitor;
  struct watch_options watch;
  const char *token_file, *pin; /* NULL: none */
  char input[512], output[512]; /* what front.client points to */
  char device_id[40], password[128], token[8192 + 1];
};
/* The table of options.def; ends with a NULL name. */
enum option_of { OPTION_OF_ALL, OPTION_OF_HOST, OPTION_OF_WATCH };
struct option_row {
  const char *name, *value, *help;
  enum option_of of; /* which commands take it: all, `gavel host` or `gavel watch` only */
};
extern const struct option_row OPTIONS[];
extern const char OPTIONS_COMMANDS[], OPTIONS_EXIT[];
/* options_help: what --help prints. */
void options_help(FILE *f);
/* options_parse: argv[0] is the subcommand: host [ROOM], join LINK, watch [SERVER], demo, login HOST, logout
 * HOST. False with a sentence in `why`; *help when --help was asked. */
bool options_parse(int argc, char **argv, struct options *o, bool *help, char why[256]);
/* options_state_path: FILE in $XDG_STATE_HOME/gavel (made when missing, 0700). False with `why`. */
bool options_state_path(const char *file, char out[512], char why[256]);

#endif
