/* hooks.h: events of rooms, and alerts, on their way to an operator's HTTP endpoint, as Standard Webhooks
 * (webhook-id, webhook-timestamp, webhook-signature: v1,BASE64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY").
 *
 * Invariant: an event is in the database with the act that it tells of, and leaves it only when a 2xx came
 * back, it was given up, or dropped: at least once, also after kill -9. Of one room in order: the next is not
 * sent before the one before it; so with alerts, which wait for no event. Nothing here waits: sending is the
 * runner's (runner.h). Alerts are not kept. Thread: the control thread. */
#ifndef GAVEL_SERVER_HOOKS_H
#define GAVEL_SERVER_HOOKS_H

#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/server/runner.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct control;
struct conn;
struct hosted;
struct room_event;

#define HOOKS_GIVE_UP_MS (24 * INT64_C(3600000))
#define HOOKS_RETRY_MOST_US (3600 * US_PER_S)
struct hooks_config {
  enum err (*run)(void *ctx, const struct runner_job *job); /* ERR_BUSY, ERR_IO; NULL: no webhooks at all */
  bool to_webhook, to_alert, to_command;                    /* which targets there are */
  const char *events;    /* of rooms: "all", or names and beginnings like member.*, with blanks between */
  bool names;            /* of people as well */
  uint8_t secret[2][64]; /* of RUN_WEBHOOK and RUN_ALERT */
  size_t n_secret[2];
  unsigned most; /* that wait; then the oldest goes */
};
struct hooks_counters {
  uint64_t queued, delivered, failed, dropped; /* failed: tries */
};

/* hooks_load: what waits in the database, at the start. */
void hooks_load(struct control *c);
void hooks_free(struct control *c);
/* hooks_event: an event of a room, before it is applied. */
void hooks_event(struct control *c, const struct hosted *h, const struct room_event *ev);
/* hooks_alert: to the alert's endpoint and command; steals `body`. */
void hooks_alert(struct control *c, json_t *body);
/* hooks_kept: the group is on disk: what is in it may go out. hooks_lost: it is not, and all is as before it.
 * hooks_tick sends what is due. */
void hooks_kept(struct control *c);
void hooks_lost(struct control *c);
void hooks_tick(struct control *c);
us_t hooks_next(const struct control *c);
/* hooks_ran: the runner's answer to a job of RUN_WEBHOOK, RUN_ALERT, RUN_COMMAND. hooks_unname: the name of
 * this person is in nothing that waits any more. */
void hooks_ran(struct control *c, const struct runner_answer *a);
void hooks_unname(struct control *c, const char *pid);
struct hooks_counters hooks_counters(const struct control *c);
/* hooks_stuck: for how long nothing has come through, though something waits; 0: all is well. */
us_t hooks_stuck(const struct control *c);
/* hooks_sign: the webhook-signature of n bytes of body. */
void hooks_sign(const uint8_t *key, size_t n_key, const char *id, const char *at, const char *body, size_t n,
                char out[80]);
/* hooks_events_ok: each word of hooks_config.events means some event. */
bool hooks_events_ok(const char *list);
/* hooks_secret: "whsec_" and base64, or the text itself; its length, 0: neither. */
size_t hooks_secret(const char *text, uint8_t out[64]);

/* The operator's methods: webhook.list {}, webhook.retry {id?}, webhook.drop {id} or {all: true}. */
void hooks_list_call(struct control *c, struct conn *k, json_int_t id, json_t *params);
void hooks_retry_call(struct control *c, struct conn *k, json_int_t id, json_t *params);
void hooks_drop_call(struct control *c, struct conn *k, json_int_t id, json_t *params);

#endif
