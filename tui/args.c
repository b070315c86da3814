#include "tui/args.h"

#include "tui/theme.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BLANKS " ," /* commas may stand between people */

static bool is_in_list(const struct member *p, enum act_where where) {
  return where == ACT_WHERE_BOTH || (p->presence == PRESENCE_WAITING) == (where == ACT_WHERE_LOBBY);
}

/* ---- completion ---- */

static void offer(struct completion *out, const char *text, const char *help, const char *refusal) {
  if (out->n == COMPLETE_MAX)
    return;
  snprintf(out->of[out->n].text, sizeof out->of[0].text, "%s", text);
  out->of[out->n].help = help;
  out->of[out->n++].refusal = refusal;
}

/* complete_command: the full name first, then what may be used now, then the rest with the reason. */
static void complete_command(const struct model *m, const char *word, size_t len, struct completion *out) {
  char title[32], typed[32];
  snprintf(typed, sizeof typed, "%.*s", (int)(len < sizeof typed ? len : sizeof typed - 1), word);
  for (char *p = typed; *p != '\0'; p++)
    *p = *p == '_' ? '-' : *p;
  for (int pass = 0; pass < 3; pass++)
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
      const char *refusal = command_refusal(m, &COMMANDS[i], 0);
      command_title(&COMMANDS[i], title);
      int rank = strcmp(title, typed) == 0 ? 0 : refusal == NULL ? 1 : 2;
      if (rank == pass && strncmp(title, typed, strlen(typed)) == 0)
        offer(out, title, COMMANDS[i].help, refusal);
    }
}

/* complete_name: at most `most` of them. */
static void complete_name(const struct model *m, const char *word, size_t len, size_t most,
                          struct completion *out) {
  size_t skip = len > 0 && word[0] == '"', before = out->n;
  for (size_t i = 0; i < m->room.n_members && out->n - before < most; i++) {
    const struct member *p = &m->room.members[i];
    char name[TEXT_NAME_MAX + 8];
    if (!is_in_list(p, act_words_where(out->command->act)) ||
        strncasecmp(p->name, word + skip, len - skip) != 0)
      continue;
    act_words_name(&m->room, p->id, name, sizeof name);
    offer(out, name, NULL, command_refusal(m, out->command, p->id));
  }
}

static void offer_if(struct completion *out, const char *text, const char *help, const char *word,
                     size_t len) {
  if (strncasecmp(text, word, len) == 0)
    offer(out, text, help, NULL);
}

/* complete_words: of "a|b|c". */
static void complete_words(const char *c, const char *word, size_t len, struct completion *out) {
  const char *one;
  size_t n;
  for (size_t i = 0; (one = act_choice(c, i, &n)) != NULL; i++) {
    char choice[24];
    snprintf(choice, sizeof choice, "%.*s", (int)n, one);
    offer_if(out, choice, NULL, word, len);
  }
}

static void offer_id(struct completion *out, uint64_t id, const char *help, const char *word, size_t len) {
  char digits[24];
  snprintf(digits, sizeof digits, "%" PRIu64, id);
  offer_if(out, digits, help, word, len);
}

/* complete_id: the numbers of what the act can work on, newest messages first. */
static void complete_id(const struct model *m, const char *word, size_t len, struct completion *out) {
  const struct room *r = &m->room;
  switch (out->command->act) {
  case ACT_UNBAN:
  case ACT_BAN_EDIT:
    for (size_t i = 0; i < r->n_bans; i++)
      offer_id(out, r->bans[i].id, r->bans[i].name, word, len);
    break;
  case ACT_UNTRUST:
    for (size_t i = 0; i < r->n_trusted; i++)
      offer_id(out, r->trusted[i].id, r->trusted[i].name, word, len);
    break;
  case ACT_NOTE_DELETE:
    for (size_t i = 0; i < r->n_notes; i++)
      offer_id(out, r->notes[i].id, r->notes[i].text, word, len);
    break;
  case ACT_INVITE_REVOKE:
    for (size_t i = 0; i < r->n_invites; i++)
      offer_id(out, r->invites[i].id, role_name(r->invites[i].role), word, len);
    break;
  default:
    for (size_t i = r->n_chat; i-- > 0;)
      if (!r->chat[i].deleted && (out->command->act != ACT_CHAT_EDIT || r->chat[i].from == m->me))
        offer_id(out, r->chat[i].id, r->chat[i].text, word, len);
  }
}

/* complete_param: `more`: other words may stand in its place, and names must leave room for them. */
static void complete_param(const struct model *m, const struct act_param *p, const char *word, bool more,
                           struct completion *out) {
  size_t len = strlen(word);
  switch (p->kind) {
  case PARAM_PEOPLE:
    complete_name(m, word, len, more ? COMPLETE_MAX / 2 : COMPLETE_MAX, out);
    break;
  case PARAM_FLAG:
    offer_if(out, p->word, NULL, word, len);
    break;
  case PARAM_TIME:
    complete_words("30s|90s|5m|10m|1h|2h|1d|7d", word, len, out);
    break;
  case PARAM_NUMBER:
    if (strcmp(p->word, "id") == 0)
      complete_id(m, word, len, out);
    break;
  case PARAM_WORD:
    complete_words("user:|invite:|cidr:", word, len, out);
    break;
  default:
    if (p->choice != NULL)
      complete_words(p->choice, word, len, out);
  }
}

