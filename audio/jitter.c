/* jitter.c: packets wait in the backlog; jitter_get pulls them through the decoder into `out`.
 *
 * Everything is counted in samples of the local clock. The present delay is exact at every moment: what is
 * decoded next would be heard at now + out_n, and could have been heard, had it come by the fastest way, at
 * base + the end of its sound.
 *
 *   SILENT  --head is due (base + end + target)-->  PLAYING
 *   PLAYING  --gap of ts, DTX, or concealment faded out-->  SILENT
 *
 * While PLAYING the delay follows the target by time-stretch; a SILENT gap simply ends at the right moment.
 */
#include "audio/jitter.h"

#include "audio/backlog.h"
#include "audio/codec.h"
#include "audio/delay.h"
#include "audio/dsp.h"
#include "audio/stretch.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESTART AUDIO_MS(5000) /* a jump of ts that no silence explains */
#define RESTART_SEQ 500
#define CHUNK AUDIO_MS(10)       /* concealment at a time: SILK makes no less */
#define ALIGN (AUDIO_RATE / 400) /* Opus conceals multiples of 2.5 ms */
#define CROSS AUDIO_MS(5)        /* concealment fades into what comes after it */
#define FADE (1.0f / AUDIO_MS(5))
#define PLC_FULL AUDIO_MS(60) /* concealment at full volume, then it fades */
#define PLC_FADE (1.0f / AUDIO_MS(60))
#define QUIET_DBOV 60     /* sound that ends below this ends on purpose */
#define SLACK AUDIO_MS(6) /* how far the delay may be off before it is stretched */
#define STRETCH_EVERY AUDIO_MS(60)
#define FAR_OFF AUDIO_MS(60)
#define TOO_FAR AUDIO_MS(200)
#define TIMELY 0.97f          /* that share of packets shall be here in time */
#define TIMELY_REPAIR 0.75f   /* and of those that bring what replaces lost ones */
#define REPAIR AUDIO_MS(6000) /* wait for replacements that long after a loss */
#define OUT_MAX (4 * AUDIO_FRAME_MAX)

struct jitter {
  struct decoder *decoder;
  struct decoder *ahead; /* the same, one step further: how concealment would go on */
  struct delay delay;
  struct backlog backlog;
  bool fresh;        /* nothing of this numbering has been played */
  bool playing;      /* else SILENT */
  bool ended_quiet;  /* the last sound faded by itself */
  int64_t next_ts;   /* to be played */
  int64_t first_seq; /* played of this numbering */
  int last_samples;  /* of the last packet played */
  int covered;       /* concealed for packets that may still come */
  int concealing;    /* samples since the last real sound */
  float gain;        /* of the last sample in `out` */
  float offness;     /* smoothed delay - target, samples */
  int since_stretch;
  int repair; /* what replaces a lost packet comes that much later than it */
  int64_t repair_until;
  int64_t resend_until; /* until then who comes behind others was sent again: that is no delay */
  int block;            /* how much the last get asked for */
  struct jitter_stats stats;
  size_t out_n;
  float out[OUT_MAX];
  float scratch[AUDIO_FRAME_MAX];
  float tail[CHUNK]; /* of concealment, to fade into what comes after it */
};

struct jitter *jitter_create(void) {
  struct jitter *j = calloc(1, sizeof *j);
  if (!j) {
    return NULL;
  }
  j->decoder = decoder_create();
  j->ahead = decoder_create();
  if (!j->decoder || !j->ahead) {
    jitter_destroy(j);
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
    decoder_destroy(j->ahead);
    free(j);
  }
}

static int64_t clock_samples(int64_t now_us) {
  return now_us / 1000 * AUDIO_MS(1) + now_us % 1000 * AUDIO_MS(1) / 1000;
}

/* ---- packets in ---- */

/* target: the delay to aim at, in samples. */
static int target(const struct jitter *j, int64_t now) {
  int wait = delay_quantile(&j->delay, TIMELY);
  if (now < j->repair_until) {
    int repair = j->repair + delay_quantile(&j->delay, TIMELY_REPAIR);
    wait = wait > repair ? wait : repair;
  }
  wait += j->block;
  return wait < DELAY_MAX ? wait : DELAY_MAX;
}

/* need_repair: something was lost, and what replaces it comes that much later. */
static void need_repair(struct jitter *j, int64_t now, int later) {
  if (later >= j->repair || now >= j->repair_until) {
    j->repair = later;
    j->repair_until = now + REPAIR;
  }
}

