/* mixer_private.h: what the files of the mixer share.
 *
 *   mixer.c        who is active, which source each stream has, timeouts
 *   mixer_talker.c one talker: RTP order, reorder ring, decoding, the short de-jitter FIFO
 *   mixer_mix.c    the mix clock, selection of the loudest, encoders, seams
 *   mixer_stream.c numbering of one outgoing stream
 *
 * Invariant: a talker is "live" exactly while his samples go through the FIFO (active, and the room is
 * mixing; for one more tick after that, to fade). Only who is "plain" is forwarded: loudness 1 is due to him
 * and what was mixed of him last had it. Thread: as mixer.h. */
#ifndef GAVEL_SERVER_MIXER_PRIVATE_H
#define GAVEL_SERVER_MIXER_PRIVATE_H

#include "audio/codec.h"
#include "audio/dsp.h"
#include "core/server/conceal.h"
#include "core/server/mixer.h"

#define RING 16         /* packets kept: the oldest copy (ladder.h) still finds its place; 3 warm a decoder */
#define PACKET_MAX 1500 /* a 120 ms packet may exceed AUDIO_PACKET_MAX; the media port bounds it */
#define JUMP_SEQ 64     /* a sequence step beyond this is a new talkspurt */
#define FIFO_CAP AUDIO_MS(200) /* 3 frames and the longest packet fit */
#define SILENT_DBOV 60         /* nothing quieter is voice */
#define WARM_SAMPLES (3 * AUDIO_FRAME)
#define LAG AUDIO_MS(10)            /* Opus 312 + limiter 96 = 408 samples, as a legal frame */
#define LANES (MIXER_HEARD_MAX + 1) /* encoders: one for COMMON, one for each mixed talker */

struct slot { /* a received packet; ext 0: empty */
  uint64_t ext;
  int64_t ts;
  uint32_t samples;
  size_t len;
  uint8_t data[PACKET_MAX];
};

struct voice { /* what decoding one talker needs */
  struct decoder *decoder;
  struct vad vad;
  struct agc agc;
  uint64_t next_ext; /* to decode next */
  int64_t end_ts;    /* end of what was decoded */
  uint64_t consumed; /* samples that left the FIFO */
  struct conceal conceal;
  size_t last_samples;
  size_t low, low_ticks, excess; /* least depth over half a second, and what of it is not needed */
  size_t calm_ticks;             /* since a packet was lost */
  float from, gain;              /* of the present tick: 5 ms from one to the other; 0 or 1 */
  float scale;                   /* loudness at the end of frame: his gain and ducking, ramped */
  size_t len;
  float fifo[FIFO_CAP];
  float frame[AUDIO_FRAME]; /* his part of the present tick */
};

enum source { SOURCE_NONE, SOURCE_FORWARD, SOURCE_MIX };

struct lane { /* an encoder and its limiter; what comes out of them is LAG behind what went in */
  struct encoder *encoder;
  struct limiter limiter;
  bool used;
  bool primed; /* the first LAG samples are in; from now on packets come out */
  bool seam;   /* the next packet is the first */
  us_t idle_since;
  size_t held_len; /* samples that do not fill a packet yet, always the end of the last tick */
  float held[2 * AUDIO_FRAME];
};

struct talker;
struct stream {
  uint32_t id;
  enum source source;
  struct talker *of; /* FORWARD: whose packets */
  uint32_t next_seq;
  uint64_t end; /* first position not yet sent */
  bool marker;  /* the next packet is the first after silence */
  /* FORWARD: valid while spurt is the talker's */
  uint32_t spurt, first_seq;
  uint64_t first_ext;
  int64_t ts_to_pos;
  /* MIX */
  struct lane *lane;
  bool running;         /* has sent a mixed frame since the change */
  struct talker *heard; /* forwarded to this stream just before ... */
  uint64_t heard_to;    /* ... up to this sample of his FIFO */
};

struct talker {
  uint32_t member;
  bool active, live;
  bool slotted, mixed; /* has one of the K places; slotted or in grace */
  bool priority, hears;
  int8_t gain_db;
  bool verify;    /* no level claim, or a false one: judged by decoding */
  bool confirmed; /* had voice since he became active; as measured, in a mix */
  uint8_t level;  /* -dBov */
  float score;    /* smoothed loudness in dB */
  us_t joined, last_voice, last_packet;
  us_t louder_since; /* 0: not louder than the quietest of the K */
  uint32_t spurt;    /* unique in the room, 0: none yet */
  uint64_t first_ext, high;
  int64_t high_ts, floor_ts, ts_to_pos;
  uint32_t high_samples;
  struct slot ring[RING];
  struct voice *voice; /* NULL until something of his had to be decoded */
  struct stream out;   /* PERSONAL */
};

