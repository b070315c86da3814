/* store_kit.h: a folder that goes away, records to append, and a second, raw connection. Tests only. */
#ifndef GAVEL_TESTS_STORE_KIT_H
#define GAVEL_TESTS_STORE_KIT_H

#include "core/store/files.h"
#include "core/store/store.h"

#include <inttypes.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct kit {
  char folder[64], path[96], why[256];
  struct store *s;
};

static inline int kit_setup(void **state) {
  struct kit *k = calloc(1, sizeof *k);
  assert_non_null(k);
  snprintf(k->folder, sizeof k->folder, "/tmp/gavel-store-XXXXXX");
  assert_non_null(mkdtemp(k->folder));
  snprintf(k->path, sizeof k->path, "%s/a.db", k->folder);
  *state = k;
  return 0;
}

static inline int kit_teardown(void **state) {
  struct kit *k = *state;
  char command[128];
  store_close(k->s);
  snprintf(command, sizeof command, "rm -rf '%s'", k->folder);
  assert_int_equal(system(command), 0);
  free(k);
  return 0;
}

/* The path of `name` in the folder; valid until the next call. */
static inline const char *kit_path(struct kit *k, const char *name) {
  static char path[128]; /* tests are one thread */
  snprintf(path, sizeof path, "%s/%s", k->folder, name);
  return path;
}

static inline void kit_open(struct kit *k) {
  enum err e = store_open(k->path, NULL, rng_system(), &k->s, k->why);
  if (e != ERR_OK)
    fail_msg("%s: %s", err_code(e), k->why);
}

static inline void kit_reopen(struct kit *k) {
  store_close(k->s);
  k->s = NULL;
  kit_open(k);
}

/* To look at, beside who has it open: as gavelctl does. */
static inline enum err kit_look(struct kit *k, struct store **out) {
  char name[128];
  uint8_t key[32] = {0};
  *out = NULL;
  snprintf(name, sizeof name, "%s.key", k->path);
  if (access(name, F_OK) == 0)
    assert_int_equal(files_read_key(name, key, k->why), ERR_OK);
  return store_open_copy(k->path, key, out, k->why);
}

static inline enum err kit_append(struct kit *k, const char *stream, uint64_t seq, const char *payload) {
  char data[64];
  snprintf(data, sizeof data, "{\"n\":%" PRIu64 "}", seq);
  struct store_record r = {stream, seq, 1700000000000 + (int64_t)seq, "m:3", "chat", "", data, payload, NULL};
  return store_append(k->s, &r);
}

/* Events first..last of a stream, each with a payload that names its place, and a commit. */
static inline void kit_fill(struct kit *k, const char *stream, uint64_t first, uint64_t last) {
  char payload[96];
  for (uint64_t i = first; i <= last; i++) {
    snprintf(payload, sizeof payload, "{\"text\":\"personal words %" PRIu64 " of %s\"}", i, stream);
    assert_int_equal(kit_append(k, stream, i, payload), ERR_OK);
  }
  assert_int_equal(store_commit(k->s), ERR_OK);
}

struct kit_seen {
  uint64_t n, last, payloads;
};
static inline enum err kit_count(void *ctx, const struct store_record *r) {
  struct kit_seen *seen = ctx;
  seen->n++;
  seen->last = r->seq;
  seen->payloads += r->payload != NULL;
  return ERR_OK;
}

/* kit_erase: all personal content of a stream goes, also out of the write-ahead log. */
static inline void kit_erase(struct kit *k, const char *stream) {
  uint64_t n;
  assert_int_equal(store_erase_before(k->s, stream, "*", INT64_MAX, NULL, &n), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
  store_fold(k->s);
}

static inline struct kit_seen kit_replay(struct kit *k, const char *stream, uint64_t after) {
  struct kit_seen seen = {0};
  assert_int_equal(store_replay(k->s, stream, after, kit_count, &seen), ERR_OK);
  return seen;
}

/* What someone with the file and the sqlite3 tool can do. */
static inline void kit_raw(const char *path, const char *sql) {
  sqlite3 *db;
  char *error = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
    fail_msg("%s: %s", sql, error);
  sqlite3_close(db);
}

/* Bytes of a file that nobody has open, to another. */
static inline void kit_copy(const char *from, const char *to) {
  char buf[4096];
  FILE *f = fopen(from, "rb"), *g = fopen(to, "wb");
  assert_true(f && g);
  for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;)
    assert_int_equal(fwrite(buf, 1, n, g), n);
  fclose(f);
  assert_int_equal(fclose(g), 0);
}

/* Is `needle` somewhere in the file? An absent file holds nothing. */
static inline int kit_file_holds(const char *path, const void *needle, size_t n) {
  FILE *f = fopen(path, "rb");
  if (!f)
    return 0;
  fseek(f, 0, SEEK_END);
  size_t size = (size_t)ftell(f);
  rewind(f);
  char *all = malloc(size + 1);
  assert_non_null(all);
  assert_int_equal(fread(all, 1, size, f), size);
  fclose(f);
  int found = memmem(all, size, needle, n) != NULL;
  free(all);
  return found;
}

#endif
