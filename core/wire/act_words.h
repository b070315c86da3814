/* act_words.h: an act as people type it: "ban bob 2h speak too loud" into a command, by the args of its row.
 * The `:` line, line mode, `gavelctl` and the control socket of a running client all read their words here.
 *
 * Invariant: a name that fits two people is never guessed; nobody is chosen that was not typed. Pure; any
 * thread. */
#ifndef GAVEL_WIRE_ACT_WORDS_H
#define GAVEL_WIRE_ACT_WORDS_H

#include "core/room/room.h"

#define ACT_ORDER_TARGETS_MAX 256 /* the most people one act names, as on the wire */
#define ACT_WHY_MAX 400

/* An act with all it needs, by value. */
struct act_order {
  enum act act;
  uint32_t targets[ACT_ORDER_TARGETS_MAX];
  size_t n_targets;
  int64_t num, num2;
  bool has_num, has_num2;
  unsigned flags;
  char word[128];
  char text[TEXT_CHAT_MAX + 1];
};

/* act_words_parse: the words after the act's name. People: a unique beginning of the name (case does not
 * count), the full name, "a name in quotes", #id, or a pattern with * or ? that stands for all it fits. Where
 * a text may follow, the second and later people need their full name; with a "--" a beginning will do, and
 * whatever stands before it must be a person or a value. Commas may stand between people. Values (times,
 * numbers, choices, flags) stand in any order before the text; a name that reads like one needs quotes. "--"
 * ends the people, or the values. Quotes around the whole text are left out. False: `why` is one sentence for
 * the person, without a full stop. */
bool act_words_parse(const struct room *r, enum act act, const char *words, struct act_order *o,
                     char why[ACT_WHY_MAX]);
/* act_words_next: a word of a list of people, or what stands in quotes; commas may part them; *p moves behind
 * it. False at the end. */
bool act_words_next(const char **p, const char **word, size_t *len);
/* act_words_who: one person among those here (or, `waiting`, in the lobby; `both`: either); 0: `why` says so.
 */
enum act_where { ACT_WHERE_HERE, ACT_WHERE_LOBBY, ACT_WHERE_BOTH };
uint32_t act_words_who(const struct room *r, const char *word, size_t len, enum act_where where,
                       char why[ACT_WHY_MAX]);
/* act_where: where the people of an act are looked for. */
enum act_where act_words_where(enum act act);
/* act_words_name: a name as one types it: in quotes when it has a blank, #id when it cannot be typed or is
 * not unique. */
void act_words_name(const struct room *r, uint32_t id, char *out, size_t cap);
/* act_order_cmd: the command of an order; it borrows the order's memory. The actor is the caller's to fill.
 */
void act_order_cmd(const struct act_order *o, struct room_cmd *cmd);
/* act_order_take: the reverse: what the command says besides its targets, which are already in place; texts
 * that are too long are cut. */
void act_order_take(struct act_order *o, const struct room_cmd *cmd);

#endif
