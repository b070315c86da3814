/* codec.c: libopus behind checked results. LBRR flags are read from the packet itself (RFC 6716
 * section 4.2.3): Debian's libopus 1.3.1 has no call for them. */
#include "audio/codec.h"

#include <opus/opus.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_FRAMES_MAX 48 /* RFC 6716 section 3.2.5 */
#define NARROW_BITRATE 9000  /* below it Opus itself chooses narrow band for a voice */
#define TOC_CELT 16 /* first CELT-only configuration (RFC 6716 section 3.1); below are SILK and hybrid */

struct encoder {
  OpusEncoder *opus;
  OpusRepacketizer *packer;
};

struct decoder {
  OpusDecoder *opus;
  float clip; /* state of Opus's soft clipper */
};

static bool encoder_apply(struct encoder *e, const struct encoder_config *c) {
  if (c->bitrate < 500 || c->bitrate > 512000 || c->complexity < 0 || c->complexity > 10 || c->loss_pct < 0 ||
      c->loss_pct > 100) {
    return false;
  }
  /* Coming from more, Opus may stay at wide band, and then overshoots by a third. */
  int widest = c->bitrate < NARROW_BITRATE ? OPUS_BANDWIDTH_NARROWBAND : OPUS_BANDWIDTH_FULLBAND;
  return opus_encoder_ctl(e->opus, OPUS_SET_BITRATE(c->bitrate)) == OPUS_OK &&
         opus_encoder_ctl(e->opus, OPUS_SET_MAX_BANDWIDTH(widest)) == OPUS_OK &&
         opus_encoder_ctl(e->opus, OPUS_SET_COMPLEXITY(c->complexity)) == OPUS_OK &&
         opus_encoder_ctl(e->opus, OPUS_SET_INBAND_FEC(c->loss_pct > 0 && !c->celt)) == OPUS_OK &&
         opus_encoder_ctl(e->opus, OPUS_SET_SIGNAL(c->celt ? OPUS_SIGNAL_MUSIC : OPUS_SIGNAL_VOICE)) ==
             OPUS_OK &&
         opus_encoder_ctl(e->opus, OPUS_SET_PACKET_LOSS_PERC(c->loss_pct)) == OPUS_OK &&
         opus_encoder_ctl(e->opus, OPUS_SET_DTX(c->dtx)) == OPUS_OK;
}

struct encoder *encoder_create(const struct encoder_config *c) {
  struct encoder *e = calloc(1, sizeof *e);
  if (!e) {
    return NULL;
  }
  int status = OPUS_OK;
  e->opus = opus_encoder_create(AUDIO_RATE, 1, OPUS_APPLICATION_VOIP, &status);
  e->packer = opus_repacketizer_create();
  if (!e->opus || !e->packer || status != OPUS_OK || !encoder_apply(e, c) ||
      opus_encoder_ctl(e->opus, OPUS_SET_LSB_DEPTH(16)) != OPUS_OK) {
    encoder_destroy(e);
    return NULL;
  }
  return e;
}

void encoder_set(struct encoder *e, const struct encoder_config *c) {
  (void)encoder_apply(e, c);
}

int encoder_run(struct encoder *e, const float *pcm, size_t n, uint8_t *out, size_t cap) {
  if (n == 0 || n > AUDIO_FRAME_MAX) {
    return -1;
  }
  int room = cap < AUDIO_PACKET_MAX ? (int)cap : AUDIO_PACKET_MAX;
  opus_int32 got = opus_encode_float(e->opus, pcm, (int)n, out, room);
  return got > 0 ? (int)got : -1;
}

int encoder_run_fresh(struct encoder *e, const float *pcm, size_t n, uint8_t *out, size_t cap) {
  opus_encoder_ctl(e->opus, OPUS_SET_PREDICTION_DISABLED(1));
  int len = encoder_run(e, pcm, n, out, cap);
  opus_encoder_ctl(e->opus, OPUS_SET_PREDICTION_DISABLED(0));
  return len;
}

int encoder_run_split(struct encoder *e, const float *pcm, size_t n, size_t piece, uint8_t *out, size_t cap) {
  uint8_t bytes[2 * AUDIO_PACKET_MAX];
  size_t used = 0;
  bool ok = piece > 0 && n > 0 && n <= AUDIO_FRAME_MAX && n % piece == 0 && cap <= INT32_MAX;
  opus_repacketizer_init(e->packer);
  for (size_t at = 0; ok && at < n; at += piece) {
    int len = encoder_run(e, pcm + at, piece, bytes + used, sizeof bytes - used);
    ok = len > 0 && opus_repacketizer_cat(e->packer, bytes + used, len) == OPUS_OK;
    used += len > 0 ? (size_t)len : 0;
    opus_int32 width = OPUS_AUTO; /* the frames of a packet share their bandwidth */
    ok = ok && opus_encoder_ctl(e->opus, OPUS_GET_BANDWIDTH(&width)) == OPUS_OK &&
         opus_encoder_ctl(e->opus, OPUS_SET_BANDWIDTH(width)) == OPUS_OK;
  }
  opus_encoder_ctl(e->opus, OPUS_SET_BANDWIDTH(OPUS_AUTO));
  opus_int32 got = ok ? opus_repacketizer_out(e->packer, out, (opus_int32)cap) : -1;
  return got > 0 ? (int)got : -1;
}

