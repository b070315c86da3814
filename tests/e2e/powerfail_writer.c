/* powerfail_writer: writes to the store and says on its standard output what was confirmed; or checks what is
 * left.
 *
 *   powerfail_writer DATABASE    two streams, groups of 1..8 events and one document of twenty, each of its
 * own person; after each commit one line "A B D": the last confirmed seq of each stream, and the number of
 * the document's version. Goes on where it ended. powerfail_writer --verify DATABASE A B D    exit 0 when the
 * chain verifies, both streams reach A and B, and no document is of an older version than D says. */
#include "core/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 2, DOCS = 20 };
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

/* Version v of the documents is one of document v % DOCS; its text is v and then letters, as of an event. */
static enum err check_doc(void *ctx, const char *id, const char *pid, const char *text) {
  uint64_t *version = ctx, v = strtoull(strchr(text, ' ') + 1, NULL, 10), i = strtoull(id, NULL, 10);
  char want[8192];
  fill_payload(want, "doc", v);
  if (i != v % DOCS || strcmp(text, want) != 0 || strncmp(pid, "p-", 2) != 0)
    return ERR_DB_CORRUPT;
  version[i] = v;
  return ERR_OK;
}

/* The version of each document; returns the newest. */
static uint64_t read_docs(struct store *s, uint64_t version[DOCS]) {
  uint64_t newest = 0;
  memset(version, 0, DOCS * sizeof *version);
  enum err e = store_each_doc(s, "doc", NULL, check_doc, version);
  if (e != ERR_OK) {
    fprintf(stderr, "documents: %s\n", err_code(e));
    exit(3);
  }
  for (int i = 0; i < DOCS; i++)
    newest = version[i] > newest ? version[i] : newest;
  return newest;
}

static enum err put_doc(struct store *s, uint64_t v) {
  char text[8192], id[24], pid[24];
  fill_payload(text, "doc", v);
  snprintf(id, sizeof id, "%" PRIu64, v % DOCS);
  snprintf(pid, sizeof pid, "p-%016" PRIx64, v % DOCS);
  return store_put_doc(s, "doc", id, pid, text);
}

static int verify_docs(struct store *s, uint64_t confirmed) {
  uint64_t version[DOCS];
  (void)read_docs(s, version);
  for (uint64_t v = confirmed < DOCS ? 1 : confirmed - DOCS + 1; v <= confirmed; v++)
    if (version[v % DOCS] < v) {
      fprintf(stderr, "document %" PRIu64 ": version %" PRIu64 " was confirmed, %" PRIu64 " is left\n",
              v % DOCS, v, version[v % DOCS]);
      return 5;
    }
  return 0;
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
  int rc = verify_docs(s, strtoull(confirmed[STREAMS], NULL, 10));
  store_close(s);
  return rc;
}

static int write_for_ever(const char *path) {
  char payload[8192];
  uint64_t last[STREAMS], version[DOCS];
  struct store *s = open_store(path);
  for (int i = 0; i < STREAMS; i++)
    last[i] = last_of(s, STREAM[i]);
  uint64_t doc = read_docs(s, version);
  for (uint64_t group = 0;; group++) {
    for (uint64_t i = 0; i <= group % 8; i++) {
      size_t at = (size_t)((group + i) % STREAMS);
      fill_payload(payload, STREAM[at], ++last[at]);
      struct store_record r = {STREAM[at], last[at], 1, "m:1", "chat", "", "{}", payload, NULL};
      if (store_append(s, &r) != ERR_OK)
        return 6;
    }
    if (put_doc(s, ++doc) != ERR_OK || store_commit(s) != ERR_OK)
      return 7;
    if (printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", last[0], last[1], doc) < 0 || fflush(stdout) != 0)
      return 8;
  }
}

int main(int argc, char **argv) {
  if (argc == 6 && strcmp(argv[1], "--verify") == 0)
    return verify(argv[2], argv + 3);
  if (argc == 2)
    return write_for_ever(argv[1]);
  fprintf(stderr, "usage: powerfail_writer DATABASE | --verify DATABASE A B D\n");
  return 64;
}
