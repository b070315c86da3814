/* config.c: gaveld's INI file. One table: what a key is called, where it goes, what it may be. */
#include "core/base/bytes.h"
#include "core/server/server.h"

#include <errno.h>
#include <ini.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, LEVEL, PORT, NUMBER, FLAG };
static const struct key {
  const char *section, *name;
  enum kind kind;
  size_t at;
  long min, max; /* of a NUMBER */
} KEYS[] = {
#define KEY(section, name, kind, field)                                                                      \
  { section, name, kind, offsetof(struct server_config, field), 0, 0 }
#define COUNT(section, name, field, min, max)                                                                \
  { section, name, NUMBER, offsetof(struct server_config, field), min, max }
    KEY("server", "log", LEVEL, log),
    KEY("server", "listen", TEXT, listen),
    KEY("server", "port", PORT, port),
    KEY("server", "public_address", TEXT, public_address),
    KEY("server", "name", TEXT, name),
    KEY("server", "certificate", TEXT, cert_file),
    KEY("server", "key", TEXT, key_file),
    KEY("server", "tls12", FLAG, tls12),
    KEY("server", "database", TEXT, database),
    KEY("server", "admin_socket", TEXT, admin_socket),
    KEY("server", "redirect_port", PORT, redirect_port),
    KEY("ops", "listen", TEXT, ops_listen),
    KEY("ops", "port", PORT, ops_port),
    KEY("ops", "allow", TEXT, ops_allow),
    KEY("ops", "token_file", TEXT, ops_token_file),
    KEY("webhook", "url", TEXT, webhook_url),
    KEY("webhook", "secret_file", TEXT, webhook_secret_file),
    KEY("webhook", "events", TEXT, webhook_events),
    KEY("webhook", "names", FLAG, webhook_names),
    KEY("webhook", "allow_private", FLAG, webhook_private),
    KEY("webhook", "ca_file", TEXT, webhook_ca_file),
    COUNT("webhook", "queue", webhook_queue, 10, 1000000),
    KEY("alert", "command", TEXT, alert_command),
    KEY("alert", "webhook", TEXT, alert_webhook),
    KEY("alert", "secret_file", TEXT, alert_secret_file),
    KEY("alert", "watch_urls", TEXT, alert_watch),
    KEY("alert", "allow_private", FLAG, alert_private),
    KEY("alert", "ca_file", TEXT, alert_ca_file),
    COUNT("alert", "loss_percent", alert_loss_percent, 0, 100),
    COUNT("alert", "loss_minutes", alert_loss_minutes, 0, 1440),
    COUNT("alert", "certificate_days", alert_certificate_days, 0, 3650),
    COUNT("alert", "strikes", alert_strikes, 0, 1000000),
    COUNT("ops", "disk_free_mb", disk_free_mb, 0, 100000000),
    KEY("server", "region", TEXT, region),
    KEY("server", "proxies", TEXT, proxies),
    KEY("web", "guest_page", FLAG, guest_page),
    KEY("server", "user", TEXT, user),
    KEY("server", "seccomp", FLAG, seccomp),
    KEY("access", "hosts_need_mfa", FLAG, hosts_need_mfa),
    KEY("access", "accounts_only", FLAG, accounts_only),
    KEY("privacy", "consent_file", TEXT, consent_file),
    KEY("privacy", "consent_version", TEXT, consent_version),
    KEY("privacy", "consent_monitoring", FLAG, monitor.consent),
    KEY("monitor", "silent", FLAG, monitor.silent),
    KEY("monitor", "second_person", FLAG, monitor.second_person),
    KEY("monitor", "tell_host_after", FLAG, monitor.tell_host_after),
    KEY("privacy", "controller", TEXT, controller),
    KEY("privacy", "contact", TEXT, contact),
    COUNT("privacy", "chat_days", chat_days, 0, 3650),
    COUNT("privacy", "quality_days", quality_days, 0, 3650),
    COUNT("audit", "days", audit_days, 180, 36500),
    KEY("audit", "anchor", TEXT, anchor_file),
    KEY("backup", "folder", TEXT, backup_folder),
    KEY("limits", "loopback", FLAG, limits.loopback),
    COUNT("limits", "half_open_per_network", limits.half_open_per_network, 0, 1000000),
    COUNT("limits", "joins_per_address", limits.joins_per_address, 0, 1000000),
    COUNT("limits", "joins_per_invite", limits.joins_per_invite, 0, 1000000),
    COUNT("limits", "joins_per_room", limits.joins_per_room, 0, 1000000),
    COUNT("limits", "waiting_per_address", limits.waiting_per_address, 0, 1000000),
    COUNT("limits", "handshakes_waiting", limits.handshakes_waiting, 0, 1000000),
    COUNT("limits", "chat_per_minute", limits.chat_per_minute, 0, 1000000),
    COUNT("limits", "strikes", limits.strikes, 0, 1000000),
    COUNT("media", "rekey_seconds", rekey_s, 0, 10000000),
    KEY("media", "port", PORT, media_port),
    COUNT("media", "threads", media_threads, 0, 16),
    COUNT("media", "packed_from", packed_from, 0, 10000000),
    COUNT("media", "edge_from", edge_from, 0, 10000000),
    COUNT("media", "handshake_threads", handshake_threads, 1, 16),
    KEY("media", "tcp", FLAG, media_tcp),
    KEY("media", "require_256", FLAG, srtp_min_256),
    KEY("turn", "uris", TEXT, turn_uris),
    KEY("turn", "secret_file", TEXT, turn_secret_file),
    COUNT("turn", "ttl_seconds", turn_ttl_s, 60, 86400),
};

