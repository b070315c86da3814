/* jitter: a line that gets too narrow for a while: a queue stands before it, and is gone again. */
#include "tests/unit/audio/jitter_kit.h"

#include <stdio.h>

/* congest: from `from_s` on, for `seconds`, packets wait in a queue that fills up to `most_ms` within two
 * seconds, loses every eighth then, and drains within half a second afterwards. */
static void congest(int from_s, int seconds, int most_ms) {
  int64_t from = from_s * 1000000, end = from + seconds * 1000000, most = most_ms * 1000, last = 0;
  for (size_t i = 0; i < events_n; i++) {
    struct event *v = &events[i];
    int64_t in = v->at_us - from, after = v->at_us - end, wait = 0;
    if (in > 0 && after <= 0) {
      wait = in * most / 2000000 < most ? in * most / 2000000 : most;
      v->drop = wait == most && i % 8 == 7;
    } else if (after > 0 && after < 500000) {
      wait = most - most * after / 500000;
    }
    v->at_us += wait > 0 ? wait : 0;
    v->at_us = v->at_us > last ? v->at_us : last;
    last = v->at_us;
  }
}

int main(void) {
  int pt[] = {20, 40, 60};
  int secs[] = {5, 8, 12, 20};
  for (int p = 0; p < 3; p++)
  for (int k = 0; k < 4; k++) {
      struct source s = {.ptime_ms = pt[p], .seconds = 60};
      record(&s);
      congest(10, secs[k], 400);
      struct jitter *j = jitter_create();
      for (size_t i = 0; i < events_n; i++) sent[events[i].index] = events[i];
      size_t next = 0;
      printf("%d ms, %d s:", pt[p], secs[k]);
      for (size_t at = 0; at + 240 <= 40u * AUDIO_RATE; at += 240) {
        int64_t now_us = (int64_t)at * 1000 / 48;
        for (; next < events_n && events[next].at_us <= now_us; next++)
          if (!events[next].drop) put(j, &events[next]);
        jitter_get(j, now_us, heard + at, 240);
        int ms = (int)(now_us / 1000) - (10 + secs[k]) * 1000;
        if (ms >= -500 && ms % 500 == 0 && ms <= 8000) { jitter_stats(j, &stats); printf(" %d/%d(%d)", stats.target_ms, stats.delay_ms, (int)(stats.stretched/48)); }
      }
      printf("\n");
      jitter_destroy(j);
  }
  return 0;
}
