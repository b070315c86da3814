/* oauth.c: what the OAuth endpoints answer: the device flow (RFC 8628), refresh (RFC 6749 section 6, RFC
 * 9700 4.14), revocation (RFC 7009), introspection (RFC 7662). */
#include "core/access/accounts_private.h"

#include "core/base/bytes.h"
#include "core/wire/json.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_BYTES 32
#define CODE_CHARS 43
static const char USER_CODE[] = "BCDFGHJKLMNPQRSTVWXZ"; /* RFC 8628 section 6.1: no vowels, no words */

/* A refusal as RFC 6749 section 5.2 has it; `error` NULL: the code of e. */
static enum err refuse(json_t *reply, enum err e, const char *error) {
  json_object_clear(reply);
  json_object_set_new(reply, "error", json_string(error ? error : err_code(e)));
  json_object_set_new(reply, "error_description", json_string(err_text(e)));
  return e;
}

int oauth_status(enum err e) {
  switch (e) {
  case ERR_OK:
    return 200;
  case ERR_RATE:
  case ERR_BUSY:
  case ERR_FULL:
    return 429;
  case ERR_BAD_TOKEN:
  case ERR_REVOKED:
  case ERR_BAD_LOGIN:
  case ERR_NEED_TOTP:
    return 401;
  case ERR_SCOPE:
  case ERR_RESTRICTED:
  case ERR_NEED_MFA:
  case ERR_NEED_ACCOUNT:
  case ERR_NOT_ALLOWED:
    return 403;
  default:
    return 400;
  }
}

/* How a client is called: as it is shown. */
static bool client_name(const char *client, char out[TEXT_NAME_MAX + 1]) {
  return text_clean_name(client, strlen(client), out) == ERR_OK && strlen(out) <= CLIENT_MAX;
}

static bool client_is(const char *client, const char *who) {
  char name[TEXT_NAME_MAX + 1];
  return client_name(client, name) && strcmp(name, who) == 0;
}

/* ---- device codes ---- */

static bool device_over(const struct access *a, const struct device *d) {
  return a->wall_ms >= d->made_ms + DEVICE_CODE_S * INT64_C(1000);
}

int64_t devices_sweep(struct access *a) {
  int64_t next_ms = INT64_MAX;
  for (size_t i = 0; i < DEVICES_MAX; i++) {
    struct device *d = &a->accounts->devices[i];
    int64_t end_ms = d->made_ms + DEVICE_CODE_S * INT64_C(1000) + DEVICE_KEPT_MS;
    if (d->state == DEVICE_FREE)
      continue;
    if (a->wall_ms >= end_ms)
      *d = (struct device){0};
    else
      next_ms = end_ms < next_ms ? end_ms : next_ms;
  }
  return next_ms;
}

bool user_code_read(const char *typed, char out[USER_CODE_LEN + 1]) {
  size_t n = 0;
  for (; *typed; typed++) {
    char c = *typed >= 'a' && *typed <= 'z' ? (char)(*typed - 'a' + 'A') : *typed;
    if (c == ' ' || c == '-')
      continue;
    if (n == USER_CODE_LEN || !strchr(USER_CODE, c))
      return false;
    out[n++] = c;
  }
  out[n] = 0;
  return n == USER_CODE_LEN;
}

/* One that waits to be decided. */
static struct device *device_waiting(struct access *a, const char *typed) {
  char code[USER_CODE_LEN + 1];
  struct device *found = NULL;
  if (!user_code_read(typed, code))
    return NULL;
  for (size_t i = 0; i < DEVICES_MAX; i++) {
    struct device *d = &a->accounts->devices[i];
    if (d->state == DEVICE_WAITING && !device_over(a, d) && bytes_equal_ct(d->user_code, code, USER_CODE_LEN))
      found = d;
  }
  return found;
}

