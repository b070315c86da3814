/* mediatone.c: two short tones that all in a room hear: somebody begins to listen (they rise) or has stopped
 * (they fall). They come into the mixer like the packets of one who talks, and who does is softer meanwhile.
 */
#include "audio/codec.h"
#include "core/server/mediaport_private.h"

#include <math.h>
#include <stdlib.h>

#define FRAME_US (20 * US_PER_MS)
#define FRAMES 30 /* 240 ms, a pause of 60, 240 ms, and 60 to fade */
#define TONE_MS 240
#define SECOND_MS 300
#define RAMP_MS 10
#define LOW_HZ 880.0
#define HIGH_HZ 1320.0
#define LOUD 0.25
#define LEVEL 15 /* -dBov */

struct media_tone {
  struct encoder *encoder;
  bool rising;
  unsigned frame;
  us_t due;
};

void tone_stop(struct media_room *g) {
  if (g->tone)
    encoder_destroy(g->tone->encoder);
  free(g->tone);
  g->tone = NULL;
}

void tone_start(struct media_room *g, bool rising) {
  const struct encoder_config c = {.bitrate = 32000, .complexity = 5};
  if (g->tone) { /* begun and ended at once: the later one counts */
    g->tone->rising = rising;
    g->tone->frame = 0;
    return;
  }
  struct encoder *e = encoder_create(&c);
  g->tone = e ? calloc(1, sizeof *g->tone) : NULL;
  if (!g->tone) {
    encoder_destroy(e);
    return;
  }
  *g->tone = (struct media_tone){.encoder = e, .rising = rising, .due = g->port->now};
  media_room_schedule(g);
}

us_t tone_due(const struct media_room *g) {
  return g->tone ? g->tone->due : US_NEVER;
}

static double loudness(double ms) {
  double at = ms >= SECOND_MS ? ms - SECOND_MS : ms, left = TONE_MS - at;
  double edge = at < left ? at : left;
  return edge <= 0 ? 0 : edge < RAMP_MS ? LOUD * edge / RAMP_MS : LOUD;
}

static void draw(const struct media_tone *t, float pcm[AUDIO_FRAME]) {
  for (size_t i = 0; i < AUDIO_FRAME; i++) {
    double ms = t->frame * 20.0 + (double)i * 1000 / AUDIO_RATE;
    double hz = (ms >= SECOND_MS) == t->rising ? HIGH_HZ : LOW_HZ;
    pcm[i] = (float)(loudness(ms) * sin(2 * M_PI * hz * ms / 1000));
  }
}

static void frame(struct media_room *g, struct media_tone *t) {
  float pcm[AUDIO_FRAME];
  uint8_t packet[400];
  draw(t, pcm);
  int n = encoder_run(t->encoder, pcm, AUDIO_FRAME, packet, sizeof packet);
  struct mixer_in in = {.member = MEDIA_TONE_MEMBER,
                        .seq = (uint16_t)t->frame,
                        .ts = t->frame * AUDIO_FRAME,
                        .marker = t->frame == 0,
                        .has_level = true,
                        .voice = true,
                        .level = LEVEL,
                        .priority = true,
                        .payload = packet,
                        .len = n > 0 ? (size_t)n : 0};
  if (n > 0)
    media_room_speak(g, &in);
}

void tone_timeout(struct media_room *g) {
  struct media_tone *t = g->tone;
  for (unsigned i = 0; i < FRAMES && t->due <= g->port->now && t->frame < FRAMES; i++) {
    frame(g, t);
    t->frame++;
    t->due += FRAME_US;
  }
  if (t->frame >= FRAMES)
    tone_stop(g);
}
