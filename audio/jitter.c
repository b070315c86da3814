/* jitter.c: packets wait in slots by sequence number; jitter_get pulls them through the decoder into `out`.
 *
 * Everything is counted in samples of the local clock. The present delay is exact at every moment: what is
 * decoded next would be heard at now + out_n, and could have been heard, had it come by the fastest way, at
 * base + its ts.
 *
 *   SILENT  --head is due (base + ts + target)-->  PLAYING  --gap of ts, DTX, or concealment faded out-->
 * SILENT
 *
 * While PLAYING the delay follows the target by time-stretch; a SILENT gap simply ends at the right moment.
 */
#include "audio/jitter.h"

#include "audio/codec.h"
#include "audio/delay.h"
#include "audio/dsp.h"
#include "audio/stretch.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 128              /* a power of two; 1 s of 10 ms packets */
#define SPAN AUDIO_MS(1000)    /* the most sound that waits */
#define RESTART AUDIO_MS(5000) /* a jump of ts that no silence explains */
#define RESTART_SEQ 500
#define FIRST_SEQ 65536          /* unwrapped numbers stay positive */
#define CHUNK AUDIO_MS(10)       /* concealment at a time: SILK makes no less */
#define ALIGN (AUDIO_RATE / 400) /* Opus conceals multiples of 2.5 ms */
#define FADE (1.0f / AUDIO_MS(5))
#define PLC_FULL AUDIO_MS(60) /* concealment at full volume, then it fades */
#define PLC_FADE (1.0f / AUDIO_MS(50))
#define QUIET_DBOV 60      /* sound that ends below this ends on purpose */
#define SLACK AUDIO_MS(10) /* how far the delay may be off before it is stretched */
#define STRETCH_EVERY AUDIO_MS(60)
#define FAR_OFF AUDIO_MS(60)
#define TOO_FAR AUDIO_MS(200)
#define FEC_SECONDS 5 /* wait for LBRR that long after a loss */
#define OUT_MAX (4 * AUDIO_FRAME_MAX)

enum slot_state { SLOT_EMPTY, SLOT_WAITING, SLOT_DONE };

struct slot {
  int64_t seq, ts;
  enum slot_state state;
  int samples;
  size_t len;
  uint8_t payload[AUDIO_PACKET_MAX];
};

struct jitter {
  struct decoder *decoder;
  struct delay delay;
  struct slot slots[SLOTS];
  bool begun;                    /* a packet has come */
  bool fresh;                    /* nothing of this numbering has been played */
  bool playing;                  /* else SILENT */
  bool ended_quiet;              /* the last sound faded by itself */
  int64_t newest_seq, newest_ts; /* unwrapped */
  int64_t next_seq, next_ts;     /* to be played */
  int last_samples;              /* of the last packet played */
  int covered;                   /* concealed for packets that may still come */
  int concealing;                /* samples since the last real sound */
  float gain;                    /* of the last sample in `out` */
  float offness;                 /* smoothed delay - target, samples */
  int since_stretch;
  int64_t fec_until;
  int block; /* how much the last get asked for */
  struct jitter_stats stats;
  size_t out_n;
  float out[OUT_MAX];
  float scratch[AUDIO_FRAME_MAX];
};

struct jitter *jitter_create(void) {
  struct jitter *j = calloc(1, sizeof *j);
  if (!j) {
    return NULL;
  }
  j->decoder = decoder_create();
  if (!j->decoder) {
    free(j);
    return NULL;
  }
  delay_init(&j->delay);
  j->block = AUDIO_BLOCK;
  j->last_samples = AUDIO_FRAME;
  return j;
}

void jitter_destroy(struct jitter *j) {
  if (j) {
    decoder_destroy(j->decoder);
    free(j);
  }
}

static int64_t clock_samples(int64_t now_us) {
  return now_us / 1000 * AUDIO_MS(1) + now_us % 1000 * AUDIO_MS(1) / 1000;
}

/* ---- packets in ---- */

static struct slot *slot_of(struct jitter *j, int64_t seq) {
  return &j->slots[(size_t)seq & (SLOTS - 1)];
}

static struct slot *waiting(struct jitter *j, int64_t seq) {
  struct slot *s = slot_of(j, seq);
  return s->state == SLOT_WAITING && s->seq == seq ? s : NULL;
}

