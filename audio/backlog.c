/* backlog.c: a packet's slot is its number modulo BACKLOG_SLOTS; what was played stays there to be
 * recognised.
 */
#include "audio/backlog.h"

#include <assert.h>
#include <string.h>

#define FIRST_SEQ 65536 /* unwrapped numbers stay positive */

void backlog_restart(struct backlog *b, int64_t seq, int64_t ts) {
  for (int i = 0; i < BACKLOG_SLOTS; i++) {
    b->slots[i].state = SLOT_EMPTY;
  }
  b->newest_seq = b->next_seq = seq;
  b->newest_ts = ts;
  b->begun = true;
}

int64_t backlog_seq(const struct backlog *b, uint16_t seq) {
  return b->begun ? b->newest_seq + (int16_t)(uint16_t)(seq - (uint16_t)b->newest_seq) : FIRST_SEQ + seq;
}

int64_t backlog_ts(const struct backlog *b, uint32_t ts) {
  return b->begun ? b->newest_ts + (int32_t)(ts - (uint32_t)b->newest_ts) : ts;
}

struct slot *backlog_known(struct backlog *b, int64_t seq) {
  struct slot *s = &b->slots[(size_t)seq & (BACKLOG_SLOTS - 1)];
  return s->state != SLOT_EMPTY && s->seq == seq ? s : NULL;
}

bool backlog_fits(struct backlog *b, const struct slot *s) {
  const struct slot *before = backlog_known(b, s->seq - 1), *after = backlog_known(b, s->seq + 1);
  return (!before || before->ts + before->samples <= s->ts) && (!after || s->ts + s->samples <= after->ts);
}

struct slot *backlog_head(struct backlog *b) {
  for (int64_t seq = b->next_seq; seq <= b->newest_seq && seq < b->next_seq + BACKLOG_SLOTS; seq++) {
    struct slot *s = backlog_known(b, seq);
    if (s && s->state == SLOT_WAITING) {
      return s;
    }
  }
  return NULL;
}

int64_t backlog_make_room(struct backlog *b, int64_t seq, int64_t ts) {
  int64_t first = b->next_seq;
  struct slot *head = backlog_head(b);
  while (head && (seq - head->seq >= BACKLOG_SLOTS || ts - head->ts >= BACKLOG_SPAN)) {
    head->state = SLOT_DONE;
    b->next_seq = head->seq + 1;
    head = backlog_head(b);
  }
  if (!head && seq - b->next_seq >= BACKLOG_SLOTS) {
    b->next_seq = seq;
  }
  return b->next_seq - first;
}

void backlog_keep(struct backlog *b, const struct slot *s, const uint8_t *payload) {
  assert(s->seq >= b->next_seq && s->len <= AUDIO_PACKET_MAX);
  struct slot *to = &b->slots[(size_t)s->seq & (BACKLOG_SLOTS - 1)];
  to->seq = s->seq;
  to->ts = s->ts;
  to->state = SLOT_WAITING;
  to->copy = s->copy;
  to->samples = s->samples;
  to->len = s->len;
  memcpy(to->payload, payload, s->len);
  b->newest_seq = s->seq > b->newest_seq ? s->seq : b->newest_seq;
  b->newest_ts = s->ts > b->newest_ts ? s->ts : b->newest_ts;
}
