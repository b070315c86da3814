#include "tui/headless.h"

#include "core/wire/json.h"
#include "core/wire/room_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void headless_init(struct headless *h, struct pilot *ctl, void (*put)(void *ctx, const char *text),
                   void *ctx) {
  *h = (struct headless){.ctl = ctl, .m = ctl->m, .put = put, .ctx = ctx};
}

/* emit: takes the reference. */
static void emit(struct headless *h, json_t *o) {
  char *text = json_dumps(o, JSON_COMPACT);
  if (text != NULL)
    h->put(h->ctx, text);
  free(text);
  json_decref(o);
}

static void emit_reply(struct headless *h, uint32_t ticket, enum err e, const char *text) {
  emit(h, json_pack("{ss sI sb ss ss}", "event", "reply", "ticket", (json_int_t)ticket, "ok", e == ERR_OK,
                    "code", err_code(e), "text", text != NULL && text[0] != '\0' ? text : err_text(e)));
}

static json_t *state_json(const struct client_event *ev) {
  static const char *const NAMES[] = {"connecting", "lobby", "joined", "reconnecting", "ended"};
  return json_pack("{ss ss sI si si ss ss}", "event", "state", "state", NAMES[ev->state], "me",
                   (json_int_t)ev->me, "place", (int)ev->place, "waiting", (int)ev->waiting, "code",
                   err_code(ev->why), "text", ev->text);
}

static json_t *levels_json(const struct client_event *ev) {
  json_t *list = json_array();
  for (unsigned i = 0; i < ev->n && i < CLIENT_LEVELS_MAX; i++)
    json_array_append_new(list, json_pack("{sI si}", "id", (json_int_t)ev->level_of[i].member, "level",
                                          (int)ev->level_of[i].level));
  return json_pack("{ss so}", "event", "levels", "levels", list);
}

static json_t *quality_json(const struct client_event *ev) {
  static const char *const NAMES[] = {"good", "weak", "bad"};
  json_t *list = json_array();
  for (unsigned i = 0; i < ev->n && i < CLIENT_LEVELS_MAX; i++)
    json_array_append_new(list, json_pack("{sI ss}", "id", (json_int_t)ev->level_of[i].member, "line",
                                          NAMES[ev->level_of[i].level > 2 ? 2 : ev->level_of[i].level]));
  return json_pack("{ss so}", "event", "quality", "people", list);
}

static json_t *mic_json(const struct client_event *ev) {
  static const char *const NAMES[] = {"none", "closed", "open", "muted", "held", "no_floor"};
  return json_pack("{ss ss si sb}", "event", "mic", "mic", NAMES[ev->mic], "level", (int)ev->level,
                   "muted_talk", ev->muted_talk);
}

static json_t *link_json(const struct client_link *l) {
  json_t *o =
      json_pack("{ss sb ss si si si si si}", "event", "link", "connected", l->connected, "profile",
                l->profile != NULL ? l->profile : "", "loss_down_pct", l->loss_down_pct, "loss_up_pct",
                l->loss_up_pct, "rtt_ms", l->rtt_ms, "jitter_ms", l->jitter_ms, "buffer_ms", l->buffer_ms);
  json_t *more = json_pack("{ss ss ss si si si si si si si si si sI}", "via", l->via, "tier_down",
                           l->tier_down != NULL ? l->tier_down : "", "tier_up",
                           l->tier_up != NULL ? l->tier_up : "", "copies_down", l->copies_down, "copies_up",
                           l->copies_up, "concealed_pct", l->concealed_pct, "mos_down", l->mos_down, "mos_up",
                           l->mos_up, "kbps_down", l->kbps_down, "kbps_up", l->kbps_up, "limit_kbps",
                           l->limit_kbps, "playout_ms", l->playout_ms, "underruns", (json_int_t)l->underruns);
  json_object_update(o, more);
  json_decref(more);
  return o;
}

