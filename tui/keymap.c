#include "tui/keymap.h"

#include "tui/conf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BINDINGS_MAX 1024
#define CONFLICTS_MAX 64

static const char *const contexts[] = {
#define X(id, name) name,
    KEY_CONTEXTS(X)
#undef X
};

struct binding {
  enum key_context context;
  struct key key;
  const char *action; /* NULL: unbound here, hiding [global] */
  int line;           /* 0: a default */
};
struct conflict {
  struct binding won;
  const char *lost;
};
struct keymap {
  struct keymap_default *table; /* a copy */
  size_t table_n;
  struct binding bindings[BINDINGS_MAX];
  size_t n;
  struct conflict conflicts[CONFLICTS_MAX]; /* further ones are not told */
  size_t conflict_n;
};

static bool is_text(struct key k) {
  return k.code < KEY_ESC && !(k.mods & (MOD_CTRL | MOD_ALT));
}

static bool is_typed_in(enum key_context c) {
  return c == KEY_CONTEXT_INPUT || c == KEY_CONTEXT_HELP;
}

/* next: which context is asked after this one; GLOBAL is the last. */
static enum key_context next(enum key_context c) {
  static const enum key_context NEXT[KEY_CONTEXT__COUNT] = {[KEY_CONTEXT_LOBBY] = KEY_CONTEXT_ROOM,
                                                            [KEY_CONTEXT_CHAT] = KEY_CONTEXT_ROOM,
                                                            [KEY_CONTEXT_ROOM] = KEY_CONTEXT_LIST,
                                                            [KEY_CONTEXT_HELP] = KEY_CONTEXT_LIST,
                                                            [KEY_CONTEXT_WATCH] = KEY_CONTEXT_LIST};
  return NEXT[c]; /* zero is GLOBAL */
}

static const struct binding *find(const struct keymap *km, enum key_context c, struct key k) {
  for (size_t i = 0; i < km->n; i++)
    if (km->bindings[i].context == c && km->bindings[i].key.code == k.code &&
        km->bindings[i].key.mods == k.mods)
      return &km->bindings[i];
  return NULL;
}

/* bind: the key now means the action; what it meant before is a conflict, unless it was nothing or the same.
 */
static enum err bind(struct keymap *km, struct binding b) {
  struct binding *old = (struct binding *)(uintptr_t)find(km, b.context, b.key);
  if (!old) {
    if (km->n == BINDINGS_MAX)
      return ERR_FULL;
    km->bindings[km->n++] = b;
    return ERR_OK;
  }
  if (b.action && old->action && old->action != b.action && km->conflict_n < CONFLICTS_MAX)
    km->conflicts[km->conflict_n++] = (struct conflict){.won = b, .lost = old->action};
  *old = b;
  return ERR_OK;
}

/* forget: before an action gets new keys in a context: its old ones go, and so does the complaint that it
 * lost one. */
static void forget(struct keymap *km, enum key_context c, const char *action) {
  size_t kept = 0;
  for (size_t i = 0; i < km->n; i++)
    if (km->bindings[i].context != c || km->bindings[i].action != action)
      km->bindings[kept++] = km->bindings[i];
  km->n = kept;
  kept = 0;
  for (size_t i = 0; i < km->conflict_n; i++)
    if (km->conflicts[i].won.context != c ||
        (km->conflicts[i].lost != action && km->conflicts[i].won.action != action))
      km->conflicts[kept++] = km->conflicts[i];
  km->conflict_n = kept;
}

/* find_action: the table's own string, so that actions compare by address. */
static const char *find_action(const struct keymap *km, const char *name) {
  for (size_t i = 0; i < km->table_n; i++)
    if (strcmp(km->table[i].action, name) == 0)
      return km->table[i].action;
  return NULL;
}

struct keymap *keymap_create(const struct keymap_default *table, size_t n) {
  struct keymap *km = calloc(1, sizeof *km);
  if (!km)
    return NULL;
  km->table = malloc(n * sizeof *table + 1);
  if (!km->table) {
    free(km);
    return NULL;
  }
  memcpy(km->table, table, n * sizeof *table);
  km->table_n = n;
  for (size_t i = 0; i < n; i++) {
    struct binding b = {.context = table[i].context, .action = find_action(km, table[i].action)};
    if (!table[i].key)
      continue;
    bool known = key_from_name(table[i].key, &b.key);
    assert(known && (!is_typed_in(b.context) || !is_text(b.key)));
    enum err err = bind(km, b);
    assert(err == ERR_OK);
    (void)known, (void)err;
  }
  assert(km->conflict_n == 0);
  return km;
}