/* head_find: the earliest waiting packet, NULL when none. */
static struct slot *head_find(struct jitter *j) {
  for (int64_t seq = j->next_seq; seq <= j->newest_seq && seq < j->next_seq + SLOTS; seq++) {
    struct slot *s = waiting(j, seq);
    if (s) {
      return s;
    }
  }
  return NULL;
}

static void restart(struct jitter *j, int64_t seq, int64_t ts) {
  for (int i = 0; i < SLOTS; i++) {
    j->slots[i].state = SLOT_EMPTY;
  }
  j->newest_seq = j->next_seq = seq;
  j->newest_ts = ts;
  j->begun = j->fresh = true;
  j->playing = false;
}

/* target: the delay to aim at, in samples. */
static int target(const struct jitter *j, int64_t now) {
  int t = delay_target(&j->delay, j->block);
  int fec = j->last_samples + AUDIO_BLOCK + j->block; /* the packet after the lost one must be here in time */
  return now < j->fec_until && t < fec ? fec : t;
}

/* make_room: the oldest packets go until `seq` and its sound fit. What follows is then played like a new
 * talkspurt. */
static void make_room(struct jitter *j, int64_t seq, int64_t ts) {
  struct slot *head = head_find(j);
  while (head && (seq - head->seq >= SLOTS || ts - head->ts >= SPAN)) {
    head->state = SLOT_DONE;
    j->stats.lost += (uint64_t)(head->seq + 1 - j->next_seq);
    j->next_seq = head->seq + 1;
    j->playing = false;
    head = head_find(j);
  }
  if (!head && seq - j->next_seq >= SLOTS) {
    j->stats.lost += (uint64_t)(seq - j->next_seq);
    j->next_seq = seq;
    j->playing = false;
  }
}

static void keep(struct jitter *j, int64_t seq, int64_t ts, int samples, const uint8_t *p, size_t n) {
  if (seq < j->next_seq && j->fresh && !j->playing && j->next_seq - seq < SLOTS / 2) {
    j->next_seq = seq; /* the first packets overtook each other */
  }
  if (seq < j->next_seq) {
    j->stats.late++;
    return;
  }
  make_room(j, seq, ts);
  struct slot *s = slot_of(j, seq);
  *s = (struct slot){.seq = seq, .ts = ts, .state = SLOT_WAITING, .samples = samples, .len = n};
  memcpy(s->payload, p, n);
  j->newest_seq = seq > j->newest_seq ? seq : j->newest_seq;
  j->newest_ts = ts > j->newest_ts ? ts : j->newest_ts;
}

void jitter_put(struct jitter *j, int64_t now_us, uint16_t seq16, uint32_t ts32, bool marker,
                const uint8_t *p, size_t n) {
  int samples = opus_packet_samples(p, n);
  if (samples < 0 || n > AUDIO_PACKET_MAX) {
    return;
  }
  int64_t now = clock_samples(now_us);
  int64_t seq =
      j->begun ? j->newest_seq + (int16_t)(uint16_t)(seq16 - (uint16_t)j->newest_seq) : FIRST_SEQ + seq16;
  int64_t ts = j->begun ? j->newest_ts + (int32_t)(ts32 - (uint32_t)j->newest_ts) : ts32;
  bool jump_seq = llabs(seq - j->newest_seq) > RESTART_SEQ;
  bool jump_ts = llabs(ts - j->newest_ts) > RESTART && llabs(delay_late(&j->delay, now, ts)) > SPAN;
  if (!j->begun || jump_seq || jump_ts) {
    restart(j, seq, ts);
  }
  const struct slot *s = slot_of(j, seq);
  if (s->state != SLOT_EMPTY && s->seq == seq) {
    j->stats.duplicate++;
    return;
  }
  j->stats.received++;
  delay_feed(&j->delay, now, ts, samples, marker);
  keep(j, seq, ts, samples, p, n);
}

/* ---- sound out ---- */

