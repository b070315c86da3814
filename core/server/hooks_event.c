/* hooks_event.c: what a webhook is told of a room's event: ids, names only if they are wanted, never a text.
 */
#include "core/base/utc.h"
#include "core/server/hooks_private.h"

#include <string.h>

/* "all", or one of the names, or the beginning of one that ends in a star. */
static bool wanted(const char *list, const char *name) {
  for (size_t n; list += strspn(list, ", "), (n = strcspn(list, ", ")) > 0; list += n) {
    bool star = list[n - 1] == '*';
    if ((n == 3 && memcmp(list, "all", 3) == 0) || (star && strncmp(list, name, n - 1) == 0) ||
        (!star && strlen(name) == n && memcmp(list, name, n) == 0))
      return true;
  }
  return false;
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
