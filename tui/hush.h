/* hush.h: while the full screen is up, what libraries print to standard error goes into a file: PortAudio,
 * ALSA and GLib do not ask who owns the terminal.
 *
 * Invariant: between hush_begin and hush_end nothing written to file descriptor 2 reaches the terminal.
 * Process wide; thread: main. */
#ifndef GAVEL_TUI_HUSH_H
#define GAVEL_TUI_HUSH_H

#define HUSH_FILE_MAX (1024 * 1024) /* a longer file is begun anew */

/* hush_begin: standard error is appended to the file at `path` (0600), to /dev/null when that cannot be
 * opened or is "". Returns what hush_end needs, -1 when nothing could be done. */
int hush_begin(const char *path);
/* hush_end: standard error as before. -1 is allowed. */
void hush_end(int saved);

#endif
