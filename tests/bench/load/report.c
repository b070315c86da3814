/* report.c: a run as a table for people or as JSON for scripts: the same rows. */
#include "core/wire/json.h"
#include "tests/bench/load/person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 80
#define SPOKEN_LEAST 25 /* half a second: less is not judged */
#define HEARD_SHARE 0.8 /* of a speaker's packets must be in what everybody else got */
#define TONE_SHARE 0.7  /* of his frames must be heard in the decoded sound */
#define LOUD_SHARE 0.5  /* of the frames, when it is speech, must be no silence */
#define CONCEALED_MAX 0.2
#define WHY_MAX 8

struct row {
  const char *name, *unit;
  double value;
  bool whole;
};
struct report {
  const struct load *load;
  struct row row[ROWS_MAX];
  size_t n;
  uint64_t packets, late;
  int64_t lost;
  size_t up, judged, deaf, decoded, wrong_sound; /* people */
  double concealed;
  struct histo jitter;
};

static void add(struct report *r, const char *name, const char *unit, double value) {
  if (r->n < ROWS_MAX)
    r->row[r->n++] = (struct row){name, unit, value, false};
}
static void add_count(struct report *r, const char *name, double value) {
  add(r, name, "", value);
  r->row[r->n - 1].whole = true;
}
static void add_times(struct report *r, const char *p50, const char *p99, const struct histo *h) {
  add(r, p50, "ms", histo_ms(h, 0.50));
  add(r, p99, "ms", histo_ms(h, 0.99));
}

/* ---- judging ---- */

static double seconds(us_t us) {
  return (double)us / (double)US_PER_S;
}

/* Where a network takes away or people come anew, nobody can hear everything. */
static bool is_judged(const struct load *l) {
  return !l->cfg.impaired && !l->cfg.soak_us;
}

static bool sound_is_right(const struct person *p) {
  const struct load_room *room = p->room;
  double most = 0;
  for (unsigned i = 0; i < room->n_speakers; i++) {
    double spoken = room->speaker[i]->n_spoken;
    most = spoken > most ? spoken : most;
    if (room->freqs[i] > 0 && spoken >= SPOKEN_LEAST && p->ear.tone[i] < TONE_SHARE * spoken)
      return false;
  }
  return p->ear.loud >= LOUD_SHARE * most && ear_concealed(&p->ear) <= CONCEALED_MAX;
}

static bool heard_all(const struct report *r, const struct person *p) {
  const struct load_room *room = p->room;
  if (p->speaks && r->load->cfg.kind == &KIND_VIDEOROOM)
    return true; /* hearing is another connection there, which ours do not make */
  if (!r->load->cfg.kind->tells)
    return (double)p->ear.frames >= HEARD_SHARE * 50 * seconds(r->load->ended.at - r->load->began.at);
  for (unsigned i = 0; i < room->n_speakers; i++) {
    double spoken = room->speaker[i]->n_spoken;
    if (room->speaker[i] != p && spoken >= SPOKEN_LEAST && p->ear.heard[i] < HEARD_SHARE * spoken)
      return false;
  }
  return true;
}

static void judge(struct report *r, const struct person *p) {
  if (p->state != PERSON_UP)
    return;
  r->up++;
  r->deaf += is_judged(r->load) && !heard_all(r, p);
  if (p->ear.jitter) {
    r->decoded++;
    r->wrong_sound += is_judged(r->load) && !sound_is_right(p);
    r->concealed += ear_concealed(&p->ear);
  }
  if (p->speaks)
    return;
  r->packets += p->ear.packets;
  r->late += p->ear.late;
  r->lost += p->ear.lost;
  histo_add(&r->jitter, (int64_t)(ear_jitter_ms(&p->ear) * US_PER_MS));
}

/* ---- rows ---- */

static void add_people(struct report *r) {
  const struct load *l = r->load;
  double listeners = (double)(l->n_rooms * l->cfg.listeners);
  add_count(r, "rooms", (double)l->n_rooms);
  add_count(r, "listeners", listeners);
  add_count(r, "speakers", (double)(l->n_rooms * l->cfg.speakers));
  add_count(r, "failed", (double)(l->n_people - r->up));
  add_count(r, "joins_put_off", (double)l->retries);
  add(r, "seconds", "s", seconds(l->ended.at - l->began.at));
  add(r, "joins_per_second", "/s", l->ramp_us > 0 ? listeners / seconds(l->ramp_us) : 0);
  add_times(r, "join_answer_p50", "join_answer_p99", &l->joined);
  add_times(r, "join_first_sound_p50", "join_first_sound_p99", &l->first_sound);
}

