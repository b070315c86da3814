/* tiers_private.h: what the files of the tiers share.
 *
 *   tiers.c       streams, numbering, timeouts
 *   tiers_pack.c  packed: two frames to a packet
 *   tiers_code.c  low, min: packets in order, decoded, encoded
 *   tiers_red.c   what was sent lately, and payloads with copies of it
 *
 * Thread: as tiers.h. */
#ifndef GAVEL_SERVER_TIERS_PRIVATE_H
#define GAVEL_SERVER_TIERS_PRIVATE_H

#include "audio/codec.h"
#include "core/server/tiers.h"
#include "core/wire/red.h"

#include <opus/opus.h>

#define TIERS_STREAMS (MIXER_TALKERS_MAX + 1)
#define TIERS_KEEP_US (5 * US_PER_S) /* how long what nobody wants is kept */
#define TIERS_PACKET_MAX 1500

struct kept { /* a packet that must wait */
  struct mixer_out out;
  uint8_t data[TIERS_PACKET_MAX];
};
void kept_take(struct kept *k, const struct mixer_out *o);

struct past;      /* tiers_red.c */
struct packer;    /* tiers_pack.c */
struct coder;     /* tiers_code.c */
struct tier_out { /* one tier of one stream */
  uint32_t next_seq;
  uint64_t end; /* first position not yet sent */
  us_t wanted;  /* last */
  struct past *past;
};
struct line { /* a stream of which something else than `full` is wanted, or copies */
  uint32_t id;
  us_t used;    /* last; US_NEVER: only its numbers are left */
  uint64_t end; /* of all that came */
  struct tier_out tier[TIER_N];
  struct packer *packer;
  struct coder *coder;
};
struct tiers {
  tiers_emit *emit;
  void *ctx;
  us_t now;
  unsigned fresh; /* tiers_fresh */
  struct line *lines[TIERS_STREAMS];
  size_t n;
  uint32_t old_seq; /* streams that are gone were numbered below */
  OpusRepacketizer *packer;
  /* inside the callback */
  const struct mixer_out *out;
  enum media_tier out_tier;
  uint8_t *red; /* TIERS_PACKET_MAX bytes once somebody wanted copies */
  struct tiers_counters counters;
};

/* tiers.c */
/* tiers_line: of the stream of o; made when missing, NULL without memory. */
struct line *tiers_line(struct tiers *t, const struct mixer_out *o);
/* tiers_send: a finished packet of a tier, numbered: to the listeners, and kept for those who want copies
 * of it later. l may be NULL. */
void tiers_send(struct tiers *t, struct line *l, enum media_tier tier, const struct mixer_out *o);

/* tiers_pack.c */
void packer_put(struct tiers *t, struct line *l, const struct mixer_out *o);
void packer_timeout(struct tiers *t, struct line *l);
us_t packer_next_timeout(const struct packer *p);
void packer_forget(struct packer *p); /* drops what is held */
void packer_destroy(struct packer *p);

/* tiers_code.c; a coder of a line serves TIER_LOW and TIER_MIN */
void coder_put(struct tiers *t, struct line *l, const struct mixer_out *o, unsigned wanted);
void coder_timeout(struct tiers *t, struct line *l);
us_t coder_next_timeout(const struct coder *c);
void coder_forget(struct coder *c);
void coder_destroy(struct tiers *t, struct coder *c);

/* tiers_red.c */
void past_add(struct past *p, const struct mixer_out *o);
void past_forget(struct past *p);

#endif