struct mix { /* exists from the first overlap until MIXER_KEEP_MS after the last */
  us_t due, ended;
  uint64_t pos;        /* of the next tick */
  struct talker *seam; /* forwarded until now; warms the COMMON encoder at the first tick */
  size_t warm_len;
  float warm[WARM_SAMPLES];
  float sum[AUDIO_FRAME], out[AUDIO_FRAME];
  struct lane lanes[LANES];
};

struct mixer {
  mixer_emit *emit;
  void *ctx;
  bool mixing;
  bool lossy; /* mixes are to carry LBRR */
  unsigned ears;
  unsigned load;
  uint32_t spurts;
  uint32_t old_seq; /* personal streams that are gone were numbered below these */
  uint64_t old_pos;
  struct stream common;
  struct talker *talkers[MIXER_TALKERS_MAX];
  struct mix *mix;
  struct mixer_counters counters;
};

/* --- mixer_talker.c --- */
struct talker *talker_create(const struct mixer *m, uint32_t member);
void talker_destroy(struct mixer *m, struct talker *t);
/* talker_accept: orders a packet into the ring. NULL: duplicate, too old, or nonsense. */
struct slot *talker_accept(struct mixer *m, struct talker *t, us_t now, const struct mixer_in *in,
                           uint32_t samples);
/* talker_listen: decode only to judge; true: voice. */
bool talker_listen(struct mixer *m, struct talker *t, const struct mixer_in *in);
/* voice_start: begin decoding into the FIFO at packet `ext`, warmed by kept packets before it; their sound
 * goes to warm (the last `cap` samples; may be NULL). False: out of memory. */
bool voice_start(struct mixer *m, struct talker *t, uint64_t ext, float *warm, size_t cap, size_t *warm_len);
/* voice_feed: decode what is in order now. With `all`, also over gaps. */
void voice_feed(struct mixer *m, struct talker *t, bool all);
/* voice_pull: exactly n samples (multiple of 2.5 ms) of sound or concealment. */
void voice_pull(struct mixer *m, struct talker *t, float *pcm, size_t n);
/* voice_trim: once a tick, let surplus delay go. */
void voice_trim(struct voice *v);

/* --- mixer_stream.c --- */
void stream_forward(struct mixer *m, struct stream *s, const struct talker *t, const struct slot *p);
/* stream_anchor: the packet `ext` of t, whose first sample is ts, continues right where the stream ends. */
void stream_anchor(struct stream *s, const struct talker *t, uint64_t ext, int64_t ts);
/* lane_warm: the encoder learns this sound, nobody hears it. Changes pcm. */
void lane_warm(struct lane *l, float *pcm, size_t n);
/* stream_feed: the next n samples (a frame at most) of the stream; a packet goes out whenever one is full. */
void stream_feed(struct mixer *m, struct stream *s, const float *pcm, size_t n);
/* stream_finish: what is held goes out, pushed by LAG samples of which next to nothing is heard. */
void stream_finish(struct mixer *m, struct stream *s, const float *tail);

/* --- mixer_mix.c --- */
/* mix_begin: from forwarding (or silence) to mixing. The packet of the newcomer is in his ring, not yet sent.
 * False: no memory. */
bool mix_begin(struct mixer *m, us_t now, const struct talker *newcomer);
/* mix_end: flush what is held into COMMON; the one still active, if any, can be forwarded from his next
 * packet on. */
void mix_end(struct mixer *m, us_t now);
void mix_tick(struct mixer *m, us_t now);
/* mix_is_celt: mixes are coded by CELT alone, without LBRR. */
bool mix_is_celt(const struct mixer *m);
/* mix_scale: the loudness due to t now, a factor: his gain, and ducking. */
float mix_scale(const struct mixer *m, const struct talker *t);
/* mix_select: who is in the mix: those with priority, then the loudest, K in all and with hysteresis; and
 * the newcomer in grace. */
void mix_select(struct mixer *m, us_t now);
/* mix_purge: who is gone stays in no encoder and no limiter. */
void mix_purge(struct mixer *m);
/* mix_stream_enter: a stream's source becomes the mix. */
void mix_stream_enter(struct mixer *m, struct stream *s);
/* mix_stream_leave: it is the mix no longer; with `next`, what is held of him is flushed and his packets
 * follow. */
void mix_stream_leave(struct mixer *m, struct stream *s, struct talker *next, us_t now);
/* mix_sweep, mix_next_sweep: free what nobody used for MIXER_KEEP_MS. */
void mix_sweep(struct mixer *m, us_t now);
us_t mix_next_sweep(const struct mixer *m);
void mix_destroy(struct mixer *m);

/* --- mixer.c --- */
/* mixer_route: give every stream its source after active or mixed changed. */
void mixer_route(struct mixer *m, us_t now);

#endif
