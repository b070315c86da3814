#include "core/base/bytes.h"
#include "core/wire/room_json_private.h"

#include <assert.h>
#include <string.h>

#define WORDS(...)                                                                                           \
  { (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *) }
const struct words WORDS_ROLE = WORDS("", "monitor", "audience", "speaker", "cohost", "host", "owner");
const struct words WORDS_RANK =
    WORDS("", "monitor", "audience", "speaker", "cohost", "host", "owner", "system");
const struct words WORDS_PRESENCE = WORDS("waiting", "here", "away");
const struct words WORDS_CHAT = WORDS("public", "private", "hosts", "lobby", "announce", "side");
const struct words WORDS_CHAT_MODE = WORDS("off", "public", "private", "all");
const struct words WORDS_POLICY = WORDS("continue", "lobby", "end");
const struct words WORDS_AUTO_ADMIT = WORDS("nobody", "trusted", "accounts");
const struct words WORDS_BAN = WORDS("join", "speak");
const struct words WORDS_MUTE = WORDS("off", "on", "hold");

/* ---- reading ---- */

struct in in_of(const json_t *o) {
  return (struct in){o, json_is_object(o)};
}

bool in_has(const struct in *in, const char *key) {
  return json_object_get(in->o, key) != NULL;
}

void in_need(struct in *in, const char *key) {
  if (!in_has(in, key))
    in->ok = false;
}

int64_t in_int(struct in *in, const char *key, int64_t min, int64_t max, int64_t fallback) {
  const json_t *v = json_object_get(in->o, key);
  if (!v)
    return fallback;
  json_int_t n = json_integer_value(v);
  if (json_is_integer(v) && n >= min && n <= max)
    return n;
  in->ok = false;
  return fallback;
}

bool in_bool(struct in *in, const char *key) {
  const json_t *v = json_object_get(in->o, key);
  if (v && !json_is_boolean(v))
    in->ok = false;
  return json_is_true(v);
}

const char *in_str(struct in *in, const char *key, size_t max, const char *fallback) {
  const json_t *v = json_object_get(in->o, key);
  if (!v)
    return fallback;
  const char *s = json_string_value(v);
  size_t n = json_string_length(v);
  if (s && n <= max && strlen(s) == n)
    return s;
  in->ok = false;
  return fallback;
}

void in_copy(struct in *in, const char *key, char *out, size_t max) {
  const char *s = in_str(in, key, max, "");
  memcpy(out, s, strlen(s) + 1);
}

int64_t in_word(struct in *in, const char *key, struct words words, int64_t fallback) {
  const json_t *v = json_object_get(in->o, key);
  if (!v)
    return fallback;
  const char *s = json_string_value(v);
  for (size_t i = 0; s && s[0] && i < words.n; i++)
    if (strcmp(s, words.v[i]) == 0)
      return (int64_t)i;
  in->ok = false;
  return fallback;
}

void in_hex(struct in *in, const char *key, uint8_t *out, size_t n) {
  const char *s = in_str(in, key, 2 * n, NULL);
  memset(out, 0, n);
  if (s && (strlen(s) != 2 * n || !hex_decode(s, 2 * n, out)))
    in->ok = false;
}

const json_t *in_array(struct in *in, const char *key, size_t max) {
  const json_t *v = json_object_get(in->o, key);
  if (v && (!json_is_array(v) || json_array_size(v) > max))
    in->ok = false;
  return in->ok ? v : NULL;
}

size_t in_ids(struct in *in, const char *key, uint32_t *out, size_t max) {
  const json_t *v = json_object_get(in->o, key);
  bool one = json_is_integer(v);
  size_t n = one ? 1 : json_array_size(v);
  if (!v)
    return 0;
  if (n == 0 || n > max) {
    in->ok = false;
    return 0;
  }
  for (size_t i = 0; i < n; i++) {
    const json_t *e = one ? v : json_array_get(v, i);
    json_int_t id = json_integer_value(e);
    if (!json_is_integer(e) || id < 1 || id > UINT32_MAX)
      in->ok = false;
    out[i] = (uint32_t)id;
  }
  return in->ok ? n : 0;
}

/* ---- writing ---- */

static void set(json_t *o, const char *key, json_t *v) {
  int rc = json_object_set_new(o, key, v);
  assert(rc == 0); /* only without memory, or with text that was never cleaned */
  (void)rc;
}

void out_int(json_t *o, const char *key, int64_t v) {
  set(o, key, json_integer(v));
}

void out_number(json_t *o, const char *key, int64_t v) {
  if (v)
    out_int(o, key, v);
}

void out_true(json_t *o, const char *key, bool v) {
  if (v)
    set(o, key, json_true());
}

void out_str(json_t *o, const char *key, const char *s) {
  set(o, key, json_string(s));
}

void out_text(json_t *o, const char *key, const char *s) {
  if (s[0])
    out_str(o, key, s);
}

void out_ids(json_t *o, const char *key, const uint32_t *ids, size_t n) {
  json_t *list = n ? json_array() : NULL;
  for (size_t i = 0; i < n; i++)
    json_array_append_new(list, json_integer(ids[i]));
  if (list)
    set(o, key, list);
}

void out_word(json_t *o, const char *key, struct words words, int64_t v) {
  assert(v >= 0 && (size_t)v < words.n);
  out_str(o, key, words.v[v]);
}

