/* device_loop: through a real sound stack and back. Plays a 1 kHz tone for 2 s on the default output and
 * records the default input, which must be a monitor of that output: tests/e2e/pulse.sh env PULSE_SINK=a_spk
 * PULSE_SOURCE=a_spk.monitor device_loop [INPUT OUTPUT] Prints the round trip (from the ring to the ring) and
 * exits 0 when the tone came back. */
#include "audio/device.h"
#include "audio/dsp.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define SETTLE_MS 500 /* silence first, so that the tone's start can be seen */
#define TONE_MS 2000
#define END_MS 3000
#define TONE_HZ 1000.0

struct loop {
  struct device *device;
  double phase;
  int64_t start_us, tone_us,
      heard_us; /* tone_us: first tone block written; heard_us: first block with it read */
  int blocks, heard, gaps;
};

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void play(struct loop *l) {
  struct ring *r = device_playout_ring(l->device);
  while (ring_fill(r) < device_playout_target(l->device)) {
    float pcm[AUDIO_BLOCK] = {0};
    int64_t now = now_us(), ms = (now - l->start_us) / 1000;
    if (ms >= SETTLE_MS && ms < SETTLE_MS + TONE_MS) {
      tone_make(pcm, AUDIO_BLOCK, TONE_HZ, &l->phase, 0.5f);
      l->tone_us = l->tone_us ? l->tone_us : now;
    }
    (void)ring_write(r, pcm, AUDIO_BLOCK);
  }
}

static void record(struct loop *l) {
  float pcm[AUDIO_BLOCK];
  while (ring_read(device_capture_ring(l->device), pcm, AUDIO_BLOCK) == AUDIO_BLOCK) {
    l->blocks++;
    bool tone = level_dbov(pcm, AUDIO_BLOCK) < 20 && goertzel_share(pcm, AUDIO_BLOCK, TONE_HZ) > 0.9;
    if (tone && !l->heard_us)
      l->heard_us = now_us();
    l->heard += tone;
    l->gaps += !tone && l->heard > 1 && l->heard < TONE_MS / 5 - 20;
  }
}

int main(int argc, char **argv) {
  device_prepare();
  struct device_config c = {.input = argc > 1 ? argv[1] : "", .output = argc > 2 ? argv[2] : ""};
  char why[160];
  int64_t before = now_us();
  struct loop l = {.device = device_open(&c, why, sizeof why)};
  if (!l.device)
    return 1;
  printf("opened in %.0f ms, state %d %s\n", (double)(now_us() - before) / 1000.0,
         (int)device_state(l.device), why);
  l.start_us = now_us();
  while (now_us() - l.start_us < END_MS * 1000) {
    device_wait(l.device, AUDIO_BLOCK, 20);
    play(&l);
    record(&l);
    if (device_poll(l.device, why, sizeof why))
      printf("%s\n", why);
  }
  int ring_ms = (int)device_playout_target(l.device) / AUDIO_MS(1);
  unsigned long long underruns = device_underruns(l.device);
  device_close(l.device);
  printf("%d blocks recorded in %d ms, %d with the tone, %d gaps\n", l.blocks, END_MS, l.heard, l.gaps);
  if (l.heard)
    printf("round trip %.1f ms, the ring holds %d ms at the end, %llu underruns\n",
           (double)(l.heard_us - l.tone_us) / 1000.0, ring_ms, underruns);
  return l.heard > TONE_MS / 5 * 3 / 4 ? 0 : 1;
}
