/* Arbitrary bytes as Opus packets: first byte picks what is asked, the rest is one packet. */
#include "audio/codec.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static void check(const float *pcm, int n) {
  if (n < -1 || n == 0 || n > AUDIO_FRAME_MAX) {
    abort();
  }
  for (int i = 0; i < n; i++) {
    if (!(fabsf(pcm[i]) <= 1.0f)) { /* NaN too */
      abort();
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static float pcm[AUDIO_FRAME_MAX];
  if (size < 1) {
    return 0;
  }
  const uint8_t *p = data + 1;
  size_t n = size - 1;
  int samples = opus_packet_samples(p, n);
  (void)opus_is_dtx(p, n);
  if (opus_has_fec(p, n) && samples < 0) {
    abort();
  }
  struct decoder *d = decoder_create();
  check(pcm, decoder_plc(d, pcm, (size_t)(data[0] % 50) * 120));
  if (data[0] & 0x80) {
    check(pcm, decoder_fec(d, p, n, pcm, (size_t)(data[0] & 0x3f) * 120));
  }
  int got = decoder_run(d, p, n, pcm);
  if (got > 0 && got != samples) {
    abort();
  }
  check(pcm, got);
  check(pcm, decoder_plc(d, pcm, AUDIO_MS(10)));
  decoder_destroy(d);
  return 0;
}
