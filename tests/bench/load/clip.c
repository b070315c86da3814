#include "tests/bench/load/clip.h"

#include "audio/device_private.h"
#include "audio/dsp.h"

#include <stdio.h>
#include <stdlib.h>

#define SINE_FRAMES 500
#define FILE_FRAMES 3000
#define BLOCK AUDIO_MS(10)

struct maker {
  struct clip *clip;
  struct capture *capture;
};

static void on_packet(void *ctx, const struct capture_packet *p) {
  struct maker *m = ctx;
  size_t frame = p->ts / AUDIO_FRAME;
  if (frame >= m->clip->n || m->clip->v[frame])
    return;
  m->clip->v[frame] = malloc(sizeof *p);
  if (!m->clip->v[frame])
    abort();
  *m->clip->v[frame] = *p;
}

static struct maker begin(size_t frames) {
  struct capture_config cc = {.ptime_ms = 20,
                              .opus = {.bitrate = 32000, .complexity = 5, .loss_pct = 10, .dtx = true}};
  struct maker m = {calloc(1, sizeof *m.clip), capture_create(&cc)};
  if (!m.clip || !m.capture || !(m.clip->v = calloc(frames, sizeof(struct capture_packet *))))
    abort();
  m.clip->n = frames;
  capture_open(m.capture, true);
  return m;
}

static struct clip *finish(struct maker *m, size_t frames) {
  capture_destroy(m->capture);
  m->clip->n = frames;
  for (size_t i = 0; i < frames; i++)
    if (m->clip->v[i])
      return m->clip;
  clip_free(m->clip);
  return NULL;
}

struct clip *clip_sine(double freq) {
  struct maker m = begin(SINE_FRAMES);
  double phase = 0;
  float pcm[AUDIO_FRAME];
  m.clip->freq = freq;
  for (size_t i = 0; i < SINE_FRAMES; i++) {
    tone_make(pcm, AUDIO_FRAME, freq, &phase, 0.25f);
    capture_feed(m.capture, pcm, AUDIO_FRAME, on_packet, &m);
  }
  return finish(&m, SINE_FRAMES);
}

struct clip *clip_file(const char *path) {
  char why[160] = "";
  struct file_source *f = file_source_open(path, false, why, sizeof why);
  if (!f) {
    fprintf(stderr, "gavel-load: %s\n", why);
    return NULL;
  }
  struct maker m = begin(FILE_FRAMES);
  size_t frames = 0;
  for (; frames < FILE_FRAMES && !file_source_finished(f); frames++) {
    float pcm[AUDIO_FRAME];
    for (size_t at = 0; at < AUDIO_FRAME; at += BLOCK)
      file_source_read(f, pcm + at, BLOCK);
    capture_feed(m.capture, pcm, AUDIO_FRAME, on_packet, &m);
  }
  file_source_close(f);
  return finish(&m, frames);
}

void clip_free(struct clip *c) {
  if (!c)
    return;
  for (size_t i = 0; i < c->n; i++)
    free(c->v[i]);
  free(c->v);
  free(c);
}
