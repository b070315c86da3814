/* watch_field.h: what `gavel watch` knows of a room, one table: columns, what one sorts by, and the words of
 * filters and of --fail-if (watch_expr.h). Server figures, for --fail-if alone, are in a second part of it.
 *
 * Invariant: figures are compared in thousandths, so that 5%, 3.6 and 1.5h are whole numbers. Pure; any
 * thread. */
#ifndef GAVEL_TUI_WATCH_FIELD_H
#define GAVEL_TUI_WATCH_FIELD_H

#include "tui/watch_feed.h"

#define WATCH_CELL_MAX 128 /* bytes of a cell's text */

enum watch_kind {
  WATCH_KIND_TEXT,
  WATCH_KIND_COUNT, /* of people and the like */
  WATCH_KIND_PERCENT,
  WATCH_KIND_MS,
  WATCH_KIND_SECONDS, /* a length of time */
  WATCH_KIND_MOS,
  WATCH_KIND_WORDS /* how many, and which */
};
/* X(ID, word, title, kind, columns, rank, help): rank: where the screen is narrow the highest go first; 0:
 * no column. */
#define WATCH_FIELDS(X)                                                                                      \
  X(ROOM, "room", "ROOM", WATCH_KIND_TEXT, 14, 1, "its name, with the application's")                        \
  X(APP, "app", "APP", WATCH_KIND_TEXT, 10, 13, "the application whose room it is")                          \
  X(PEOPLE, "people", "PEOPLE", WATCH_KIND_COUNT, 6, 2, "who is inside")                                     \
  X(WAITING, "waiting", "WAIT", WATCH_KIND_COUNT, 4, 4, "who is in the lobby")                               \
  X(TALKERS, "talkers", "TALK", WATCH_KIND_COUNT, 4, 7, "who is heard now")                                  \
  X(LOSS, "loss", "LOSS u/d", WATCH_KIND_PERCENT, 8, 3,                                                      \
    "the worst line's loss: up/down, percent before repair")                                                 \
  X(JITTER, "jitter", "JIT", WATCH_KIND_MS, 4, 10, "the worst line's jitter, ms")                            \
  X(MOS, "mos", "MOS", WATCH_KIND_MOS, 4, 6, "the worst line's MOS, 1 to 4.5")                               \
  X(TIERS, "thin", "TIERS", WATCH_KIND_COUNT, 6, 9,                                                          \
    "what people get: F full, P packed, L low, M min; thin: how many have L or M")                           \
  X(TIME, "time", "TIME", WATCH_KIND_SECONDS, 6, 8, "since when somebody is inside without a break")         \
  X(REGION, "region", "REGION", WATCH_KIND_TEXT, 8, 14, "where the server is")                               \
  X(PAST, "past", "PEOPLE 2m", WATCH_KIND_COUNT, 9, 11, "people, the last two minutes")                      \
  X(LOSS_PAST, "loss_past", "LOSS 2m", WATCH_KIND_PERCENT, 9, 12, "loss, the last two minutes")              \
  X(ALERTS, "alerts", "ALERTS", WATCH_KIND_WORDS, 10, 5,                                                     \
    "loss over 5 %, mos below 3, lobby over 5 min, no_host")                                                 \
  X(LOSS_UP, "loss_up", "UP", WATCH_KIND_PERCENT, 4, 0, "loss from the worst line")                          \
  X(LOSS_DOWN, "loss_down", "DOWN", WATCH_KIND_PERCENT, 4, 0, "loss to the worst line")                      \
  X(RTT, "rtt", "RTT", WATCH_KIND_MS, 5, 0, "the worst line's round trip")                                   \
  X(AWAY, "away", "AWAY", WATCH_KIND_COUNT, 4, 0, "who lost the connection and may come back")               \
  X(HOSTS, "hosts", "HOSTS", WATCH_KIND_COUNT, 5, 0, "who moderates")                                        \
  X(MONITORS, "monitors", "MON", WATCH_KIND_COUNT, 4, 0, "operators who listen, announced")                  \
  X(MUTED, "muted", "MUTED", WATCH_KIND_COUNT, 5, 0, "who is muted")                                         \
  X(PATIENCE, "waited", "WAITED", WATCH_KIND_SECONDS, 6, 0, "how long the first in the lobby waits")

/* X(ID, word, kind, help): of the server as a whole. */
#define WATCH_SERVER_FIELDS(X)                                                                               \
  X(ROOMS, "rooms", WATCH_KIND_COUNT, "rooms there are")                                                     \
  X(CPU, "cpu", WATCH_KIND_PERCENT, "of one core, the whole server")                                         \
  X(LOAD, "load", WATCH_KIND_PERCENT, "of the busiest media thread")                                         \
  X(PACKETS, "packets", WATCH_KIND_COUNT, "a second, in and out")                                            \
  X(EVERYONE, "everyone", WATCH_KIND_COUNT, "people in all rooms")                                           \
  X(QUEUE, "queue", WATCH_KIND_COUNT, "people in all lobbies")                                               \
  X(UPTIME, "uptime", WATCH_KIND_SECONDS, "since the server started")

enum watch_field {
#define X(id, ...) WATCH_F_##id,
  WATCH_FIELDS(X)
#undef X
      WATCH_FIELD__COUNT,
  WATCH_SERVER__FIRST = WATCH_FIELD__COUNT - 1,
#define X(id, ...) WATCH_F_SERVER_##id,
  WATCH_SERVER_FIELDS(X)
#undef X
      WATCH_FIELD__ALL
};
struct watch_field_info {
  const char *word, *title, *help;
  enum watch_kind kind;
  int cols, rank;
};
/* watch_field_info: never NULL. watch_field_of_server: it is of the second part. */
const struct watch_field_info *watch_field_info(enum watch_field f);
static inline bool watch_field_of_server(enum watch_field f) {
  return f >= WATCH_FIELD__COUNT;
}

/* watch_field_value: in thousandths; false: not known now (no line reported, nobody there). For texts false.
 * now_ms: the server's clock. watch_field_text: of a WATCH_KIND_TEXT field, else "". */
bool watch_field_value(const struct watch_row *r, enum watch_field f, int64_t now_ms, int64_t *out);
bool watch_field_server(const struct watch_server *s, enum watch_field f, int64_t *out);
const char *watch_field_text(const struct watch_row *r, enum watch_field f);
/* watch_field_show: as a cell, without marks; "-" where it is not known. watch_spell: "4:05", "1:05h",
 * "3d04h", "120d". */
void watch_field_show(const struct watch_row *r, enum watch_field f, int64_t now_ms,
                      char out[WATCH_CELL_MAX]);
void watch_spell(int64_t seconds, char out[16]);
/* watch_tier_mix: a bar of `cells` letters F P L M in the share of people who get each, blanks when nobody
 * has sound; everyone who is counted has a letter as far as there is room. */
void watch_tier_mix(const struct watch_row *r, size_t cells, char *out);

/* How bad a figure is. Views show 1 and 2 by colour and by a sign. */
unsigned watch_field_bad(const struct watch_row *r, enum watch_field f, int64_t now_ms);

#endif
