/* device_portaudio.c: one card, one half-duplex PortAudio stream, one ring. Two such streams have a third of
 * the latency of a duplex one and no underflows. Blocks are 5 ms. PortAudio is not thread-safe and one for
 * the whole process: a lock guards every call but the callback, which touches a ring, a counter and a
 * semaphore only. */
#include "audio/cushion.h"
#include "audio/device.h"
#include "audio/device_private.h"

#include <alsa/asoundlib.h>
#include <dlfcn.h>
#include <portaudio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATENCY_S 0.010 /* two blocks: more than that adds up to a real delay */

struct card {
  PaStream *stream;
  struct ring *ring;
  struct cushion *cushion;
  sem_t *wake;
  atomic_uint_fast64_t frames;
};

/* The library behind them is a process-wide global as well. */
static pthread_mutex_t portaudio_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static void quiet_alsa(const char *file, int line, const char *function, int err, const char *format, ...) {
  (void)file, (void)line, (void)function, (void)err, (void)format;
}

static void quiet_jack(const char *text) {
  (void)text;
}

/* PortAudio links libjack; we do not, so its functions are looked for by name. */
static void quiet_jack_with(const char *setter) {
  void (*set)(void (*)(const char *)) = NULL;
  *(void **)&set = dlsym(RTLD_DEFAULT, setter);
  if (set)
    set(quiet_jack);
}

static void prepare(void) {
  (void)setenv("JACK_NO_START_SERVER", "1", 0);
  (void)snd_lib_error_set_handler(quiet_alsa);
  quiet_jack_with("jack_set_error_function");
  quiet_jack_with("jack_set_info_function");
}

void device_prepare(void) {
  (void)pthread_once(&prepared, prepare);
}

static int on_input(const void *in, void *out, unsigned long n, const PaStreamCallbackTimeInfo *time,
                    PaStreamCallbackFlags flags, void *ctx) {
  (void)out, (void)time, (void)flags;
  struct card *c = ctx;
  if (in)
    (void)ring_write(c->ring, in, n);
  atomic_fetch_add_explicit(&c->frames, n, memory_order_relaxed);
  (void)sem_post(c->wake);
  return paContinue;
}

static int on_output(const void *in, void *out, unsigned long n, const PaStreamCallbackTimeInfo *time,
                     PaStreamCallbackFlags flags, void *ctx) {
  (void)in, (void)time, (void)flags;
  struct card *c = ctx;
  cushion_taken(c->cushion, ring_fill(c->ring), n);
  size_t got = ring_read(c->ring, out, n);
  memset((float *)out + got, 0, (n - got) * sizeof(float));
  atomic_fetch_add_explicit(&c->frames, n, memory_order_relaxed);
  (void)sem_post(c->wake);
  return paContinue;
}

static int channels(const PaDeviceInfo *info, enum card_side side) {
  return side == CARD_IN ? info->maxInputChannels : info->maxOutputChannels;
}

/* find_named: the device of that very name, else the first with it as a part; paNoDevice. */
static PaDeviceIndex find_named(enum card_side side, const char *name) {
  PaDeviceIndex part = paNoDevice;
  for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++) {
    const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
    if (!info || channels(info, side) < 1)
      continue;
    if (strcasecmp(info->name, name) == 0)
      return i;
    if (part == paNoDevice && strcasestr(info->name, name))
      part = i;
  }
  return part;
}

static bool start(struct card *c, enum card_side side, PaDeviceIndex device) {
  if (device == paNoDevice)
    return false;
  PaStreamParameters p = {
      .device = device, .channelCount = 1, .sampleFormat = paFloat32, .suggestedLatency = LATENCY_S};
  bool in = side == CARD_IN;
  if (Pa_OpenStream(&c->stream, in ? &p : NULL, in ? NULL : &p, AUDIO_RATE, AUDIO_BLOCK, paNoFlag,
                    in ? on_input : on_output, c) != paNoError)
    return false;
  if (Pa_StartStream(c->stream) == paNoError)
    return true;
  (void)Pa_CloseStream(c->stream);
  return false;
}

/* start_default: the default device, else the default of any other host API. */
static bool start_default(struct card *c, enum card_side side) {
  if (start(c, side, side == CARD_IN ? Pa_GetDefaultInputDevice() : Pa_GetDefaultOutputDevice()))
    return true;
  for (PaHostApiIndex i = 0; i < Pa_GetHostApiCount(); i++) {
    const PaHostApiInfo *api = Pa_GetHostApiInfo(i);
    if (api && start(c, side, side == CARD_IN ? api->defaultInputDevice : api->defaultOutputDevice))
      return true;
  }
  return false;
}

static bool start_any(struct card *c, enum card_side side, const char *name, bool *fell_back) {
  *fell_back = false;
  if (*name && start(c, side, find_named(side, name)))
    return true;
  *fell_back = *name != '\0';
  return start_default(c, side);
}

static void say_result(bool ok, enum card_side side, const char *name, char *why, size_t n) {
  if (ok)
    device_say(why, n, "no %s \"%.60s\" can be used: the default one is in use",
               side == CARD_IN ? "microphone" : "loudspeaker", name);
  else
    device_say(why, n, "%s",
               side == CARD_IN ? "no microphone: the others cannot hear you"
                               : "no loudspeaker: you cannot hear the others");
}

struct card *card_open(enum card_side side, const char *name, struct ring *ring, struct cushion *cushion,
                       sem_t *wake, bool *fell_back, char *why, size_t n) {
  struct card *c = calloc(1, sizeof *c);
  if (!c)
    return NULL;
  c->ring = ring;
  c->cushion = cushion;
  c->wake = wake;
  atomic_init(&c->frames, 0);
  device_prepare();
  pthread_mutex_lock(&portaudio_lock);
  bool ready = Pa_Initialize() == paNoError;
  bool ok = ready && start_any(c, side, name, fell_back);
  if (ready && !ok)
    (void)Pa_Terminate();
  pthread_mutex_unlock(&portaudio_lock);
  if (!ok || *fell_back)
    say_result(ok, side, name, why, n);
  if (!ok) {
    free(c);
    return NULL;
  }
  return c;
}

uint64_t card_frames(const struct card *c) {
  return atomic_load_explicit(&c->frames, memory_order_relaxed);
}

void card_close(struct card *c) {
  if (!c)
    return;
  pthread_mutex_lock(&portaudio_lock);
  (void)Pa_AbortStream(c->stream);
  (void)Pa_CloseStream(c->stream);
  (void)Pa_Terminate(); /* counted: the last one forgets the devices */
  pthread_mutex_unlock(&portaudio_lock);
  free(c);
}

static void list_devices(FILE *out) {
  for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++) {
    const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
    const PaHostApiInfo *api = info ? Pa_GetHostApiInfo(info->hostApi) : NULL;
    if (api)
      (void)fprintf(out, "%s (%d/%d, %s)\n", info->name, info->maxInputChannels, info->maxOutputChannels,
                    api->name);
  }
}

char *device_list(void) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  if (!out)
    return NULL;
  device_prepare();
  pthread_mutex_lock(&portaudio_lock);
  if (Pa_Initialize() == paNoError) {
    list_devices(out);
    (void)Pa_Terminate();
  }
  pthread_mutex_unlock(&portaudio_lock);
  (void)fclose(out);
  for (char *p = text; p && *p; p++)
    if ((unsigned char)*p < ' ' && *p != '\n') /* names come from drivers: nothing for a terminal to obey */
      *p = '?';
  return text;
}
