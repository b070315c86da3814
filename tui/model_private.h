/* model_private.h: the list of people behind the model. Three arrays hold what a frame needs, so that one
 * event costs what it changes: the people by id, the order of the list, and the rows shown of it.
 *
 * Invariant: `who` holds each member of the room once, `order` likewise and empty rows besides; the counts
 * and the short lists agree with them. Readers bring the rows up to date (roster_fresh), which is why all
 * hangs on a pointer of the model. One thread. */
#ifndef GAVEL_TUI_MODEL_PRIVATE_H
#define GAVEL_TUI_MODEL_PRIVATE_H

#include "tui/model.h"

struct person { /* what the list needs of a member, in few bytes */
  uint32_t id;
  uint8_t presence, role_group;
  uint64_t hand;
  int64_t since_ms;
  us_t talked;
};
struct entry { /* id 0: someone left while the list stands still */
  uint32_t id;
  uint8_t group;
  bool passes; /* the filter */
};
#define ORDER_MAX (2 * MODEL_LIST_MAX) /* with empty rows */
struct roster {
  struct person who[MODEL_LIST_MAX]; /* by id */
  size_t n;
  struct entry order[ORDER_MAX];
  size_t n_order;
  uint32_t rows[ORDER_MAX + GROUP__COUNT];
  size_t n_rows;
  uint32_t lobby[MODEL_LIST_MAX], hands[MODEL_LIST_MAX];
  size_t n_lobby, n_hands, count[3], groups[GROUP__COUNT];
  bool rows_old, names_old; /* the rows, or who passes, must be made anew */
  bool unsorted, gaps;      /* to be put in order when it may move */
  bool moved;               /* the cursor, by a key whose time is not known yet */
  us_t still_until, resort_at;
  char filter[TEXT_NAME_MAX + 1]; /* that `passes` is for */
};

/* model_line_new: an empty line at the end of the chat pane; the oldest goes when there are too many. */
struct model_line *model_line_new(struct model *m, int64_t ts_ms, enum style s);

/* How an event is told (model_tell.c), with m->said as its sentence. tell_names_me: I am among its targets.
 * tell_already: another event of the same act has said it. tell_notice: its line, or a number in the line
 * before. tell_toast: over the footer, when I did it or it was done to me; true when it is there now.
 * tell_deed: for the cards of those it names. */
bool tell_names_me(const struct model *m, const struct room_event *ev);
bool tell_already(struct model *m, const struct room_event *ev);
void tell_notice(struct model *m, const struct room_event *ev);
bool tell_toast(struct model *m, const struct room_event *ev, us_t now);
void tell_deed(struct model *m, const struct room_event *ev);

/* roster_create: an empty list; NULL without memory. */
struct roster *roster_create(void);
/* roster_reset: the replica was replaced: the list is made anew; talk times of those still here stay. */
void roster_reset(struct model *m);
/* roster_apply: after room_apply: looks at the people it names, and moves a few kilobytes. */
void roster_apply(struct model *m, const struct room_event *ev);
/* roster_heard: a person was heard for so long. roster_line: the quality of a line changed. */
void roster_heard(struct model *m, uint32_t id, us_t time);
void roster_line(struct model *m);
/* roster_tick: true when the list may be put in order again and looks other than before. roster_next: when
 * that must be asked again. */
bool roster_tick(struct model *m);
us_t roster_next(const struct model *m);

/* roster_fresh: with rows that are up to date. roster_still: the list stands still (model.h). */
struct roster *roster_fresh(const struct model *m);
bool roster_still(const struct model *m);
struct person *roster_find(struct roster *p, uint32_t id);
/* roster_index: of an id, n when it is not there. */
size_t roster_index(const uint32_t *ids, size_t n, uint32_t id);
/* roster_pane: the list the cursor moves in. */
const uint32_t *roster_pane(const struct model *m, size_t *n);
void roster_sort(const struct model *m);
/* roster_close_gaps: the empty rows go. */
void roster_close_gaps(struct roster *p);
void roster_unmark(struct model *m, uint32_t id);

#endif
