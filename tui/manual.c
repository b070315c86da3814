#include "tui/manual.h"

#include "tui/command.h"
#include "tui/options.h"
#include "tui/watch_pilot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* put: text for roff: a backslash, a hyphen that must stay one, and a dot or quote that would begin a
 * request. */
static void put(FILE *f, const char *text) {
  if (*text == '.' || *text == '\'')
    fputs("\\&", f);
  for (; *text != '\0'; text++)
    if (*text == '\\')
      fputs("\\e", f);
    else if (*text == '-')
      fputs("\\-", f);
    else
      fputc(*text, f);
}

static void head(FILE *f, const char *name, const char *what) {
  fprintf(f,
          ".\\\" Made by `gavel man %s`; a test compares.\n"
          ".TH %s 1 \"\" \"gavel " GAVEL_VERSION "\"\n.SH NAME\n%s \\- %s\n",
          name, name, name, what);
}

static void item(FILE *f, const char *term, const char *args, const char *help) {
  fputs(".TP\n\\fB", f);
  put(f, term);
  fputs("\\fR", f);
  if (args[0] != '\0') {
    fputs(" \\fI", f);
    put(f, args);
    fputs("\\fR", f);
  }
  fputc('\n', f);
  put(f, help);
  fputc('\n', f);
}

static void act_item(FILE *f, enum act act, bool with_keys) {
  const struct act_info *a = &ACTS[act];
  char help[SAY_MAX], title[32];
  command_title(command_of_act(act), title);
  snprintf(help, sizeof help, "%s. Needs %s.%s%s%s%s", a->help, role_name(a->least),
           with_keys && a->key[0] != '\0' ? " Key: " : "", with_keys ? a->key : "",
           with_keys && a->key[0] != '\0' ? "." : "", a->undo ? " Can be undone for 10 s." : "");
  item(f, title, a->args, help);
}

static void acts(FILE *f, bool with_keys) {
  for (int g = 0; g < ACT_GROUP__COUNT; g++) {
    fprintf(f, ".SS %s\n", act_group_name((enum act_group)g));
    for (int a = 0; a < ACT__COUNT; a++)
      if (ACTS[a].group == (enum act_group)g)
        act_item(f, (enum act)a, with_keys);
  }
}

static const char WORDS[] = "People are named by a unique beginning of the name (case does not count), the "
                            "full name, \"a name in quotes\",\n"
                            "\\fB#\\fR\\fIid\\fR, or a pattern with * and ? for all it fits; \\fB\\-\\-\\fR "
                            "ends them. Times are 90, 90s, 5m,\n"
                            "2h or 1d. Words in brackets may be left out.\n";

/* page_doctor: what it looks at, and how a script reads it. */
static void page_doctor(FILE *f) {
  fputs(
      ".SH BEFORE THE MEETING\n"
      "\\fBgavel doctor\\fR looks at this terminal and the sound devices; with a \\fIlink\\fR also at the "
      "way to its server:\nname, TLS, invite, UDP, relays, and what to expect of the sound. It enters no "
      "room "
      "and nobody hears it; on a\nterminal it plays back what you say. Each line begins with ok, note (worth "
      "knowing), warn (it works, but\nworse) or fail, and says after -> what to do. \\fB\\-\\-no\\-audio\\fR "
      "leaves the sound out, \\fB\\-\\-json\\fR prints one\nobject: ok, and checks with check, state, text, "
      "advice and figures. The exit status is 2 when a line is fail.\n",
      f);
}

