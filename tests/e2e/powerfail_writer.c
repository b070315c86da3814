/* powerfail_writer: appends to the store and says on its standard output what was confirmed; or checks what
 * is left.
 *
 *   powerfail_writer DATABASE                 two streams, groups of 1..8 events; after each commit one line
 * "A B": the last confirmed seq of each stream. Goes on where the log ends. powerfail_writer --verify
 * DATABASE A B    exit 0 when the chain verifies and both streams reach A and B. */
#include "core/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 2 };
static const char *const STREAM[STREAMS] = {"room:a", "room:b"};

/* What event `seq` holds: sizes from 0 to 6 kB, so that pages split and the log is folded in often. */
static void fill_payload(char out[8192], const char *stream, uint64_t seq) {
  size_t n = (size_t)snprintf(out, 64, "%s %" PRIu64 " ", stream, seq),
         more = (size_t)(seq * 2654435761U % 6000);
  memset(out + n, 'a' + (int)(seq % 26), more);
  out[n + more] = 0;
}

struct seen {
  const char *stream;
  uint64_t last;
};

static enum err check_record(void *ctx, const struct store_record *r) {
  struct seen *seen = ctx;
  char want[8192];
  fill_payload(want, seen->stream, r->seq);
  seen->last = r->seq;
  return r->payload && strcmp(r->payload, want) == 0 ? ERR_OK : ERR_DB_CORRUPT;
}

static struct store *open_store(const char *path) {
  char why[256];
  struct store *s;
  enum err e = store_open(path, NULL, rng_system(), &s, why);
  if (e == ERR_OK)
    return s;
  fprintf(stderr, "%s: %s\n", err_code(e), why);
  exit(2);
}

static uint64_t last_of(struct store *s, const char *stream) {
  struct seen seen = {stream, 0};
  enum err e = store_replay(s, stream, 0, check_record, &seen);
  if (e == ERR_OK)
    return seen.last;
  fprintf(stderr, "%s: %s after event %" PRIu64 "\n", stream, err_code(e), seen.last);
  exit(3);
}

static int verify(const char *path, char **confirmed) {
  char why[256];
  struct store *s = open_store(path);
  if (store_verify(s, why) != ERR_OK) {
    fprintf(stderr, "%s\n", why);
    return 4;
  }
  for (int i = 0; i < STREAMS; i++) {
    uint64_t last = last_of(s, STREAM[i]), want = strtoull(confirmed[i], NULL, 10);
    if (last < want) {
      fprintf(stderr, "%s: %" PRIu64 " was confirmed, %" PRIu64 " is left\n", STREAM[i], want, last);
      return 5;
    }
  }
  store_close(s);
  return 0;
}

static int write_for_ever(const char *path) {
  char payload[8192];
  uint64_t last[STREAMS];
  struct store *s = open_store(path);
  for (int i = 0; i < STREAMS; i++)
    last[i] = last_of(s, STREAM[i]);
  for (uint64_t group = 0;; group++) {
    for (uint64_t i = 0; i <= group % 8; i++) {
      size_t at = (size_t)((group + i) % STREAMS);
      fill_payload(payload, STREAM[at], ++last[at]);
      struct store_record r = {STREAM[at], last[at], 1, "m:1", "chat", "", "{}", payload};
      if (store_append(s, &r) != ERR_OK)
        return 6;
    }
    if (store_commit(s) != ERR_OK)
      return 7;
    if (printf("%" PRIu64 " %" PRIu64 "\n", last[0], last[1]) < 0 || fflush(stdout) != 0)
      return 8;
  }
}

int main(int argc, char **argv) {
  if (argc == 5 && strcmp(argv[1], "--verify") == 0)
    return verify(argv[2], argv + 3);
  if (argc == 2)
    return write_for_ever(argv[1]);
  fprintf(stderr, "usage: powerfail_writer DATABASE | --verify DATABASE A B\n");
  return 64;
}