void out_hex(json_t *o, const char *key, const uint8_t *v, size_t n) {
  static const uint8_t ZERO[32];
  char hex[65];
  assert(n <= sizeof ZERO);
  if (memcmp(v, ZERO, n) == 0)
    return;
  hex_encode(v, n, hex);
  out_str(o, key, hex);
}

/* ---- people, invites, bans: what the wire may carry; flags, numbers and texts only when set ---- */

json_t *member_to_json(const struct member *m) {
  json_t *o = json_object();
  out_int(o, "id", m->id);
  out_str(o, "name", m->name);
  out_word(o, "role", WORDS_ROLE, (int64_t)m->role);
  if (m->presence != PRESENCE_HERE)
    out_word(o, "presence", WORDS_PRESENCE, (int64_t)m->presence);
  out_true(o, "muted", m->muted);
  out_number(o, "muted_by", m->muted_by);
  out_true(o, "floor", m->floor);
  out_number(o, "floor_ms", m->floor_ms);
  out_true(o, "time_up", m->time_up);
  out_true(o, "priority", m->priority);
  out_number(o, "gain_db", m->gain_db);
  out_number(o, "side", m->side);
  out_number(o, "silenced", (int64_t)m->silenced);
  out_true(o, "exempt", m->exempt);
  out_true(o, "audio", m->audio);
  out_number(o, "hand", (int64_t)m->hand);
  out_int(o, "since_ms", m->since_ms);
  out_number(o, "dropped_ms", m->dropped_ms);
  out_text(o, "client", m->client);
  return o;
}

void member_from_json(struct in *in, struct member *m) {
  *m = (struct member){0};
  in_need(in, "id");
  in_need(in, "role");
  m->id = (uint32_t)in_int(in, "id", 1, UINT32_MAX, 1);
  in_copy(in, "name", m->name, TEXT_NAME_MAX);
  m->role = (enum role)in_word(in, "role", WORDS_ROLE, ROLE_MONITOR);
  m->presence = (enum presence)in_word(in, "presence", WORDS_PRESENCE, PRESENCE_HERE);
  m->muted = in_bool(in, "muted");
  m->muted_by = (uint32_t)in_int(in, "muted_by", 0, UINT32_MAX, 0);
  m->floor = in_bool(in, "floor");
  m->floor_ms = in_int(in, "floor_ms", 0, JSON_NUMBER_MAX, 0);
  m->time_up = in_bool(in, "time_up");
  m->priority = in_bool(in, "priority");
  m->gain_db = (int8_t)in_int(in, "gain_db", ROOM_GAIN_MIN_DB, ROOM_GAIN_MAX_DB, 0);
  m->side = (uint8_t)in_int(in, "side", 0, ROOM_SIDES_MAX, 0);
  m->silenced = (uint64_t)in_int(in, "silenced", 0, JSON_NUMBER_MAX, 0);
  m->exempt = in_bool(in, "exempt");
  m->audio = in_bool(in, "audio");
  m->hand = (uint64_t)in_int(in, "hand", 0, JSON_NUMBER_MAX, 0);
  m->since_ms = in_int(in, "since_ms", 0, JSON_NUMBER_MAX, 0);
  m->dropped_ms = in_int(in, "dropped_ms", 0, JSON_NUMBER_MAX, 0);
  in_copy(in, "client", m->client, ROOM_CLIENT_MAX);
}

json_t *invite_to_json(const struct invite *inv) {
  json_t *o = json_object();
  out_int(o, "id", (int64_t)inv->id);
  out_word(o, "role", WORDS_ROLE, (int64_t)inv->role);
  out_true(o, "bypass", inv->bypass);
  out_number(o, "uses", inv->uses_left);
  out_number(o, "expires_ms", inv->expires_ms);
  return o;
}

void invite_from_json(struct in *in, struct invite *inv) {
  *inv = (struct invite){0};
  inv->id = (uint64_t)in_int(in, "id", 0, JSON_NUMBER_MAX, 0);
  inv->role = (enum role)in_word(in, "role", WORDS_ROLE, ROLE_SPEAKER);
  inv->bypass = in_bool(in, "bypass");
  inv->uses_left = (uint32_t)in_int(in, "uses", 0, UINT32_MAX, 0);
  inv->expires_ms = in_int(in, "expires_ms", 0, JSON_NUMBER_MAX, 0);
}

void ban_to_json(const struct ban *b, json_t *open, json_t *personal) {
  out_word(open, "what", WORDS_BAN, (int64_t)b->what);
  out_word(open, "rank", WORDS_RANK, (int64_t)b->rank);
  out_number(open, "until_ms", b->until_ms);
  out_number(open, "invite", (int64_t)b->invite);
  out_text(personal, "name", b->name);
  out_text(personal, "reason", b->reason);
  out_text(personal, "user", b->user);
}

void ban_from_json(struct in *open, struct in *personal, struct ban *b) {
  *b = (struct ban){0};
  b->what = (enum ban_what)in_word(open, "what", WORDS_BAN, BAN_JOIN);
  b->rank = (enum role)in_word(open, "rank", WORDS_RANK, ROLE_COHOST);
  b->until_ms = in_int(open, "until_ms", 0, JSON_NUMBER_MAX, 0);
  b->invite = (uint64_t)in_int(open, "invite", 0, JSON_NUMBER_MAX, 0);
  in_copy(personal, "name", b->name, TEXT_NAME_MAX);
  in_copy(personal, "reason", b->reason, TEXT_LINE_MAX);
  in_copy(personal, "user", b->user, ROOM_USER_MAX);
}
