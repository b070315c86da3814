#include "tests/bench/load/ear.h"

#include "audio/dsp.h"

#include <stdint.h>
#include <string.h>

#define LOUD_DBOV 50
#define TONE_SHARE 0.08 /* of the energy of a frame; with four voices each has about 0.25 */

void ear_restart(struct ear *e) {
  e->packets = e->bytes = e->late = 0;
  e->lost = 0;
  e->loud = 0;
  memset(e->heard, 0, sizeof e->heard);
  memset(e->tone, 0, sizeof e->tone);
  if (e->jitter)
    jitter_stats(e->jitter, &e->before);
}

void ear_count(struct ear *e, const struct rtp *h, const uint32_t *ids, unsigned n) {
  uint32_t seq = e->started ? rtp_seq_extend(e->last_seq, h->seq) : h->seq + (1U << 16);
  int32_t ahead = e->started ? (int32_t)(seq - e->last_seq) : 1;
  if (ahead > 0) {
    e->lost += ahead - 1;
    e->last_seq = seq;
  } else { /* counted as lost before */
    e->late++;
    e->lost--;
  }
  e->started = true;
  e->packets++;
  e->bytes += h->payload_len;
  for (unsigned c = 0; c < h->n_csrc; c++)
    for (unsigned i = 0; i < n; i++)
      e->heard[i] += h->csrc[c] == ids[i];
}

void ear_play(struct ear *e, us_t now, const double *freqs, unsigned n) {
  float pcm[AUDIO_FRAME];
  jitter_get(e->jitter, now, pcm, AUDIO_FRAME);
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
  uint64_t played = s.played - e->before.played;
  return played ? (double)(s.concealed - e->before.concealed) / (double)played : 0;
}

void ear_free(struct ear *e) {
  jitter_destroy(e->jitter);
  e->jitter = NULL;
}