/* push: n samples to the output; the gain moves to `to` by `step` a sample. */
static void push(struct jitter *j, const float *pcm, size_t n, float to, float step) {
  assert(j->out_n + n <= OUT_MAX);
  float *out = j->out + j->out_n;
  for (size_t i = 0; i < n; i++) {
    j->gain = j->gain < to ? fminf(j->gain + step, to) : fmaxf(j->gain - step, to);
    out[i] = pcm[i] * j->gain;
  }
  j->out_n += n;
}

/* plc: n samples of concealment in scratch. */
static void plc(struct jitter *j, int n) {
  if (decoder_plc(j->decoder, j->scratch, (size_t)n) != n) {
    memset(j->scratch, 0, (size_t)n * sizeof *j->scratch);
  }
}

/* conceal: n samples (<= CHUNK) that carry on what was heard, fading out after PLC_FULL. */
static void conceal(struct jitter *j, int n) {
  plc(j, n);
  j->concealing += n;
  push(j, j->scratch, (size_t)n, j->concealing > PLC_FULL ? 0.0f : 1.0f, PLC_FADE);
  j->stats.concealed += (uint64_t)n;
  if (j->gain <= 0.0f) {
    j->playing = false;
  }
}

/* off: by how many samples the delay of what is decoded next exceeds the target. */
static int off(const struct jitter *j, int64_t now, int64_t ts) {
  int64_t delay = delay_late(&j->delay, now + (int64_t)j->out_n, ts);
  int64_t limit = AUDIO_MS(10000);
  delay = delay > limit ? limit : delay < -limit ? -limit : delay;
  return (int)delay - target(j, now);
}

/* follow_target: stretch what waits in `out` when the delay has been off for a while. */
static void follow_target(struct jitter *j) {
  float far = fabsf(j->offness);
  if (far < SLACK || (far < TOO_FAR && j->since_stretch < STRETCH_EVERY)) {
    return;
  }
  float least = far < FAR_OFF ? 0.7f : far < TOO_FAR ? 0.3f : -1.0f;
  size_t most = far < STRETCH_MAX ? (size_t)far : STRETCH_MAX;
  size_t got = 0;
  if (j->offness > 0.0f) {
    got = stretch_remove(j->out, j->out_n, most, least);
    j->out_n -= got;
    j->offness -= (float)got;
  } else {
    got = stretch_insert(j->out, j->out_n, most, least);
    j->out_n += got;
    j->offness += (float)got;
  }
  j->stats.stretched += got;
  j->since_stretch = got > 0 ? 0 : j->since_stretch;
}

static void measure(struct jitter *j, int64_t now, int64_t ts, int samples) {
  int o = off(j, now, ts);
  float weight = fminf((float)samples / AUDIO_MS(200), 1.0f);
  j->offness += ((float)o - j->offness) * weight;
  j->stats.delay_ms = (o + target(j, now)) / AUDIO_MS(1);
  j->since_stretch = j->since_stretch < STRETCH_EVERY ? j->since_stretch + samples : STRETCH_EVERY;
}

/* passed: packets up to and including `seq` are behind us; of them, `lost` were not there. */
static void passed(struct jitter *j, int64_t seq, int64_t lost) {
  j->stats.lost += (uint64_t)lost;
  j->next_seq = seq + 1;
  j->covered = 0;
}

static void play(struct jitter *j, int64_t now, struct slot *s) {
  s->state = SLOT_DONE;
  measure(j, now, s->ts, s->samples);
  passed(j, s->seq, 0);
  j->next_ts = s->ts + s->samples;
  j->last_samples = s->samples;
  if (opus_is_dtx(s->payload, s->len)) {
    j->playing = false;
    return;
  }
  if (decoder_run(j->decoder, s->payload, s->len, j->scratch) != s->samples) {
    for (int left = s->samples; left > 0 && j->playing; left -= CHUNK) {
      conceal(j, left < CHUNK ? left : CHUNK);
    }
    return;
  }
  j->concealing = 0;
  int tail = s->samples < CHUNK ? s->samples : CHUNK;
  j->ended_quiet = level_dbov(j->scratch + s->samples - tail, (size_t)tail) > QUIET_DBOV;
  push(j, j->scratch, (size_t)s->samples, 1.0f, FADE);
  j->stats.played += (uint64_t)s->samples;
  follow_target(j);
}

