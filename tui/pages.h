/* pages.h: texts of several lines, the same on the screen (MODE_PAGE) and in line mode: people, lobby, log,
 * commands, the invite link with its QR code.
 *
 * Invariant: each returns malloc'd text, lines ended by newline, never NULL for a model that exists (aborts
 * without memory). Pure. */
#ifndef GAVEL_TUI_PAGES_H
#define GAVEL_TUI_PAGES_H

#include "tui/command.h"

/* pages_people: those in the room, or those who wait. pages_log: what was said on the screen so far. */
char *pages_people(const struct model *m, bool waiting);
char *pages_log(const struct model *m);
/* pages_chat: what people wrote, without notices. */
char *pages_chat(const struct model *m);
/* pages_security: certificate, TLS, SRTP, fingerprints. */
char *pages_security(const struct model *m);
/* pages_line: how his own line is: limit, tiers, delay, loss, MOS. */
char *pages_line(const struct model *m);
/* pages_bans, pages_notes, pages_trusted, pages_invites: one a line, beginning with the number that acts
 * take. pages_search: the messages known here whose text or sender contains `text`. */
char *pages_bans(const struct model *m);
char *pages_notes(const struct model *m);
char *pages_trusted(const struct model *m);
char *pages_invites(const struct model *m);
char *pages_search(const struct model *m, const char *text);
/* pages_menu: what the menu shows now, for line mode. */
char *pages_menu(const struct model *m);
/* pages_conflicts: what a keys file does that its writer may not have meant; *ok: it can be used at all. */
char *pages_conflicts(const char *file, bool *ok);
/* pages_help: every command with its keys, form, help line and, when it cannot be used now, the reason.
 * `filter` "" for all. */
char *pages_help(const struct model *m, const struct keymap *keys, const char *filter);
/* pages_link: the link and a QR code of it (half blocks, or two ASCII characters a module). */
char *pages_link(const char *link, bool ascii);
/* pages_qr: only the QR code; NULL when the text is too long for one. */
char *pages_qr(const char *text, bool ascii);
/* pages_keys: the whole table of commands as Markdown: docs/keys.md. */
char *pages_keys(void);
/* pages_help_count, pages_help_at: how many rows the filter leaves, and which command is in the row (NULL
 * past the last). */
size_t pages_help_count(const char *filter);
const struct command *pages_help_at(const char *filter, size_t row);
/* pages_help_row: one row of that list without newline. */
void pages_help_row(const struct model *m, const struct keymap *keys, const struct command *c,
                    char out[SAY_MAX]);
/* pages_help_matches: the row contains the filter (case does not count). */
bool pages_help_matches(const struct command *c, const char *filter);
/* pages_person: "bob, cohost, muted by host, hand 2, talking": one person in words. */
void pages_person(const struct model *m, const struct member *p, char out[SAY_MAX]);

#endif
