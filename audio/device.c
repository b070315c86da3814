/* device.c: one device of two ends: opens them, paces those without a card, falls back when one fails. */
#include "audio/device.h"

#include "audio/cushion.h"
#include "audio/device_private.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RING_SAMPLES AUDIO_MS(500)
#define NS_PER_US 1000
#define DEAD_NS (2 * NS_PER_S)
#define CARD_CUSHION (3 * AUDIO_BLOCK)
#define RETRY_NS (10 * NS_PER_S) /* opening a card again stalls the thread: not often */

struct end {
  char name[256]; /* as in struct device_config */
  struct ring *ring;
  struct card *card; /* NULL: paced by the clock */
  enum device_state state;
  uint64_t frames; /* of the card when it last moved */
  int64_t moved_ns;
};
struct device {
  struct end end[2]; /* by enum card_side */
  struct file_source *source;
  struct file_sink *sink;
  bool sink_failed;
  struct cushion cushion;
  bool had_card; /* worth looking for it again once it is lost */
  int64_t retry_ns;
  struct pace pace;
  sem_t wake; /* posted by the callbacks: sem_post is lock-free and async-signal-safe */
};

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * NS_PER_S + t.tv_nsec;
}

void device_say(char *why, size_t n, const char *format, ...) {
  size_t used = strlen(why);
  if (used > 0 && used + 2 < n) {
    memcpy(why + used, "; ", 3);
    used += 2;
  }
  va_list args;
  va_start(args, format);
  if (used < n)
    (void)vsnprintf(why + used, n - used, format, args);
  va_end(args);
}

static const char *file_path(const char *name) {
  return strncmp(name, "file:", 5) == 0 ? name + 5 : NULL;
}

static bool wants_card(const struct end *e) {
  return strcmp(e->name, "null") != 0 && !file_path(e->name);
}

static void open_cards(struct device *d, char *why, size_t n) {
  cushion_init(&d->cushion, now_ns() / NS_PER_US, wants_card(&d->end[CARD_OUT]) ? CARD_CUSHION : CUSHION_MIN);
  for (int side = CARD_IN; side <= CARD_OUT; side++) {
    struct end *e = &d->end[side];
    if (!wants_card(e))
      continue;
    bool fell_back = false;
    e->card = card_open((enum card_side)side, e->name, e->ring, &d->cushion, &d->wake, &fell_back, why, n);
    e->state = !e->card ? DEVICE_NULL : fell_back ? DEVICE_FALLBACK : DEVICE_OK;
    e->frames = 0;
    e->moved_ns = now_ns();
    d->had_card |= e->card != NULL;
  }
  d->retry_ns = now_ns() + RETRY_NS;
}

static void close_cards(struct device *d) {
  for (int side = CARD_IN; side <= CARD_OUT; side++) {
    card_close(d->end[side].card);
    d->end[side].card = NULL;
  }
}

static void open_files(struct device *d, bool loop, char *why, size_t n) {
  const char *in = file_path(d->end[CARD_IN].name), *out = file_path(d->end[CARD_OUT].name);
  if (in) {
    d->source = file_source_open(in, loop, why, n);
    d->end[CARD_IN].state = d->source ? DEVICE_OK : DEVICE_NULL;
  }
  if (out) {
    d->sink = file_sink_open(out, why, n);
    d->end[CARD_OUT].state = d->sink ? DEVICE_OK : DEVICE_NULL;
  }
}

struct device *device_open(const struct device_config *c, char *why, size_t n) {
  assert(n > 0);
  *why = '\0';
  struct device *d = calloc(1, sizeof *d);
  if (!d)
    return NULL;
  (void)snprintf(d->end[CARD_IN].name, sizeof d->end[CARD_IN].name, "%s", c->input ? c->input : "");
  (void)snprintf(d->end[CARD_OUT].name, sizeof d->end[CARD_OUT].name, "%s", c->output ? c->output : "");
  (void)sem_init(&d->wake, 0, 0);
  for (int side = CARD_IN; side <= CARD_OUT; side++) {
    d->end[side].ring = ring_create(sizeof(float), RING_SAMPLES);
    if (!d->end[side].ring) {
      device_close(d);
      return NULL;
    }
  }
  open_files(d, c->loop, why, n);
  open_cards(d, why, n);
  pace_start(&d->pace, now_ns());
  return d;
}

enum device_state device_state(const struct device *d) {
  enum device_state in = d->end[CARD_IN].state, out = d->end[CARD_OUT].state;
  return in > out ? in : out;
}

bool device_has_input(const struct device *d) {
  return d->end[CARD_IN].card || d->source;
}

bool device_real(const struct device *d) {
  return d->end[CARD_IN].card != NULL;
}

struct ring *device_capture_ring(struct device *d) {
  return d->end[CARD_IN].ring;
}