/* page_watch: the keys of `gavel watch`, and what conditions can say. */
static void page_watch(FILE *f) {
  fputs(".SH WATCHING A SERVER\n"
        "\\fBgavel watch\\fR shows the live rooms of a server: over its socket (0600: whoever may open it "
        "may do all), "
        "or\nover its operators' port, with the session that \\fBgavel login \\-\\-monitor\\fR \\fIhost\\fR "
        "began (scope\nmonitor:watch), or with \\fB\\-\\-token\\fR. Nobody is heard. Without a terminal it "
        "says "
        "in sentences what\nchanges; \\fB\\-\\-json\\fR prints an object for each update, "
        "\\fB\\-\\-once\\fR the table as it is now. With\n\\fB\\-\\-fail\\-if\\fR and without "
        "\\fB\\-\\-line\\fR or \\fB\\-\\-json\\fR it looks once; with them it goes on until a condition "
        "holds.\nThe keys, section [watch] of the keys file:\n",
        f);
  for (int i = 0; i < WATCH_KEY__COUNT; i++)
    item(f, WATCH_KEYS[i].keys, "", WATCH_KEYS[i].help);
  fputs(".PP\nA condition is words with blanks between, which must all hold for one room: a part of its "
        "name, or\n"
        "\\fIfield\\fR, one of > >= < <= = != ~ (contains), and a value: loss>5%, mos<3.6, time>2h, "
        "jitter>50ms,\n"
        "people>2k, app=acme. What is not known of a room meets no condition. Fields of rooms:\n",
        f);
  for (int i = 0; i < WATCH_FIELD__ALL; i++) {
    const struct watch_field_info *info = watch_field_info((enum watch_field)i);
    if (i == WATCH_FIELD__COUNT)
      fputs(".PP\nOf the server, for \\fB\\-\\-fail\\-if\\fR only:\n", f);
    if (i != WATCH_F_PAST && i != WATCH_F_LOSS_PAST)
      item(f, info->word, "", info->help);
  }
}

static void page_gavel(FILE *f) {
  head(f, "gavel", "moderated audio conferences from the keyboard");
  fputs(".SH SYNOPSIS\n"
        ".B gavel host\n[\\fIoptions\\fR] [\\fIroom\\fR]\n.br\n.B gavel join\n[\\fIoptions\\fR] "
        "\\fIlink\\fR|\\-\n.br\n"
        ".B gavel login\n|\n.B gavel logout\n\\fIhost\\fR[:\\fIport\\fR]|\\fIlink\\fR|\\-\n.br\n"
        ".B gavel watch\n[\\fIoptions\\fR] [\\fIsocket\\fR|\\fBhttps://\\fIhost\\fR:\\fIport\\fR]\n.br\n"
        ".B gavel doctor\n[\\fIoptions\\fR] [\\fIlink\\fR|\\-]\n.br\n"
        ".B gavel demo\n|\n.B keys\n|\n.B themes\n|\n.BI man \" page\"\n|\n.BI completion \" shell\"\n"
        ".SH DESCRIPTION\n"
        "Joins or opens a moderated audio room. On a terminal it takes the whole screen; with "
        "\\fB\\-\\-line\\fR it\n"
        "speaks in plain sentences, with \\fB\\-\\-headless\\fR in JSON lines. \\fB?\\fR lists the keys that "
        "work now,\n"
        "\\fBo\\fR opens the menu of all acts, \\fB:\\fR takes any command by its name.\n"
        ".SH OPTIONS\n",
        f);
  for (const struct option_row *o = OPTIONS; o->name != NULL; o++) {
    char term[64], help[SAY_MAX];
    snprintf(term, sizeof term, "--%s", o->name);
    snprintf(help, sizeof help, "%s%s", o->help,
             o->of == OPTION_OF_HOST    ? " (host only)"
             : o->of == OPTION_OF_WATCH ? " (watch only)"
                                        : "");
    item(f, term, o->value, help);
  }
  fputs(".SH COMMANDS OF THE ROOM\n", f);
  fputs(WORDS, f);
  acts(f, true);
  fputs(".SH COMMANDS OF THE SCREEN\n", f);
  for (int i = 0; i < UI__COUNT; i++) {
    const struct command *c = command_of_ui((enum ui)i);
    char help[SAY_MAX], title[32];
    command_title(c, title);
    snprintf(help, sizeof help, "%s.%s%s", c->help, c->keys[0] != '\0' ? " Keys: " : "", c->keys);
    item(f, title, c->args, help);
  }
  page_doctor(f);
  page_watch(f);
  fputs(".SH EXIT STATUS\n", f);
  fputs(OPTIONS_EXIT, f);
  fputs(".SH FILES\n.TP\n\\fI$XDG_CONFIG_HOME/gavel/themes/\\fR\nyour own themes\n.TP\n"
        "\\fI$XDG_STATE_HOME/gavel/\\fR\nlog, links and database of rooms opened here, install id\n.TP\n"
        "\\fI$XDG_RUNTIME_DIR/gavel/\\fR\ncontrol sockets of running clients, for \\fBgavelctl "
        "\\-\\-client\\fR\n"
        ".SH SEE ALSO\n.BR gavelctl (1),\n.BR gaveld (1)\n",
        f);
}

