/* term_restore.h: the terminal is given back in order whatever kills the program.
 *
 * Invariant: between arm and disarm a fatal signal first writes the restore string and the saved termios
 * (async-signal-safe calls only), then dies of that signal as before. One terminal at a time. Called by the
 * thread that owns the terminal; the handlers run on any. */
#ifndef GAVEL_TUI_TERM_RESTORE_H
#define GAVEL_TUI_TERM_RESTORE_H

#include <stddef.h>
#include <termios.h>

#define RESTORE_MAX 512
/* restore_arm: fd: the terminal. SEGV, ABRT, BUS, FPE, ILL are always caught (an older handler runs
 * afterwards); TERM, HUP, INT, QUIT only where the program does not handle them itself. */
void restore_arm(int fd, const struct termios *saved);
/* restore_string: what to write from now on; copied, at most RESTORE_MAX bytes. */
void restore_string(const char *s, size_t n);
void restore_disarm(void);

#endif
