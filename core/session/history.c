/* history.c: older messages, asked for page by page: the snapshot brings only the newest. */
#include "core/session/session_private.h"
#include "core/wire/room_json.h"

#include <stdlib.h>
#include <string.h>

static void tell(struct session *s, enum err why, struct room *messages, bool more) {
  struct client_event ev;
  session_event(&ev, CLIENT_EV_HISTORY);
  ev.why = why;
  ev.more = more;
  if (messages) {
    ev.chat = messages->chat;
    ev.n_chat = messages->n_chat;
    messages->chat = NULL;
    messages->n_chat = 0;
  }
  s->cfg.event(s->cfg.ctx, &ev);
}

void session_history(struct session *s, us_t now, uint64_t before) {
  s->now = now;
  if (s->history_id) /* one page at a time */
    return;
  if (s->state != CLIENT_JOINED || !s->connected) {
    tell(s, s->state == CLIENT_LOBBY ? ERR_IN_LOBBY : ERR_NOT_JOINED, NULL, false);
    return;
  }
  s->history_id = ++s->last_id;
  session_request(s, s->history_id, "room.history", json_pack("{s:I}", "before", (json_int_t)before));
}

void history_reply(struct session *s, const struct rpc_in *in) {
  struct room page;
  s->history_id = 0;
  if (in->kind != RPC_RESULT || s->state != CLIENT_JOINED) {
    tell(s, in->kind == RPC_RESULT ? ERR_NOT_JOINED : in->error, NULL, false);
    return;
  }
  /* a page is a snapshot with nothing but messages in it */
  json_t *wire = json_pack("{s:s,s:I,s:[],s:O}", "room", s->room.name, "seq", (json_int_t)s->room.seq,
                           "members", "chat", json_object_get(in->result, "chat"));
  room_init(&page);
  enum err e = wire ? room_from_wire(wire, &page) : ERR_PROTOCOL;
  tell(s, e == ERR_OK ? ERR_OK : ERR_PROTOCOL, e == ERR_OK ? &page : NULL,
       json_flag(in->result, "more", false));
  room_free(&page);
  json_decref(wire);
}

void history_lost(struct session *s) {
  if (s->history_id)
    tell(s, ERR_AGAIN, NULL, false);
  s->history_id = 0;
}

size_t client_history_into(struct room *r, struct client_event *ev) {
  size_t before = 0, room_left = r->n_chat < ROOM_CHAT_KEPT ? ROOM_CHAT_KEPT - r->n_chat : 0;
  while (before < ev->n_chat && (r->n_chat == 0 || ev->chat[before].id < r->chat[0].id))
    before++;
  size_t n = before < room_left ? before : room_left, from = before - n;
  if (n == 0)
    return 0;
  struct chat *all = malloc((r->n_chat + n) * sizeof *all);
  if (!all)
    abort();
  memcpy(all, ev->chat + from, n * sizeof *all);
  if (r->n_chat)
    memcpy(all + n, r->chat, r->n_chat * sizeof *all);
  free(r->chat);
  r->chat = all;
  r->n_chat += n;
  r->cap_chat = r->n_chat;
  for (size_t i = 0; i < n; i++)
    ev->chat[from + i].text = NULL; /* the room's now */
  return n;
}
