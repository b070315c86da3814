#include "tui/command.h"

#include "core/base/text.h"
#include "tui/watch_pilot.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct command COMMANDS[COMMANDS_COUNT] = {
#define ACT(id, name_, group, least, target, rank, args_, undo, ask, key, help_)                             \
  {.name = name_,                                                                                            \
   .args = args_,                                                                                            \
   .keys = key,                                                                                              \
   .help = help_,                                                                                            \
   .context = KEY_CONTEXT_ROOM,                                                                              \
   .act = ACT_##id,                                                                                          \
   .ui = UI__COUNT},
#include "core/room/acts.def"
#undef ACT
#define UI(id, name_, args_, keys_, context_, help_)                                                         \
  {.name = name_,                                                                                            \
   .args = args_,                                                                                            \
   .keys = keys_,                                                                                            \
   .help = help_,                                                                                            \
   .context = KEY_CONTEXT_##context_,                                                                        \
   .act = ACT__COUNT,                                                                                        \
   .ui = UI_##id},
#include "tui/command.def"
#undef UI
};

const struct command *command_of_act(enum act act) {
  assert(act < ACT__COUNT);
  return &COMMANDS[act];
}

const struct command *command_of_ui(enum ui ui) {
  assert(ui < UI__COUNT);
  return &COMMANDS[(size_t)ACT__COUNT + (size_t)ui];
}

static bool begins(const char *name, const char *typed, size_t len) {
  for (size_t i = 0; i < len; i++) {
    char c = typed[i] == '-' ? '_' : typed[i];
    if (name[i] == '\0' || name[i] != c)
      return false;
  }
  return true;
}

/* is_grave: a slip of a few letters must not do it. */
static bool is_grave(const struct command *c) {
  static const enum act ACTS_IN_FULL[] = {ACT_HANDS_DOWN, ACT_ADMIT_ALL, ACT_MUTE_ALL,  ACT_CHAT_CLEAR,
                                          ACT_CHAT_PURGE, ACT_END,       ACT_BREAKOUTS, ACT_DISTRIBUTE,
                                          ACT_RECALL,     ACT_UNBAN,     ACT_BAN,       ACT_BAN_CHECK,
                                          ACT_BAN_RULE,   ACT_BAN_EDIT,  ACT_REMOVE,    ACT_DENY};
  for (size_t i = 0; i < sizeof ACTS_IN_FULL / sizeof ACTS_IN_FULL[0]; i++)
    if (c->act == ACTS_IN_FULL[i])
      return true;
  return false;
}

/* could_be: "mut could be mute, mute-all, mute-entry, mute-lift". */
static void could_be(const char *name, size_t len, char why[SAY_MAX]) {
  char title[32];
  const char *before = " could be ";
  snprintf(why, SAY_MAX, "%.*s", (int)len, name);
  for (size_t i = 0; i < COMMANDS_COUNT; i++) {
    if (!begins(COMMANDS[i].name, name, len))
      continue;
    command_title(&COMMANDS[i], title);
    (void)(text_append(why, SAY_MAX, before) && text_append(why, SAY_MAX, title));
    before = ", ";
  }
}

const struct command *command_find(const char *name, size_t len, char why[SAY_MAX]) {
  const struct command *found = NULL;
  size_t n = 0;
  char title[32];
  for (size_t i = 0; i < COMMANDS_COUNT && len > 0; i++) {
    if (!begins(COMMANDS[i].name, name, len))
      continue;
    if (COMMANDS[i].name[len] == '\0')
      return &COMMANDS[i];
    found = &COMMANDS[i];
    n++;
  }
  if (n == 1 && !is_grave(found))
    return found;
  if (n == 1) {
    command_title(found, title);
    snprintf(why, SAY_MAX, "%.*s is too short for %s: type it in full", (int)len, name, title);
  } else if (n > 1) {
    could_be(name, len, why);
  } else {
    snprintf(why, SAY_MAX, "there is no command %.*s: help lists them", (int)(len > 40 ? 40 : len), name);
  }
  return NULL;
}