/* keep: a packet that is not here yet; false: too late. */
static bool keep(struct jitter *j, const struct slot *s, const uint8_t *p) {
  struct backlog *b = &j->backlog;
  if (s->seq < b->next_seq && j->fresh && !j->playing && b->next_seq - s->seq < BACKLOG_SLOTS / 2) {
    b->next_seq = s->seq; /* the first packets overtook each other */
  }
  if (s->seq < b->next_seq) {
    return false;
  }
  int64_t skipped = backlog_make_room(b, s->seq, s->ts);
  if (skipped > 0) { /* what follows is played like a new talkspurt */
    j->stats.lost += (uint64_t)skipped;
    j->stats.concealed += (uint64_t)skipped * (uint64_t)j->last_samples;
    j->playing = false;
  }
  if (s->seq < b->next_seq) { /* nonsense: a time far ahead of its number */
    return false;
  }
  backlog_keep(b, s, p);
  return true;
}

/* jumped: a new numbering begins with this packet. */
static bool jumped(const struct jitter *j, int64_t now, const struct slot *s) {
  const struct backlog *b = &j->backlog;
  return llabs(s->seq - b->newest_seq) > RESTART_SEQ ||
         (llabs(s->ts - b->newest_ts) > RESTART &&
          llabs(delay_late(&j->delay, now, s->ts + s->samples)) > BACKLOG_SPAN);
}

/* place: what the header of a packet says, unwrapped; false: not Opus. */
static bool place(const struct jitter *j, struct slot *s, uint16_t seq, uint32_t ts, const uint8_t *p,
                  size_t n) {
  *s = (struct slot){.seq = backlog_seq(&j->backlog, seq),
                     .ts = backlog_ts(&j->backlog, ts),
                     .samples = opus_packet_samples(p, n),
                     .len = n};
  return s->samples > 0 && n <= AUDIO_PACKET_MAX;
}

void jitter_put(struct jitter *j, int64_t now_us, uint16_t seq, uint32_t ts, bool marker, const uint8_t *p,
                size_t n) {
  struct slot s;
  if (!place(j, &s, seq, ts, p, n)) {
    return;
  }
  int64_t now = clock_samples(now_us);
  if (!j->backlog.begun || jumped(j, now, &s)) {
    backlog_restart(&j->backlog, s.seq, s.ts);
    j->fresh = true;
    j->playing = false;
  }
  struct slot *known = backlog_known(&j->backlog, s.seq);
  if (known && !known->copy) {
    j->stats.duplicate++;
    return;
  }
  j->stats.received++;
  if (s.seq >= j->backlog.newest_seq || now >= j->resend_until) {
    delay_feed(&j->delay, now, s.ts + s.samples, s.samples, marker);
  }
  if (known) { /* its copy was faster */
    known->copy = false;
    j->stats.late += known->state == SLOT_DONE;
  } else if (!keep(j, &s, p)) {
    j->stats.late++;
  }
}

void jitter_put_copy(struct jitter *j, int64_t now_us, uint16_t seq, uint32_t ts, uint32_t offset,
                     const uint8_t *p, size_t n) {
  struct slot s;
  int64_t now = clock_samples(now_us);
  int samples = opus_packet_samples(p, n);
  if (!j->backlog.begun || samples < 0 || offset == 0 || offset > DELAY_MAX ||
      offset % (uint32_t)samples != 0) {
    return;
  }
  uint16_t back = (uint16_t)(offset / (uint32_t)samples);
  if (!place(j, &s, (uint16_t)(seq - back), ts - offset, p, n) || jumped(j, now, &s) ||
      backlog_known(&j->backlog, s.seq) || !backlog_fits(&j->backlog, &s) ||
      s.seq < (j->fresh ? j->backlog.next_seq : j->first_seq)) { /* of before we came: nothing is missing */
    return;
  }
  if (!j->fresh) {
    need_repair(j, now, (int)offset);
  }
  s.copy = true;
  (void)keep(j, &s, p);
}

