/* ctl_quality.c: gavelctl quality: how good the lines of a room are, and were. */
#include "core/base/text.h"
#include "core/ctl/ctl.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <string.h>

#define NAME_COLS 24

static double number(const json_t *o, const char *key, double scale) {
  return (double)json_int(o, key, 0) / scale;
}

/* A MOS that is not known is shown as "-". */
static void print_mos(int64_t tenths, const char *after) {
  if (tenths)
    printf("%.1f%s", (double)tenths / 10, after);
  else
    printf("%3s%s", "-", after);
}

static void print_line(const json_t *o) {
  char name[4 * NAME_COLS + 1], tier[32];
  text_show(json_str(o, "name", ""), false, name, sizeof name);
  int pad = NAME_COLS - (int)text_width(name);
  snprintf(tier, sizeof tier, "%s+%lld", json_str(o, "tier", ""), (long long)json_int(o, "copies", 0));
  printf("#%-5lld %s%*s %-9s", (long long)json_int(o, "member", 0), name, pad > 0 ? pad : 0, "", tier);
  printf(" %3.0f/%-3.0f %3.0f/%-3.0f ", number(o, "loss_up", 1), number(o, "loss_down", 1),
         number(o, "concealed_up", 1), number(o, "concealed_down", 1));
  print_mos(json_int(o, "mos_up_tenths", 0), "/");
  print_mos(json_int(o, "mos_down_tenths", 0), " ");
  printf("%5.0f %5.0f %6.0f %4.0f/%-4.0f\n", number(o, "jitter_ms", 1), number(o, "rtt_ms", 1),
         number(o, "buffer_ms", 1), number(o, "kbps_up", 1), number(o, "kbps_down", 1));
}

static void print_lines(const json_t *list) {
  size_t i;
  const json_t *o;
  if (json_array_size(list) == 0) {
    puts("no sound paths that were reported on");
    return;
  }
  printf("%-6s %-*s %-9s %-7s %-7s %-7s %5s %5s %6s %s\n", "id", NAME_COLS, "name", "gets", "loss %",
         "made up", "MOS", "jit", "rtt", "buffer", "kb/s");
  json_array_foreach(list, i, o) print_line(o);
}

static void print_visits(const json_t *list) {
  size_t i;
  const json_t *o;
  char to[32];
  printf("%-20s %8s %6s %7s %6s %4s %5s %5s %5s %5s %7s\n", "stay until", "seconds", "loss %", "made up",
         "frozen", "MOS", "jit", "rtt", "burst", "kb/s", "join ms");
  json_array_foreach(list, i, o) {
    printf("%-20s %8.0f %6.1f %7.1f %6.1f  ", ctl_time(json_int(o, "to_ms", 0), to), number(o, "seconds", 1),
           number(o, "loss_permille", 10), number(o, "concealed_permille", 10),
           number(o, "frozen_permille", 10));
    print_mos(json_int(o, "mos_tenths", 0), "");
    printf(" %5.0f %5.0f %5.0f %5.0f %7.0f\n", number(o, "jitter_ms", 1), number(o, "rtt_ms", 1),
           number(o, "burst_ms", 1), number(o, "kbps", 1), number(o, "join_ms", 1));
  }
}

int ctl_quality(struct ctl *c, json_t *params) {
  int rc = EXIT_OK;
  json_t *result = ctl_ask(c, "room.quality", json_incref(params), &rc);
  const json_t *visits = json_object_get(result, "visits");
  if (result && c->json)
    ctl_print_json(result);
  else if (result) {
    print_lines(json_object_get(result, "lines"));
    if (visits) {
      puts("");
      print_visits(visits);
    }
  }
  json_decref(result);
  return rc;
}
