/* chat.c: messages: who may write and read which, slow mode, links, edits, deletion, the pinned one. */
#include "core/room/room_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who waits reads what a moderator writes to him or to the whole lobby, and nothing else. */
bool chat_visible(const struct room *r, enum chat_kind kind, uint32_t from, uint32_t to, uint32_t viewer) {
  if (viewer == 0)
    return true;
  if (viewer == ROOM_SILENT)
    return kind == CHAT_PUBLIC || kind == CHAT_ANNOUNCE;
  const struct member *m = room_member(r, viewer);
  if (!m)
    return false;
  if (m->presence == PRESENCE_WAITING)
    return kind == CHAT_LOBBY || (kind == CHAT_PRIVATE && viewer == to);
  if (viewer == from)
    return true;
  switch (kind) {
  case CHAT_PUBLIC:
  case CHAT_ANNOUNCE:
    return true;
  case CHAT_PRIVATE:
    return viewer == to;
  case CHAT_TO_HOSTS:
  case CHAT_LOBBY:
    return ROLE_IS_MODERATOR(m->role);
  case CHAT_SIDE:
    return m->side == to;
  }
  return false;
}

/* ---- links ---- */

/* ASCII whatever the locale: the server and a replica must agree. */
static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}
/* A byte of a host name; those of other scripts count. */
static bool is_label(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || (unsigned char)c >= 0x80;
}

static bool same_word(const char *s, size_t n, const char *word) {
  size_t i = 0;
  while (i < n && word[i] && lower(s[i]) == word[i])
    i++;
  return i == n && !word[i];
}

/* Endings people type without a scheme. Those that also end a file's name or begin a sentence are left out:
 * "main.rs" and "read.me" are no links, unless a path follows. */
static bool is_known_ending(const char *s, size_t n) {
  static const char *const ENDINGS[] = {"com", "net", "org", "info", "biz", "io", "gg", "ly", "xyz",
                                        "ru",  "cn",  "tk",  "de",   "uk",  "eu", "co", "dev"};
  for (size_t i = 0; i < sizeof ENDINGS / sizeof ENDINGS[0]; i++)
    if (same_word(s, n, ENDINGS[i]))
      return true;
  return false;
}

/* "name.name" from s on: a domain when a path follows a last part of two letters or more, or when that part
 * is a known ending, or when the first is "www". */
static bool is_domain(const char *s, size_t n) {
  size_t last = n;
  while (last > 0 && s[last - 1] != '.')
    last--;
  if (last < 2)
    return false;
  if (n > 4 && same_word(s, 4, "www."))
    return true;
  bool letters = n - last >= 2;
  for (size_t i = last; i < n; i++)
    letters = letters && !is_digit(s[i]);
  bool path = s[n] == '/' && (unsigned char)s[n + 1] > ' ';
  return letters && (path || is_known_ending(s + last, n - last));
}

/* A link is scheme://something, www.something, a domain with a path, or one with a well-known ending (thus
 * also the address of a mailbox). Spelt-out forms ("example dot com") and bare numbers are not looked for:
 * this keeps honest people from it and spam from being clickable, no more. */
static bool has_link(const char *text) {
  for (const char *p = strstr(text, "://"); p; p = strstr(p + 1, "://"))
    if (p > text && is_label(p[-1]) && (unsigned char)p[3] > ' ')
      return true;
  while (*text) {
    size_t n = 0;
    while (is_label(text[n]) || (n > 0 && text[n] == '.' && is_label(text[n + 1])))
      n++;
    if (n > 0 && is_domain(text, n))
      return true;
    text += n > 0 ? n : 1;
  }
  return false;
}

/* ---- deciding ---- */

/* What the room's settings forbid to people below cohost. */
static bool chat_is_on(const struct decision *d, enum chat_kind kind) {
  enum chat_mode mode = d->r->chat_mode;
  if (kind == CHAT_TO_HOSTS || ROLE_IS_MODERATOR(d->rank) || mode == CHAT_MODE_ALL)
    return true;
  return mode == (kind == CHAT_PRIVATE ? CHAT_MODE_PRIVATE : CHAT_MODE_PUBLIC);
}