void devices_end(struct access *a, const char *pid) {
  for (size_t i = 0; i < DEVICES_MAX; i++)
    if (strcmp(a->accounts->devices[i].pid, pid) == 0)
      a->accounts->devices[i] = (struct device){0};
}

/* A free one, else the one that has waited longest: a crowd cannot keep out who comes now. What was decided
 * stays. */
static struct device *device_place(struct access *a) {
  struct device *oldest = NULL;
  for (size_t i = 0; i < DEVICES_MAX; i++) {
    struct device *d = &a->accounts->devices[i];
    if (d->state == DEVICE_FREE)
      return d;
    if (d->state == DEVICE_WAITING && (!oldest || d->made_ms < oldest->made_ms))
      oldest = d;
  }
  return oldest;
}

static void draw_codes(struct access *a, struct device *d, char device_code[CODE_CHARS + 1]) {
  uint8_t raw[CODE_BYTES];
  char code[USER_CODE_LEN + 1] = "";
  a->cfg.rng->fill(a->cfg.rng, raw, sizeof raw);
  b64url_encode(raw, sizeof raw, device_code);
  explicit_bzero(raw, sizeof raw);
  sha256(device_code, CODE_CHARS, d->code);
  do
    for (size_t i = 0; i < USER_CODE_LEN; i++)
      code[i] = USER_CODE[rng_below(a->cfg.rng, sizeof USER_CODE - 1)];
  while (device_waiting(a, code));
  memcpy(d->user_code, code, sizeof code);
}

enum err oauth_device_start(struct access *a, const char *client, const char *scope, const char *base_url,
                            const uint8_t *addr, json_t *reply) {
  char name[TEXT_NAME_MAX + 1], device_code[CODE_CHARS + 1];
  unsigned scopes;
  int retry_s;
  if (!client_name(client, name))
    return refuse(reply, ERR_BAD_ARG, "invalid_client");
  if (scope_parse(scope, true, &scopes) != ERR_OK)
    return refuse(reply, ERR_BAD_ARG, "invalid_scope");
  if (!login_take_net(a, LOGIN_START, &a->accounts->starts, addr, &retry_s))
    return refuse(reply, ERR_RATE, NULL);
  struct device *d = device_place(a);
  if (!d)
    return refuse(reply, ERR_FULL, "temporarily_unavailable");
  struct device made = {.state = DEVICE_WAITING,
                        .scopes = scopes ? scopes : SCOPE_ORDINARY,
                        .made_ms = a->wall_ms,
                        .interval_s = DEVICE_INTERVAL_S};
  memcpy(made.client, name, strlen(name)); /* at most CLIENT_MAX, see above */
  accounts_network(addr, made.network);
  draw_codes(a, &made, device_code);
  *d = made;
  accounts_wake(a, d->made_ms + DEVICE_CODE_S * INT64_C(1000) + DEVICE_KEPT_MS);
  char shown[USER_CODE_LEN + 2];
  snprintf(shown, sizeof shown, "%.4s-%.4s", d->user_code, d->user_code + 4);
  json_object_set_new(reply, "device_code", json_string(device_code));
  json_object_set_new(reply, "user_code", json_string(shown));
  json_object_set_new(reply, "verification_uri", json_sprintf("%s/device", base_url));
  json_object_set_new(reply, "verification_uri_complete",
                      json_sprintf("%s/device?user_code=%s", base_url, shown));
  json_object_set_new(reply, "expires_in", json_integer(DEVICE_CODE_S));
  json_object_set_new(reply, "interval", json_integer(DEVICE_INTERVAL_S));
  explicit_bzero(device_code, sizeof device_code);
  return ERR_OK;
}

static struct device *device_of(struct access *a, const char *device_code) {
  uint8_t hash[32];
  sha256(device_code, strnlen(device_code, CODE_CHARS + 1), hash);
  for (size_t i = 0; i < DEVICES_MAX; i++)
    if (a->accounts->devices[i].state != DEVICE_FREE &&
        bytes_equal_ct(a->accounts->devices[i].code, hash, 32))
      return &a->accounts->devices[i];
  return NULL;
}