struct ring *device_playout_ring(struct device *d) {
  return d->end[CARD_OUT].ring;
}

size_t device_playout_target(const struct device *d) {
  return d->cushion.target;
}

uint64_t device_underruns(const struct device *d) {
  return d->cushion.underruns;
}

/* capture_block: a full ring (the owner sleeps) loses silence, but never a piece of a file. */
static void capture_block(struct device *d) {
  float pcm[AUDIO_BLOCK] = {0};
  struct ring *r = d->end[CARD_IN].ring;
  if (ring_room(r) < AUDIO_BLOCK)
    return;
  if (d->source)
    file_source_read(d->source, pcm, AUDIO_BLOCK);
  (void)ring_write(r, pcm, AUDIO_BLOCK);
}

/* playout_block: what is not there in time is silence, so a recording keeps the time. */
static void playout_block(struct device *d) {
  float pcm[AUDIO_BLOCK] = {0};
  struct ring *r = d->end[CARD_OUT].ring;
  cushion_taken(&d->cushion, ring_fill(r), AUDIO_BLOCK);
  (void)ring_read(r, pcm, AUDIO_BLOCK);
  if (d->sink && !d->sink_failed)
    d->sink_failed = !file_sink_write(d->sink, pcm, AUDIO_BLOCK);
}

static void move_due_blocks(struct device *d) {
  for (int due = pace_take(&d->pace, now_ns()); due > 0; due--) {
    if (!d->end[CARD_IN].card)
      capture_block(d);
    if (!d->end[CARD_OUT].card)
      playout_block(d);
  }
}

static bool ready(const struct device *d, size_t n) {
  return ring_fill(d->end[CARD_IN].ring) >= n || ring_fill(d->end[CARD_OUT].ring) + n <= d->cushion.target;
}

void device_wait(struct device *d, size_t n, int ms) {
  int64_t until = now_ns() + ms * (NS_PER_S / 1000);
  cushion_look(&d->cushion, now_ns() / NS_PER_US, ring_fill(d->end[CARD_OUT].ring));
  for (;;) {
    while (sem_trywait(&d->wake) == 0)
      ; /* posts of callbacks that the rings below tell of */
    move_due_blocks(d);
    int64_t now = now_ns();
    if (ready(d, n) || now >= until)
      return;
    bool paced = !d->end[CARD_IN].card || !d->end[CARD_OUT].card;
    int64_t wake = paced && pace_next_ns(&d->pace) < until ? pace_next_ns(&d->pace) : until;
    struct timespec t = {.tv_sec = (time_t)(wake / NS_PER_S), .tv_nsec = (long)(wake % NS_PER_S)};
    (void)sem_clockwait(&d->wake, CLOCK_MONOTONIC, &t); /* a signal only makes another round */
  }
}

/* card_died: true when a card has not moved a sample for DEAD_NS. */
static bool card_died(struct end *e, int64_t now) {
  if (!e->card)
    return false;
  uint64_t frames = card_frames(e->card);
  if (frames != e->frames) {
    e->frames = frames;
    e->moved_ns = now;
  }
  return now - e->moved_ns > DEAD_NS;
}

/* card_missing: all cards are gone and it is time to look whether one is there again. */
static bool card_missing(struct device *d, int64_t now) {
  return d->had_card && !d->end[CARD_IN].card && !d->end[CARD_OUT].card && now >= d->retry_ns;
}

static void poll_sink(struct device *d, char *why, size_t n) {
  if (!d->sink || !d->sink_failed)
    return;
  file_sink_close(d->sink);
  d->sink = NULL;
  d->end[CARD_OUT].state = DEVICE_NULL;
  device_say(why, n, "the recording stopped: the file cannot be written any more");
}

bool device_poll(struct device *d, char *why, size_t n) {
  assert(n > 0);
  *why = '\0';
  enum device_state in = d->end[CARD_IN].state, out = d->end[CARD_OUT].state;
  int64_t now = now_ns();
  bool died = card_died(&d->end[CARD_IN], now);
  died |= card_died(&d->end[CARD_OUT], now);
  poll_sink(d, why, n);
  if (died || card_missing(d, now)) { /* both: PortAudio looks for devices only when none is open */
    close_cards(d);
    open_cards(d, why, n);
  }
  bool changed = in != d->end[CARD_IN].state || out != d->end[CARD_OUT].state;
  if (!changed)
    *why = '\0';
  else if (!*why)
    device_say(why, n, "the sound device is back");
  return changed;
}

bool device_finished(const struct device *d) {
  return d->source && file_source_finished(d->source);
}

void device_close(struct device *d) {
  if (!d)
    return;
  close_cards(d);
  file_source_close(d->source);
  file_sink_close(d->sink);
  ring_destroy(d->end[CARD_IN].ring);
  ring_destroy(d->end[CARD_OUT].ring);
  (void)sem_destroy(&d->wake);
  free(d);
}