/* What each listener got in the whole time. */
static void add_rates(struct report *r) {
  const struct load *l = r->load;
  double listener_s = (double)(l->n_rooms * l->cfg.listeners) * seconds(l->ended.at - l->began.at);
  if (l->cfg.soak_us || listener_s <= 0) /* who has left in a soak took his figures along */
    return;
  add(r, "packets_per_listener_second", "/s", (double)l->packets / listener_s);
  add(r, "opus_kbit_per_listener", "kbit/s", 8e-3 * (double)l->bytes / listener_s);
}

/* How many listeners the server has told that they get which tier; before it says so: full. */
static void add_tiers(struct report *r) {
  static const char *const NAMES[LOAD_TIERS] = {"tier_full", "tier_packed", "tier_low", "tier_min"};
  for (unsigned t = 0; t < LOAD_TIERS; t++) {
    size_t n = 0;
    for (size_t i = 0; i < r->load->n_people; i++)
      n += !r->load->people[i].speaks && r->load->people[i].tier == t;
    add_count(r, NAMES[t], (double)n);
  }
}

static void add_sound(struct report *r) {
  const struct load *l = r->load;
  double packets = (double)r->packets;
  add_count(r, "packets", packets);
  add_count(r, "lost", (double)r->lost);
  add(r, "lost_percent", "%", packets > 0 ? 100 * (double)r->lost / (packets + (double)r->lost) : 0);
  add_count(r, "reordered", (double)r->late);
  add_rates(r);
  add(r, "wire_kbit_per_person", "kbit/s",
      8e-3 * (double)l->wire_bytes / (double)l->n_people / seconds(l->ended.at - l->began.at));
  add(r, "signalling_bytes_per_person_second", "B/s",
      (double)l->text_bytes / (double)l->n_people / seconds(l->ended.at - l->began.at));
  add(r, "copies_per_packet", "", l->packets ? (double)l->copies / (double)l->packets : 0);
  add(r, "ms_per_packet", "ms", l->packets ? 20 * (double)l->frames / (double)l->packets : 0);
  add_tiers(r);
  add_times(r, "delay_p50", "delay_p99", &l->delay);
  add(r, "delay_max", "ms", (double)l->delay.max_us / 1000);
  add_count(r, "delay_samples", (double)l->delay.n);
  add_times(r, "onset_p50", "onset_p99", &l->onset);
  add_times(r, "jitter_p50", "jitter_p99", &r->jitter);
  add_count(r, "deaf", (double)r->deaf);
  add_count(r, "decoded", (double)r->decoded);
  add_count(r, "decoded_wrong", (double)r->wrong_sound);
  add(r, "concealed_percent", "%", r->decoded ? 100 * r->concealed / (double)r->decoded : 0);
}

/* A join beside the DTLS handshake that is in it, both as CPU of the server. */
static void add_joins(struct report *r, double listeners) {
  const struct load *l = r->load;
  double us = listeners > 0 ? (double)(l->began.cpu_us - l->joining.cpu_us) / listeners : 0;
  add(r, "server_joins_per_core_second", "/s", us > 0 ? (double)US_PER_S / us : 0);
  add(r, "bare_handshakes_per_core_second", "/s",
      l->handshake_us > 0 ? (double)US_PER_S / l->handshake_us : 0);
  add(r, "joins_of_handshakes_percent", "%", us > 0 ? 100 * l->handshake_us / us : 0);
}

static void add_usage(struct report *r) {
  const struct load *l = r->load;
  double s = seconds(l->ended.at - l->began.at), listeners = (double)(l->n_rooms * l->cfg.listeners);
  double cpu = (double)(l->ended.cpu_us - l->began.cpu_us);
  add(r, "load_cores", "cores", (double)(l->ended.own_cpu_us - l->began.own_cpu_us) / (s * (double)US_PER_S));
  if (!l->cfg.pid)
    return;
  add(r, "server_cores", "cores", cpu / (s * (double)US_PER_S));
  add(r, "server_us_per_listener_second", "us", listeners > 0 ? cpu / (s * listeners) : 0);
  if (!l->cfg.soak_us)
    add(r, "server_us_per_packet", "us", l->packets ? cpu / (double)l->packets : 0);
  add(r, "server_ms_per_join", "ms",
      listeners > 0 ? (double)(l->began.cpu_us - l->joining.cpu_us) / 1000 / listeners : 0);
  add_joins(r, listeners);
  add(r, "server_kib_per_participant", "KiB",
      (double)(l->ended.rss - l->empty.rss) / 1024 / (double)l->n_people);
  add(r, "server_rss", "MiB", (double)l->ended.rss / (1 << 20));
}

