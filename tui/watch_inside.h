/* watch_inside.h: one room from inside, as an operator may see it: its people with levels and figures, never
 * what they say. What ops.room answered, sorted, one of them selected. No drawing.
 *
 * Invariant: the selection is a person's id, never a row. Pure. One thread. */
#ifndef GAVEL_TUI_WATCH_INSIDE_H
#define GAVEL_TUI_WATCH_INSIDE_H

#include "tui/watch_feed.h"

#define WATCH_PEOPLE_MAX 20000
#define WATCH_LISTENERS_MAX 16

/* X(ID, title, columns, rank): as in watch_field.h. */
#define WATCH_PERSON_FIELDS(X)                                                                               \
  X(NAME, "PERSON", 12, 1)                                                                                   \
  X(ROLE, "ROLE", 8, 5)                                                                                      \
  X(STATE, "STATE", 8, 2)                                                                                    \
  X(LEVEL, "LEVEL", 8, 6)                                                                                    \
  X(LOSS, "LOSS u/d", 8, 3)                                                                                  \
  X(JITTER, "JIT", 4, 8)                                                                                     \
  X(MOS, "MOS", 4, 4)                                                                                        \
  X(TIER, "TIER", 6, 7)                                                                                      \
  X(VIA, "VIA", 6, 9)                                                                                        \
  X(RTT, "RTT", 5, 11)                                                                                       \
  X(AGE, "AGE", 5, 12)                                                                                       \
  X(CLIENT, "CLIENT", 14, 10)
enum watch_person_field {
#define X(id, ...) WATCH_P_##id,
  WATCH_PERSON_FIELDS(X)
#undef X
      WATCH_P__COUNT
};
struct watch_person_info {
  const char *title;
  int cols, rank;
};
const struct watch_person_info *watch_person_info(enum watch_person_field f);
/* watch_person_show: a cell without marks; "-" where it is not known. watch_person_bad: 0, 1 or 2. */
void watch_person_show(const struct watch_person *p, enum watch_person_field f, char out[128]);
unsigned watch_person_bad(const struct watch_person *p, enum watch_person_field f);
/* watch_person_mos: tenths of the worse direction that is known, 0: neither is. */
uint32_t watch_person_mos(const struct watch_person *p);

struct watch_inside {
  char room[WATCH_ROOM_MAX + 1];
  bool fed;
  struct watch_row row;
  struct watch_person *people;
  size_t n;
  struct watch_listener listeners[WATCH_LISTENERS_MAX];
  size_t n_listeners;
  enum watch_person_field sort;
  bool reverse;
  uint32_t selected; /* id, 0: none */
  size_t at, top, page;
};
/* watch_inside_begin: another room, nothing known of it yet. watch_inside_end: frees. */
void watch_inside_begin(struct watch_inside *in, const char *room);
void watch_inside_end(struct watch_inside *in);
/* watch_inside_take: an answer of ops.room; ERR_PROTOCOL: malformed, everything stays as it was. */
MUST_CHECK enum err watch_inside_take(struct watch_inside *in, const json_t *result);
void watch_inside_sort(struct watch_inside *in, enum watch_person_field f, bool reverse);
/* As in watch_model.h. watch_inside_person: the one selected, or NULL. */
void watch_inside_page(struct watch_inside *in, size_t rows);
void watch_inside_move(struct watch_inside *in, long rows);
void watch_inside_edge(struct watch_inside *in, bool last);
const struct watch_person *watch_inside_person(const struct watch_inside *in);

#endif