void keymap_destroy(struct keymap *km) {
  if (km)
    free(km->table);
  free(km);
}

static const char *action_at(const void *ctx, size_t i, char buf[CONF_NAME]) {
  (void)buf;
  const struct keymap *km = ctx;
  return i < km->table_n ? km->table[i].action : "unbind";
}

static enum err find_names(const struct keymap *km, const struct conf_line *l, enum key_context *c,
                           const char **action, char why[CONF_WHY]) {
  for (*c = 0; *c < KEY_CONTEXT__COUNT; (*c)++)
    if (strcmp(l->section, contexts[*c]) == 0)
      break;
  if (*c == KEY_CONTEXT__COUNT) {
    snprintf(why, CONF_WHY, "there is no section [%.40s]", l->section);
    conf_hint(why, l->section, conf_name_in, contexts, KEY_CONTEXT__COUNT);
    return ERR_BAD_CONFIG;
  }
  *action = find_action(km, l->name);
  if (!*action && strcmp(l->name, "unbind") != 0) {
    snprintf(why, CONF_WHY, "there is no action \"%.40s\"", l->name);
    conf_hint(why, l->name, action_at, km, km->table_n + 1);
    return ERR_BAD_CONFIG;
  }
  return ERR_OK;
}

static enum err on_line(void *ctx, const struct conf_line *l, char why[CONF_WHY]) {
  struct keymap *km = ctx;
  struct binding b = {.line = l->line};
  enum err err = find_names(km, l, &b.context, &b.action, why);
  if (err)
    return err;
  if (b.action)
    forget(km, b.context, b.action);
  if (b.action && strcasecmp(l->value, "none") == 0)
    return ERR_OK;
  for (const char *p = l->value; *(p += strspn(p, " \t"));) {
    char word[CONF_NAME];
    size_t n = strcspn(p, " \t");
    snprintf(word, sizeof word, "%.*s", n < sizeof word ? (int)n : (int)sizeof word - 1, p);
    p += n;
    if (!key_from_name(word, &b.key)) {
      snprintf(why, CONF_WHY, "there is no key \"%s\" (keys are like m, F5, Ctrl-k, Alt-a, Space)", word);
      return ERR_BAD_CONFIG;
    }
    if (is_typed_in(b.context) && is_text(b.key)) {
      snprintf(why, CONF_WHY, "\"%s\" is text in [%s] and cannot be bound there", word, contexts[b.context]);
      return ERR_BAD_CONFIG;
    }
    if ((err = bind(km, b)) != ERR_OK) {
      snprintf(why, CONF_WHY, "there are more than %d keys", BINDINGS_MAX);
      return err;
    }
  }
  return ERR_OK;
}

enum err keymap_load(struct keymap *km, const char *path, char why[256]) {
  return conf_file(path, ERR_BAD_CONFIG, on_line, km, why);
}

enum err keymap_load_text(struct keymap *km, const char *name, const char *text, char why[256]) {
  return conf_text(name, text, ERR_BAD_CONFIG, on_line, km, why);
}

const char *keymap_lookup(const struct keymap *km, enum key_context c, struct key k) {
  if (is_typed_in(c) && is_text(k))
    return NULL;
  const struct binding *b = find(km, c, k);
  for (; !b && c != KEY_CONTEXT_GLOBAL; b = find(km, c, k))
    c = next(c);
  return b ? b->action : NULL;
}

bool keymap_key(const struct keymap *km, enum key_context c, const char *action, size_t i, char out[24]) {
  for (enum key_context at = c;; at = next(at)) {
    for (size_t k = 0; k < km->n; k++) {
      const struct binding *b = &km->bindings[k];
      if (b->context != at || !b->action || strcmp(b->action, action) != 0)
        continue;
      const char *does = keymap_lookup(km, c, b->key);
      if (does != b->action || i-- > 0)
        continue;
      key_name(b->key, out);
      return true;
    }
    if (at == KEY_CONTEXT_GLOBAL)
      return false;
  }
}

bool keymap_conflict(const struct keymap *km, size_t i, char out[160]) {
  if (i >= km->conflict_n)
    return false;
  const struct conflict *x = &km->conflicts[i];
  char name[24];
  key_name(x->won.key, name);
  snprintf(out, 160, "[%s] %s: %.40s (line %d) instead of %.40s", contexts[x->won.context], name,
           x->won.action, x->won.line, x->lost);
  return true;
}
