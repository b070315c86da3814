#include "tui/menu.h"

#include "core/base/text.h"
#include "tui/perform.h"
#include "tui/pilot_private.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define GROUPS_N (ACT_GROUP__COUNT + 1U)

/* give_letter: the first letter of the name that is free, else of the alphabet, else a digit. */
static char give_letter(const char *name, const char *taken) {
  static const char ALL[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  for (const char *p = name; *p != '\0'; p++)
    if (*p >= 'a' && *p <= 'z' && strchr(taken, *p) == NULL)
      return *p;
  for (const char *p = ALL; *p != '\0'; p++)
    if (strchr(taken, *p) == NULL)
      return *p;
  return '\0';
}

/* is_in: what the screen does by a key of its own needs no letter. */
static bool is_in(const struct command *c, unsigned group) {
  return command_group(c) == group && (c->act != ACT__COUNT || c->keys[0] == '\0');
}

/* refusal_of: for acts on people, of the first of those frozen. */
static const char *refusal_of(const struct model *m, const struct command *c) {
  uint32_t who = 0;
  if (c->act != ACT__COUNT && ACTS[c->act].target >= TARGET_ONE)
    who = m->menu.n_marks > 0 ? m->menu.marks[0] : m->menu.cursor;
  return command_refusal(m, c, room_member(&m->room, who) != NULL ? who : 0);
}

size_t menu_rows_of(const struct model *m, unsigned group, struct menu_row rows[MENU_ROWS_MAX]) {
  char taken[MENU_ROWS_MAX + 1] = "";
  size_t n = 0;
  for (unsigned g = 0; group >= GROUPS_N && g < GROUPS_N; g++, n++) {
    rows[n] = (struct menu_row){.group = g, .letter = give_letter(command_group_name(g), taken)};
    taken[n] = rows[n].letter;
  }
  for (size_t i = 0; group < GROUPS_N && i < COMMANDS_COUNT; i++) {
    const struct command *c = &COMMANDS[i];
    if (!is_in(c, group))
      continue;
    assert(n < MENU_ROWS_MAX);
    rows[n] = (struct menu_row){give_letter(c->name, taken), group, c, refusal_of(m, c)};
    taken[n] = rows[n].letter;
    n++;
  }
  return n;
}

size_t menu_rows(const struct model *m, struct menu_row rows[MENU_ROWS_MAX]) {
  return menu_rows_of(m, m->menu.open ? m->menu.group : GROUPS_N, rows);
}

void menu_open(struct model *m, unsigned group) {
  struct menu *menu = &m->menu;
  *menu = (struct menu){.open = group < GROUPS_N, .group = group, .cursor = m->cursor, .n_marks = m->n_marks};
  memcpy(menu->marks, m->marks, m->n_marks * sizeof m->marks[0]);
  m->mode = MODE_MENU;
}

void menu_title(const struct model *m, char out[SAY_MAX]) {
  const struct menu *menu = &m->menu;
  const struct member *p = room_member(&m->room, menu->n_marks == 1 ? menu->marks[0] : menu->cursor);
  const char *group = menu->open ? command_group_name(menu->group) : "all commands";
  if (menu->n_marks > 1)
    snprintf(out, SAY_MAX, "%s, on %zu marked", group, menu->n_marks);
  else if (p != NULL)
    snprintf(out, SAY_MAX, "%s, on %s", group, p->id == m->me ? "yourself" : p->name);
  else
    snprintf(out, SAY_MAX, "%s, nobody chosen", group);
}

void menu_text(const struct menu_row *row, const struct keymap *keys, char out[SAY_MAX]) {
  char title[32], key[24] = "";
  const struct command *c = row->command;
  if (c == NULL) {
    snprintf(out, SAY_MAX, "%c %s", row->letter, command_group_name(row->group));
    return;
  }
  command_title(c, title);
  if (keys != NULL)
    (void)keymap_key(keys, c->context, c->name, 0, key);
  snprintf(out, SAY_MAX, "%c %-14s %-5s %s%s%s%s", row->letter, title, key, row->refusal != NULL ? "(" : "",
           row->refusal != NULL ? row->refusal : "", row->refusal != NULL ? ") " : "", c->help);
}

/* run: the menu closes first; what the command opens (a question, a line, a page) stays. */
static void run(struct pilot *c, const struct command *cmd, us_t now) {
  struct model *m = c->m;
  struct selection s = {m->menu.marks, m->menu.n_marks, m->menu.cursor, true};
  model_close(m);
  if (cmd->act != ACT__COUNT) {
    (void)pilot_act_on(c, cmd->act, &s, now);
  } else if (cmd->args[0] != '\0' && cmd->args[0] != '[') {
    char line[40];
    command_title(cmd, line);
    (void)text_append(line, sizeof line, " ");
    pilot_prefill(c, line);
  } else {
    (void)pilot_command(c, cmd, now);
  }
}

static void choose(struct pilot *c, const struct menu_row *row, us_t now) {
  if (row->command != NULL) {
    run(c, row->command, now);
    return;
  }
  c->m->menu.open = true;
  c->m->menu.group = row->group;
  c->m->menu.row = 0;
}

bool menu_key(struct pilot *c, struct key k, us_t now) {
  struct menu_row rows[MENU_ROWS_MAX];
  struct menu *menu = &c->m->menu;
  size_t n = menu_rows(c->m, rows);
  if (k.mods != 0)
    return false;
  if (k.code == KEY_BACKSPACE || k.code == KEY_LEFT) {
    menu->open = false;
    menu->row = 0;
    return true;
  }
  if ((k.code == KEY_ENTER || k.code == KEY_RIGHT) && menu->row < n) {
    choose(c, &rows[menu->row], now);
    return true;
  }
  for (size_t i = 0; i < n; i++)
    if (k.code == (uint32_t)rows[i].letter) {
      choose(c, &rows[i], now);
      return true;
    }
  return k.code < 128; /* a letter that means nothing here does nothing */
}
