#include "core/auth/scope.h"
#include "core/base/text.h"
#include "core/base/utc.h"
#include "core/ctl/ctl.h"
#include "core/wire/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CELL_MAX 512 /* bytes of one value as it is shown */
#define COLUMNS_MAX 16

void ctl_print_json(const json_t *v) {
  char *text = json_dumps(v, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
  puts(text ? text : "");
  free(text);
}

const char *ctl_time(int64_t ms, char out[32]) {
  utc_text(ms, out);
  if (ms % 86400000 == 0) /* a day is meant */
    out[UTC_DAY] = 0;
  return out;
}

static size_t title_len(const char *key) {
  size_t n = strlen(key);
  return n > 3 && strcmp(key + n - 3, "_ms") == 0 ? n - 3 : n;
}

static bool is_all_scopes(const char *key, const json_t *v) {
  char all[SCOPE_TEXT_MAX];
  scope_format(SCOPE_ALL, all);
  return strcmp(key, "scopes") == 0 && strcmp(json_string_value(v), all) == 0;
}

/* A value as one word or line; times are known by the end of their key. */
static void cell(const char *key, const json_t *v, char out[CELL_MAX]) {
  char at[32];
  if (json_is_string(v) && json_string_length(v) > 0)
    text_show(is_all_scopes(key, v) ? "all" : json_string_value(v), false, out, CELL_MAX);
  else if (json_is_string(v))
    snprintf(out, CELL_MAX, "-");
  else if (json_is_integer(v) && key[title_len(key)])
    snprintf(out, CELL_MAX, "%s", json_integer_value(v) ? ctl_time(json_integer_value(v), at) : "-");
  else if (json_is_real(v))
    snprintf(out, CELL_MAX, "%.3f", json_real_value(v));
  else if (json_is_integer(v))
    snprintf(out, CELL_MAX, "%lld", (long long)json_integer_value(v));
  else if (json_is_boolean(v))
    snprintf(out, CELL_MAX, "%s", json_is_true(v) ? "yes" : "no");
  else {
    char *text =
        v && !json_is_null(v) ? json_dumps(v, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY) : NULL;
    snprintf(out, CELL_MAX, "%s", text ? text : "-");
    free(text);
  }
}

static void print_value(const char *key, const json_t *v) {
  char text[CELL_MAX];
  cell(key, v, text);
  printf("%-16.*s %s\n", (int)title_len(key), key, text);
}

static void print_row(const json_t *row, const char *const *keys, const size_t *widths, size_t n) {
  char text[CELL_MAX];
  for (size_t k = 0; k < n; k++) {
    cell(keys[k], json_object_get(row, keys[k]), text);
    int pad = (int)widths[k] - (int)text_width(text);
    printf("%s%*s", text, k + 1 < n ? (pad > 0 ? pad : 0) + 2 : 0, "");
  }
  puts("");
}

static void print_table(const json_t *list, const char *const *keys, const size_t *widths, size_t n) {
  size_t i;
  json_t *row;
  for (size_t k = 0; k < n; k++)
    printf("%-*.*s%s", k + 1 < n ? (int)widths[k] : 0, (int)title_len(keys[k]), keys[k],
           k + 1 < n ? "  " : "\n");
  json_array_foreach(list, i, row) print_row(row, keys, widths, n);
}

/* Each row as lines of its own. */
static void print_records(const json_t *list, const char *const *keys, size_t n) {
  size_t i;
  json_t *row;
  json_array_foreach(list, i, row) {
    for (size_t k = 0; k < n; k++)
      print_value(keys[k], json_object_get(row, keys[k]));
    if (i + 1 < json_array_size(list))
      puts("");
  }
}

/* The columns of a terminal; a pipe takes lines of any width. */
static size_t columns(void) {
  struct winsize ws;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0 ? ws.ws_col : SIZE_MAX;
}

/* A list of objects: the keys of the first are the columns. Of anything else: one a line. */
static void print_list(const json_t *list) {
  const char *keys[COLUMNS_MAX], *key;
  size_t widths[COLUMNS_MAX], n = 0, i, total = 0;
  json_t *row, *value;
  char text[CELL_MAX];
  json_object_foreach(json_array_get(list, 0), key, value) {
    if (n == COLUMNS_MAX)
      break;
    keys[n] = key;
    widths[n++] = title_len(key);
  }
  json_array_foreach(list, i, row) {
    for (size_t k = 0; k < n; k++) {
      cell(keys[k], json_object_get(row, keys[k]), text);
      widths[k] = text_width(text) > widths[k] ? text_width(text) : widths[k];
    }
    if (n == 0) {
      cell("", row, text);
      puts(text);
    }
  }
  for (size_t k = 0; k < n; k++)
    total += widths[k] + (k ? 2 : 0);
  if (json_array_size(list) == 0)
    puts("none");
  else if (n > 0 && total > columns())
    print_records(list, keys, n);
  else if (n > 0)
    print_table(list, keys, widths, n);
}

static void print_object(const json_t *result) {
  const char *key;
  json_t *value;
  bool titled = json_object_size(result) > 1;
  json_object_foreach((json_t *)(uintptr_t)result, key, value) {
    if (json_is_array(value)) {
      if (titled)
        printf("%s:\n", key);
      print_list(value);
    } else if (json_is_string(value) && strchr(json_string_value(value), '\n')) { /* a text: as it is */
      size_t cap = json_string_length(value) + 1;
      char *lines = malloc(cap);
      if (lines)
        text_show(json_string_value(value), true, lines, cap);
      printf("%s", lines ? lines : "");
      free(lines);
    } else {
      print_value(key, value);
    }
  }
}

void ctl_print(const struct ctl *c, const json_t *result) {
  if (c->json)
    ctl_print_json(result);
  else if (json_is_array(result))
    print_list(result);
  else if (json_object_size(result) == 0)
    puts("done");
  else
    print_object(result);
}