struct load {
  struct server_config *c;
  const char *path;
  char *why;
};

static bool set_number(const char *v, long max, long *out) {
  char *end;
  errno = 0;
  *out = strtol(v, &end, 10);
  return errno == 0 && end != v && *end == 0 && *out >= 0 && *out <= max;
}

/* What a file says lives until the process ends, and a file that is read again mostly says the same: each
 * text is kept once. */
static const char *text_kept(const char *v) {
  static struct text {
    struct text *before;
    char v[];
  } * last; /* a global: configurations are copied, and none owns its texts */
  for (const struct text *t = last; t; t = t->before)
    if (strcmp(t->v, v) == 0)
      return t->v;
  struct text *t = malloc(sizeof *t + strlen(v) + 1);
  if (!t)
    abort();
  t->before = last;
  memcpy(t->v, v, strlen(v) + 1);
  last = t;
  return t->v;
}

static bool is_level(const char *v) {
  static const char *const LEVELS[] = {"debug", "info", "warn", "error"};
  for (size_t i = 0; i < sizeof LEVELS / sizeof LEVELS[0]; i++)
    if (strcmp(v, LEVELS[i]) == 0)
      return true;
  return false;
}

static bool set(const struct key *k, struct server_config *c, const char *v) {
  void *at = (char *)c + k->at;
  long n;
  switch (k->kind) {
  case LEVEL:
    if (!is_level(v))
      return false;
    /* fall through */
  case TEXT:
    *(const char **)at = text_kept(v);
    return true;
  case PORT:
    return set_number(v, 65535, &n) && (*(uint16_t *)at = (uint16_t)n, true);
  case NUMBER:
    return set_number(v, k->max, &n) && n >= k->min && (*(unsigned *)at = (unsigned)n, true);
  case FLAG:
    if (strcmp(v, "yes") != 0 && strcmp(v, "no") != 0)
      return false;
    *(bool *)at = strcmp(v, "yes") == 0;
    return true;
  }
  return false;
}

/* inih wants 1 for accepted. The line number comes from ini_parse's result; the sentence is begun here. */
static int on_key(void *user, const char *section, const char *name, const char *value) {
  struct load *l = user;
  for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
    if (strcmp(section, KEYS[i].section) == 0 && strcmp(name, KEYS[i].name) == 0) {
      if (set(&KEYS[i], l->c, value))
        return 1;
      int n = snprintf(l->why, 256, "'%.60s' is not a value for %.40s", value, name);
      if (KEYS[i].kind == NUMBER)
        snprintf(l->why + n, 256 - (size_t)n, ": %ld to %ld", KEYS[i].min, KEYS[i].max);
      return 0;
    }
  if (!l->why[0])
    snprintf(l->why, 256, "there is no setting '%.60s' in section [%.40s]", name, section);
  return 0;
}

