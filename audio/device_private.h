/* device_private.h: the parts behind device.h: the clock that stands in for a card, files, PortAudio streams.
 * Invariant: each part is one end (input or output) and knows nothing of the other. Thread: as device.h. */
#ifndef GAVEL_AUDIO_DEVICE_PRIVATE_H
#define GAVEL_AUDIO_DEVICE_PRIVATE_H

#include "audio/frame.h"
#include "audio/ring.h"

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)

/* device_say: appends a sentence to `why`, after "; " when there is one already; cut at n. */
void device_say(char *why, size_t n, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* pace: the clock of null and file ends: blocks fall due at fixed times since its start, so it never drifts.
 * Pure: the time is passed in (monotonic nanoseconds). After PACE_GAP blocks of standstill (a suspended
 * laptop) it starts anew instead of catching up. */
#define PACE_GAP 100
struct pace {
  int64_t start_ns;
  int64_t done; /* blocks since start_ns */
};
void pace_start(struct pace *p, int64_t now_ns);
/* pace_take: blocks that fell due since the last call. */
int pace_take(struct pace *p, int64_t now_ns);
/* pace_next_ns: when the next block falls due. */
int64_t pace_next_ns(const struct pace *p);

/* A file to read from. Open: NULL and a sentence when it cannot be read. */
struct file_source;
struct file_source *file_source_open(const char *path, bool loop, char *why, size_t n);
/* file_source_read: always n samples, silence after the end. */
void file_source_read(struct file_source *f, float *pcm, size_t n);
bool file_source_finished(const struct file_source *f);
void file_source_close(struct file_source *f);

/* A file to record into: the name's end says the format. Open: NULL and a sentence when it cannot be written.
 */
struct file_sink;
struct file_sink *file_sink_open(const char *path, char *why, size_t n);
/* file_sink_write: false when the file system refuses (disk full); may block as long as that does. */
bool file_sink_write(struct file_sink *f, const float *pcm, size_t n);
void file_sink_close(struct file_sink *f);

/* One half-duplex PortAudio stream between a card and a ring. */
enum card_side { CARD_IN, CARD_OUT };
struct card;
/* card_open: the device whose name has `name` in it, else (and for "") the default one; *fell_back says so.
 * NULL and a sentence when there is none. Every callback posts `wake`; one that plays tells `cushion`. All of
 * them must outlive the card. */
struct cushion;
struct card *card_open(enum card_side side, const char *name, struct ring *ring, struct cushion *cushion,
                       sem_t *wake, bool *fell_back, char *why, size_t n);
/* card_frames: samples moved so far; standing still for long means the card is dead. */
uint64_t card_frames(const struct card *c);
void card_close(struct card *c);

#endif
