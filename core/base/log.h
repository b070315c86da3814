/* log.h: logfmt lines ("ts=... level=info msg=... key=value") to an injected sink.
 *
 * Invariant: values are quoted and escaped, one call is one line, no secret is ever passed (see log_secret
 * rule in docs/architecture.md). Thread: any; the sink is called under a lock. Never call it per packet. */
#ifndef GAVEL_BASE_LOG_H
#define GAVEL_BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* log_set: where lines go (NULL: nowhere) and the least level. Default: nowhere, libraries stay quiet. */
void log_set(void (*sink)(void *ctx, const char *line), void *ctx, enum log_level least);
/* log_to_stderr: a sink for log_set. Lines reach a sink without the newline. */
void log_to_stderr(void *ctx, const char *line);
/* log_event: msg, then pairs "key", "value" ended by NULL. Values may be any text (not NULL); they are
 * escaped. A line is at most 2047 bytes; what does not fit is left out, marked by "...". */
void log_event(enum log_level level, const char *msg, ...) __attribute__((sentinel));
/* log_int: a number as a value for log_event; valid until the 8th next call in this thread. */
const char *log_int(long long v);

#endif
