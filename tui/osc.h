/* osc.h: the strings that reach outside the window: title, notices, clipboard. They are built here, written
 * by term.
 *
 * Invariant: text from people can never end the sequence or start another: it goes through the same filter as
 * the screen, and the clipboard goes as base64. Each returns the bytes written, or 0 when it does not fit
 * (then nothing may be sent). Pure; any thread. */
#ifndef GAVEL_TUI_OSC_H
#define GAVEL_TUI_OSC_H

#include <stdbool.h>
#include <stddef.h>

#define OSC_TEXT_MAX 200   /* bytes of a title or a notice; longer ones are cut on a character */
#define OSC_COPY_MAX 16384 /* bytes for the clipboard; more is refused, never cut */
#define OSC_SIZE_MAX (2 * (4 * ((OSC_COPY_MAX + 2) / 3)) + 64) /* room that always suffices */

/* osc_title: window title (OSC 2). tmux takes it as the pane's title, so it is never wrapped. */
size_t osc_title(char *out, size_t cap, const char *text);

/* How to call the person: OSC_NOTIFY_AUTO: what the terminal knows, and the bell under tmux. */
enum osc_notify { OSC_NOTIFY_AUTO, OSC_NOTIFY_BELL, OSC_NOTIFY_9, OSC_NOTIFY_777, OSC_NOTIFY_OFF };
/* osc_notify_find: by name: auto, bell, osc9, osc777, off. */
bool osc_notify_find(const char *name, enum osc_notify *out);

enum osc_notice { OSC_NOTICE_9, OSC_NOTICE_777 };
/* osc_notice_kind: which one this terminal knows; one only, or those that know both notify twice. env values
 * may be NULL. */
enum osc_notice osc_notice_kind(const char *term, const char *vte_version);
/* osc_notice: desktop notice by OSC 9 or OSC 777. in_tmux: wrapped, needs `allow-passthrough on` there, so
 * ring the bell as well. */
size_t osc_notice(char *out, size_t cap, enum osc_notice kind, const char *text, bool in_tmux);
/* osc_copy: OSC 52 into the clipboard (never read back). in_tmux: plain (for `set-clipboard on`) and wrapped
 * (for `allow-passthrough on`). */
size_t osc_copy(char *out, size_t cap, const char *text, bool in_tmux);

#endif
