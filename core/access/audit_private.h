/* audit_private.h: the state of the audit log, shared by audit.c (entries), audit_checkpoint.c and
 * audit_ctl.c. */
#ifndef GAVEL_ACCESS_AUDIT_PRIVATE_H
#define GAVEL_ACCESS_AUDIT_PRIVATE_H

#include "core/access/access_private.h"
#include "core/access/audit_verify.h"

#define AUDIT_REPEATS 1024    /* refusals told apart within a minute; the others are only counted */
#define AUDIT_REPEATS_NET 128 /* of one network: whoever floods hides no other */
#define AUDIT_REPEAT_MS 60000
#define AUDIT_CHECKPOINT_ENTRIES 1000
#define AUDIT_CHECKPOINT_MS INT64_C(3600000)
#define AUDIT_DAY_MS INT64_C(86400000)
#define AUDIT_DAYS_MIN 180
#define AUDIT_FOLD_MS 1000
#define AUDIT_WORD_MAX 64

struct repeat { /* refusals that are the same in all that is kept of them */
  uint8_t key[16];
  int64_t until_ms;
  uint64_t n; /* after the first, which has its own line */
  char action[AUDIT_WORD_MAX], actor[AUDIT_WORD_MAX], net[AUDIT_WORD_MAX], why[AUDIT_WORD_MAX];
  enum err outcome;
};
struct audit {
  uint8_t secret[32], public[32];
  char origin[AUDIT_ORIGIN_MAX];
  uint64_t seq;           /* of the last entry, that of the open group too */
  struct checkpoint head; /* what is on disk: size and hash */
  struct checkpoint last; /* the newest one; its time is "" when none was made since the start */
  uint64_t covered;       /* entries up to this one need no checkpoint any more */
  int64_t checkpoint_ms;  /* when the newest was made */
  int64_t prune_ms;       /* when the next pruning is due */
  int64_t fold_ms;        /* when store_fold is tried again */
  bool begun;             /* the key was there already: so must be the log */
  struct repeat *repeats; /* AUDIT_REPEATS */
  size_t n_repeats;
  struct repeat others;                               /* those there was no place for */
  char actor[AUDIT_WORD_MAX], ticket[AUDIT_WORD_MAX]; /* on whose behalf, see audit_serve */
};

/* audit_append: one entry; steals `data` (app, room, outcome, ... as they are kept). */
void audit_append(struct access *a, const char *actor, const char *action, const char *target, json_t *data);
/* audit_word: a word safe in every log: no control characters, at most AUDIT_WORD_MAX - 1 bytes. */
void audit_word(const char *text, char out[AUDIT_WORD_MAX]);
/* audit_start: the log is checked against the anchor file, once. */
void audit_start(struct access *a);
/* audit_key_open: the signing key, made on first use; audit_head: what of the stream is on disk by now. */
MUST_CHECK enum err audit_key_open(struct access *a);
MUST_CHECK enum err audit_head(struct access *a);
/* audit_checkpoint_due: are there entries that need one, by number or by age? */
bool audit_checkpoint_due(const struct access *a);
int64_t audit_checkpoint_next_ms(const struct access *a);
/* audit_prune: entries older than `days` (at least AUDIT_DAYS_MIN) go; *n how many. Commits the open group.
 */
MUST_CHECK enum err audit_prune(struct access *a, int days, uint64_t *n);

#endif
