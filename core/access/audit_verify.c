#include "core/access/audit_verify.h"
#include "core/wire/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* False: it has not the form of a checkpoint. */
static bool add(struct audit_anchors *a, const char *line) {
  struct checkpoint c;
  if (!checkpoint_read_line(line, &c))
    return false;
  if (!checkpoint_fits(&c, a->key)) {
    a->first_bad = a->bad++ ? a->first_bad : c.size;
    return true;
  }
  a->v = realloc(a->v, (a->n + 1) * sizeof *a->v);
  if (!a->v)
    abort();
  a->v[a->n] = (struct store_anchor){.seq = c.size};
  memcpy(a->v[a->n++].hash, c.hash, sizeof c.hash);
  return true;
}

bool audit_anchor_file(struct audit_anchors *a, const char *path) {
  FILE *f = fopen(path, "re");
  char *line = NULL;
  size_t cap = 0;
  if (!f)
    return false;
  while (errno = 0, getline(&line, &cap, f) > 0)
    a->torn += line[strspn(line, " \r\n")] && !add(a, line);
  bool read = !ferror(f);
  int fault = errno;
  free(line);
  fclose(f);
  errno = fault;
  return read;
}

static enum err take_entry(void *ctx, const struct store_record *r) {
  struct audit_anchors *a = ctx;
  if (strcmp(r->kind, "audit.checkpoint") != 0)
    return ERR_OK;
  json_t *data = json_loads(r->data, 0, NULL);
  if (!add(a, json_str(json_object_get(data, "meta"), "checkpoint", "")))
    a->first_bad = a->bad++ ? a->first_bad : r->seq;
  json_decref(data);
  return ERR_OK;
}

static int by_seq(const void *a, const void *b) {
  uint64_t x = ((const struct store_anchor *)a)->seq, y = ((const struct store_anchor *)b)->seq;
  return x < y ? -1 : x > y;
}

enum err audit_verify(struct store *s, struct audit_anchors *a, char why[256]) {
  uint8_t hash[32];
  uint64_t size = 0;
  /* A log that was tampered with is read as far as it goes: what is wrong with it is said below. */
  enum err e = store_replay(s, AUDIT_STREAM, 0, take_entry, a);
  if (a->n)
    qsort(a->v, a->n, sizeof *a->v, by_seq);
  e = store_verify_stream(s, AUDIT_STREAM, a->v, a->n, why);
  if (e == ERR_OK)
    e = store_head(s, AUDIT_STREAM, &size, hash);
  if (e == ERR_OK && size == 0) {
    snprintf(why, 256, "the audit log has no entry at all");
    e = ERR_AUDIT_TRUNCATED;
  }
  if (e == ERR_OK && a->bad) {
    snprintf(why, 256, "the signature of a checkpoint (of entry %" PRIu64 ") is not this key's",
             a->first_bad);
    e = ERR_AUDIT_SIGNATURE;
  }
  return e;
}
