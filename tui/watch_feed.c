#include "tui/watch_feed.h"

#include <stddef.h>
#include <string.h>

/* What is read is a table: where a member goes, and how. OPTIONAL ones may be missing, or be
 * something newer: then 0 or "". */
enum kind { U32, I64, FLAG, TEXT, PAIR, U32_OPTIONAL, TEXT_OPTIONAL };
struct field {
  const char *key;
  enum kind kind;
  size_t at, size;
};
#define FIELD(type, kind, member)                                                                            \
  { #member, kind, offsetof(struct type, member), sizeof(((struct type *)0)->member) }

static const struct field ROW[] = {
    FIELD(watch_row, TEXT, room),       FIELD(watch_row, TEXT, app),
    FIELD(watch_row, TEXT, name),       FIELD(watch_row, TEXT_OPTIONAL, region),
    FIELD(watch_row, U32, people),      FIELD(watch_row, U32, waiting),
    FIELD(watch_row, U32, away),        FIELD(watch_row, U32, hosts),
    FIELD(watch_row, U32, monitors),    FIELD(watch_row, U32, talkers),
    FIELD(watch_row, U32, muted),       FIELD(watch_row, U32, lines),
    FIELD(watch_row, PAIR, loss_up),    FIELD(watch_row, PAIR, loss_down),
    FIELD(watch_row, PAIR, jitter_ms),  FIELD(watch_row, PAIR, rtt_ms),
    FIELD(watch_row, PAIR, mos_tenths), FIELD(watch_row, I64, since_ms),
    FIELD(watch_row, I64, created_ms),  FIELD(watch_row, I64, waiting_ms),
    FIELD(watch_row, FLAG, locked),     FIELD(watch_row, FLAG, lobby),
};
static const struct field SERVER[] = {
    FIELD(watch_server, TEXT, version),
    FIELD(watch_server, TEXT, name),
    FIELD(watch_server, TEXT_OPTIONAL, region),
    FIELD(watch_server, TEXT_OPTIONAL, state),
    FIELD(watch_server, I64, now_ms),
    FIELD(watch_server, I64, uptime_s),
    FIELD(watch_server, U32, conns),
    FIELD(watch_server, U32, rooms),
    FIELD(watch_server, U32, people),
    FIELD(watch_server, U32, waiting),
    FIELD(watch_server, U32, away),
    FIELD(watch_server, U32, packets_in_s),
    FIELD(watch_server, U32, packets_out_s),
    FIELD(watch_server, U32, cpu_permille),
    FIELD(watch_server, U32, handshakes),
    FIELD(watch_server, U32, watchers),
    FIELD(watch_server, U32, listeners),
};
static const struct field PERSON[] = {
    FIELD(watch_person, U32, id),
    FIELD(watch_person, TEXT, name),
    FIELD(watch_person, TEXT, role),
    FIELD(watch_person, TEXT, presence),
    FIELD(watch_person, TEXT, client),
    FIELD(watch_person, TEXT, user),
    FIELD(watch_person, FLAG, muted),
    FIELD(watch_person, FLAG, floor),
    FIELD(watch_person, U32, hand),
    FIELD(watch_person, U32_OPTIONAL, side),
    FIELD(watch_person, FLAG, audio),
    FIELD(watch_person, I64, since_ms),
    FIELD(watch_person, FLAG, talking),
    FIELD(watch_person, U32, level),
    FIELD(watch_person, TEXT_OPTIONAL, via),
};
static const struct field LINE[] = {
    FIELD(watch_person, TEXT, tier),           FIELD(watch_person, U32, age_s),
    FIELD(watch_person, U32, copies),          FIELD(watch_person, U32, loss_up),
    FIELD(watch_person, U32, loss_down),       FIELD(watch_person, U32, concealed_up),
    FIELD(watch_person, U32, concealed_down),  FIELD(watch_person, U32, mos_up_tenths),
    FIELD(watch_person, U32, mos_down_tenths), FIELD(watch_person, U32, burst_up_ms),
    FIELD(watch_person, U32, burst_down_ms),   FIELD(watch_person, U32, jitter_ms),
    FIELD(watch_person, U32, rtt_ms),          FIELD(watch_person, U32, buffer_ms),
    FIELD(watch_person, U32, kbps_up),         FIELD(watch_person, U32, kbps_down),
    FIELD(watch_person, U32, join_ms),
};
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const ALERT_WORDS[] = {
#define X(id, word) word,
    WATCH_ALERTS(X)
#undef X
};
static const char *const TIER_NAMES[WATCH_TIERS] = {"full", "packed", "low", "min"};
static const char *const VIA_NAMES[WATCH_VIAS] = {"udp", "tcp", "turn", "tunnel"};

static bool read_u32(const json_t *v, uint32_t *out) {
  if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > UINT32_MAX)
    return false;
  *out = (uint32_t)json_integer_value(v);
  return true;
}

static bool read_i64(const json_t *v, int64_t *out) {
  *out = json_is_integer(v) ? json_integer_value(v) : -1;
  return *out >= 0 && *out <= INT64_MAX / 1000; /* it is reckoned with */
}

static bool read_flag(const json_t *v, bool *out) {
  *out = json_is_true(v);
  return json_is_boolean(v);
}

static bool read_pair(const json_t *v, struct watch_pair *out) {
  return json_is_array(v) && json_array_size(v) == 2 && read_u32(json_array_get(v, 0), &out->median) &&
         read_u32(json_array_get(v, 1), &out->worst);
}