/* RFC 8628 section 3.5; ERR_OK: approved. */
static enum err device_state(struct access *a, struct device *d) {
  if (!d)
    return ERR_BAD_GRANT;
  bool soon = d->polled_ms != 0 && a->wall_ms - d->polled_ms < d->interval_s * INT64_C(1000);
  d->polled_ms = a->wall_ms;
  if (device_over(a, d))
    return ERR_EXPIRED;
  if (soon) {
    d->interval_s += 5;
    return ERR_SLOW_DOWN;
  }
  return d->state == DEVICE_WAITING ? ERR_PENDING : d->state == DEVICE_DECLINED ? ERR_ACCESS_DENIED : ERR_OK;
}

enum err oauth_device_poll(struct access *a, const char *client, const char *device_code, const uint8_t *addr,
                           json_t *reply) {
  struct device *d = device_of(a, device_code);
  if (d && !client_is(client, d->client))
    d = NULL;
  enum err e = device_state(a, d);
  const struct account *k = e == ERR_OK ? account_by_pid(a, d->pid) : NULL;
  if (e == ERR_OK && !k)
    e = ERR_BAD_GRANT;
  if (e == ERR_BAD_GRANT)
    audit_refusal(a, "device.refused", "", "", NULL, "unknown", addr, e);
  if (e != ERR_OK)
    return refuse(reply, e, NULL);
  session_make(a, k, d, reply);
  *d = (struct device){0}; /* redeemed once */
  return ERR_OK;
}

/* A place in the limits on wrong codes; refused: the reply says so. */
static enum err take_guess(struct access *a, const uint8_t *addr, json_t *reply) {
  int retry_s;
  bool may = login_take_net(a, LOGIN_GUESS, &a->accounts->guesses, addr, &retry_s);
  if (may && !login_take(a, LOGIN_GUESS_ALL, &a->accounts->all_guesses, &retry_s)) {
    login_give_net(&a->accounts->guesses, addr);
    may = false;
  }
  if (may)
    return ERR_OK;
  audit_refusal(a, "device.refused", "", "", NULL, "too often", addr, ERR_RATE);
  return refuse(reply, ERR_RATE, NULL);
}

static void network_text(const uint8_t network[16], char out[INET6_ADDRSTRLEN + 4]) {
  static const uint8_t UNKNOWN[16], MAPPED[12] = {[10] = 0xff, [11] = 0xff};
  char text[INET6_ADDRSTRLEN] = "";
  bool v4 = memcmp(network, MAPPED, sizeof MAPPED) == 0;
  if (memcmp(network, UNKNOWN, sizeof UNKNOWN) != 0)
    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? network + 12 : network, text, sizeof text);
  snprintf(out, INET6_ADDRSTRLEN + 4, "%s%s", *text ? text : "unknown", !*text ? "" : v4 ? "/24" : "/48");
}

enum err oauth_device_show(struct access *a, const char *user_code, const uint8_t *addr, json_t *reply) {
  char network[INET6_ADDRSTRLEN + 4], scopes[SCOPE_TEXT_MAX];
  enum err e = take_guess(a, addr, reply);
  if (e != ERR_OK)
    return e;
  const struct device *d = device_waiting(a, user_code);
  if (!d) {
    audit_refusal(a, "device.refused", "", "", NULL, "user code", addr, ERR_BAD_CODE);
    return refuse(reply, ERR_BAD_CODE, NULL);
  }
  login_give_net(&a->accounts->guesses, addr);
  throttle_give(&a->accounts->all_guesses);
  network_text(d->network, network);
  scope_format(d->scopes, scopes);
  json_object_set_new(reply, "user_code", json_sprintf("%.4s-%.4s", d->user_code, d->user_code + 4));
  json_object_set_new(reply, "client", json_string(d->client));
  json_object_set_new(reply, "network", json_string(network));
  json_object_set_new(reply, "age_s", json_integer((a->wall_ms - d->made_ms) / 1000));
  json_object_set_new(reply, "scope", json_string(scopes));
  return ERR_OK;
}

