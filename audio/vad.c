/* vad.c: voice is what stands out of a noise floor that falls fast and rises slowly. The floor has a ceiling,
 * so steady loud sound (music, a test tone) stays voice for ever while a fan does not. */
#include "audio/dsp.h"

#include <math.h>

#define FLOOR_MIN_DB (-75.0f)
#define FLOOR_MAX_DB (-42.0f)
#define FLOOR_START_DB                                                                                       \
  (-55.0f)                 /* a first block louder than this counts at once: no first syllable is lost       \
                            */
#define RISE_QUIET_DB 6.0f /* per second, outside speech */
#define RISE_VOICE_DB 1.5f /* per second, inside speech */
#define FALL_SAMPLES AUDIO_MS(60)
#define ON_DB 9.0f /* above the floor */
#define OFF_DB 6.0f
#define LEAST_DB (-57.0f) /* nothing quieter is voice */

static float block_db(const float *pcm, size_t n) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += (double)pcm[i] * (double)pcm[i];
  }
  return (float)(10.0 * log10(sum / (double)n + 1e-13));
}

static void floor_follow(struct vad *v, float db, size_t n) {
  if (!v->primed) {
    v->floor_db = fminf(db, FLOOR_START_DB);
    v->primed = true;
  } else if (db < v->floor_db) {
    v->floor_db += (db - v->floor_db) * fminf((float)n / FALL_SAMPLES, 1.0f);
  } else {
    float rate = v->voice ? RISE_VOICE_DB : RISE_QUIET_DB;
    v->floor_db += fminf(db - v->floor_db, rate * (float)n / AUDIO_RATE);
  }
  v->floor_db = fminf(fmaxf(v->floor_db, FLOOR_MIN_DB), FLOOR_MAX_DB);
}

bool vad_feed(struct vad *v, const float *pcm, size_t n, int hold_ms) {
  if (n == 0) {
    return v->voice || v->hold > 0;
  }
  float db = block_db(pcm, n);
  floor_follow(v, db, n);
  v->voice = db > LEAST_DB && db > v->floor_db + (v->voice ? OFF_DB : ON_DB);
  if (v->voice) {
    v->hold = AUDIO_MS(hold_ms);
    return true;
  }
  bool held = v->hold > 0;
  v->hold = v->hold > (int)n ? v->hold - (int)n : 0;
  return held;
}
