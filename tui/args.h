/* args.h: how the words of a `:` line can be completed: names of commands, people, choices
 * (core/wire/act_words.h reads them).
 *
 * Invariant: what is offered can be typed as it stands. Pure. */
#ifndef GAVEL_TUI_ARGS_H
#define GAVEL_TUI_ARGS_H

#include "tui/command.h"

/* args_person: the one person that all the words name, here or in the lobby, with or without quotes; 0: `why`
 * says so. */
uint32_t args_person(const struct model *m, const char *words, char why[ACT_WHY_MAX]);

#define COMPLETE_MAX 24
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
