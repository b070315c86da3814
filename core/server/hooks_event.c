/* hooks_event.c: what a webhook is told of a room's event: ids, names only if they are wanted, never a text.
 */
#include "core/base/utc.h"
#include "core/server/hooks_private.h"

#include <string.h>

/* The next of the list, n letters; n 0: there are no more. */
static const char *word_of(const char *list, size_t *n) {
  list += strspn(list, ", ");
  *n = strcspn(list, ", ");
  return list;
}

/* "all", or a name, or the beginning of one that ends in a star. */
static bool means(const char *word, size_t n, const char *name) {
  if (word[n - 1] == '*')
    return strncmp(word, name, n - 1) == 0;
  return (n == 3 && memcmp(word, "all", 3) == 0) || (strlen(name) == n && memcmp(word, name, n) == 0);
}

static bool wanted(const char *list, const char *name) {
  size_t n;
  for (const char *word = word_of(list, &n); n > 0; word = word_of(word + n, &n))
    if (means(word, n, name))
      return true;
  return false;
}

bool hooks_events_ok(const char *list) {
  size_t n, words = 0;
  for (const char *word = word_of(list, &n); n > 0; word = word_of(word + n, &n), words++) {
    bool known = false;
    for (unsigned kind = 0; kind < ROOM_EV__COUNT; kind++)
      known |= means(word, n, room_ev_name((enum room_ev)kind));
    if (!known)
      return false;
  }
  return words > 0;
}

static const struct member *person(const struct hosted *h, const struct room_event *ev, uint32_t id) {
  if (ev->entry && ev->entry->id == id)
    return ev->entry;
  return room_member(&h->room, id);
}

static json_t *person_json(const struct control *c, const struct hosted *h, const struct room_event *ev,
                           uint32_t id) {
  const struct member *m = person(h, ev, id);
  json_t *o = json_pack("{s:I}", "id", (json_int_t)id);
  if (m && m->pid[0])
    json_object_set_new(o, "pid", json_string(m->pid));
  if (m)
    json_object_set_new(o, "role", json_string(role_name(m->role)));
  if (m && c->cfg.hooks.names)
    json_object_set_new(o, "name", json_string(m->name));
  return o;
}

json_t *hook_event_body(const struct control *c, const struct hosted *h, const struct room_event *ev) {
  const char *type = room_ev_name(ev->kind);
  const char *slash = strchr(h->name, '/'); /* the room has no name before it was created */
  char at[UTC_MAX];
  if (!wanted(c->cfg.hooks.events, type))
    return NULL;
  json_t *data = json_pack("{s:I}", "seq", (json_int_t)ev->seq), *who = json_array();
  if (ev->actor)
    json_object_set_new(data, "by", person_json(c, h, ev, ev->actor));
  for (size_t i = 0; i < ev->n_targets; i++)
    json_array_append_new(who, person_json(c, h, ev, ev->targets[i]));
  if (ev->entry && ev->n_targets == 0)
    json_array_append_new(who, person_json(c, h, ev, ev->entry->id));
  json_object_set_new(data, "who", who);
  if (ev->num || ev->num2)
    json_object_set_new(data, "num", json_integer((json_int_t)ev->num));
  utc_text_ms(ev->ts_ms, at);
  return json_pack("{s:s,s:s,s:s,s:s,s:o}", "type", type, "room", slash ? slash + 1 : h->name, "app", h->app,
                   "at", at, "data", data);
}