static bool read_one(const struct field *f, const json_t *v, char *at) {
  if (f->kind == U32_OPTIONAL ? !json_is_integer(v) : f->kind == TEXT_OPTIONAL && !json_is_string(v))
    return true; /* zeroed already; of another form it means nothing to us */
  switch (f->kind) {
  case U32:
  case U32_OPTIONAL:
    return read_u32(v, (uint32_t *)(void *)at);
  case I64:
    return read_i64(v, (int64_t *)(void *)at);
  case FLAG:
    return read_flag(v, (bool *)at);
  case PAIR:
    return read_pair(v, (struct watch_pair *)(void *)at);
  case TEXT:
  case TEXT_OPTIONAL:
    if (!json_is_string(v))
      return false;
    text_show(json_string_value(v), false, at, f->size);
    return true;
  }
  return false;
}

static bool read_all(const struct field *f, size_t n, const json_t *o, void *out) {
  for (size_t i = 0; i < n; i++)
    if (!read_one(&f[i], json_object_get(o, f[i].key), (char *)out + f[i].at))
      return false;
  return true;
}

/* read_counts: {"full":3,...}: one number for each name. */
static bool read_counts(const json_t *o, const char *const *names, uint32_t *out, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!read_u32(json_object_get(o, names[i]), &out[i]))
      return false;
  return true;
}

static bool read_alerts(const json_t *list, unsigned *out) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *word = json_string_value(json_array_get(list, i));
    if (!word)
      return false;
    for (unsigned a = 0; a < WATCH_ALERT__COUNT; a++)
      *out |= strcmp(word, ALERT_WORDS[a]) == 0 ? 1U << a : 0;
  }
  return json_is_array(list);
}

enum err watch_row_read(const json_t *o, struct watch_row *out) {
  memset(out, 0, sizeof *out);
  const char *key = json_string_value(json_object_get(o, "room"));
  bool ok = key && strlen(key) <= WATCH_ROOM_MAX && read_all(ROW, COUNT(ROW), o, out) && out->room[0] &&
            strcmp(key, out->room) == 0 && /* the key of the row: not cut, nothing left out */
            read_counts(json_object_get(o, "tiers"), TIER_NAMES, out->tiers, WATCH_TIERS) &&
            read_counts(json_object_get(o, "via"), VIA_NAMES, out->via, WATCH_VIAS) &&
            read_alerts(json_object_get(o, "alerts"), &out->alerts);
  return ok ? ERR_OK : ERR_PROTOCOL;
}

/* What needs a person stands behind the state: "draining, alert: disk, backup". */
static void read_server_alerts(const json_t *list, char state[], size_t cap) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *word = json_string_value(json_object_get(json_array_get(list, i), "alert"));
    char shown[24];
    if (!word)
      continue;
    text_show(word, false, shown, sizeof shown);
    const char *between = i > 0 || state[0] ? ", " : "";
    (void)(text_append(state, cap, between) && (i > 0 || text_append(state, cap, "alert: ")) &&
           text_append(state, cap, shown));
  }
}

enum err watch_server_read(const json_t *o, struct watch_server *out) {
  memset(out, 0, sizeof *out);
  const json_t *load = json_object_get(o, "load_permille");
  if (!read_all(SERVER, COUNT(SERVER), o, out) || !json_is_array(load))
    return ERR_PROTOCOL;
  for (; out->n_load < json_array_size(load) && out->n_load < WATCH_THREADS_MAX; out->n_load++)
    if (!read_u32(json_array_get(load, out->n_load), &out->load_permille[out->n_load]))
      return ERR_PROTOCOL;
  read_server_alerts(json_object_get(o, "alerts"), out->state, sizeof out->state);
  return ERR_OK;
}

enum err watch_person_read(const json_t *o, struct watch_person *out) {
  memset(out, 0, sizeof *out);
  const json_t *line = json_object_get(o, "line");
  out->has_line = json_is_object(line);
  bool ok = read_all(PERSON, COUNT(PERSON), o, out) && out->id != 0 &&
            (!out->has_line || read_all(LINE, COUNT(LINE), line, out));
  return ok ? ERR_OK : ERR_PROTOCOL;
}

enum err watch_listener_read(const json_t *o, struct watch_listener *out) {
  static const struct field FIELDS[] = {
      FIELD(watch_listener, U32, id),
      FIELD(watch_listener, TEXT, mode),
      FIELD(watch_listener, TEXT, reason),
      FIELD(watch_listener, TEXT, ticket),
      FIELD(watch_listener, I64, ends_ms),
      {"operator", TEXT, offsetof(struct watch_listener, operator_name), sizeof out->operator_name}};
  memset(out, 0, sizeof *out);
  return read_all(FIELDS, COUNT(FIELDS), o, out) ? ERR_OK : ERR_PROTOCOL;
}

const char *watch_alert_word(enum watch_alert a) {
  return ALERT_WORDS[a];
}

uint32_t watch_loss(const struct watch_row *r) {
  return r->loss_up.worst > r->loss_down.worst ? r->loss_up.worst : r->loss_down.worst;
}

const char *watch_tier_name(size_t i) {
  return TIER_NAMES[i];
}

const char *watch_via_name(size_t i) {
  return VIA_NAMES[i];
}