/* recover: `length` samples of the packet before `next` from its LBRR. */
static bool recover(struct jitter *j, const struct slot *next, int length) {
  if (length <= 0 ||
      decoder_fec(j->decoder, next->payload, next->len, j->scratch, (size_t)length) != length) {
    return false;
  }
  push(j, j->scratch, (size_t)length, 1.0f, FADE);
  j->concealing = 0;
  j->stats.recovered_fec++;
  j->stats.played += (uint64_t)length;
  return true;
}

/* replace: packet next_seq is lost, a later one is here: LBRR of its successor, else concealment. */
static void replace(struct jitter *j, int64_t now, const struct slot *head) {
  int64_t missing = head->seq - j->next_seq;
  int64_t gap = head->ts - j->next_ts;
  if (gap < ALIGN) { /* nothing of it is missing in time */
    passed(j, head->seq - 1, missing);
    return;
  }
  int length = missing == 1 && gap <= AUDIO_FRAME_MAX ? (int)gap : j->last_samples;
  length -= length % ALIGN;
  bool fec = opus_has_fec(head->payload, head->len);
  if (fec) {
    j->fec_until = now + (int64_t)FEC_SECONDS * AUDIO_RATE;
  }
  bool recovered = missing == 1 && fec && recover(j, head, length);
  if (!recovered && j->covered < length) {
    int n = length - j->covered < CHUNK ? length - j->covered : CHUNK;
    conceal(j, n);
    j->covered += n;
    return;
  }
  int rest = !recovered ? j->covered - length : 0; /* concealed beyond this packet: counts for the next */
  passed(j, j->next_seq, 1);
  j->covered = rest;
  j->next_ts += length;
}

static void play_on(struct jitter *j, int64_t now) {
  struct slot *head = head_find(j);
  if (!head) {
    if (j->ended_quiet) {
      j->playing = false;
    } else {
      conceal(j, CHUNK);
      j->covered += CHUNK;
    }
  } else if (head->seq > j->next_seq) {
    replace(j, now, head);
  } else if (head->ts - j->next_ts >= ALIGN + j->covered) {
    j->playing = false; /* the sender was silent for a while */
  } else {
    play(j, now, head);
  }
}

static void begin(struct jitter *j, const struct slot *head, int late) {
  if (j->fresh) {
    decoder_reset(j->decoder);
  }
  passed(j, head->seq - 1, j->fresh ? 0 : head->seq - j->next_seq);
  j->fresh = false;
  j->playing = true;
  j->next_ts = head->ts;
  j->concealing = 0;
  j->offness = (float)late;
}

/* wait_on: silence until the head is due, at most until `out` holds n. */
static void wait_on(struct jitter *j, int64_t now, size_t n) {
  if (j->gain > 0.0f) { /* do not stop short: let the concealment carry the fade */
    plc(j, CHUNK);
    push(j, j->scratch, CHUNK, 0.0f, FADE);
    j->stats.silent += CHUNK;
    return;
  }
  size_t room = n - j->out_n;
  struct slot *head = head_find(j);
  if (head && opus_is_dtx(head->payload, head->len)) {
    head->state = SLOT_DONE;
    passed(j, head->seq, j->fresh ? 0 : head->seq - j->next_seq);
    return;
  }
  int late = head ? off(j, now, head->ts) : -(int)room;
  if (late >= 0) {
    begin(j, head, late);
    return;
  }
  size_t quiet = (size_t)-late < room ? (size_t)-late : room;
  memset(j->out + j->out_n, 0, quiet * sizeof *j->out);
  j->out_n += quiet;
  j->stats.silent += quiet;
}

void jitter_get(struct jitter *j, int64_t now_us, float *pcm, size_t n) {
  assert(n > 0 && n <= AUDIO_FRAME_MAX);
  int64_t now = clock_samples(now_us);
  j->block = (int)n;
  while (j->out_n < n) {
    if (j->playing) {
      play_on(j, now);
    } else {
      wait_on(j, now, n);
    }
  }
  memcpy(pcm, j->out, n * sizeof *pcm);
  j->out_n -= n;
  memmove(j->out, j->out + n, j->out_n * sizeof *pcm);
  j->stats.target_ms = target(j, now) / AUDIO_MS(1);
}

void jitter_stats(const struct jitter *j, struct jitter_stats *out) {
  *out = j->stats;
}