void encoder_reset(struct encoder *e) {
  opus_encoder_ctl(e->opus, OPUS_RESET_STATE);
}

void encoder_destroy(struct encoder *e) {
  if (e) {
    if (e->opus) {
      opus_encoder_destroy(e->opus);
    }
    if (e->packer) {
      opus_repacketizer_destroy(e->packer);
    }
    free(e);
  }
}

struct decoder *decoder_create(void) {
  struct decoder *d = calloc(1, sizeof *d);
  if (!d) {
    return NULL;
  }
  int status = OPUS_OK;
  d->opus = opus_decoder_create(AUDIO_RATE, 1, &status);
  if (!d->opus || status != OPUS_OK) {
    decoder_destroy(d);
    return NULL;
  }
  return d;
}

static int decoder_call(struct decoder *d, const uint8_t *p, size_t n, float *pcm, size_t samples, int fec) {
  if (n > INT32_MAX || samples == 0 || samples > AUDIO_FRAME_MAX) {
    return -1;
  }
  int got = opus_decode_float(d->opus, p, (opus_int32)n, pcm, (int)samples, fec);
  if (got <= 0) {
    return -1;
  }
  opus_pcm_soft_clip(pcm, got, 1, &d->clip);
  return got;
}

int decoder_run(struct decoder *d, const uint8_t *p, size_t n, float *pcm) {
  /* no bytes would mean "conceal" to Opus */
  return opus_packet_samples(p, n) < 0 ? -1 : decoder_call(d, p, n, pcm, AUDIO_FRAME_MAX, 0);
}

int decoder_fec(struct decoder *d, const uint8_t *p, size_t n, float *pcm, size_t samples) {
  return opus_packet_samples(p, n) < 0 ? -1 : decoder_call(d, p, n, pcm, samples, 1);
}

int decoder_plc(struct decoder *d, float *pcm, size_t samples) {
  return decoder_call(d, NULL, 0, pcm, samples, 0);
}

void decoder_reset(struct decoder *d) {
  opus_decoder_ctl(d->opus, OPUS_RESET_STATE);
  d->clip = 0.0f;
}

void decoder_copy(struct decoder *to, const struct decoder *from) {
  memcpy(to->opus, from->opus, (size_t)opus_decoder_get_size(1)); /* a flat state, as <opus.h> promises */
  to->clip = from->clip;
}

void decoder_destroy(struct decoder *d) {
  if (d) {
    if (d->opus) {
      opus_decoder_destroy(d->opus);
    }
    free(d);
  }
}

int opus_packet_samples(const uint8_t *p, size_t n) {
  if (n == 0 || n > INT32_MAX) {
    return -1;
  }
  int samples = opus_packet_get_nb_samples(p, (opus_int32)n, AUDIO_RATE);
  return samples > 0 && samples <= AUDIO_FRAME_MAX ? samples : -1;
}

bool opus_is_dtx(const uint8_t *p, size_t n) {
  return n <= 2 && opus_packet_samples(p, n) > 0;
}

bool opus_has_fec(const uint8_t *p, size_t n) {
  const unsigned char *frames[PACKET_FRAMES_MAX];
  opus_int16 sizes[PACKET_FRAMES_MAX];
  unsigned char toc = 0;
  if (opus_packet_samples(p, n) < 0 || p[0] >> 3 >= TOC_CELT ||
      opus_packet_parse(p, (opus_int32)n, &toc, frames, sizes, NULL) < 1 || sizes[0] < 1) {
    return false;
  }
  /* The first bits of a SILK frame, for each channel: one VAD flag for each 20 ms, then one LBRR flag. */
  int per_frame = opus_packet_get_samples_per_frame(p, AUDIO_RATE);
  int flags = per_frame > AUDIO_FRAME ? per_frame / AUDIO_FRAME : 1;
  bool mid = frames[0][0] >> (7 - flags) & 1;
  bool side = opus_packet_get_nb_channels(p) == 2 && (frames[0][0] >> (6 - 2 * flags) & 1);
  return mid || side;
}
