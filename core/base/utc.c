#include "core/base/utc.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The second, without the Z; "" when no year fits. */
static void format(int64_t ms, char out[UTC_MAX]) {
  time_t t = (time_t)(ms >= 0 ? ms / 1000 : 0);
  struct tm tm;
  if (!gmtime_r(&t, &tm) || strftime(out, UTC_MAX - 5, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
    out[0] = 0;
}

void utc_text(int64_t ms, char out[UTC_MAX]) {
  char second[UTC_MAX];
  format(ms, second);
  snprintf(out, UTC_MAX, "%.26sZ", second);
}

void utc_text_ms(int64_t ms, char out[UTC_MAX]) {
  char second[UTC_MAX];
  format(ms, second);
  snprintf(out, UTC_MAX, "%.26s.%03dZ", second, (int)(ms >= 0 ? ms % 1000 : 0));
}

bool utc_read(const char *text, int64_t *ms) {
  static const struct {
    const char *form, *end;
    size_t n; /* letters before the end */
  } FORMS[] = {{"%Y-%m-%d", "", UTC_DAY}, {"%Y-%m-%dT%H:%MZ", "Z", 16}, {"%Y-%m-%dT%H:%M:%SZ", "Z", 19}};
  for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
    struct tm tm = {0};
    char again[UTC_MAX];
    const char *end = strptime(text, FORMS[i].form, &tm);
    int64_t t = end && !*end ? (int64_t)timegm(&tm) * 1000 : -1;
    if (t < 0)
      continue;
    format(t, again); /* the 31st of February is no day, and blanks are none of it */
    *ms = t;
    return strncmp(again, text, FORMS[i].n) == 0 && strcmp(text + FORMS[i].n, FORMS[i].end) == 0;
  }
  return false;
}

bool utc_read_day(const char *text, int64_t *ms) {
  return strlen(text) == UTC_DAY && utc_read(text, ms);
}
