/* device_file.c: sound files by libsndfile. What is read may be hostile: channels and rate are bounded,
 * samples that are no numbers become silence. */
#include "audio/device_private.h"

#include <math.h>
#include <sndfile.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHANNELS_MAX 16
#define RATE_MIN 4000
#define RATE_MAX 384000
#define CHUNK 512 /* frames read at a time */
#define RESAMPLE_QUALITY 6

struct file_source {
  SNDFILE *file;
  SpeexResamplerState *resampler; /* NULL: the file is at 48 kHz already */
  int channels;
  bool loop, finished;
  float mono[CHUNK]; /* read, not yet given out */
  size_t at, have;
};
struct file_sink {
  SNDFILE *file;
};

struct file_source *file_source_open(const char *path, bool loop, char *why, size_t n) {
  SF_INFO info = {0};
  SNDFILE *file = sf_open(path, SFM_READ, &info);
  if (!file) {
    device_say(why, n, "cannot read %.80s (%.60s): silence is sent", path, sf_strerror(NULL));
    return NULL;
  }
  struct file_source *f = NULL;
  if (info.channels < 1 || info.channels > CHANNELS_MAX || info.samplerate < RATE_MIN ||
      info.samplerate > RATE_MAX) {
    device_say(why, n, "cannot read %.80s (%d channels at %d Hz): silence is sent", path, info.channels,
               info.samplerate);
    goto fail;
  }
  f = calloc(1, sizeof *f);
  if (!f)
    goto fail;
  if (info.samplerate != AUDIO_RATE) {
    f->resampler = speex_resampler_init(1, (spx_uint32_t)info.samplerate, AUDIO_RATE, RESAMPLE_QUALITY, NULL);
    if (!f->resampler)
      goto fail;
    speex_resampler_skip_zeros(f->resampler);
  }
  f->file = file;
  f->channels = info.channels;
  f->loop = loop;
  return f;
fail:
  sf_close(file);
  free(f);
  return NULL;
}

static float mono_sample(const float *frame, int channels) {
  float sum = 0;
  for (int c = 0; c < channels; c++)
    sum += frame[c];
  sum /= (float)channels;
  return isfinite(sum) ? fmaxf(-1.0f, fminf(1.0f, sum)) : 0.0f;
}

/* refill: the next chunk into mono[]; at the end from the start again, or finished. */
static void refill(struct file_source *f) {
  float raw[CHUNK * CHANNELS_MAX];
  sf_count_t got = sf_readf_float(f->file, raw, CHUNK);
  if (got <= 0 && f->loop && sf_seek(f->file, 0, SEEK_SET) == 0)
    got = sf_readf_float(f->file, raw, CHUNK);
  if (got <= 0)
    f->finished = true; /* also an empty file that loops */
  f->at = 0;
  f->have = got > 0 ? (size_t)got : 0;
  for (size_t i = 0; i < f->have; i++)
    f->mono[i] = mono_sample(raw + i * (size_t)f->channels, f->channels);
}

/* give: up to n samples at 48 kHz out of mono[]; returns how many. */
static size_t give(struct file_source *f, float *pcm, size_t n) {
  size_t left = f->have - f->at;
  if (!f->resampler) {
    n = n < left ? n : left;
    memcpy(pcm, f->mono + f->at, n * sizeof *pcm);
    f->at += n;
    return n;
  }
  spx_uint32_t in = (spx_uint32_t)left, out = (spx_uint32_t)n;
  (void)speex_resampler_process_float(f->resampler, 0, f->mono + f->at, &in, pcm, &out);
  f->at += in;
  return out;
}

void file_source_read(struct file_source *f, float *pcm, size_t n) {
  size_t done = 0;
  while (done < n) {
    if (f->at == f->have && !f->finished)
      refill(f);
    if (f->finished)
      break;
    done += give(f, pcm + done, n - done);
  }
  memset(pcm + done, 0, (n - done) * sizeof *pcm);
}

bool file_source_finished(const struct file_source *f) {
  return f->finished;
}

void file_source_close(struct file_source *f) {
  if (!f)
    return;
  if (f->resampler)
    speex_resampler_destroy(f->resampler);
  sf_close(f->file);
  free(f);
}

static bool ends_with(const char *s, const char *end) {
  size_t n = strlen(s), m = strlen(end);
  return n > m && strcasecmp(s + n - m, end) == 0;
}

struct file_sink *file_sink_open(const char *path, char *why, size_t n) {
  SF_INFO info = {.samplerate = AUDIO_RATE, .channels = 1};
  if (ends_with(path, ".wav"))
    info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  else if (ends_with(path, ".opus"))
    info.format = SF_FORMAT_OGG | SF_FORMAT_OPUS;
  if (!info.format) {
    device_say(why, n, "cannot record to %.80s: the name must end in .wav or .opus", path);
    return NULL;
  }
  struct file_sink *f = calloc(1, sizeof *f);
  if (f)
    f->file = sf_open(path, SFM_WRITE, &info);
  if (!f || !f->file) {
    device_say(why, n, "cannot record to %.80s (%.60s)", path, sf_strerror(NULL));
    free(f);
    return NULL;
  }
  (void)sf_command(f->file, SFC_SET_CLIPPING, NULL, SF_TRUE);
  return f;
}

bool file_sink_write(struct file_sink *f, const float *pcm, size_t n) {
  return sf_writef_float(f->file, pcm, (sf_count_t)n) == (sf_count_t)n;
}

void file_sink_close(struct file_sink *f) {
  if (f) {
    sf_close(f->file);
    free(f);
  }
}
