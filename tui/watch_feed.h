/* watch_feed.h: what the server's ops.* methods say (docs/protocol.md section 7), read into plain structs.
 *
 * Invariant: what was read is within its type's range, its texts are fit for a terminal; a member that is
 * missing or of the wrong type is ERR_PROTOCOL and nothing is half read into the caller's model. Unknown
 * members are ignored: newer servers say more. Pure; any thread. */
#ifndef GAVEL_TUI_WATCH_FEED_H
#define GAVEL_TUI_WATCH_FEED_H

#include "core/base/text.h"
#include "core/wire/json.h"
#include "core/wire/link.h"

#include <stdbool.h>
#include <stdint.h>

#define WATCH_ROOM_MAX (LINK_APP_MAX + 1 + TEXT_SLUG_MAX) /* bytes of APP/ROOM */
#define WATCH_THREADS_MAX 16
#define WATCH_TIERS 4
#define WATCH_VIAS 4

/* X(ID, word of the feed) */
#define WATCH_ALERTS(X) X(LOSS, "loss") X(MOS, "mos") X(LOBBY, "lobby") X(NO_HOST, "no_host")
enum watch_alert {
#define X(id, word) WATCH_ALERT_##id,
  WATCH_ALERTS(X)
#undef X
      WATCH_ALERT__COUNT
};

/* A figure over the people of a room who have one. */
struct watch_pair {
  uint32_t median, worst;
};
struct watch_row {
  char room[WATCH_ROOM_MAX + 1], app[LINK_APP_MAX + 1], name[TEXT_SLUG_MAX + 1], region[40];
  uint32_t people, waiting, away, hosts, monitors, talkers, muted;
  uint32_t lines; /* of how many the pairs are; 0: they say nothing */
  struct watch_pair loss_up, loss_down, jitter_ms, rtt_ms, mos_tenths; /* MOS 0: not known */
  uint32_t tiers[WATCH_TIERS];                                         /* full, packed, low, min */
  uint32_t via[WATCH_VIAS];                                            /* udp, tcp, turn, tunnel */
  int64_t since_ms, created_ms, waiting_ms; /* wall time of the server, 0: nobody */
  bool locked, lobby;
  unsigned alerts; /* set of 1 << enum watch_alert */
};
struct watch_server {
  char version[32], name[80], region[40];
  char state[120]; /* "" when it serves as usual, else words: draining, maintenance, its alerts */
  int64_t now_ms, uptime_s;
  uint32_t conns, rooms, people, waiting, away, packets_in_s, packets_out_s, cpu_permille, handshakes,
      watchers, listeners;
  uint32_t load_permille[WATCH_THREADS_MAX];
  size_t n_load;
};
struct watch_person {
  uint32_t id, hand, side, level;
  char name[TEXT_NAME_MAX + 1], role[16], presence[12], client[64], user[TEXT_NAME_MAX + 1];
  bool muted, floor, audio, talking;
  int64_t since_ms;
  bool has_line; /* the rest is known */
  char tier[8], via[8];
  uint32_t age_s, copies, loss_up, loss_down, concealed_up, concealed_down, mos_up_tenths, mos_down_tenths,
      burst_up_ms, burst_down_ms, jitter_ms, rtt_ms, buffer_ms, kbps_up, kbps_down, join_ms;
};
struct watch_listener {
  uint32_t id;
  char operator_name[TEXT_NAME_MAX + 1], mode[12], reason[TEXT_LINE_MAX + 1], ticket[80];
  int64_t ends_ms;
};

/* Each reads one object; ERR_PROTOCOL leaves *out undefined. */
MUST_CHECK enum err watch_row_read(const json_t *o, struct watch_row *out);
MUST_CHECK enum err watch_server_read(const json_t *o, struct watch_server *out);
MUST_CHECK enum err watch_person_read(const json_t *o, struct watch_person *out);
MUST_CHECK enum err watch_listener_read(const json_t *o, struct watch_listener *out);

/* watch_alert_word: as the feed says it. watch_loss: the worse direction of the worst line, percent. */
const char *watch_alert_word(enum watch_alert a);
uint32_t watch_loss(const struct watch_row *r);
/* watch_tier_name, watch_via_name: the i-th word, in the order of the arrays. */
const char *watch_tier_name(size_t i);
const char *watch_via_name(size_t i);

#endif
