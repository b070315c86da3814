/* completion.h: completion scripts for the shells, for gavel and gavelctl, made from the tables:
 * docs/completion holds them.
 *
 * Invariant: pure; any thread. */
#ifndef GAVEL_TUI_COMPLETION_H
#define GAVEL_TUI_COMPLETION_H

/* completion_script: for "bash", "zsh" or "fish", malloc'd; NULL for another shell. Aborts without memory. */
char *completion_script(const char *shell);

#endif