/* Calling the hosts is never slowed. A clock that was set back slows nobody. */
static bool is_too_soon(const struct decision *d, enum chat_kind kind) {
  if (kind == CHAT_TO_HOSTS || ROLE_IS_MODERATOR(d->rank) || !d->actor->chat_ms)
    return false;
  int64_t since_ms = d->now_ms - d->actor->chat_ms;
  return since_ms >= 0 && since_ms < d->r->slow_s * 1000;
}

static enum err chat_text(const struct decision *d, char out[TEXT_CHAT_MAX + 1]) {
  enum err e = d->cmd->text ? text_clean_chat(d->cmd->text, strlen(d->cmd->text), out) : ERR_BAD_TEXT;
  if (!e && d->r->no_links && !ROLE_IS_MODERATOR(d->rank) && has_link(out))
    e = ERR_LINKS_OFF;
  return e;
}

static enum chat_kind kind_of(const struct decision *d) {
  switch (d->cmd->act) {
  case ACT_CHAT_TO:
    return CHAT_PRIVATE;
  case ACT_CHAT_HOSTS:
    return CHAT_TO_HOSTS;
  case ACT_LOBBY_SAY:
    return CHAT_LOBBY;
  case ACT_ANNOUNCE:
    return CHAT_ANNOUNCE;
  default:
    return d->actor && d->actor->side ? CHAT_SIDE : CHAT_PUBLIC;
  }
}

enum err decide_chat(struct decision *d) {
  enum chat_kind kind = kind_of(d);
  if (kind == CHAT_LOBBY && room_count(d->r, PRESENCE_WAITING) == 0)
    return ERR_NOTHING;
  if (d->actor && d->actor->no_chat)
    return ERR_SCOPE;
  if (!chat_is_on(d, kind))
    return ERR_CHAT_OFF;
  if (is_too_soon(d, kind))
    return ERR_SLOW_MODE;
  char text[TEXT_CHAT_MAX + 1];
  enum err e = chat_text(d, text);
  uint32_t to = kind == CHAT_SIDE ? d->actor->side : d->n_ids ? d->ids[0] : 0;
  if (!e)
    decide_event(d, ROOM_EV_CHAT, kind, to)->text = room_strdup(text);
  return e;
}

/* The message the command names; NULL when the actor cannot see it. */
static const struct chat *message(const struct decision *d) {
  const struct chat *c = d->cmd->num > 0 ? room_chat_by_id(d->r, (uint64_t)d->cmd->num) : NULL;
  return c && chat_visible(d->r, c->kind, c->from, c->to, d->actor_id) ? c : NULL;
}

/* Nobody can delete, or by trying learn of, a message he cannot see. */
enum err decide_chat_delete(struct decision *d) {
  const struct chat *c = message(d);
  if (!c)
    return ERR_NO_MESSAGE;
  if (c->from != d->actor_id && !ROLE_IS_MODERATOR(d->rank))
    return ERR_NOT_ALLOWED;
  if (c->deleted)
    return ERR_NO_CHANGE;
  (void)decide_event(d, ROOM_EV_CHAT_DELETED, d->cmd->num, 0);
  return ERR_OK;
}

enum err decide_chat_edit(struct decision *d) {
  const struct chat *c = message(d);
  if (!c || c->deleted)
    return ERR_NO_MESSAGE;
  bool of_office = c->kind == CHAT_ANNOUNCE || c->kind == CHAT_LOBBY;
  if (c->from != d->actor_id || (of_office && !ROLE_IS_MODERATOR(d->rank)))
    return ERR_NOT_ALLOWED;
  if (d->now_ms - c->ts_ms > ROOM_EDIT_MS)
    return ERR_TOO_LATE;
  if (d->actor && d->actor->no_chat)
    return ERR_SCOPE;
  if (!chat_is_on(d, c->kind))
    return ERR_CHAT_OFF;
  char text[TEXT_CHAT_MAX + 1];
  enum err e = chat_text(d, text);
  if (e)
    return e;
  if (strcmp(text, c->text) == 0)
    return ERR_NO_CHANGE;
  decide_event(d, ROOM_EV_CHAT_EDITED, d->cmd->num, 0)->text = room_strdup(text);
  return ERR_OK;
}

