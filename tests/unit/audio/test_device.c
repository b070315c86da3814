/* Null and file devices against the real clock: only bounds that a slow machine cannot break. Cards:
 * tests/e2e. */
#include "audio/cushion.h"
#include "audio/device.h"

#include "audio/device_private.h"
#include "audio/dsp.h"

#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define MS (NS_PER_S / 1000)
#define PATTERN 9600 /* samples: 200 ms */

static char dir[] = "/tmp/gavel_device_XXXXXX";

static int make_dir(void **state) {
  (void)state;
  return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state) {
  (void)state;
  char command[64];
  (void)snprintf(command, sizeof command, "rm -rf %s", dir);
  return system(command);
}

static const char *temp_path(char *text, size_t n, const char *name) {
  (void)snprintf(text, n, "file:%s/%s", dir, name);
  return text + strlen("file:");
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* pattern: never near zero (silence can be told from it) and no two samples within 700 are alike. */
static float pattern(size_t i) {
  return (float)(3000 + i * 37 % 26000) / 32768.0f;
}

static void write_wav(const char *path, int rate, int channels, size_t frames, float (*value)(size_t)) {
  SF_INFO info = {.samplerate = rate, .channels = channels, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
  SNDFILE *f = sf_open(path, SFM_WRITE, &info);
  assert_non_null(f);
  for (size_t i = 0; i < frames; i++) {
    float frame[2] = {value(i), value(i)};
    assert_int_equal(sf_writef_float(f, frame, 1), 1);
  }
  sf_close(f);
}

static struct device *open_ends(const char *in, const char *out, bool loop) {
  char why[160] = "stale";
  struct device_config c = {.input = in, .output = out, .loop = loop};
  struct device *d = device_open(&c, why, sizeof why);
  assert_non_null(d);
  assert_string_equal(why, "");
  assert_int_equal(device_state(d), DEVICE_OK);
  return d;
}

/* take: waits for and reads n captured samples while silence is played; the owner's loop in small. */
static void take(struct device *d, float *pcm, size_t n) {
  static const float silence[AUDIO_BLOCK];
  int64_t give_up = now_ns() + 20 * NS_PER_S;
  for (size_t done = 0; done < n;) {
    device_wait(d, 1, 100);
    while (ring_fill(device_playout_ring(d)) < device_playout_target(d))
      (void)ring_write(device_playout_ring(d), silence, AUDIO_BLOCK);
    done += ring_read(device_capture_ring(d), pcm + done, n - done);
    assert_true(now_ns() < give_up);
  }
}

/* --- the clock, without a clock --- */

static void pace_does_not_drift_over_an_hour(void **state) {
  (void)state;
  struct pace p;
  int64_t start = 123456789, now = start, blocks = 0;
  unsigned jitter = 1;
  pace_start(&p, start);
  while (now - start < 3600 * NS_PER_S) {
    assert_true(pace_next_ns(&p) > now);
    jitter = jitter * 1103515245u + 12345u; /* wake up to 20 ms late */
    now = pace_next_ns(&p) + (int64_t)((jitter >> 8) % 20000000u);
    blocks += pace_take(&p, now);
    assert_int_equal(blocks, (now - start) / (5 * MS));
  }
}

static void pace_starts_anew_after_a_standstill(void **state) {
  (void)state;
  struct pace p;
  pace_start(&p, 0);
  assert_int_equal(pace_take(&p, 500 * MS), PACE_GAP);
  assert_int_equal(pace_take(&p, 500 * MS), 0);
  assert_int_equal(pace_take(&p, 500 * MS + 3600 * NS_PER_S), 0); /* the lid was closed for an hour */
  assert_int_equal(pace_take(&p, 505 * MS + 3600 * NS_PER_S), 1);
  assert_int_equal(pace_take(&p, 0), 0); /* never backwards */
}

/* --- null --- */

static void null_is_silent_and_never_early(void **state) {
  (void)state;
  static float pcm[AUDIO_MS(300)];
  int64_t start = now_ns();
  struct device *d = open_ends("null", "null", false);
  assert_false(device_real(d));
  assert_false(device_has_input(d));
  assert_false(device_finished(d));
  take(d, pcm, AUDIO_MS(300));
  assert_true(now_ns() - start >= 300 * MS);
  for (size_t i = 0; i < AUDIO_MS(300); i++)
    assert_true(pcm[i] == 0.0f);
  char why[80] = "stale";
  assert_false(device_poll(d, why, sizeof why));
  assert_string_equal(why, "");
  device_close(d);
}

static void null_takes_what_is_played_in_real_time(void **state) {
  (void)state;
  struct device *d = open_ends("null", "null", false);
  struct ring *r = device_playout_ring(d);
  static const float silence[CUSHION_MAX];
  int64_t start = now_ns(), played = 0;
  while (now_ns() - start < 200 * MS) {
    device_wait(d, AUDIO_BLOCK, 20);
    float sink[AUDIO_BLOCK];
    while (ring_read(device_capture_ring(d), sink, AUDIO_BLOCK) > 0)
      ;
    played += (int64_t)ring_write(r, silence, device_playout_target(d) - ring_fill(r));
  }
  int64_t elapsed_ms = (now_ns() - start) / MS + 1;
  assert_true(played <= AUDIO_MS(elapsed_ms) + CUSHION_MAX + AUDIO_BLOCK);
  assert_true(played >= 4 * CUSHION_MIN); /* it does take, however busy the machine */
  device_close(d);
}

static void wait_returns_after_its_time(void **state) {
  (void)state;
  struct device *d = open_ends("null", "null", false);
  static const float silence[CUSHION_MAX];
  (void)ring_write(device_playout_ring(d), silence, device_playout_target(d));
  int64_t start = now_ns();
  device_wait(d, CUSHION_MAX + 1, 12); /* more than can be had in that time */
  assert_true(now_ns() - start >= 12 * MS);
  assert_true(now_ns() - start < 10 * NS_PER_S);
  start = now_ns();
  device_wait(d, AUDIO_BLOCK, 0);
  assert_true(now_ns() - start < 10 * NS_PER_S);
  device_close(d);
}

/* --- files --- */

/* play_back: plays n captured samples and waits until they are gone; then one block more is read. */
static void play_back(struct device *d, size_t n) {
  struct ring *in = device_capture_ring(d), *out = device_playout_ring(d);
  int64_t give_up = now_ns() + 20 * NS_PER_S;
  float pcm[AUDIO_BLOCK];
  for (size_t done = 0; done < n || ring_fill(out) > 0;) {
    device_wait(d, AUDIO_BLOCK, 20);
    if (done < n && ring_room(out) >= AUDIO_BLOCK && ring_read(in, pcm, AUDIO_BLOCK) == AUDIO_BLOCK)
      done += ring_write(out, pcm, AUDIO_BLOCK);
    assert_true(now_ns() < give_up);
  }
  take(d, pcm, AUDIO_BLOCK);
}

static void a_recording_is_what_was_read(void **state) {
  (void)state;
  char in[128], out[128];
  write_wav(temp_path(in, sizeof in, "in.wav"), 48000, 1, PATTERN, pattern);
  const char *record = temp_path(out, sizeof out, "out.wav");
  struct device *d = open_ends(in, out, false);
  assert_true(device_has_input(d));
  assert_false(device_real(d));
  play_back(d, PATTERN);
  assert_true(device_finished(d));
  device_close(d);

  SF_INFO info = {0};
  SNDFILE *f = sf_open(record, SFM_READ, &info);
  assert_non_null(f);
  assert_int_equal(info.samplerate, 48000);
  assert_int_equal(info.channels, 1);
  float x;
  size_t heard = 0;
  while (sf_read_float(f, &x, 1) == 1) {
    if (fabsf(x) < 0.05f)
      continue; /* silence: before, after, or where this machine was late */
    assert_true(heard < PATTERN);
    assert_true(fabsf(x - pattern(heard)) < 3.0f / 32768.0f);
    heard++;
  }
  assert_int_equal(heard, PATTERN);
  sf_close(f);
}

static float tone(size_t i) {
  return 0.5f * sinf(6.2831853f * 1000.0f * (float)i / 22050.0f);
}

static void other_rates_and_stereo_are_converted(void **state) {
  (void)state;
  char in[128];
  write_wav(temp_path(in, sizeof in, "22k.wav"), 22050, 2, 6615, tone); /* 300 ms */
  struct device *d = open_ends(in, "null", false);
  static float pcm[AUDIO_MS(250)];
  take(d, pcm, AUDIO_MS(250));
  assert_true(goertzel_share(pcm + AUDIO_MS(50), AUDIO_MS(100), 1000.0) > 0.95);
  device_close(d);
}

static float hostile(size_t i) {
  static const float bad[] = {NAN, INFINITY, -INFINITY, 1e30f, -5.0f, 0.25f};
  return bad[i % 6];
}

static void samples_that_are_no_sound_are_tamed(void **state) {
  (void)state;
  char in[128];
  write_wav(temp_path(in, sizeof in, "bad.wav"), 48000, 1, 600, hostile);
  struct device *d = open_ends(in, "null", false);
  float pcm[480];
  take(d, pcm, 480);
  for (size_t i = 0; i < 480; i += 6) {
    assert_true(pcm[i] == 0.0f && pcm[i + 1] == 0.0f && pcm[i + 2] == 0.0f);
    assert_true(pcm[i + 3] == 1.0f && pcm[i + 4] == -1.0f && pcm[i + 5] == 0.25f);
  }
  device_close(d);
}

static void the_end_is_silence_or_the_start_again(void **state) {
  (void)state;
  char in[128];
  write_wav(temp_path(in, sizeof in, "short.wav"), 48000, 1, 1000, pattern);
  float pcm[2400];
  struct device *once = open_ends(in, "null", false);
  take(once, pcm, 2400);
  assert_true(device_finished(once));
  assert_true(fabsf(pcm[999] - pattern(999)) < 1e-6f);
  for (size_t i = 1000; i < 2400; i++)
    assert_true(pcm[i] == 0.0f);
  device_close(once);

  struct device *again = open_ends(in, "null", true);
  take(again, pcm, 2400);
  assert_false(device_finished(again));
  for (size_t i = 0; i < 2400; i++)
    assert_true(fabsf(pcm[i] - pattern(i % 1000)) < 1e-6f);
  device_close(again);

  write_wav(temp_path(in, sizeof in, "empty.wav"), 48000, 1, 0, pattern);
  struct device *empty = open_ends(in, "null", true); /* must not spin */
  take(empty, pcm, 480);
  assert_true(device_finished(empty));
  assert_true(pcm[0] == 0.0f && pcm[479] == 0.0f);
  device_close(empty);
}

static void ogg_opus_is_read(void **state) {
  (void)state;
  char why[160] = "";
  struct file_source *f = file_source_open("tests/data/alice.opus", false, why, sizeof why);
  assert_non_null(f);
  size_t samples = 0, loud = 0;
  while (!file_source_finished(f) && samples < AUDIO_MS(30000)) {
    float pcm[AUDIO_BLOCK];
    file_source_read(f, pcm, AUDIO_BLOCK);
    samples += AUDIO_BLOCK;
    loud += level_dbov(pcm, AUDIO_BLOCK) < 40;
  }
  file_source_close(f);
  assert_in_range(samples, AUDIO_MS(5000), AUDIO_MS(12000));
  assert_true(loud * AUDIO_BLOCK > samples / 3); /* somebody speaks */
}

static void ogg_opus_is_written(void **state) {
  (void)state;
  char path[128], why[160] = "";
  const char *file = temp_path(path, sizeof path, "rec.opus");
  struct file_sink *out = file_sink_open(file, why, sizeof why);
  assert_non_null(out);
  double phase = 0;
  for (int i = 0; i < 200; i++) {
    float pcm[AUDIO_BLOCK];
    tone_make(pcm, AUDIO_BLOCK, 440.0, &phase, 0.5f);
    assert_true(file_sink_write(out, pcm, AUDIO_BLOCK));
  }
  file_sink_close(out);
  struct file_source *in = file_source_open(file, false, why, sizeof why);
  assert_non_null(in);
  static float pcm[AUDIO_MS(800)];
  file_source_read(in, pcm, AUDIO_MS(800));
  assert_false(file_source_finished(in));
  assert_true(goertzel_share(pcm + AUDIO_MS(400), AUDIO_MS(100), 440.0) > 0.9);
  file_source_close(in);
}

/* --- what cannot be opened --- */

static void expect_null(const char *in, const char *out, const char *part) {
  char why[160];
  struct device *d = device_open(&(struct device_config){.input = in, .output = out}, why, sizeof why);
  assert_non_null(d);
  assert_int_equal(device_state(d), DEVICE_NULL);
  if (!strstr(why, part))
    fail_msg("\"%s\" does not say \"%s\"", why, part);
  assert_false(device_has_input(d));
  assert_false(device_real(d)); /* above all: no microphone instead of a file */
  float pcm[AUDIO_BLOCK];
  take(d, pcm, AUDIO_BLOCK);
  assert_true(pcm[0] == 0.0f);
  assert_false(device_finished(d));
  device_close(d);
}

static void broken_files_leave_a_sentence_and_silence(void **state) {
  (void)state;
  char broken[128];
  FILE *f = fopen(temp_path(broken, sizeof broken, "broken.wav"), "w");
  assert_non_null(f);
  assert_int_equal(fputs("RIFF\xff\xff\xff\xffWAVEfmt nothing of the kind", f) >= 0, 1);
  (void)fclose(f);
  expect_null(broken, "null", "broken.wav");
  expect_null("file:/nowhere/at/all.wav", "null", "cannot read /nowhere/at/all.wav");
  expect_null("file:/tmp", "null", "cannot read /tmp");
  expect_null("file:", "null", "cannot read");
  expect_null("null", "file:/nowhere/at/all.wav", "cannot record to /nowhere/at/all.wav");
  expect_null("null", "file:/tmp/x.mp3", ".wav or .opus");
  expect_null("null", "file:.wav", ".wav or .opus");
}

static void a_full_disk_is_said_once(void **state) {
  (void)state;
  char path[128], why[160];
  const char *file = temp_path(path, sizeof path, "full.wav");
  if (symlink("/dev/full", file) != 0)
    skip();
  struct device *d = device_open(&(struct device_config){.input = "null", .output = path}, why, sizeof why);
  assert_non_null(d);
  if (device_state(d) == DEVICE_OK) { /* else it was refused at once: as good */
    float pcm[AUDIO_BLOCK];
    take(d, pcm, AUDIO_BLOCK);
    assert_true(device_poll(d, why, sizeof why));
    assert_non_null(strstr(why, "recording stopped"));
    assert_false(device_poll(d, why, sizeof why));
  }
  assert_int_equal(device_state(d), DEVICE_NULL);
  device_close(d);
}

static void sentences_never_overflow(void **state) {
  (void)state;
  char why[16] = "";
  device_say(why, sizeof why, "%s", "first");
  device_say(why, sizeof why, "%s", "second one");
  assert_string_equal(why, "first; second o");
  device_say(why, sizeof why, "%s", "third");
  assert_string_equal(why, "first; second o");
  char tiny[1];
  struct device *d = device_open(&(struct device_config){.input = "file:/no", .output = "null"}, tiny, 1);
  assert_non_null(d);
  assert_int_equal(tiny[0], '\0');
  device_close(d);
  device_close(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pace_does_not_drift_over_an_hour),
      cmocka_unit_test(pace_starts_anew_after_a_standstill),
      cmocka_unit_test(null_is_silent_and_never_early),
      cmocka_unit_test(null_takes_what_is_played_in_real_time),
      cmocka_unit_test(wait_returns_after_its_time),
      cmocka_unit_test(a_recording_is_what_was_read),
      cmocka_unit_test(other_rates_and_stereo_are_converted),
      cmocka_unit_test(samples_that_are_no_sound_are_tamed),
      cmocka_unit_test(the_end_is_silence_or_the_start_again),
      cmocka_unit_test(ogg_opus_is_read),
      cmocka_unit_test(ogg_opus_is_written),
      cmocka_unit_test(broken_files_leave_a_sentence_and_silence),
      cmocka_unit_test(a_full_disk_is_said_once),
      cmocka_unit_test(sentences_never_overflow),
  };
  return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
