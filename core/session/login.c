#include "core/session/login.h"

#include "core/base/bytes.h"
#include "core/wire/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading what a server says ---- */

/* A word of printable ASCII that fits. */
static bool copy_word(const json_t *o, const char *key, char *out, size_t cap) {
  const char *text = json_str(o, key, "");
  size_t n = strlen(text);
  if (n == 0 || n >= cap)
    return false;
  for (size_t i = 0; i < n; i++)
    if (text[i] <= ' ' || text[i] > '~')
      return false;
  memcpy(out, text, n + 1);
  return true;
}

static bool copy_uri(const json_t *o, const char *key, char out[LOGIN_URI_MAX]) {
  return copy_word(o, key, out, LOGIN_URI_MAX) && strncmp(out, "https://", 8) == 0;
}

static json_t *parse(const char *body) {
  json_t *o = NULL;
  if (json_parse_strict(body, strlen(body), &o, NULL) != ERR_OK || json_is_object(o))
    return o;
  json_decref(o);
  return NULL;
}

/* RFC 6749 section 5.2, RFC 8628 section 3.5. */
static enum err refusal(int status, const json_t *o) {
  static const struct {
    const char *error;
    enum err e;
  } ERRORS[] = {{"authorization_pending", ERR_PENDING}, {"slow_down", ERR_SLOW_DOWN},
                {"access_denied", ERR_ACCESS_DENIED},   {"expired_token", ERR_EXPIRED},
                {"invalid_grant", ERR_BAD_GRANT},       {"invalid_scope", ERR_SCOPE}};
  const char *error = json_str(o, "error", "");
  for (size_t i = 0; i < sizeof ERRORS / sizeof ERRORS[0]; i++)
    if (strcmp(ERRORS[i].error, error) == 0)
      return ERRORS[i].e;
  return status == 429 ? ERR_RATE : status >= 500 ? ERR_AGAIN : ERR_PROTOCOL;
}

enum err login_device_read(int status, const char *body, struct login_device *out) {
  *out = (struct login_device){0};
  json_t *o = parse(body);
  enum err e = ERR_OK;
  if (status != 200)
    e = refusal(status, o);
  else if (!copy_word(o, "device_code", out->device_code, sizeof out->device_code) ||
           !copy_word(o, "user_code", out->user_code, sizeof out->user_code) ||
           !copy_uri(o, "verification_uri", out->uri))
    e = ERR_PROTOCOL;
  if (e == ERR_OK && !copy_uri(o, "verification_uri_complete", out->complete))
    out->complete[0] = '\0';
  out->expires_s = json_int(o, "expires_in", 600);
  out->interval_s = json_int(o, "interval", 5);
  if (out->interval_s < 1 || out->interval_s > 60)
    out->interval_s = 5;
  json_decref(o);
  return e;
}

enum err login_tokens_read(int status, const char *body, int64_t wall_ms, struct login *out) {
  json_t *o = parse(body);
  struct login got = *out;
  enum err e = status == 200 ? ERR_OK : refusal(status, o);
  json_int_t s = json_int(o, "expires_in", 0);
  if (e == ERR_OK &&
      (!copy_word(o, "access_token", got.access, sizeof got.access) ||
       !copy_word(o, "refresh_token", got.refresh, sizeof got.refresh) || s <= 0 || s > 10000000))
    e = ERR_PROTOCOL;
  got.until_ms = wall_ms + s * 1000;
  if (e == ERR_OK)
    *out = got;
  explicit_bzero(&got, sizeof got);
  json_decref(o);
  return e;
}

/* ---- what is kept ---- */

enum err login_read(const char *text, size_t n, struct login *out) {
  json_t *o = NULL;
  *out = (struct login){0};
  if (json_parse_strict(text, n, &o, NULL) != ERR_OK)
    return ERR_BAD_JSON;
  json_int_t port = json_int(o, "port", 0);
  const char *pin = json_str(o, "pin", "");
  out->to.has_pin = *pin;
  bool ok =
      copy_word(o, "host", out->to.host, sizeof out->to.host) && port > 0 && port <= 65535 &&
      (!*pin || b64url_decode(pin, strlen(pin), out->to.pin, sizeof out->to.pin) == sizeof out->to.pin) &&
      copy_word(o, "access", out->access, sizeof out->access) &&
      copy_word(o, "refresh", out->refresh, sizeof out->refresh);
  out->to.port = (uint16_t)port;
  out->until_ms = json_int(o, "expires", 0);
  json_decref(o);
  return ok ? ERR_OK : ERR_BAD_JSON;
}

char *login_write(const struct login *l) {
  char pin[48];
  json_t *o = json_pack("{s:s,s:i,s:s,s:s,s:I}", "host", l->to.host, "port", l->to.port, "access", l->access,
                        "refresh", l->refresh, "expires", (json_int_t)l->until_ms);
  b64url_encode(l->to.pin, sizeof l->to.pin, pin);
  if (l->to.has_pin)
    json_object_set_new(o, "pin", json_string(pin));
  char *text = json_dumps(o, JSON_COMPACT);
  json_decref(o);
  if (!text)
    abort();
  return text;
}

bool login_fits(const struct login *l, const struct link *to) {
  return strcmp(l->to.host, to->host) == 0 && l->to.port == to->port && l->to.has_pin == to->has_pin &&
         (!to->has_pin || memcmp(l->to.pin, to->pin, sizeof to->pin) == 0);
}

/* ---- forms ---- */

static size_t escape(const char *in, char *out) {
  static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  size_t n = 0;
  for (; *in; in++) {
    if (strchr(PLAIN, *in))
      out[n++] = *in;
    else
      n += (size_t)snprintf(out + n, 4, "%%%02X", (unsigned char)*in);
  }
  return n;
}

char *login_form(const char *name, ...) {
  va_list args;
  size_t n = 1;
  va_start(args, name);
  for (const char *s = name; s; s = va_arg(args, const char *))
    n += 3 * strlen(s) + 1;
  va_end(args);
  char *out = calloc(1, n + 4), *p = out;
  if (!out)
    abort();
  va_start(args, name);
  for (const char *s = name; s; s = va_arg(args, const char *)) {
    if (p > out)
      *p++ = '&';
    p += escape(s, p);
    *p++ = '=';
    p += escape(va_arg(args, const char *), p);
  }
  va_end(args);
  *p = '\0';
  return out;
}