/* Also those the moderator cannot see: he need not read them to be rid of them. That a pinned one goes too is
 * said apart: not every replica knows whose it is. */
enum err decide_chat_purge(struct decision *d) {
  bool any = false;
  for (size_t i = 0; i < d->r->n_chat; i++) {
    const struct chat *c = &d->r->chat[i];
    if (c->from != d->ids[0] || c->deleted)
      continue;
    any = true;
    if (c->id == d->r->pin)
      (void)decide_number(d, ROOM_EV_PINNED, 0);
  }
  if (any)
    decide_target(d, ROOM_EV_CHAT_PURGED, 0, d->ids[0]);
  return any ? ERR_OK : ERR_NOTHING;
}

bool chat_author(const struct room *r, uint32_t id, enum role *rank) {
  bool any = false;
  *rank = ROLE_NONE;
  for (size_t i = 0; i < r->n_chat; i++)
    if (id && r->chat[i].from == id) {
      any = true;
      *rank = r->chat[i].role > *rank ? r->chat[i].role : *rank;
    }
  return any;
}

enum err decide_chat_clear(struct decision *d) {
  if (d->r->n_chat == 0)
    return ERR_NOTHING;
  (void)decide_event(d, ROOM_EV_CHAT_CLEARED, 0, 0);
  return ERR_OK;
}

static bool is_to_all(const struct chat *c) {
  return c->kind == CHAT_PUBLIC || c->kind == CHAT_ANNOUNCE;
}

enum err decide_pin(struct decision *d) {
  if (d->cmd->act == ACT_UNPIN)
    return decide_number(d, ROOM_EV_PINNED, 0);
  const struct chat *c = message(d);
  if (!c || c->deleted)
    return ERR_NO_MESSAGE;
  return is_to_all(c) ? decide_number(d, ROOM_EV_PINNED, d->cmd->num) : ERR_NOT_ALLOWED;
}

/* ---- applying ---- */

static void text_wipe(struct chat *c) {
  memset(c->text, 0, strlen(c->text));
}

/* The oldest makes room, but the pinned one stays. */
static void chat_drop(struct room *r) {
  size_t i = r->pin && r->chat[0].id == r->pin ? 1 : 0;
  free(r->chat[i].text);
  memmove(r->chat + i, r->chat + i + 1, (--r->n_chat - i) * sizeof *r->chat);
}

static void chat_put(struct room *r, const struct room_event *ev) {
  if (ev->num < CHAT_PUBLIC || ev->num > CHAT_SIDE)
    return;
  if (r->n_chat == ROOM_CHAT_KEPT)
    chat_drop(r);
  r->chat = room_grow(r->chat, r->n_chat, &r->cap_chat, sizeof *r->chat);
  struct chat *c = &r->chat[r->n_chat++];
  *c = (struct chat){.id = ev->seq, .ts_ms = ev->ts_ms, .kind = (enum chat_kind)ev->num, .from = ev->actor};
  c->said = ev->seq;
  c->to = (uint32_t)ev->num2;
  c->text = room_strdup(ev->text ? ev->text : "");
  struct member *m = room_find(r, ev->actor);
  c->role = m ? m->role : ROLE_NONE;
  (void)snprintf(c->name, sizeof c->name, "%s", ev->actor == 0 ? "operator" : m ? m->name : "");
  if (m && c->kind != CHAT_TO_HOSTS) /* who called for help may still speak up at once */
    m->chat_ms = ev->ts_ms;
}

