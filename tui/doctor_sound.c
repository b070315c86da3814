/* doctor_sound.c: the devices, and the spoken echo test. */
#include "audio/device.h"
#include "core/base/clock.h"
#include "tui/doctor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 48000
#define BLOCK 480
#define LISTEN_S 1
#define SPEAK_S 3
#define QUIET_DB (-70.0) /* a microphone that is switched off says less */
#define LOUD_DB (-1.0)

static void list(struct doctor *d) {
  char *text = device_list();
  size_t n = 0;
  for (const char *p = text; p && *p; p++)
    n += *p == '\n';
  if (n == 0)
    doctor_add(d, "devices", DOCTOR_WARN,
               "without sound one can moderate (--no-audio); else start a sound server", NULL,
               "no sound device is found");
  else
    doctor_add(d, "devices", DOCTOR_OK, NULL, json_pack("{s:i}", "devices", (int)n), "%zu found: %.*s%s", n,
               200, text, "");
  free(text);
}

/* Records n samples, while silence plays; false when nothing comes. */
static bool record(struct device *d, float *pcm, size_t n) {
  static const float SILENCE[BLOCK];
  struct ring *in = device_capture_ring(d), *out = device_playout_ring(d);
  size_t got = 0;
  us_t until = clock_now() + ((us_t)(n / RATE) + 2) * US_PER_S;
  while (got < n && clock_now() < until) {
    while (ring_fill(out) < device_playout_target(d) && ring_room(out) >= BLOCK)
      ring_write(out, SILENCE, BLOCK);
    got += ring_read(in, pcm + got, n - got);
    if (got < n)
      device_wait(d, BLOCK, 20);
  }
  return got == n;
}

static void play(struct device *d, const float *pcm, size_t n) {
  float drop[BLOCK];
  struct ring *in = device_capture_ring(d), *out = device_playout_ring(d);
  size_t at = 0;
  us_t until = clock_now() + ((us_t)(n / RATE) + 2) * US_PER_S;
  while (at < n && clock_now() < until) {
    if (ring_fill(out) < device_playout_target(d))
      at += ring_write(out, pcm + at, n - at < BLOCK ? n - at : BLOCK);
    while (ring_read(in, drop, BLOCK) > 0)
      ;
    device_wait(d, BLOCK, 20);
  }
}

static double peak_db(const float *pcm, size_t n) {
  float most = 0;
  for (size_t i = 0; i < n; i++)
    most = fmaxf(most, fabsf(pcm[i]));
  return most > 0 ? 20 * log10((double)most) : -100;
}

static void judge(struct doctor *d, double db, bool spoken) {
  json_t *figures = json_pack("{s:f}", "peak_db", db);
  if (db < QUIET_DB)
    doctor_add(d, "microphone", DOCTOR_WARN, "is it muted, or the wrong one? choose by --input NAME", figures,
               "as good as silent (%.0f dB)", db);
  else if (db > LOUD_DB)
    doctor_add(d, "microphone", DOCTOR_WARN, "turn it down: it distorts", figures, "too loud (%.0f dB)", db);
  else
    doctor_add(d, "microphone", DOCTOR_OK, NULL, figures, "%s (peak %.0f dB)",
               spoken ? "you were heard" : "it gives sound", db);
}

static bool said_yes(void) {
  char line[16] = "";
  printf("Did you hear yourself? [Y/n] ");
  fflush(stdout);
  return fgets(line, sizeof line, stdin) && *line != 'n' && *line != 'N';
}

static void spoken(struct doctor *d, struct device *dev, float *pcm) {
  printf("Say something for %d seconds, now. Then you should hear it.\n", SPEAK_S);
  fflush(stdout);
  if (!record(dev, pcm, SPEAK_S * RATE)) {
    doctor_add(d, "microphone", DOCTOR_FAIL, "another program may hold it", NULL, "it gives no sound at all");
    return;
  }
  judge(d, peak_db(pcm, SPEAK_S * RATE), true);
  play(dev, pcm, SPEAK_S * RATE);
  if (said_yes())
    doctor_add(d, "loudspeaker", DOCTOR_OK, NULL, NULL, "you heard yourself");
  else
    doctor_add(d, "loudspeaker", DOCTOR_WARN, "choose another by --output NAME, and look at its volume", NULL,
               "you did not hear yourself");
}

void doctor_sound(struct doctor *d, const struct client_config *c, bool echo) {
  char why[256] = "";
  list(d);
  struct device_config dc = {.input = c->input, .output = c->output};
  struct device *dev = device_open(&dc, why, sizeof why);
  float *pcm = calloc(SPEAK_S * RATE, sizeof *pcm);
  if (!dev || !pcm)
    abort();
  if (device_state(dev) != DEVICE_OK)
    doctor_add(d, "sound", DOCTOR_WARN, "choose by --input NAME and --output NAME", NULL, "%s", why);
  if (device_has_input(dev) && echo)
    spoken(d, dev, pcm);
  else if (device_has_input(dev) && record(dev, pcm, LISTEN_S * RATE))
    judge(d, peak_db(pcm, LISTEN_S * RATE), false);
  else if (device_has_input(dev))
    doctor_add(d, "microphone", DOCTOR_FAIL, "another program may hold it", NULL, "it gives no sound at all");
  free(pcm);
  device_close(dev);
}
