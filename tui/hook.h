/* hook.h: a command of the person's own for what needs him: run by the shell, with one line of JSON on
 * standard input; what it prints goes nowhere.
 *
 * Invariant: nothing here waits for it; at most HOOK_RUNNING_MAX run at once, what comes while they do is
 * dropped; words from the network reach it as data on standard input, never on its command line. Thread: the
 * front end's. */
#ifndef GAVEL_TUI_HOOK_H
#define GAVEL_TUI_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define HOOK_RUNNING_MAX 4
#define HOOK_TEXT_MAX 4000 /* fits a pipe at once */

struct hook {
  const char *command; /* borrowed; NULL: no hook */
  pid_t running[HOOK_RUNNING_MAX];
};
/* hook_run: false when nothing was started: no command, too many running, or the text is too long. */
bool hook_run(struct hook *h, const char *json);
/* hook_reap: takes notice of those that have ended. */
void hook_reap(struct hook *h);

#endif