enum err server_config_load(const char *path, struct server_config *c, char why[256]) {
  char what[256] = "";
  struct load l = {c, path, what};
  FILE *f = fopen(path, "re");
  int rc = f ? ini_parse_file(f, on_key, &l) : -1, saved = errno;
  bool readable = f && !ferror(f); /* a folder opens, but cannot be read */
  if (f)
    fclose(f);
  if (rc == 0 && readable)
    return ERR_OK;
  if (!readable)
    snprintf(why, 256, "%.180s cannot be read: %s", path, strerror(saved));
  else
    snprintf(why, 256, "%.120s, line %d: %.100s", path, rc, what[0] ? what : "not an INI line");
  return ERR_BAD_CONFIG;
}

/* ---- what has changed ---- */

#define VALUE_MAX 512

/* Takes effect without a restart. */
static bool is_live(const struct key *k) {
  static const char *const LIVE[] = {"access", "privacy", "audit", "limits", "turn", "monitor"};
  for (size_t i = 0; i < sizeof LIVE / sizeof LIVE[0]; i++)
    if (strcmp(k->section, LIVE[i]) == 0)
      return true;
  return k->kind == LEVEL;
}

static void show(const struct key *k, const struct server_config *c, char out[VALUE_MAX]) {
  const void *at = (const char *)c + k->at;
  const char *text = k->kind <= LEVEL ? *(const char *const *)at : NULL;
  if (k->kind <= LEVEL)
    snprintf(out, VALUE_MAX, "%s", text ? text : "");
  else if (k->kind == FLAG)
    snprintf(out, VALUE_MAX, "%s", *(const bool *)at ? "yes" : "no");
  else
    snprintf(out, VALUE_MAX, "%u", k->kind == PORT ? *(const uint16_t *)at : *(const unsigned *)at);
}

/* Where a key lies is nobody's business. */
static bool is_secret(const struct key *k) {
  return strcmp(k->name, "key") == 0 || strcmp(k->name, "token_file") == 0 ||
         strcmp(k->name, "secret_file") == 0;
}

json_t *server_config_changes(const struct server_config *old, const struct server_config *now) {
  char was[VALUE_MAX], is[VALUE_MAX], name[64];
  json_t *all = json_object();
  for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
    show(&KEYS[i], old, was);
    show(&KEYS[i], now, is);
    if (strcmp(was, is) == 0)
      continue;
    snprintf(name, sizeof name, "%s.%s", KEYS[i].section, KEYS[i].name);
    bool secret = is_secret(&KEYS[i]);
    json_object_set_new(all, name,
                        json_pack("{s:s,s:s,s:b}", "from", secret ? "***" : was, "to", secret ? "***" : is,
                                  "now", is_live(&KEYS[i])));
  }
  return all;
}

void server_config_take(struct server_config *c, const struct server_config *now) {
  for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
    static const size_t SIZES[] = {[TEXT] = sizeof(char *),
                                   [LEVEL] = sizeof(char *),
                                   [PORT] = sizeof(uint16_t),
                                   [NUMBER] = sizeof(unsigned),
                                   [FLAG] = sizeof(bool)};
    if (is_live(&KEYS[i]))
      memcpy((char *)c + KEYS[i].at, (const char *)now + KEYS[i].at, SIZES[KEYS[i].kind]);
  }
}

void server_config_digest(const struct server_config *c, char out[65]) {
  char all[sizeof KEYS / sizeof KEYS[0] * (VALUE_MAX + 64)], value[VALUE_MAX];
  size_t n = 0;
  uint8_t hash[32];
  for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
    show(&KEYS[i], c, value);
    n += (size_t)snprintf(all + n, sizeof all - n, "%s.%s=%s\n", KEYS[i].section, KEYS[i].name, value);
  }
  sha256(all, n, hash);
  hex_encode(hash, sizeof hash, out);
}
