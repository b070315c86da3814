#include "core/store/backup.h"
#include "core/store/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR_MS ((int64_t)BACKUP_HOUR_MS)
#define DAY_MS (24 * HOUR_MS)
#define SLACK_MS 120000 /* wall and monotonic clock may differ by this within an hour */

/* ---- pure ---- */

void backup_name(int64_t wall_ms, bool exact, char out[BACKUP_NAME_MAX]) {
  struct tm t;
  time_t s = (time_t)(wall_ms / 1000);
  gmtime_r(&s, &t);
  strftime(out, BACKUP_NAME_MAX, exact ? "db-%Y%m%dT%H%M%S.sqlite" : "db-%Y%m%dT%H.sqlite", &t);
}

static bool digits(const char **p, size_t n, int *out) {
  *out = 0;
  for (size_t i = 0; i < n; i++, ++*p) {
    if (**p < '0' || **p > '9')
      return false;
    *out = *out * 10 + (**p - '0');
  }
  return true;
}

bool backup_time(const char *name, int64_t *wall_ms) {
  struct tm t = {0};
  char again[BACKUP_NAME_MAX];
  const char *p = name + 3;
  if (strncmp(name, "db-", 3) != 0 || !digits(&p, 4, &t.tm_year) || !digits(&p, 2, &t.tm_mon) ||
      !digits(&p, 2, &t.tm_mday) || *p++ != 'T' || !digits(&p, 2, &t.tm_hour))
    return false;
  bool exact = *p != '.';
  if (exact && (!digits(&p, 2, &t.tm_min) || !digits(&p, 2, &t.tm_sec)))
    return false;
  t.tm_year -= 1900;
  t.tm_mon--;
  *wall_ms = (int64_t)timegm(&t) * 1000;
  backup_name(*wall_ms, exact, again); /* the 31st of February is no day */
  return strcmp(again, name) == 0;
}

void backup_keep(const char (*names)[BACKUP_NAME_MAX], size_t n, int64_t now_ms, bool *keep) {
  int64_t hour = INT64_MAX, day = INT64_MAX; /* the last one seen */
  int hours = 0, days = 0;
  for (size_t i = n; i-- > 0;) {
    int64_t t;
    keep[i] = !backup_time(names[i], &t) || t > now_ms;
    if (keep[i])
      continue;
    if (t / HOUR_MS != hour && hours < BACKUP_HOURS)
      hours++, keep[i] = true;
    if (t / DAY_MS != day && days < BACKUP_DAYS)
      days++, keep[i] = true;
    hour = t / HOUR_MS;
    day = t / DAY_MS;
  }
}

enum backup_due backup_due(const struct backup_list *l, int64_t now_ms, int64_t since_ms) {
  bool has = false, future = false;
  for (size_t i = 0; i < l->n; i++) {
    int64_t t;
    if (!backup_time(l->names[i], &t))
      continue;
    has = has || t / HOUR_MS == now_ms / HOUR_MS;
    future = future || t > now_ms;
  }
  if (!has)
    return BACKUP_DUE;
  return since_ms > HOUR_MS + SLACK_MS || (since_ms < 0 && future) ? BACKUP_CLOCK_BACK : BACKUP_NOT_DUE;
}

int64_t backup_age(const struct backup_list *l, int64_t now_ms) {
  int64_t age = -1, t;
  for (size_t i = 0; i < l->n; i++)
    if (backup_time(l->names[i], &t) && t <= now_ms && (age < 0 || now_ms - t < age))
      age = now_ms - t;
  return age;
}

/* ---- the folder ---- */

static int by_name(const void *a, const void *b) {
  return strcmp(a, b);
}

static enum err add_name(struct backup_list *l, const char *name) {
  if (l->n % 64 == 0) {
    char(*more)[BACKUP_NAME_MAX] = realloc(l->names, (l->n + 64) * sizeof *l->names);
    if (!more)
      return ERR_NOMEM;
    l->names = more;
  }
  snprintf(l->names[l->n++], BACKUP_NAME_MAX, "%.*s", BACKUP_NAME_MAX - 1, name);
  return ERR_OK;
}

enum err backup_list(const char *folder, struct backup_list *out, char why[256]) {
  *out = (struct backup_list){0};
  DIR *d = opendir(folder);
  if (!d)
    return files_why("open", folder, why);
  int64_t t;
  enum err e = ERR_OK;
  for (struct dirent *f; e == ERR_OK && (f = readdir(d));)
    if (backup_time(f->d_name, &t))
      e = add_name(out, f->d_name);
  closedir(d);
  if (out->n)
    qsort(out->names, out->n, sizeof *out->names, by_name);
  return e;
}

void backup_list_free(struct backup_list *l) {
  free(l->names);
  *l = (struct backup_list){0};
}
