/* ctl_privacy.h: the copy of one person's data (GDPR Art. 15 and 20): what its two halves share.
 *
 * Invariant: nobody else's name, text or pseudonym and no secret gets into it: of documents only fields on a
 * list, of the log only payloads sealed under his own key; other people are participant-N, the same N all
 * through one export. Thread: one. */
#ifndef GAVEL_CTL_CTL_PRIVACY_H
#define GAVEL_CTL_CTL_PRIVACY_H

#include "core/access/access.h"

struct copy {
  struct store *store;
  char pid[ACCESS_PID_MAX + 1];
  json_t *files;   /* "name" -> array of records */
  json_t *aliases; /* pid, or stream and member -> N */
  json_t *people;  /* of the stream at hand: member id as text -> pid, or stream and member */
  json_t *mine;    /* of the stream at hand: his member ids */
  const char *room;
};
/* The files of a copy, in the order of the manifest. kind: 'o' one object, 'a' an array, 'l' JSON lines, 'c'
 * CSV. */
struct copy_file {
  const char *name;
  char kind;
  const char *holds, *fields;
};
extern const struct copy_file COPY_FILES[];

/* copy_add: one record to a file; steals it. copy_time: RFC 3339, UTC. */
void copy_add(struct copy *c, const char *file, json_t *record);
json_t *copy_time(int64_t ms);
/* ctl_privacy_log.c: what the rooms' logs and the audit log say of him. */
MUST_CHECK enum err copy_logs(struct copy *c);

#endif
