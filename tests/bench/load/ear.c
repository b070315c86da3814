#include "tests/bench/load/ear.h"

#include "audio/codec.h"
#include "audio/dsp.h"
#include "core/base/bytes.h"
#include "core/wire/rtp.h"

#include <stdint.h>
#include <string.h>

#define LOUD_DBOV 50
#define TONE_SHARE 0.08 /* of the energy of a frame; with four voices each has about 0.25 */
#define WAV_HEAD 44

void ear_restart(struct ear *e) {
  e->packets = e->frames = e->bytes = e->late = e->copies = 0;
  e->lost = 0;
  e->loud = 0;
  memset(e->heard, 0, sizeof e->heard);
  memset(e->tone, 0, sizeof e->tone);
  if (e->jitter)
    jitter_stats(e->jitter, &e->before);
}

static void count_jitter(struct ear_stream *s, uint32_t ts, int64_t arrived_ns) {
  int64_t transit = arrived_ns / 1000 * 6 / 125 - (int64_t)ts; /* 48 kHz */
  if (s->started) {
    int32_t d = (int32_t)(uint32_t)(uint64_t)(transit - s->transit); /* the time stamp wraps */
    s->jitter += ((d < 0 ? -(double)d : d) - s->jitter) / 16;
  }
  s->transit = transit;
}

void ear_count(struct ear *e, const struct heard *h, int64_t arrived_ns) {
  struct ear_stream *s = &e->stream[h->stream];
  uint32_t seq = s->started ? rtp_seq_extend(s->last_seq, h->seq) : h->seq + (1U << 16);
  int32_t ahead = s->started ? (int32_t)(seq - s->last_seq) : 1;
  int samples = opus_packet_samples(h->p, h->n);
  unsigned frames = samples > AUDIO_FRAME ? (unsigned)samples / AUDIO_FRAME : 1;
  count_jitter(s, h->ts, arrived_ns);
  if (ahead > 0) {
    e->lost += ahead - 1;
    s->last_seq = seq;
  } else { /* counted as lost before */
    e->late++;
    e->lost--;
  }
  s->started = true;
  e->packets++;
  e->frames += frames;
  e->copies += h->n_copies;
  e->bytes += h->n;
  for (unsigned i = 0; i < LOAD_SPEAKERS_MAX; i++)
    e->heard[i] += h->who >> i & 1 ? frames : 0;
}

void ear_put(struct ear *e, us_t now, const struct heard *h) {
  for (size_t i = 0; i < h->n_copies; i++)
    jitter_put_copy(e->jitter, now, h->seq, h->ts, h->copy[i].offset, h->copy[i].p, h->copy[i].n);
  jitter_put(e->jitter, now, h->seq, h->ts, h->marker, h->p, h->n);
}

static void write_down(struct ear *e, const float *pcm) {
  int16_t v[AUDIO_FRAME];
  for (size_t i = 0; i < AUDIO_FRAME; i++)
    v[i] = (int16_t)(pcm[i] * 32767);
  fwrite(v, sizeof v[0], AUDIO_FRAME, e->record);
}

void ear_play(struct ear *e, us_t now, const double *freqs, unsigned n) {
  float pcm[AUDIO_FRAME];
  jitter_get(e->jitter, now, pcm, AUDIO_FRAME);
  if (e->record)
    write_down(e, pcm);
  if (level_dbov(pcm, AUDIO_FRAME) > LOUD_DBOV)
    return;
  e->loud++;
  for (unsigned i = 0; i < n; i++)
    e->tone[i] += freqs[i] > 0 && goertzel_share(pcm, AUDIO_FRAME, freqs[i]) > TONE_SHARE;
}

double ear_concealed(const struct ear *e) {
  struct jitter_stats s;
  if (!e->jitter)
    return 0;
  jitter_stats(e->jitter, &s);
  uint64_t concealed = s.concealed - e->before.concealed, all = s.played - e->before.played + concealed;
  return all ? (double)concealed / (double)all : 0;
}

double ear_jitter_ms(const struct ear *e) {
  double most = 0;
  for (unsigned i = 0; i < LOAD_SPEAKERS_MAX; i++)
    most = e->stream[i].jitter > most ? e->stream[i].jitter : most;
  return most / 48;
}

/* The lengths are not known before the end, and nobody needs them who reads to the end of the file. */
bool ear_record(struct ear *e, const char *path) {
  static const uint8_t HEAD[WAV_HEAD] = {'R', 'I', 'F',  'F',  0xff, 0xff, 0xff, 0x7f, 'W',  'A',  'V',
                                         'E', 'f', 'm',  't',  ' ',  16,   0,    0,    0,    1,    0,
                                         1,   0,   0x80, 0xbb, 0,    0,    0,    0x77, 1,    0,    2,
                                         0,   16,  0,    'd',  'a',  't',  'a',  0xdb, 0xff, 0xff, 0x7f};
  e->record = fopen(path, "wbe");
  return e->record && fwrite(HEAD, 1, sizeof HEAD, e->record) == sizeof HEAD;
}

void ear_free(struct ear *e) {
  jitter_destroy(e->jitter);
  if (e->record)
    fclose(e->record);
  e->jitter = NULL;
  e->record = NULL;
}