void jitter_expect_resend(struct jitter *j, int64_t now_us, int wait_ms) {
  if (wait_ms > 0 && wait_ms < DELAY_MAX / AUDIO_MS(1) && j->backlog.begun) {
    need_repair(j, clock_samples(now_us), AUDIO_MS(wait_ms));
    j->resend_until = clock_samples(now_us) + REPAIR;
  }
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

/* tail_keep, tail_blend: between them the decoder runs: concealment goes on under the start of what is real
 * again. */
static bool tail_keep(struct jitter *j) {
  if (j->concealing == 0 || j->gain <= 0.0f) {
    return false;
  }
  decoder_copy(j->ahead, j->decoder);
  return decoder_plc(j->ahead, j->tail, CHUNK) == CHUNK;
}

static void tail_blend(struct jitter *j, int n) {
  int cross = n < CROSS ? n : CROSS;
  for (int i = 0; i < cross; i++) {
    float w = ((float)i + 0.5f) / (float)cross;
    j->scratch[i] = j->tail[i] + (j->scratch[i] - j->tail[i]) * w;
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
static int off(const struct jitter *j, int64_t now, const struct slot *s) {
  int64_t delay = delay_late(&j->delay, now + (int64_t)j->out_n, s->ts + s->samples);
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

static void measure(struct jitter *j, int64_t now, const struct slot *s) {
  int o = off(j, now, s);
  float weight = fminf((float)s->samples / AUDIO_MS(200), 1.0f);
  j->offness += ((float)o - j->offness) * weight;
  j->stats.delay_ms = (o + target(j, now)) / AUDIO_MS(1);
  j->since_stretch = j->since_stretch < STRETCH_EVERY ? j->since_stretch + s->samples : STRETCH_EVERY;
}

/* passed: packets up to and including `seq` are behind us; of them, `lost` were not there. */
static void passed(struct jitter *j, int64_t seq, int64_t lost) {
  j->stats.lost += (uint64_t)lost;
  j->backlog.next_seq = seq + 1;
  j->covered = 0;
}

static void play(struct jitter *j, int64_t now, struct slot *s) {
  s->state = SLOT_DONE;
  measure(j, now, s);
  passed(j, s->seq, s->copy);
  j->stats.recovered_copy += s->copy;
  j->next_ts = s->ts + s->samples;
  j->last_samples = s->samples;
  if (opus_is_dtx(s->payload, s->len)) {
    j->playing = false;
    return;
  }
  bool blend = tail_keep(j);
  if (decoder_run(j->decoder, s->payload, s->len, j->scratch) != s->samples) {
    for (int left = s->samples; left > 0 && j->playing; left -= CHUNK) {
      conceal(j, left < CHUNK ? left : CHUNK);
    }
    return;
  }
  if (blend) {
    tail_blend(j, s->samples);
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
  bool blend = tail_keep(j);
  if (length <= 0 ||
      decoder_fec(j->decoder, next->payload, next->len, j->scratch, (size_t)length) != length) {
    return false;
  }
  if (blend) {
    tail_blend(j, length);
  }
  push(j, j->scratch, (size_t)length, 1.0f, FADE);
  j->concealing = 0;
  j->stats.recovered_fec++;
  j->stats.played += (uint64_t)length;
  return true;
}

/* replace: packet next_seq is lost, a later one is here: LBRR of its successor, else concealment. */
static void replace(struct jitter *j, int64_t now, const struct slot *head) {
  int64_t missing = head->seq - j->backlog.next_seq;
  int64_t gap = head->ts - j->next_ts;
  if (gap < ALIGN) { /* nothing of it is missing in time */
    passed(j, head->seq - 1, missing);
    return;
  }
  int64_t each = gap / missing;
  int length = each <= AUDIO_FRAME_MAX ? (int)(each - each % ALIGN) : j->last_samples;
  bool fec = opus_has_fec(head->payload, head->len);
  if (fec) {
    need_repair(j, now, head->samples);
  }
  bool recovered = missing == 1 && fec && recover(j, head, length);
  if (!recovered && j->covered < length) {
    int n = length - j->covered < CHUNK ? length - j->covered : CHUNK;
    conceal(j, n);
    j->covered += n;
    return;
  }
  int rest = !recovered ? j->covered - length : 0; /* concealed beyond this packet: counts for the next */
  passed(j, j->backlog.next_seq, 1);
  j->covered = rest;
  j->next_ts += length;
}

static void play_on(struct jitter *j, int64_t now) {
  struct slot *head = backlog_head(&j->backlog);
  if (!head) {
    if (j->ended_quiet) {
      j->playing = false;
    } else {
      conceal(j, CHUNK);
      j->covered += CHUNK;
    }
  } else if (head->seq > j->backlog.next_seq) {
    replace(j, now, head);
  } else if (head->ts - j->next_ts >= ALIGN + j->covered) {
    j->playing = false; /* the sender was silent for a while */
  } else {
    play(j, now, head);
  }
}

/* unheard: what was lost in the silence before `head`, and concealed at most in part: made up all the same.
 */
static void unheard(struct jitter *j, const struct slot *head, int64_t lost) {
  int64_t gap = head->ts - j->next_ts - j->covered, most = lost * j->last_samples - j->covered;
  int64_t missing = gap < most ? gap : most;
  j->stats.concealed += missing > 0 ? (uint64_t)missing : 0;
}

static void begin(struct jitter *j, const struct slot *head, int late) {
  int64_t lost = j->fresh ? 0 : head->seq - j->backlog.next_seq;
  if (j->fresh) {
    decoder_reset(j->decoder);
    j->first_seq = head->seq;
  }
  unheard(j, head, lost);
  passed(j, head->seq - 1, lost);
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
  struct slot *head = backlog_head(&j->backlog);
  if (head && opus_is_dtx(head->payload, head->len)) {
    head->state = SLOT_DONE;
    passed(j, head->seq, j->fresh ? 0 : head->seq - j->backlog.next_seq);
    return;
  }
  int late = head ? off(j, now, head) : -(int)room;
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