static void add_drift(struct report *r) {
  if (!r->load->soak)
    return;
  struct soak_drift d = soak_drift(r->load->soak);
  add_count(r, "soak_joins", (double)d.joins);
  add_count(r, "soak_failed", (double)d.failed);
  add(r, "soak_rss_first", "MiB", d.rss_mib[0]);
  add(r, "soak_rss_last", "MiB", d.rss_mib[1]);
  add(r, "soak_rss_growth", "KiB/min", d.rss_kib_per_minute);
  add(r, "soak_us_per_listener_second_first", "us", d.us_per_listener_second[0]);
  add(r, "soak_us_per_listener_second_last", "us", d.us_per_listener_second[1]);
  add(r, "soak_delay_p50_first", "ms", d.delay_p50[0]);
  add(r, "soak_delay_p50_last", "ms", d.delay_p50[1]);
  add(r, "soak_delay_p99_first", "ms", d.delay_p99[0]);
  add(r, "soak_delay_p99_last", "ms", d.delay_p99[1]);
  add(r, "soak_lost_percent_first", "%", d.lost_percent[0]);
  add(r, "soak_lost_percent_last", "%", d.lost_percent[1]);
}

/* ---- printing ---- */

/* Each reason once, with how many, to stderr. */
static void print_failures(const struct load *l) {
  const char *why[WHY_MAX] = {0};
  size_t n[WHY_MAX] = {0}, kinds = 0;
  for (size_t i = 0; i < l->n_people; i++) {
    const struct person *p = &l->people[i];
    const char *text = p->why_text ? p->why_text : p->why;
    if (p->state == PERSON_UP)
      continue;
    text = text ? text : p->state >= PERSON_IN ? "no sound in time" : "not in the room in time";
    size_t k = 0;
    while (k < kinds && strcmp(why[k], text) != 0)
      k++;
    if (k == kinds && kinds < WHY_MAX)
      why[kinds++] = text;
    n[k < WHY_MAX ? k : WHY_MAX - 1]++;
  }
  for (size_t k = 0; k < kinds; k++)
    fprintf(stderr, "gavel-load: %zu: %s\n", n[k], why[k]);
}

static void print_json(const struct report *r, bool ok) {
  json_t *o = json_object();
  for (size_t i = 0; i < r->n; i++)
    json_object_set_new(o, r->row[i].name,
                        r->row[i].whole ? json_integer((json_int_t)r->row[i].value)
                                        : json_real(r->row[i].value));
  json_object_set_new(o, "ok", json_boolean(ok));
  char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6));
  if (!text)
    abort();
  puts(text);
  free(text);
  json_decref(o);
}

static void print_table(const struct report *r, bool ok) {
  for (size_t i = 0; i < r->n; i++) {
    const struct row *w = &r->row[i];
    char name[64];
    snprintf(name, sizeof name, "%s", w->name);
    for (char *c = name; *c; c++)
      *c = *c == '_' ? ' ' : *c;
    printf("%-32s %12.*f %s\n", name, w->whole ? 0 : w->value < 10 ? 3 : 1, w->value, w->unit);
  }
  puts(ok ? "everybody heard everyone" : "NOT everybody heard everyone");
}

bool report_print(const struct load *l) {
  struct report *r = calloc(1, sizeof *r);
  if (!r)
    abort();
  r->load = l;
  for (size_t i = 0; i < l->n_people; i++)
    judge(r, &l->people[i]);
  bool ok = (r->up == l->n_people || l->cfg.soak_us) && r->deaf == 0 && r->wrong_sound == 0;
  add_people(r);
  add_sound(r);
  add_usage(r);
  add_drift(r);
  print_failures(l);
  if (l->cfg.json)
    print_json(r, ok);
  else
    print_table(r, ok);
  free(r);
  return ok;
}
