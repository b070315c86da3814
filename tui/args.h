/* args.h: the words after a command, read by the `args` form of its row: people by unique beginning of the
 * name or #id, roles, choices, numbers, text. And how to complete them.
 *
 * Invariant: a name that fits two people is never guessed; nothing is chosen that the person did not type.
 * Pure. */
#ifndef GAVEL_TUI_ARGS_H
#define GAVEL_TUI_ARGS_H

#include "tui/command.h"

/* args_parse: the words into an order for an act. False: `why` is one sentence for the person. */
bool args_parse(const struct model *m, const struct command *c, const char *words, struct order *o,
                char why[SAY_MAX]);
/* args_who: one person by "#id", full name or unique beginning (case does not count); 0: `why` says so. */
uint32_t args_who(const struct model *m, const char *word, size_t len, bool waiting, char why[SAY_MAX]);
/* args_name: a name as one types it: in quotes when it has a blank, as #id when it cannot be typed or is not
 * unique. */
void args_name(const struct model *m, uint32_t id, char *out, size_t cap);

#define COMPLETE_MAX 16
struct completion {
  size_t from; /* byte in the line where the word to replace begins */
  size_t n;
  struct {
    char text[TEXT_NAME_MAX + 8]; /* what replaces it */
    const char *help;             /* borrowed from the tables, or NULL */
    const char *refusal;          /* why it cannot be used, or NULL */
  } of[COMPLETE_MAX];
  const struct command *command; /* known already: its args are a hint */
};
/* args_complete: what the word before `at` of a command line (without the colon) could become. */
void args_complete(const struct model *m, const char *line, size_t at, struct completion *out);

#endif
