/* shell_runner.c: the runner's ends of the sockets in the control thread, and what the configuration says of
 * webhooks and alerts. */
#include "core/server/server_private.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECRET_MOST 128

enum err shell_runner_send(void *ctx, const struct runner_job *job) {
  struct server *s = ctx;
  int fd = job->target == RUN_COMMAND ? s->runner.command : s->runner.http;
  return fd < 0 ? ERR_IO : runner_send(fd, job);
}

static void take(struct server *s, int *fd) {
  struct runner_answer a;
  int got = 0;
  while (*fd >= 0 && (got = runner_receive(*fd, &a)) > 0)
    control_ran(s->control, &a);
  if (*fd < 0 || got == 0)
    return;
  loop_watch(s->loop, *fd, false);
  close(*fd);
  *fd = -1;
  control_ran(s->control, NULL);
}

void shell_runner_take(struct server *s) {
  take(s, &s->runner.http);
  take(s, &s->runner.command);
}

void shell_runner_watch(struct server *s) {
  if (s->runner.http >= 0)
    loop_watch(s->loop, s->runner.http, true);
  if (s->runner.command >= 0)
    loop_watch(s->loop, s->runner.command, true);
}

void shell_runner_close(struct server *s) {
  if (s->runner.http >= 0)
    close(s->runner.http);
  if (s->runner.command >= 0)
    close(s->runner.command);
  s->runner = (struct runner){-1, -1};
}

/* ---- configuration ---- */

static enum err secret(const char *url, const char *file, const char *what, uint8_t out[64], size_t *n,
                       char why[256]) {
  char text[SECRET_MOST], name[48];
  *n = 0;
  if (!*file || !*url)
    return ERR_OK;
  snprintf(name, sizeof name, "%s secret_file", what);
  enum err e = settings_secret(file, name, text, sizeof text, why);
  *n = e == ERR_OK ? hooks_secret(text, out) : 0;
  OPENSSL_cleanse(text, sizeof text);
  if (e == ERR_OK && *n == 0) {
    snprintf(why, 256, "%s: whsec_ and base64 of 16 to 64 bytes, or up to 64 letters", name);
    e = ERR_BAD_CONFIG;
  }
  return e;
}

enum err shell_runner_configure(const struct server *s, struct control_config *cc, char why[256]) {
  const struct server_config *c = &s->cfg;
  struct hooks_config *h = &cc->hooks;
  *h = (struct hooks_config){.to_webhook = *c->webhook_url,
                             .to_alert = *c->alert_webhook,
                             .to_command = *c->alert_command,
                             .events = c->webhook_events,
                             .names = c->webhook_names,
                             .most = c->webhook_queue};
  cc->alerts =
      (struct alerts_config){.on = c->ops_port || h->to_alert || h->to_command || h->to_webhook || c->runner,
                             .server = c->name,
                             .loss_percent = c->alert_loss_percent,
                             .loss_minutes = c->alert_loss_minutes,
                             .certificate_days = c->alert_certificate_days,
                             .strikes = c->alert_strikes};
  if (!c->runner) { /* inside `gavel host`: nothing is sent */
    h->to_webhook = h->to_alert = h->to_command = false;
    return ERR_OK;
  }
  h->run = shell_runner_send;
  for (unsigned i = 0; i < RUNNER_WATCH_MAX; i++)
    cc->alerts.watch[i] = c->watched[i];
  if (h->to_webhook && !hooks_events_ok(h->events)) {
    snprintf(why, 256, "[webhook] events: all, names as room.created, or beginnings as member.*; not %.100s",
             h->events);
    return ERR_BAD_CONFIG;
  }
  enum err e = secret(c->webhook_url, c->webhook_secret_file, "[webhook]", h->secret[RUN_WEBHOOK],
                      &h->n_secret[RUN_WEBHOOK], why);
  return e == ERR_OK ? secret(c->alert_webhook, c->alert_secret_file, "[alert]", h->secret[RUN_ALERT],
                              &h->n_secret[RUN_ALERT], why)
                     : e;
}

enum err server_runner_start(struct server_config *c, struct runner *out, char why[256]) {
  static char urls[1024]; /* what `watched` points into: lives as long as the configuration */
  unsigned n = 0;
  struct runner_config r = {
      .to = {c->webhook_url, c->alert_webhook, c->alert_command}, .user = c->user, .seccomp = c->seccomp};
  r.private_ok[RUN_WEBHOOK] = c->webhook_private;
  r.ca_file[RUN_WEBHOOK] = c->webhook_ca_file;
  for (unsigned i = RUN_ALERT; i < RUN_TARGETS; i++) {
    r.private_ok[i] = c->alert_private;
    r.ca_file[i] = c->alert_ca_file;
  }
  snprintf(urls, sizeof urls, "%s", c->alert_watch);
  for (char *save = NULL, *p = strtok_r(urls, ", ", &save); p; p = strtok_r(NULL, ", ", &save)) {
    if (n == RUNNER_WATCH_MAX || strlen(c->alert_watch) >= sizeof urls) {
      snprintf(why, 256, "[alert] watch_urls: at most %d, and 1000 letters", RUNNER_WATCH_MAX);
      return ERR_BAD_CONFIG;
    }
    c->watched[n] = p;
    r.to[RUN_WATCH + n++] = p;
  }
  *out = (struct runner){-1, -1};
  if (!n && !*c->webhook_url && !*c->alert_webhook && !*c->alert_command)
    return ERR_OK;
  enum err e = runner_start(&r, out, why);
  c->runner = e == ERR_OK ? out : NULL;
  return e;
}