static json_t *other_json(const struct client_other *o) {
  return json_pack("{ss sI ss ss si si si si si si si si si si si si}", "event", "line", "id",
                   (json_int_t)o->member, "via", o->via, "tier", o->tier, "copies", (int)o->copies,
                   "loss_up_pct", (int)o->loss_up_pct, "loss_down_pct", (int)o->loss_down_pct,
                   "concealed_up_pct", (int)o->concealed_up_pct, "concealed_down_pct",
                   (int)o->concealed_down_pct, "mos_up", (int)o->mos_up, "mos_down", (int)o->mos_down,
                   "rtt_ms", (int)o->rtt_ms, "jitter_ms", (int)o->jitter_ms, "buffer_ms", (int)o->buffer_ms,
                   "kbps_up", (int)o->kbps_up, "kbps_down", (int)o->kbps_down);
}

static json_t *history_json(const struct client_event *ev) {
  static const char *const KINDS[] = {"public", "private", "hosts", "lobby", "announce", "side"};
  json_t *list = json_array();
  for (size_t i = 0; i < ev->n_chat; i++) {
    const struct chat *c = &ev->chat[i];
    json_array_append_new(list, json_pack("{sI sI ss sI sI ss ss sb sb}", "id", (json_int_t)c->id, "ts",
                                          (json_int_t)c->ts_ms, "kind", KINDS[c->kind % 6], "from",
                                          (json_int_t)c->from, "to", (json_int_t)c->to, "name", c->name,
                                          "text", c->text != NULL ? c->text : "", "deleted", c->deleted,
                                          "edited", c->edited));
  }
  return json_pack("{ss sb ss sb so}", "event", "history", "ok", ev->why == ERR_OK, "code", err_code(ev->why),
                   "more", ev->more, "chat", list);
}

static json_t *reply_json(const struct client_event *ev) {
  const char *text = ev->data != NULL ? ev->data : ev->text;
  return json_pack("{ss sI sb ss ss}", "event", "reply", "ticket", (json_int_t)ev->ticket, "ok",
                   ev->why == ERR_OK, "code", err_code(ev->why), "text",
                   text[0] != '\0' ? text : err_text(ev->why));
}

static json_t *event_json(const struct client_event *ev) {
  switch (ev->kind) {
  case CLIENT_EV_STATE:
    return state_json(ev);
  case CLIENT_EV_ROOM:
    return json_pack("{ss so}", "event", "room", "room", room_to_wire(ev->room, 0));
  case CLIENT_EV_EVENT:
    return json_pack("{ss so}", "event", "room_event", "data", room_event_to_wire(ev->event));
  case CLIENT_EV_REPLY:
    return reply_json(ev);
  case CLIENT_EV_HISTORY:
    return history_json(ev);
  case CLIENT_EV_LEVELS:
    return levels_json(ev);
  case CLIENT_EV_QUALITY:
    return quality_json(ev);
  case CLIENT_EV_MIC:
    return mic_json(ev);
  case CLIENT_EV_LINK:
    return link_json(&ev->link);
  case CLIENT_EV_OTHER:
    return other_json(&ev->other);
  case CLIENT_EV_CONSENT:
    return json_pack("{ss ss ss}", "event", "consent", "version", ev->text, "text", ev->data);
  case CLIENT_EV_SECURITY:
    return NULL; /* "security" shows it as a page */
  case CLIENT_EV_PRIVACY:
    return json_pack("{ss sb ss ss}", "event", "privacy", "ok", ev->why == ERR_OK, "code", err_code(ev->why),
                     "text", ev->data != NULL ? ev->data : ev->text);
  case CLIENT_EV_MAINTENANCE:
    return json_pack("{ss sI ss}", "event", "maintenance", "at_ms", (json_int_t)ev->at_ms, "text", ev->text);
  case CLIENT_EV_NOTICE:
    return json_pack("{ss ss}", "event", "notice", "text", ev->text);
  }
  return NULL;
}

