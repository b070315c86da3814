/* echo.c: speexdsp works on 16-bit frames; here is the conversion and the queue of far sound. The noise
 * suppression delays sound by a frame, so frames are short. */
#include "audio/echo.h"

#include <math.h>
#include <speex/speex_echo.h>
#include <speex/speex_preprocess.h>
#include <stdlib.h>
#include <string.h>

#define FRAME AUDIO_MS(5)
#define TAIL AUDIO_MS(100)

struct echo {
  SpeexEchoState *aec; /* NULL: noise suppression only */
  SpeexPreprocessState *clean;
  float far[ECHO_FAR_MAX];
  size_t far_n;
};

struct echo *echo_create(bool aec, bool ns) {
  struct echo *e = calloc(1, sizeof *e);
  if (!e) {
    return NULL;
  }
  int rate = AUDIO_RATE;
  int denoise = ns;
  e->clean = speex_preprocess_state_init(FRAME, rate);
  e->aec = aec ? speex_echo_state_init(FRAME, TAIL) : NULL;
  if (!e->clean || (aec && !e->aec)) {
    echo_destroy(e);
    return NULL;
  }
  speex_preprocess_ctl(e->clean, SPEEX_PREPROCESS_SET_DENOISE, &denoise);
  if (e->aec) {
    speex_echo_ctl(e->aec, SPEEX_ECHO_SET_SAMPLING_RATE, &rate);
    speex_preprocess_ctl(e->clean, SPEEX_PREPROCESS_SET_ECHO_STATE, e->aec); /* residual echo */
  }
  return e;
}

void echo_far(struct echo *e, const float *pcm, size_t n) {
  if (n > ECHO_FAR_MAX) {
    pcm += n - ECHO_FAR_MAX;
    n = ECHO_FAR_MAX;
  }
  if (e->far_n + n > ECHO_FAR_MAX) {
    size_t old = e->far_n + n - ECHO_FAR_MAX;
    e->far_n -= old;
    memmove(e->far, e->far + old, e->far_n * sizeof *pcm);
  }
  memcpy(e->far + e->far_n, pcm, n * sizeof *pcm);
  e->far_n += n;
}

static void to_int16(spx_int16_t *out, const float *pcm, size_t n) {
  for (size_t i = 0; i < n; i++) {
    out[i] = (spx_int16_t)lrintf(fminf(fmaxf(pcm[i], -1.0f), 1.0f) * 32767.0f);
  }
}

static void frame_run(struct echo *e, float *pcm) {
  spx_int16_t near[FRAME];
  spx_int16_t far[FRAME] = {0};
  spx_int16_t out[FRAME];
  to_int16(near, pcm, FRAME);
  if (e->aec) {
    size_t n = e->far_n < FRAME ? e->far_n : FRAME;
    to_int16(far, e->far, n);
    e->far_n -= n;
    memmove(e->far, e->far + n, e->far_n * sizeof *pcm);
    speex_echo_cancellation(e->aec, near, far, out);
  } else {
    memcpy(out, near, sizeof out);
  }
  speex_preprocess_run(e->clean, out);
  for (size_t i = 0; i < FRAME; i++) {
    pcm[i] = (float)out[i] / 32768.0f;
  }
}

void echo_run(struct echo *e, float *pcm) {
  for (size_t at = 0; at < ECHO_BLOCK; at += FRAME) {
    frame_run(e, pcm + at);
  }
}

void echo_destroy(struct echo *e) {
  if (e) {
    if (e->clean) {
      speex_preprocess_state_destroy(e->clean);
    }
    if (e->aec) {
      speex_echo_state_destroy(e->aec);
    }
    free(e);
  }
}
