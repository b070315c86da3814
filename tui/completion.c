#include "tui/completion.h"

#include "tui/command.h"
#include "tui/options.h"
#include "tui/theme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char COMMANDS_OF_GAVEL[] = "host join watch doctor login logout demo keys themes man completion";
/* The first words of ctl_verbs.def, each once: the rows of a group follow each other. */
static const char *const VERB_ROWS[] = {
#define CTL(verb, grammar, method, help) verb,
#include "core/wire/ctl_verbs.def"
#undef CTL
};
static const char CTL_OPTIONS[] = "--socket --json --ticket --operator --database --client --help --version";

static void verb_names(FILE *f) {
  const char *last = "";
  for (size_t i = 0; i < sizeof VERB_ROWS / sizeof VERB_ROWS[0]; i++) {
    size_t n = strcspn(VERB_ROWS[i], " ");
    if (strlen(last) < n || strncmp(last, VERB_ROWS[i], n) != 0 || (last[n] != 0 && last[n] != ' '))
      fprintf(f, "%s%.*s", i ? " " : "", (int)n, VERB_ROWS[i]);
    last = VERB_ROWS[i];
  }
}

static void act_names(FILE *f, const char *separator) {
  char title[32];
  for (int a = 0; a < ACT__COUNT; a++) {
    command_title(command_of_act((enum act)a), title);
    fprintf(f, "%s%s", a > 0 ? separator : "", title);
  }
}

static void option_names(FILE *f) {
  for (const struct option_row *o = OPTIONS; o->name != NULL; o++)
    fprintf(f, "%s--%s", o == OPTIONS ? "" : " ", o->name);
}

static void theme_names(FILE *f) {
  for (size_t i = 0; theme_shipped(i) != NULL; i++)
    fprintf(f, "%s%s", i > 0 ? " " : "", theme_shipped(i));
}

static void bash(FILE *f) {
  fprintf(f, "# bash completion for gavel and gavelctl; made by `gavel completion bash`; a test compares.\n"
             "_gavel() {\n"
             "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
             "  case $before in\n"
             "    --theme) COMPREPLY=($(compgen -W '");
  theme_names(f);
  fprintf(f,
          "' -- \"$word\")); return ;;\n"
          "    --notify) COMPREPLY=($(compgen -W 'auto bell osc9 osc777 off' -- \"$word\")); return ;;\n"
          "    --play|--record|--keys|--password-file|--token) COMPREPLY=($(compgen -f -- \"$word\")); "
          "return ;;\n"
          "    man) COMPREPLY=($(compgen -W 'gavel gavelctl' -- \"$word\")); return ;;\n"
          "    completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\")); return ;;\n"
          "  esac\n"
          "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
          "    COMPREPLY=($(compgen -W '%s --help --version' -- \"$word\"))\n"
          "  else\n"
          "    COMPREPLY=($(compgen -W '",
          COMMANDS_OF_GAVEL);
  option_names(f);
  fprintf(f,
          "' -- \"$word\"))\n"
          "  fi\n"
          "}\n"
          "_gavelctl() {\n"
          "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "  [ \"$before\" = --socket ] && { COMPREPLY=($(compgen -f -- \"$word\")); return; }\n"
          "  COMPREPLY=($(compgen -W '%s ",
          CTL_OPTIONS);
  verb_names(f);
  fputs(" ", f);
  act_names(f, " ");
  fputs("' -- \"$word\"))\n}\ncomplete -F _gavel gavel\ncomplete -F _gavelctl gavelctl\n", f);
}

/* quoted: for single quotes in zsh and fish. */
static void quoted(FILE *f, const char *text, const char *escape, const char *quote) {
  for (; *text != '\0'; text++)
    if (*text == '\'')
      fputs(quote, f);
    else
      fprintf(f, "%s%c", strchr(escape, *text) != NULL ? "\\" : "", *text);
}

static void zsh(FILE *f) {
  fputs("#compdef gavel gavelctl\n# zsh completion; made by `gavel completion zsh`; a test compares.\n"
        "_gavel_options=(\n",
        f);
  for (const struct option_row *o = OPTIONS; o->name != NULL; o++) {
    fprintf(f, "  '--%s[", o->name);
    quoted(f, o->help, "[]:", "'\\''");
    fprintf(f, "]%s%s%s'\n", o->value[0] != '\0' ? ":" : "", o->value,
            strcmp(o->value, "FILE") == 0 ? ":_files"
            : o->value[0] != '\0'         ? ": "
                                          : "");
  }
  fputs(")\n_gavelctl_verbs=(\n", f);
  for (int a = 0; a < ACT__COUNT; a++) {
    char title[32];
    command_title(command_of_act((enum act)a), title);
    fprintf(f, "  '%s:", title);
    quoted(f, ACTS[a].help, ":", "'\\''");
    fputs("'\n", f);
  }
  fputs("  ", f);
  verb_names(f);
  fprintf(
      f,
      "\n)\n"
      "if [ \"$service\" = gavelctl ]; then\n"
      "  _arguments '--socket[socket of gaveld]:FILE:_files' '--json[JSON]' '--client[a running gavel]' \\\n"
      "    '1:verb:{_describe verb _gavelctl_verbs}' '*:word: '\n"
      "else\n"
      "  _arguments '1:command:(%s)' $_gavel_options '*:word: '\n"
      "fi\n",
      COMMANDS_OF_GAVEL);
}

static void fish(FILE *f) {
  fprintf(f,
          "# fish completion for gavel and gavelctl; made by `gavel completion fish`; a test compares.\n"
          "complete -c gavel -f -n __fish_use_subcommand -a '%s'\n",
          COMMANDS_OF_GAVEL);
  for (const struct option_row *o = OPTIONS; o->name != NULL; o++) {
    fprintf(f, "complete -c gavel -l %s %s-d '", o->name,
            strcmp(o->value, "FILE") == 0 ? "-r -F "
            : o->value[0] != '\0'         ? "-x "
                                          : "");
    quoted(f, o->help, "\\", "\\'");
    fputs("'\n", f);
  }
  fputs("complete -c gavel -f -n '__fish_seen_subcommand_from man' -a 'gavel gavelctl'\n"
        "complete -c gavel -f -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
        "complete -c gavelctl -l socket -r -F -d 'socket of gaveld'\n"
        "complete -c gavelctl -l json -d 'JSON'\ncomplete -c gavelctl -l client -d 'a running gavel'\n",
        f);
  fputs("complete -c gavelctl -f -n __fish_use_subcommand -a '", f);
  verb_names(f);
  fputs("'\n", f);
  for (int a = 0; a < ACT__COUNT; a++) {
    char title[32];
    command_title(command_of_act((enum act)a), title);
    fprintf(f, "complete -c gavelctl -f -n __fish_use_subcommand -a %s -d '", title);
    quoted(f, ACTS[a].help, "\\", "\\'");
    fputs("'\n", f);
  }
}

char *completion_script(const char *shell) {
  void (*script)(FILE *) = strcmp(shell, "bash") == 0   ? bash
                           : strcmp(shell, "zsh") == 0  ? zsh
                           : strcmp(shell, "fish") == 0 ? fish
                                                        : NULL;
  char *text = NULL;
  size_t n;
  FILE *f = script != NULL ? open_memstream(&text, &n) : NULL;
  if (script == NULL)
    return NULL;
  if (f == NULL)
    abort();
  script(f);
  if (fclose(f) != 0)
    abort();
  return text;
}