/* settle: pages become events, questions answer themselves; asked to unmute stays a matter for the script. */
static void settle(struct headless *h, us_t now) {
  struct model *m = h->m;
  if (m->mode == MODE_PAGE)
    emit(h, json_pack("{ss ss ss}", "event", "page", "title", m->page_title, "text", m->page));
  if (m->mode == MODE_ASK && m->ask.kind != ASK_UNMUTE)
    pilot_answer(h->ctl, 'y', now);
  else if (m->mode != MODE_KEYS)
    model_close(m);
}

void headless_event(struct headless *h, struct client_event *ev, us_t now) {
  json_t *o = event_json(ev);
  if (o != NULL)
    emit(h, o);
  model_update(h->m, ev, now);
  h->m->invite_new = false; /* the reply held the link */
  headless_tick(h, now);
}

static void toast_reply(struct headless *h, enum err e) {
  emit_reply(h, 0, e, h->m->toast);
  h->m->toast[0] = '\0';
}

static void input_cmd(struct headless *h, const json_t *o, us_t now) {
  const char *cmd = json_str(o, "cmd", "");
  if (strcmp(cmd, "mic") == 0)
    pilot_line(h->ctl, json_flag(o, "on", false) ? "mic on" : "mic off", now);
  else if (strcmp(cmd, "leave") == 0)
    model_intent(h->m, INTENT_LEAVE);
  else if (strcmp(cmd, "history") == 0)
    model_intent(h->m, INTENT_HISTORY);
  else if (strcmp(cmd, "line") == 0)
    model_intent(h->m, INTENT_OTHER)->member = (uint32_t)json_int(o, "id", 0);
  else
    emit_reply(h, 0, ERR_BAD_METHOD, NULL);
}

static void input_act(struct headless *h, json_t *o) {
  enum act act = act_find(json_str(o, "act", ""));
  struct act_order order = {.act = act};
  struct room_cmd cmd = {.act = act};
  if (act == ACT__COUNT) {
    emit_reply(h, 0, ERR_BAD_METHOD, NULL);
    return;
  }
  json_object_del(o, "act");
  enum err e = room_cmd_from_params(act, o, &cmd, order.targets, MODEL_MARKS_MAX);
  if (e != ERR_OK) {
    emit_reply(h, 0, e, NULL);
    return;
  }
  act_order_take(&order, &cmd);
  model_act(h->m, &order);
}

static void input_json(struct headless *h, const char *text, us_t now) {
  json_t *o = NULL;
  const char *why = NULL;
  enum err e = json_parse_strict(text, strlen(text), &o, &why);
  if (e == ERR_OK && !json_is_object(o))
    e = ERR_BAD_REQUEST;
  if (e != ERR_OK)
    emit_reply(h, 0, e, why);
  else if (json_object_get(o, "act") != NULL)
    input_act(h, o);
  else
    input_cmd(h, o, now);
  json_decref(o);
}

void headless_input(struct headless *h, const char *text, us_t now) {
  bool ok = true;
  text += strspn(text, " \t");
  if (text[0] == '{')
    input_json(h, text, now);
  else if (text[0] == '/' || text[0] == ':')
    ok = pilot_line(h->ctl, text + 1, now);
  else if (text[0] != '\0')
    ok = pilot_say(h->ctl, text, now);
  if (!ok || h->m->mode == MODE_COMMAND) /* refused, or words are missing */
    toast_reply(h, ok ? ERR_BAD_REQUEST : h->ctl->refused);
  headless_tick(h, now);
}

void headless_sent(struct headless *h, enum act act, uint32_t ticket) {
  emit(h, json_pack("{ss ss sI}", "event", "sent", "act", ACTS[act].name, "ticket", (json_int_t)ticket));
}

void headless_tick(struct headless *h, us_t now) {
  model_tick(h->m, now);
  pilot_tick(h->ctl, now);
  settle(h, now);
}
