/* privacy_private.h: what the files of core/access/privacy*.c share: consents, restrictions, legal holds,
 * visits, retention, and the list of everything that is stored.
 *
 * Invariant: whatever is kept of a person stands in documents of his pid, so that erasing his key erases it;
 * what is counted after that (class "usage") names nobody. Thread: the control thread. */
#ifndef GAVEL_ACCESS_PRIVACY_PRIVATE_H
#define GAVEL_ACCESS_PRIVACY_PRIVATE_H

#include "core/access/access_private.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define SWEEP_MOST 100 /* documents of a class a tick */
#define VISITOR_MS (30 * DAY_MS)
#define USAGE_MONTHS 13
#define USAGE_MS (USAGE_MONTHS * 30 * DAY_MS + 5 * DAY_MS)

struct privacy {
  json_t *holds;      /* [{id, pid, reason, since_ms, until_ms}] */
  json_t *restricted; /* pid -> {reason, since_ms} */
  json_t *swept;      /* stream of an ended room -> [how far it has been purged: 1 chat, 2 payloads, 3 events;
                         when it ended]: documents too, so that nothing is walked twice */
  char sha256[65];    /* of the consent text */
  int64_t next_ms;    /* of the sweeper */
  json_t *queue;      /* streams this sweep still has to look at, NULL between sweeps */
  bool keys_done;
  char key[ACCESS_PID_MAX + 1]; /* the last one looked at */
};

/* privacy_docs: the documents of a class as [{id, pid, doc}]; of one pid or NULL. privacy_docs_some: at most
 * `most` with ids below `before`, but of nobody whose data must be kept. A new reference; what cannot be read
 * is kept in a->failed. */
json_t *privacy_docs(struct access *a, const char *class, const char *pid);
json_t *privacy_docs_some(struct access *a, const char *class, const char *before, size_t most);
/* hour_id: what an id begins with so that the oldest come first. */
void hour_id(int64_t ms, char out[12]);
/* privacy_subject: the pid that params.user names: "name@app" or a pid. ERR_NO_USER: also when nothing is
 * stored of it. */
MUST_CHECK enum err privacy_subject(const struct access *a, const json_t *params,
                                    char pid[ACCESS_PID_MAX + 1]);
/* privacy_held: the hold that keeps this person's data, NULL: none. */
const json_t *privacy_held(const struct access *a, const char *pid);

/* privacy_visits.c. visits_anonymise: all of one pid. visits_age: those that ended before `before_ms` and are
 * not held. visits_drop: anonymous ones older than 13 months. At most SWEEP_MOST; how many. visits_metering:
 * [{app, room, visits, seconds}]. */
size_t visits_anonymise(struct access *a, const char *pid);
size_t visits_age(struct access *a, int64_t before_ms);
size_t visits_drop(struct access *a);
json_t *visits_metering(struct access *a, const char *app);

/* consents_age: of those who were never known again, older than VISITOR_MS; how many were looked at. */
size_t consents_age(struct access *a);

/* privacy_sweep.c: everything whose time is over goes, a little a tick; audited as retention.purge. */
void privacy_sweep(struct access *a);

/* privacy_records.c: what is stored: [{kind, name, columns?, category, purpose, retention, days}]. */
json_t *privacy_records(struct access *a);

#endif
