/* Arbitrary puts, copies and gets. Records of: kind, time step, seq step, ts step (2), length, payload. */
#include "audio/jitter.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define HEADER 6
#define SAMPLES_MAX (20 * AUDIO_RATE) /* keeps one input fast */

static void get(struct jitter *j, int64_t now_us, size_t n) {
  static float pcm[AUDIO_FRAME_MAX];
  jitter_get(j, now_us, pcm, n);
  for (size_t i = 0; i < n; i++) {
    if (!(fabsf(pcm[i]) <= 1.0f)) { /* NaN too */
      abort();
    }
  }
}

static void check_stats(const struct jitter *j) {
  struct jitter_stats s;
  jitter_stats(j, &s);
  if (s.recovered_fec + s.recovered_copy > s.lost || s.target_ms > 400) {
    abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct jitter *j = jitter_create();
  int64_t now_us = 1000000;
  uint16_t seq = 65500;
  uint32_t ts = UINT32_MAX - AUDIO_RATE;
  size_t pulled = 0;
  while (size >= HEADER && pulled < SAMPLES_MAX) {
    uint8_t kind = data[0];
    now_us += data[1] * (kind & 0x10 ? 100000 : 500);
    seq = (uint16_t)(seq + (kind & 0x20 ? data[2] * 257 : data[2] - 128));
    ts += (uint32_t)((data[3] << 8 | data[4]) - 32768) * (kind & 0x40 ? 40000u : 1u);
    size_t n = data[5] < size - HEADER ? data[5] : size - HEADER;
    if (kind & 1) {
      jitter_put(j, now_us, seq, ts, kind & 2, data + HEADER, n);
    }
    if (kind & 8) {
      jitter_put_copy(j, now_us, seq, ts, (data[2] & 31) * (uint32_t)AUDIO_MS(10), data + HEADER, n);
    }
    if (kind & 4) {
      size_t samples = 1 + (size_t)(data[3] << 8 | data[4]) % AUDIO_FRAME_MAX;
      get(j, now_us, samples);
      pulled += samples;
    }
    data += HEADER + n;
    size -= HEADER + n;
  }
  get(j, now_us, AUDIO_FRAME);
  check_stats(j);
  jitter_destroy(j);
  return 0;
}