unsigned command_group(const struct command *c) {
  return c->act == ACT__COUNT ? ACT_GROUP__COUNT : ACTS[c->act].group;
}

const char *command_group_name(unsigned group) {
  return group < ACT_GROUP__COUNT ? act_group_name((enum act_group)group) : "screen";
}

const char *command_more(const struct command *c) {
  static const struct {
    const char *name, *key;
  } KEYS[] = {
#define MORE(name_, key_) {name_, key_},
#include "tui/command.def"
#undef MORE
  };
  for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
    if (strcmp(KEYS[i].name, c->name) == 0)
      return KEYS[i].key;
  return "";
}

/* needs: "needs cohost" and so on; static strings, because views keep the pointer while they draw. */
static const char *needs(enum role least) {
  static const char *const WORDS[] = {[ROLE_AUDIENCE] = "needs to be in the room",
                                      [ROLE_SPEAKER] = "needs speaker",
                                      [ROLE_COHOST] = "needs cohost",
                                      [ROLE_HOST] = "needs host",
                                      [ROLE_OWNER] = "needs owner"};
  return least >= ROLE_AUDIENCE && least <= ROLE_OWNER ? WORDS[least] : "not for people";
}

const char *command_refusal(const struct model *m, const struct command *c, uint32_t target) {
  if (c->act == ACT__COUNT)
    return (c->ui == UI_YES || c->ui == UI_NO) && m->mode != MODE_ASK ? "nothing is asked" : NULL;
  if (m->state != CLIENT_JOINED && c->act != ACT_LEAVE)
    return m->state == CLIENT_LOBBY ? "you are still in the lobby" : "not connected";
  if (m->readonly && c->act != ACT_LEAVE)
    return "read-only";
  enum err e = room_allows(&m->room, m->me, c->act, target);
  if (e == ERR_OK)
    return NULL;
  const struct member *self = model_self(m);
  return self == NULL || self->role < ACTS[c->act].least ? needs(ACTS[c->act].least) : err_text(e);
}

#define KEYS_MAX (COMMANDS_COUNT * 4)
#define KEY_NAME_MAX 24

/* add_rows: one for each key of a row of a table, or one without a key; returns how many there are then. */
static size_t add_rows(struct keymap_default *rows, char (*names)[KEY_NAME_MAX], size_t n,
                       enum key_context context, const char *action, const char *keys) {
  do {
    size_t len = strcspn(keys, " ");
    assert(n < KEYS_MAX && len < KEY_NAME_MAX);
    memcpy(names[n], keys, len);
    rows[n] = (struct keymap_default){context, action, len > 0 ? names[n] : NULL};
    n++;
    keys += len;
  } while (*keys++ == ' ');
  return n;
}

struct keymap *command_keymap(void) {
  char(*names)[KEY_NAME_MAX] = calloc(KEYS_MAX, sizeof *names);
  struct keymap_default *rows = calloc(KEYS_MAX, sizeof *rows);
  struct keymap *km = NULL;
  size_t n = 0;
  if (names == NULL || rows == NULL)
    goto out;
  for (size_t i = 0; i < WATCH_KEY__COUNT; i++)
    n = add_rows(rows, names, n, KEY_CONTEXT_WATCH, WATCH_KEYS[i].name, WATCH_KEYS[i].keys);
  for (size_t i = 0; i < COMMANDS_COUNT; i++) {
    n = add_rows(rows, names, n, COMMANDS[i].context, COMMANDS[i].name, COMMANDS[i].keys);
    if (command_more(&COMMANDS[i])[0] != '\0')
      rows[n++] = (struct keymap_default){KEY_CONTEXT_GLOBAL, COMMANDS[i].name, command_more(&COMMANDS[i])};
  }
  km = keymap_create(rows, n);
out:
  free(rows);
  free(names);
  return km;
}

void command_title(const struct command *c, char out[32]) {
  snprintf(out, 32, "%s", c->name);
  for (char *p = out; *p != '\0'; p++)
    if (*p == '_')
      *p = '-';
}
