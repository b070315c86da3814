#include "core/room/room_private.h"

#include <string.h>

bool chat_visible(const struct room *r, enum chat_kind kind, uint32_t from, uint32_t to, uint32_t viewer) {
  enum view v = room_view_of(r, viewer);
  if (v == VIEW_NOTHING)
    return false;
  if (kind == CHAT_PUBLIC || viewer == 0 || viewer == from)
    return true;
  return kind == CHAT_PRIVATE ? viewer == to : v == VIEW_MODERATOR;
}

static bool chat_is_on(const struct decision *d, enum chat_kind kind) {
  enum chat_mode mode = d->r->chat_mode;
  if (kind == CHAT_TO_HOSTS || ROLE_IS_MODERATOR(d->rank) || mode == CHAT_MODE_ALL)
    return true;
  return mode == (kind == CHAT_PUBLIC ? CHAT_MODE_PUBLIC : CHAT_MODE_PRIVATE);
}

enum err decide_chat(struct decision *d) {
  enum act act = d->cmd->act;
  enum chat_kind kind = act == ACT_CHAT ? CHAT_PUBLIC : act == ACT_CHAT_TO ? CHAT_PRIVATE : CHAT_TO_HOSTS;
  if (!chat_is_on(d, kind))
    return ERR_CHAT_OFF;
  char text[TEXT_CHAT_MAX + 1];
  enum err e = d->cmd->text ? text_clean_chat(d->cmd->text, strlen(d->cmd->text), text) : ERR_BAD_TEXT;
  if (!e)
    decide_event(d, ROOM_EV_CHAT, kind, d->n_ids ? d->ids[0] : 0)->text = room_strdup(text);
  return e;
}

/* Nobody can delete, or by trying learn of, a message he cannot see. */
enum err decide_chat_delete(struct decision *d) {
  const struct chat *c = d->cmd->num > 0 ? room_chat_by_id(d->r, (uint64_t)d->cmd->num) : NULL;
  if (!c || !chat_visible(d->r, c->kind, c->from, c->to, d->actor_id))
    return ERR_NO_MESSAGE;
  if (c->from != d->actor_id && !ROLE_IS_MODERATOR(d->rank))
    return ERR_NOT_ALLOWED;
  if (c->deleted)
    return ERR_NO_CHANGE;
  (void)decide_event(d, ROOM_EV_CHAT_DELETED, d->cmd->num, 0);
  return ERR_OK;
}

enum err decide_chat_clear(struct decision *d) {
  if (d->r->n_chat == 0)
    return ERR_NOTHING;
  (void)decide_event(d, ROOM_EV_CHAT_CLEARED, 0, 0);
  return ERR_OK;
}