enum err oauth_device_decide(struct access *a, const char *user_code, const char *pid, bool mfa,
                             bool approve) {
  int retry_s;
  const struct account *k = account_by_pid(a, pid);
  if (!k)
    return ERR_NO_USER;
  if (!login_take(a, LOGIN_GUESS_ALL, &a->accounts->all_guesses, &retry_s))
    return ERR_RATE;
  struct device *d = device_waiting(a, user_code);
  if (!d)
    return ERR_BAD_CODE;
  throttle_give(&a->accounts->all_guesses);
  d->state = approve ? DEVICE_APPROVED : DEVICE_DECLINED;
  d->mfa = mfa;
  d->mfa_ms = mfa ? a->wall_ms : 0;
  snprintf(d->pid, sizeof d->pid, "%s", k->pid);
  a->pending = true; /* when the line of it is lost it was not decided */
  accounts_note(a, approve ? "device.approved" : "device.declined", k->pid, NULL, NULL, ERR_OK);
  return ERR_OK;
}

/* ---- tokens ---- */

enum err oauth_refresh(struct access *a, const char *client, const char *refresh_token, const uint8_t *addr,
                       json_t *reply) {
  bool right;
  struct session *s = strncmp(refresh_token, "cr1_", 4) == 0 ? session_of(a, refresh_token, &right) : NULL;
  if (s && !right) { /* one of the two who have it is a thief: nobody keeps the session */
    accounts_note(a, "session.reuse", s->pid, s->id, addr, ERR_REVOKED);
    session_stop(a, s);
    return refuse(reply, ERR_BAD_GRANT, NULL);
  }
  if (!s || !session_live(a, s) || !account_by_pid(a, s->pid) || !session_network(s, addr) ||
      !client_is(client, s->client)) {
    audit_refusal(a, "session.refused", "", "", s ? s->pid : NULL,
                  s ? "expired, network or client" : "unknown", addr, ERR_BAD_GRANT);
    return refuse(reply, ERR_BAD_GRANT, NULL);
  }
  enum err e = privacy_allows(a, s->pid);
  if (e != ERR_OK)
    return refuse(reply, e, "access_denied");
  session_rotate(a, s, refresh_token, reply);
  return ERR_OK;
}

void oauth_revoke(struct access *a, const char *token) {
  bool right;
  struct session *s = session_of(a, token, &right);
  if (!s)
    return;
  accounts_note(a, "session.revoked", s->pid, s->id, NULL, ERR_OK);
  session_stop(a, s);
}

enum err oauth_introspect(struct access *a, const char *token, json_t *reply) {
  bool refresh = strncmp(token, "cr1_", 4) == 0, right;
  const struct session *s = session_of(a, token, &right);
  const struct account *k = s ? account_by_pid(a, s->pid) : NULL;
  bool active = k && session_live(a, s) && (refresh ? right : a->wall_ms < s->access_until_ms) &&
                privacy_allows(a, s->pid) == ERR_OK;
  json_object_set_new(reply, "active", json_boolean(active));
  if (!active)
    return ERR_OK;
  char scopes[SCOPE_TEXT_MAX];
  scope_format(session_scopes(a, s), scopes);
  json_object_set_new(reply, "scope", json_string(scopes));
  json_object_set_new(reply, "client_id", json_string(s->client));
  json_object_set_new(reply, "username", json_string(k->name));
  json_object_set_new(reply, "sub", json_string(s->pid));
  json_object_set_new(reply, "iat", json_integer(s->made_ms / 1000));
  json_object_set_new(reply, "exp", json_integer((refresh ? session_until(s) : s->access_until_ms) / 1000));
  if (!refresh)
    json_object_set_new(reply, "token_type", json_string("Bearer"));
  return ERR_OK;
}
