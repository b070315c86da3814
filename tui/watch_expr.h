/* watch_expr.h: conditions on rooms: the filter of `gavel watch` and its --fail-if.
 *
 *   condition = term {blank term}                all of them must hold, for one and the same room
 *   term      = word                             the room's name contains it
 *             | field op value                   blanks around op are allowed
 *   op        = > >= < <= = != ~                 ~: contains; = and ~ take no notice of case
 *   value     = digits [. digits] [unit]         unit: % | ms s | s m h d | k, as the field has it
 *             | text                             of room, app, region, alerts
 *
 * What is not known of a room (loss without a line, MOS while nobody speaks) meets no condition.
 * Invariant: a parsed condition has 1 to WATCH_TERMS_MAX terms. Pure; any thread. */
#ifndef GAVEL_TUI_WATCH_EXPR_H
#define GAVEL_TUI_WATCH_EXPR_H

#include "tui/watch_field.h"

#define WATCH_TERMS_MAX 16
#define WATCH_EXPR_MAX 400 /* bytes */

enum watch_op { WATCH_GT, WATCH_GE, WATCH_LT, WATCH_LE, WATCH_EQ, WATCH_NE, WATCH_HAS };
struct watch_term {
  enum watch_field field;
  enum watch_op op;
  bool is_text;
  int64_t value; /* thousandths */
  char text[WATCH_ROOM_MAX + 1];
};
struct watch_expr {
  struct watch_term term[WATCH_TERMS_MAX];
  size_t n;
};
struct watch_fault {
  size_t at; /* byte of the text where it is */
  char why[120];
};
/* watch_expr_parse: ERR_BAD_ARG with *fault. `server`: fields of the server are allowed, as in --fail-if. */
MUST_CHECK enum err watch_expr_parse(const char *text, bool server, struct watch_expr *out,
                                     struct watch_fault *fault);
/* watch_expr_room: the terms about rooms hold for this one. watch_expr_server: those about the server hold.
 * watch_expr_of_rooms: there are terms about rooms. watch_expr_of_times: some hold or not by the clock alone.
 */
bool watch_expr_room(const struct watch_expr *e, const struct watch_row *r, int64_t now_ms);
bool watch_expr_server(const struct watch_expr *e, const struct watch_server *s);
bool watch_expr_of_rooms(const struct watch_expr *e);
bool watch_expr_of_times(const struct watch_expr *e);

#endif
