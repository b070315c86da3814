#include "core/base/log.h"

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/utc.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 2048
#define LEVELS 4

/* The one sink of the process: a module that had to be handed a logger to say anything would say nothing. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void (*sink)(void *ctx, const char *line);
static void *sink_ctx;
static atomic_int sink_least = LEVELS; /* LEVELS: nothing is logged */

void log_set(void (*to)(void *ctx, const char *line), void *ctx, enum log_level least) {
  pthread_mutex_lock(&lock);
  sink = to;
  sink_ctx = ctx;
  atomic_store(&sink_least, to ? (int)least : LEVELS);
  pthread_mutex_unlock(&lock);
}

void log_to_stderr(void *ctx, const char *line) {
  (void)ctx;
  fprintf(stderr, "%s\n", line);
}

struct line {
  char text[LINE_MAX_BYTES];
  size_t len;
  bool cut;  /* something did not fit */
  bool open; /* a quote waits for its end */
};

/* put: all of it or, once the line is full, nothing more; leaves room for finish. */
static void put(struct line *l, const char *p, size_t n) {
  if (l->cut || l->len + n > sizeof l->text - sizeof "...\"") {
    l->cut = true;
    return;
  }
  memcpy(l->text + l->len, p, n);
  l->len += n;
}

static void put_str(struct line *l, const char *s) {
  put(l, s, strlen(s));
}

static bool is_plain(const char *s) {
  static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/@+-";
  return s[0] && s[strspn(s, set)] == 0;
}

/* put_escaped: whatever a terminal or a log reader could take for more than text becomes \xNN, byte by byte.
 */
static void put_escaped(struct line *l, const char *s) {
  for (const char *end = s + strlen(s); s != end && !l->cut;) {
    const char *at = s;
    uint32_t cp = text_utf8_next(&s, end);
    bool broken = cp == 0xfffd && s - at == 1;
    if (cp == '"' || cp == '\\') {
      put(l, (const char[]){'\\', (char)cp}, 2);
    } else if (!broken && text_cp_safe(cp)) {
      put(l, at, (size_t)(s - at));
    } else {
      for (; at != s; at++) {
        char hex[5];
        snprintf(hex, sizeof hex, "\\x%02x", (unsigned)(unsigned char)*at);
        put(l, hex, 4);
      }
    }
  }
}

static void put_value(struct line *l, const char *v) {
  if (is_plain(v)) {
    put_str(l, v);
    return;
  }
  put_str(l, "\"");
  l->open = !l->cut;
  put_escaped(l, v);
  put_str(l, "\"");
  l->open = l->open && l->cut;
}

static void finish(struct line *l) {
  for (const char *mark = l->open ? "...\"" : "..."; l->cut && *mark; mark++)
    l->text[l->len++] = *mark;
  l->text[l->len] = 0;
}

static void put_time(struct line *l) {
  char text[UTC_MAX];
  utc_text_ms(clock_wall_ms(), text);
  put_str(l, "ts=");
  put_str(l, text);
}

void log_event(enum log_level level, const char *msg, ...) {
  static const char *const names[LEVELS] = {"debug", "info", "warn", "error"};
  assert((unsigned)level < LEVELS);
  if ((int)level < atomic_load(&sink_least))
    return;
  struct line l = {.len = 0};
  put_time(&l);
  put_str(&l, " level=");
  put_str(&l, names[level]);
  put_str(&l, " msg=");
  put_value(&l, msg);
  va_list args;
  va_start(args, msg);
  for (const char *key; !l.cut && (key = va_arg(args, const char *)) != NULL;) {
    const char *value = va_arg(args, const char *);
    assert(is_plain(key) && value);
    put_str(&l, " ");
    put_str(&l, key);
    put_str(&l, "=");
    put_value(&l, value);
  }
  va_end(args);
  finish(&l);
  pthread_mutex_lock(&lock);
  if (sink)
    sink(sink_ctx, l.text);
  pthread_mutex_unlock(&lock);
}

const char *log_int(long long v) {
  static _Thread_local char ring[8][24]; /* one call's arguments live together, so one buffer is not enough */
  static _Thread_local unsigned next;
  char *out = ring[next++ % 8];
  snprintf(out, sizeof ring[0], "%lld", v);
  return out;
}
