/* settings.c: what the configuration says to the control plane, also when it is read again. */
#include "core/base/log.h"
#include "core/server/server_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONSENT_MAX 16383 /* bytes of its text */

static const char *or_null(const char *text) {
  return text && *text ? text : NULL;
}

/* The text that is asked for consent: a file and its version, or neither. */
enum err settings_consent(struct server *s, char why[256]) {
  const char *path = or_null(s->cfg.consent_file), *version = or_null(s->cfg.consent_version);
  if (!path && !version)
    return ERR_OK;
  FILE *f = path && version ? fopen(path, "re") : NULL;
  s->consent = calloc(1, CONSENT_MAX + 1);
  size_t n = f && s->consent ? fread(s->consent, 1, CONSENT_MAX, f) : 0;
  json_t *text = n > 0 && n < CONSENT_MAX && strlen(s->consent) == n ? json_string(s->consent) : NULL;
  bool ok = text && !ferror(f);
  json_decref(text);
  if (f)
    fclose(f);
  if (ok)
    return ERR_OK;
  snprintf(why, 256,
           "[privacy] consent_file (a UTF-8 text below 16 KiB, now %.100s) and consent_version go together",
           path ? path : "none");
  return ERR_BAD_CONFIG;
}

void settings_access(const struct server *s, struct access_config *a) {
  a->audience = s->cfg.name;
  a->hosts_need_mfa = s->cfg.hosts_need_mfa;
  a->accounts_only = s->cfg.accounts_only;
  a->consent_text = s->consent;
  a->consent_version = s->cfg.consent_version;
  a->monitor = s->cfg.monitor;
  a->controller = s->cfg.controller;
  a->contact = s->cfg.contact;
  a->chat_days = (int)s->cfg.chat_days;
  a->quality_days = (int)s->cfg.quality_days;
  a->audit_days = (int)s->cfg.audit_days;
  a->anchor_file = or_null(s->cfg.anchor_file);
}

enum err settings_turn(const struct server_config *c, struct turn **out, char why[256]) {
  return turn_open(c->turn_uris, c->turn_secret_file, c->turn_ttl_s, out, why);
}

void settings_audited(struct server *s, const char *action) {
  char digest[65];
  server_config_digest(&s->cfg, digest);
  json_t *meta = json_pack("{s:s,s:s}", "version", GAVEL_VERSION, "config", digest);
  struct audit_entry entry = {.actor = "system", .action = action, .outcome = ERR_OK, .meta = meta};
  control_audit(s->control, &entry);
  json_decref(meta);
}

/* ---- the configuration, read again ---- */

static void warn_later(const json_t *changes) {
  const char *key;
  json_t *change;
  json_object_foreach((json_t *)(uintptr_t)changes, key,
                      change) if (!json_is_true(json_object_get(change, "now")))
      log_event(LOG_WARN, "this setting changes with a restart only", "setting", key, NULL);
}

void settings_reload(struct server *s, const struct server_request *r) {
  char why[256] = "", *old_text = s->consent;
  struct server_config old = s->cfg;
  struct access_config a = {0};
  struct turn *relays = NULL;
  json_t *changes = r->reload ? server_config_changes(&s->cfg, r->reload) : NULL;
  enum err e = r->reload ? ERR_OK : ERR_BAD_CONFIG;
  if (e == ERR_OK) {
    server_config_take(&s->cfg, r->reload);
    s->consent = NULL;
    e = settings_turn(&s->cfg, &relays, why);
    if (e == ERR_OK)
      e = settings_consent(s, why);
  }
  if (e != ERR_OK && r->reload) { /* the text for consent, or the relays: all stays as it was */
    free(s->consent);
    s->consent = old_text;
    s->cfg = old;
    turn_close(relays);
  }
  settings_access(s, &a);
  if (e == ERR_OK) {
    control_configure(s->control, &a, &s->cfg.limits);
    control_relays(s->control, relays);
    turn_close(s->turn);
    s->turn = relays;
    free(old_text);
    log_event(LOG_INFO, "the configuration was read again", NULL);
    warn_later(changes);
  } else
    log_event(LOG_ERROR, "the configuration stays as it is", "why", r->reload ? why : r->why, NULL);
  json_t *meta = json_pack("{s:O*}", "changes", changes);
  struct audit_entry entry = {.actor = "system", .action = "config.change", .outcome = e, .meta = meta};
  control_audit(s->control, &entry);
  json_decref(meta);
  json_decref(changes);
}
