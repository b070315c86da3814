/* capture.c: 10 ms blocks through the cleaning chain; while the gate is open they fill Opus frames. */
#include "audio/capture.h"

#include "audio/dsp.h"
#include "audio/echo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK ECHO_BLOCK
#define FADE AUDIO_MS(5)
#define VAD_HOLD_MS 200
#define VOICE_MUTED AUDIO_MS(600)
/* After the fade one more block of silence: Opus holds back up to 6.5 ms, and the fade must leave it. */
#define TAIL_BLOCKS 2
#define HUSH_DBOV 50 /* a room as quiet as -50 dBov, without a voice */

struct capture {
  struct capture_config config;
  struct encoder *encoder;
  struct echo *echo; /* NULL: neither aec nor ns */
  struct agc agc;
  struct limiter limiter;
  struct vad vad;
  bool open;
  float gain;   /* of the gate, at the end of the last block */
  int tail;     /* blocks to encode after closing */
  bool dtx;     /* Opus may leave silence out */
  bool silence; /* nothing was emitted for the time before the present frame */
  bool resting; /* Opus left the frame before out */
  bool voice;   /* some block of the present frame */
  size_t muted; /* samples of voice behind a closed gate */
  uint8_t level;
  uint32_t ts; /* of the next block */
  size_t block_n;
  size_t frame_n, frame_size;
  float block[BLOCK];
  float frame[AUDIO_FRAME_MAX];
};

static bool ptime_valid(int ms) {
  return ms >= 20 && ms <= 120 && ms % 20 == 0;
}

struct capture *capture_create(const struct capture_config *cfg) {
  struct capture *c = calloc(1, sizeof *c);
  if (!c) {
    return NULL;
  }
  bool clean = cfg->aec || cfg->ns;
  c->encoder = encoder_create(&cfg->opus);
  c->echo = clean ? echo_create(cfg->aec, cfg->ns) : NULL;
  if (!c->encoder || (clean && !c->echo) || !ptime_valid(cfg->ptime_ms)) {
    capture_destroy(c);
    return NULL;
  }
  c->config = *cfg;
  c->dtx = cfg->opus.dtx;
  c->silence = true;
  c->level = 127;
  return c;
}

void capture_set(struct capture *c, const struct capture_config *cfg) {
  if (!ptime_valid(cfg->ptime_ms)) {
    return;
  }
  if (cfg->aec != c->config.aec || cfg->ns != c->config.ns) {
    bool clean = cfg->aec || cfg->ns;
    struct echo *echo = clean ? echo_create(cfg->aec, cfg->ns) : NULL;
    if (clean && !echo) {
      return;
    }
    echo_destroy(c->echo);
    c->echo = echo;
  }
  encoder_set(c->encoder, &cfg->opus);
  c->dtx = cfg->opus.dtx;
  c->config = *cfg;
}

void capture_open(struct capture *c, bool open) {
  if (c->open && !open) {
    c->tail = TAIL_BLOCKS;
  }
  c->open = open;
}

void capture_far(struct capture *c, const float *pcm, size_t n) {
  if (c->echo) {
    echo_far(c->echo, pcm, n);
  }
}

/* gate_run: the open or closed gate, with its fade. */
static void gate_run(struct capture *c) {
  float to = c->open ? 1.0f : 0.0f;
  for (size_t i = 0; i < BLOCK; i++) {
    c->gain = c->gain < to ? fminf(c->gain + 1.0f / FADE, to) : fmaxf(c->gain - 1.0f / FADE, to);
    c->block[i] *= c->gain;
  }
}

/* dtx_follow: Opus takes any steady sound for noise; it may drop frames only where our VAD heard no voice
 * either. */
static void dtx_follow(struct capture *c) {
  struct encoder_config cfg = c->config.opus;
  cfg.dtx = cfg.dtx && !c->voice;
  if (cfg.dtx != c->dtx) {
    encoder_set(c->encoder, &cfg);
    c->dtx = cfg.dtx;
  }
}

/* frame_encode: the full frame becomes a packet, unless Opus finds only silence in it. */
static void frame_encode(struct capture *c, capture_emit *emit, void *ctx) {
  struct capture_packet p = {.ts = c->ts - (uint32_t)c->frame_n, .marker = c->silence, .voice = c->voice};
  p.level = level_dbov(c->frame, c->frame_n);
  dtx_follow(c);
  int len = encoder_run(c->encoder, c->frame, c->frame_n, p.payload, sizeof p.payload);
  bool rests = len < 0 || opus_is_dtx(p.payload, (size_t)len);
  /* In its pauses Opus sends a single frame every 400 ms; two in a row are sound that our VAD overheard. */
  bool comfort = c->config.hush && !p.voice && (c->resting || p.level > HUSH_DBOV);
  c->resting = rests;
  c->silence = rests || comfort;
  if (!c->silence) {
    p.len = (size_t)len;
    emit(ctx, &p);
  }
  c->frame_n = 0;
  c->voice = false;
}

/* block_measure: level and voice, before the gate. */
static void block_measure(struct capture *c) {
  if (c->echo) {
    echo_run(c->echo, c->block);
  }
  if (c->config.agc) {
    agc_run(&c->agc, c->block, BLOCK, c->vad.voice);
    limiter_run(&c->limiter, c->block, BLOCK);
  }
  c->level = level_dbov(c->block, BLOCK);
  bool voice = vad_feed(&c->vad, c->block, BLOCK, VAD_HOLD_MS);
  c->muted = voice && !c->open ? c->muted + BLOCK : 0;
  c->voice = c->voice || (voice && (c->open || c->tail > 0));
}

static void block_run(struct capture *c, capture_emit *emit, void *ctx) {
  block_measure(c);
  c->ts += BLOCK;
  if (!c->open && c->tail == 0 && c->frame_n == 0) {
    c->silence = true;
    c->gain = 0.0f;
    return;
  }
  gate_run(c);
  c->tail -= !c->open && c->tail > 0;
  if (c->frame_n == 0) {
    c->frame_size = (size_t)AUDIO_MS(c->config.ptime_ms);
  }
  memcpy(c->frame + c->frame_n, c->block, sizeof c->block);
  c->frame_n += BLOCK;
  if (c->frame_n == c->frame_size) {
    frame_encode(c, emit, ctx);
  }
}

void capture_feed(struct capture *c, const float *pcm, size_t n, capture_emit *emit, void *ctx) {
  for (size_t i = 0; i < n; i++) {
    c->block[c->block_n++] = isfinite(pcm[i]) ? pcm[i] : 0.0f;
    if (c->block_n == BLOCK) {
      c->block_n = 0;
      block_run(c, emit, ctx);
    }
  }
}

uint8_t capture_level(const struct capture *c) {
  return c->level;
}

bool capture_voice_muted(const struct capture *c) {
  return c->muted > VOICE_MUTED;
}

void capture_destroy(struct capture *c) {
  if (c) {
    if (c->encoder) {
      encoder_destroy(c->encoder);
    }
    echo_destroy(c->echo);
    free(c);
  }
}
