/* utc.h: wall time as text, RFC 3339 in UTC, and back.
 *
 * Invariant: what utc_text writes, utc_read reads as the same second. Pure; any thread. */
#ifndef GAVEL_BASE_UTC_H
#define GAVEL_BASE_UTC_H

#include <stdbool.h>
#include <stdint.h>

#define UTC_MAX 32 /* with the NUL */
#define UTC_DAY 10 /* letters of the day in front */

/* utc_text: wall ms as 2026-01-31T12:00:00Z; utc_text_ms: as 2026-01-31T12:00:00.000Z. Before 1970: as 1970.
 */
void utc_text(int64_t ms, char out[UTC_MAX]);
void utc_text_ms(int64_t ms, char out[UTC_MAX]);
/* utc_read: 2026-01-31, 2026-01-31T12:00Z or 2026-01-31T12:00:00Z, and only so, as wall ms; utc_read_day:
 * only the first. False: no such day or time, or before 1970. */
bool utc_read(const char *text, int64_t *ms);
bool utc_read_day(const char *text, int64_t *ms);

#endif
