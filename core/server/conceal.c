#include "core/server/conceal.h"

#include <assert.h>
#include <string.h>

#define WHOLE AUDIO_MS(40) /* concealed speech passes for speech so long, */
#define GONE AUDIO_MS(100) /* and is a nuisance from here on */
#define RETURN AUDIO_MS(5)

static float fade_at(size_t made) {
  return made <= WHOLE ? 1.0f : made >= GONE ? 0.0f : (float)(GONE - made) / (GONE - WHOLE);
}

void conceal_more(struct conceal *c, struct decoder *d, float *pcm, size_t n) {
  assert(n <= AUDIO_FRAME_MAX);
  size_t whole = n / CONCEAL_GRAIN * CONCEAL_GRAIN;
  if (c->made >= GONE || whole == 0 || decoder_plc(d, pcm, whole) != (int)whole)
    whole = 0;
  memset(pcm + whole, 0, (n - whole) * sizeof pcm[0]);
  for (size_t i = 0; i < whole; i++)
    pcm[i] *= fade_at(c->made + i);
  c->made += n;
}

bool conceal_before(struct conceal *c, struct decoder *d, const uint8_t *p, size_t len, size_t frame,
                    float *pcm, size_t n) {
  bool lbrr = opus_has_fec(p, len) && frame <= n && frame % CONCEAL_GRAIN == 0 && frame > 0;
  size_t blind = lbrr ? n - frame : n;
  if (blind > 0)
    conceal_more(c, d, pcm, blind);
  if (!lbrr)
    return false;
  if (decoder_fec(d, p, len, pcm + blind, frame) != (int)frame) {
    conceal_more(c, d, pcm + blind, frame);
    return false;
  }
  conceal_end(c, pcm + blind, frame);
  return true;
}

void conceal_end(struct conceal *c, float *pcm, size_t n) {
  float from = fade_at(c->made);
  c->made = 0;
  for (size_t i = 0; from < 1.0f && i < RETURN && i < n; i++)
    pcm[i] *= from + (1.0f - from) * (float)i / RETURN;
}