static void page_gavelctl(FILE *f) {
  head(f, "gavelctl", "every act of a gavel room as one command");
  fputs(".SH SYNOPSIS\n"
        ".B gavelctl\n[\\fB\\-\\-socket\\fR \\fIfile\\fR] [\\fB\\-\\-json\\fR] [\\fB\\-\\-ticket\\fR "
        "\\fIid\\fR]\n[\\fB\\-\\-operator\\fR \\fIname\\fR] [\\fB\\-\\-database\\fR \\fIfile\\fR]\n"
        "[\\fB\\-\\-master\\-key\\fR \\fIfile\\fR] "
        "\\fIverb\\fR ...\n.br\n"
        ".B gavelctl \\-\\-client\\fR[=\\fIname\\fR]\n\\fIcommand\\fR ...\n"
        ".SH DESCRIPTION\n"
        "Talks to a running\n.BR gaveld (1)\nover its socket (\\fI./gavel.sock\\fR) as the operator, who "
        "outranks\n"
        "everyone; with \\fB\\-\\-client\\fR to a running\n.BR gavel (1)\n"
        "of the same user, as if the command had been typed there.\n"
        ".SH VERBS OF THE SERVER\n",
        f);
  static const char *const VERBS[][3] = {
#define CTL(verb, grammar, method, help) {verb, grammar, help},
#include "core/wire/ctl_verbs.def"
#undef CTL
  };
  for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++)
    item(f, VERBS[i][0], VERBS[i][1], VERBS[i][2]);
  fputs(".PP\n\\fB=FILE\\fR is read from that file, or with \\fB\\-\\fR from standard input, so that secrets "
        "stay "
        "off "
        "the\ncommand line.\n",
        f);
  fputs(".SH ACTS\nEach is \\fBgavelctl\\fR \\fIact ROOM\\fR and the words named here.\n", f);
  fputs(WORDS, f);
  acts(f, false);
  fputs(".SH STEERING A CLIENT\n"
        "\\fBgavelctl \\-\\-client status\\fR prints its state as JSON, \\fBwatch\\fR prints it at each "
        "change,\n"
        "\\fBtalk on\\fR and \\fBtalk off\\fR are a push\\-to\\-talk switch for a window manager or a foot "
        "pedal;\n"
        "everything else is a command of\n.BR gavel (1).\n"
        ".SH EXIT STATUS\n0 done, 1 usage, 2 nobody answers, 3 refused\n"
        ".SH SEE ALSO\n.BR gavel (1),\n.BR gaveld (1)\n",
        f);
}

char *manual_page(const char *name) {
  void (*page)(FILE *) = strcmp(name, "gavel") == 0      ? page_gavel
                         : strcmp(name, "gavelctl") == 0 ? page_gavelctl
                                                         : NULL;
  char *text = NULL;
  size_t n;
  FILE *f = page != NULL ? open_memstream(&text, &n) : NULL;
  if (page == NULL)
    return NULL;
  if (f == NULL)
    abort();
  page(f);
  if (fclose(f) != 0)
    abort();
  return text;
}
