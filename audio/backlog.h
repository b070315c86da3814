/* backlog.h: packets that wait for their turn, in slots by sequence number: unwraps the numbers, keeps the
 * order, tells what has been there before. Invariant: at most BACKLOG_SPAN of sound waits, and nothing before
 * next_seq. Sans-IO, no clock. One thread. Depends on nothing of ours. */
#ifndef GAVEL_AUDIO_BACKLOG_H
#define GAVEL_AUDIO_BACKLOG_H

#include "audio/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKLOG_SLOTS 128 /* a power of two; 1 s of 10 ms packets */
#define BACKLOG_SPAN AUDIO_MS(1000)

enum slot_state { SLOT_EMPTY, SLOT_WAITING, SLOT_DONE };
struct slot {
  int64_t seq, ts; /* unwrapped; ts: of the first sample */
  enum slot_state state;
  bool copy; /* the packet itself is missing */
  int samples;
  size_t len;
  uint8_t payload[AUDIO_PACKET_MAX];
};
struct backlog {
  bool begun; /* a packet has come; until then nothing else here means anything */
  int64_t newest_seq, newest_ts;
  int64_t next_seq; /* to be played: the owner moves it on */
  struct slot slots[BACKLOG_SLOTS];
};
/* backlog_restart: forget everything and begin with this packet. */
void backlog_restart(struct backlog *b, int64_t seq, int64_t ts);
/* backlog_seq, backlog_ts: the unwrapped number nearest to the newest one. */
int64_t backlog_seq(const struct backlog *b, uint16_t seq);
int64_t backlog_ts(const struct backlog *b, uint32_t ts);
/* backlog_known: the packet that is, or was, here; NULL when it never came. */
struct slot *backlog_known(struct backlog *b, int64_t seq);
/* backlog_fits: it overlaps neither the packet before it nor the one after, as far as these are known. */
bool backlog_fits(struct backlog *b, const struct slot *s);
/* backlog_head: the earliest that waits; NULL when none. */
struct slot *backlog_head(struct backlog *b);
/* backlog_make_room: drops the oldest until a packet of that number and time fits; how many numbers were
 * skipped, those that never came included. 0: nothing had to go. */
int64_t backlog_make_room(struct backlog *b, int64_t seq, int64_t ts);
/* backlog_keep: takes a copy of what `s` says; s->seq >= next_seq, room has been made. */
void backlog_keep(struct backlog *b, const struct slot *s, const uint8_t *payload);

#endif
