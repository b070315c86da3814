/* hooks_calls.c: gavelctl webhook list, retry, drop. */
#include "core/base/utc.h"
#include "core/server/hooks_private.h"

#include <stdlib.h>
#include <string.h>

#define LISTED_MAX 200

void hooks_list_call(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  struct hooks *q = hooks_of(c);
  json_t *list = json_array();
  if (json_object_size(params) > 0) {
    json_decref(list);
    control_refuse(c, k, id, ERR_BAD_ARG, NULL);
    return;
  }
  for (struct hook *h = q->first; h && json_array_size(list) < LISTED_MAX; h = h->after) {
    char name[HOOK_ID_MAX], until[UTC_MAX];
    hook_name(h->id, name);
    utc_text(h->until_ms, until);
    json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:i,s:s,s:s}", "id", name, "type", h->type, "state",
                                          !h->line  ? "given_up"
                                          : h->sent ? "sending"
                                                    : "waiting",
                                          "tries", (int)h->tries, "until", until, "said", h->said));
  }
  control_reply(c, k, id,
                json_pack("{s:o,s:I,s:I,s:I,s:I}", "webhooks", list, "queued", (json_int_t)q->count.queued,
                          "delivered", (json_int_t)q->count.delivered, "failed_tries",
                          (json_int_t)q->count.failed, "dropped", (json_int_t)q->count.dropped));
}

static bool fits(const struct hook *h, const char *id) {
  char name[HOOK_ID_MAX];
  hook_name(h->id, name);
  return !*id || strcmp(name, id) == 0;
}

void hooks_retry_call(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  const char *which = json_str(params, "id", "");
  unsigned n = 0;
  if (!json_only_keys(params, "id", NULL)) {
    control_refuse(c, k, id, ERR_BAD_ARG, NULL);
    return;
  }
  for (struct hook *h = hooks_of(c)->last; h; h = h->before) { /* so each is the first of its line again */
    if (!fits(h, which) || h->sent)
      continue;
    h->tries = 0;
    h->until_ms = c->wall_ms + HOOKS_GIVE_UP_MS;
    if (h->stored)
      hook_store(c, h);
    hook_wait(c->hooks, h, c->now);
    n++;
  }
  audit_note(c->access, &(struct audit_entry){
                            .action = "webhook.retry", .target = which, .outcome = n ? ERR_OK : ERR_NOTHING});
  if (n)
    control_reply(c, k, id, json_pack("{s:i}", "retried", (int)n));
  else
    control_refuse(c, k, id, ERR_NOTHING, "there is no such event in the queue");
}

void hooks_drop_call(struct control *c, struct conn *k, json_int_t id, json_t *params) {
  const char *which = json_str(params, "id", "");
  bool all = json_flag(params, "all", false);
  unsigned n = 0;
  if (!json_only_keys(params, "id", "all", NULL) || all == (*which != 0)) {
    control_refuse(c, k, id, ERR_BAD_ARG, "an id, or --all");
    return;
  }
  for (struct hook *h = hooks_of(c)->first, *after; h; h = after) {
    after = h->after;
    if (!fits(h, which))
      continue;
    hook_remove(c, h);
    c->hooks->count.dropped++;
    n++;
  }
  audit_note(c->access, &(struct audit_entry){.action = "webhook.drop",
                                              .target = all ? "all" : which,
                                              .outcome = n ? ERR_OK : ERR_NOTHING});
  if (n)
    control_reply(c, k, id, json_pack("{s:i}", "dropped", (int)n));
  else
    control_refuse(c, k, id, ERR_NOTHING, "there is no such event in the queue");
}