static bool is_choice(const char *c, const char *word, size_t len) {
  const char *one;
  size_t n;
  for (size_t i = 0; (one = act_choice(c, i, &n)) != NULL; i++)
    if (n == len && strncasecmp(one, word, len) == 0)
      return true;
  return false;
}

/* takes: a finished word is what this parameter wants. */
static bool takes(const struct model *m, enum act act, const struct act_param *p, const char *word,
                  size_t len) {
  char why[ACT_WHY_MAX];
  switch (p->kind) {
  case PARAM_PEOPLE:
    return memchr(word, '*', len) != NULL || memchr(word, '?', len) != NULL ||
           act_words_who(&m->room, word, len, act_words_where(act), why) != 0;
  case PARAM_FLAG:
    return strlen(p->word) == len && strncasecmp(word, p->word, len) == 0;
  case PARAM_TIME:
  case PARAM_NUMBER:
    return len > 0 && ((word[0] >= '0' && word[0] <= '9') || word[0] == '-' || word[0] == '+');
  case PARAM_CHOICE:
  case PARAM_SWITCH:
    return is_choice(p->choice, word, len);
  case PARAM_WORD:
  case PARAM_TEXT:
    return true;
  }
  return false;
}

/* complete_arg: walks the form along the words before `at`; then whatever may come next is offered: those
 * that may be left out up to the one that must come. A list of people takes all that fit. */
static void complete_arg(const struct model *m, const char *p, const char *at, struct completion *out) {
  enum act act = out->command->act;
  struct act_arg arg;
  const char *word;
  size_t len, i = 0;
  bool some = false; /* the list of people has one already */
  while (p < at && act_words_next(&p, &word, &len)) {
    if (word >= at)
      break;
    while (act_param_at(act, i, &arg) && !takes(m, act, arg.param, word, len)) {
      if (!arg.optional && !some)
        return;
      some = false;
      i++;
    }
    if (!act_param_at(act, i, &arg) || arg.param->kind == PARAM_TEXT)
      return;
    some = arg.many;
    i += !arg.many;
  }
  for (; act_param_at(act, i, &arg); i++) {
    complete_param(m, arg.param, at, arg.optional || some, out);
    if (!arg.optional && !some)
      return;
    some = false;
  }
}

/* complete_ui: the choices of the screen's own commands stand in their form; themes and groups have names. */
static void complete_ui(const char *word, struct completion *out) {
  char form[64];
  const char *args = out->command->args;
  if (out->command->ui == UI_THEME)
    for (size_t i = 0; theme_shipped(i) != NULL; i++)
      offer_if(out, theme_shipped(i), NULL, word, strlen(word));
  snprintf(form, sizeof form, "%.*s", (int)strcspn(args + (args[0] == '['), "]"), args + (args[0] == '['));
  if (strchr(form, '|') != NULL)
    complete_words(form, word, strlen(word), out);
}

void args_complete(const struct model *m, const char *line, size_t at, struct completion *out) {
  char head[TEXT_CHAT_MAX + 1], why[SAY_MAX];
  const char *p = head, *word = head, *last = head;
  size_t len = 0, words = 0, name_len = 0;
  memset(out, 0, sizeof *out);
  snprintf(head, sizeof head, "%.*s", (int)at, line);
  while (act_words_next(&p, &word, &len)) {
    last = word > head && word[-1] == '"' ? word - 1 : word;
    if (words++ == 0)
      name_len = len;
  }
  bool new_word = words == 0 || (p > head && strchr(BLANKS, p[-1]) != NULL) || *p == ' ' || *p == ',';
  if (new_word)
    last = head + strlen(head);
  out->from = (size_t)(last - head);
  if (words == 0 || (words == 1 && !new_word)) {
    complete_command(m, last, strlen(last), out);
    return;
  }
  const char *first = head + strspn(head, " ");
  out->command = command_find(first, name_len, why);
  if (out->command == NULL)
    return;
  if (out->command->act != ACT__COUNT)
    complete_arg(m, first + name_len, last, out);
  else if (words == (new_word ? 1 : 2))
    complete_ui(last, out);
}

uint32_t args_person(const struct model *m, const char *words, char why[ACT_WHY_MAX]) {
  size_t len = strlen(words);
  bool quoted = len >= 2 && words[0] == '"' && words[len - 1] == '"';
  return act_words_who(&m->room, words + quoted, quoted ? len - 2 : len, ACT_WHERE_BOTH, why);
}