static struct chat *chat_find(struct room *r, uint64_t id) {
  const struct chat *c = room_chat_by_id(r, id);
  return c ? &r->chat[c - r->chat] : NULL;
}

/* A deleted message cannot stay pinned. */
static void chat_delete(struct room *r, struct chat *c) {
  text_wipe(c);
  c->deleted = true;
  c->edited = false;
  if (r->pin == c->id)
    r->pin = 0;
}

static void chat_edit(struct room *r, const struct room_event *ev) {
  struct chat *c = chat_find(r, (uint64_t)ev->num);
  if (!c || c->deleted || !ev->text)
    return;
  text_wipe(c);
  free(c->text);
  c->text = room_strdup(ev->text);
  c->edited = true;
  c->said = ev->seq;
}

static void chat_purge(struct room *r, const struct room_event *ev) {
  for (size_t i = 0; i < r->n_chat && ev->n_targets; i++)
    if (r->chat[i].from == ev->targets[0])
      chat_delete(r, &r->chat[i]);
}

void chat_close_sides(struct room *r, uint32_t n) {
  size_t kept = 0;
  for (size_t i = 0; i < r->n_chat; i++) {
    struct chat *c = &r->chat[i];
    if (c->kind == CHAT_SIDE && c->to > n) {
      text_wipe(c);
      free(c->text);
    } else {
      r->chat[kept++] = *c;
    }
  }
  r->n_chat = kept;
}

static void chat_clear(struct room *r) {
  for (size_t i = 0; i < r->n_chat; i++) {
    text_wipe(&r->chat[i]);
    free(r->chat[i].text);
  }
  r->n_chat = 0;
  r->pin = 0;
}

/* A replica may not have what is pinned: then it knows the id only. */
static void chat_pin(struct room *r, const struct room_event *ev) {
  const struct chat *c = room_chat_by_id(r, (uint64_t)ev->num);
  uint64_t pin = !c || (!c->deleted && is_to_all(c)) ? (uint64_t)ev->num : 0;
  if (pin != r->pin)
    room_note_change(r, ev, ROOM_EV_PINNED, 0, (int64_t)r->pin, (int64_t)pin);
  r->pin = pin;
}

bool chat_apply(struct room *r, const struct room_event *ev) {
  struct chat *c;
  switch (ev->kind) {
  case ROOM_EV_CHAT:
    chat_put(r, ev);
    return true;
  case ROOM_EV_CHAT_DELETED:
    if ((c = chat_find(r, (uint64_t)ev->num)))
      chat_delete(r, c);
    else if (r->pin == (uint64_t)ev->num)
      r->pin = 0;
    return true;
  case ROOM_EV_CHAT_EDITED:
    chat_edit(r, ev);
    return true;
  case ROOM_EV_CHAT_PURGED:
    chat_purge(r, ev);
    return true;
  case ROOM_EV_CHAT_CLEARED:
    chat_clear(r);
    return true;
  case ROOM_EV_PINNED:
    chat_pin(r, ev);
    return true;
  default:
    return false;
  }
}

/* ---- checking ---- */

static const char *check_message(const struct room *r, const struct chat *c) {
  if (c->id > r->seq)
    return "a message is newer than the room";
  if (c->kind > CHAT_SIDE || (c->kind == CHAT_SIDE && (c->to < 1 || c->to > ROOM_SIDES_MAX)))
    return "a message is of no known kind";
  if (!c->text || (c->deleted && (c->text[0] || c->edited)))
    return "a deleted message still has its text";
  return NULL;
}

const char *chat_check(const struct room *r) {
  uint64_t last = 0;
  for (size_t i = 0; i < r->n_chat; last = r->chat[i++].id) {
    if (r->chat[i].id <= last)
      return "messages are not in order of id";
    const char *why = check_message(r, &r->chat[i]);
    if (why)
      return why;
  }
  const struct chat *c = room_chat_by_id(r, r->pin);
  return !c || (!c->deleted && is_to_all(c)) ? NULL : "what is pinned cannot be";
}
