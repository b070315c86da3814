#include "tui/reach.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

bool reach_open(struct reach *r, struct pilot *ctl, const char *folder, const char *name, const char *hook,
                char why[256]) {
  *r = (struct reach){.ctl = ctl, .hook.command = hook};
  if (folder != NULL)
    r->remote = remote_open(folder, name, why);
  return folder == NULL || r->remote != NULL;
}

int reach_fd(const struct reach *r) {
  return r->remote != NULL ? remote_fd(r->remote) : -1;
}

/* ---- answers ---- */

static void answer(struct reach *r, uint32_t conn, json_t *body) {
  char *text = json_dumps(body, JSON_COMPACT);
  if (text != NULL)
    remote_answer(r->remote, conn, text);
  free(text);
  json_decref(body);
}

static json_t *talkers(const struct model *m) {
  json_t *names = json_array();
  for (size_t i = 0; i < CLIENT_LEVELS_MAX; i++) {
    const struct member *p = m->talk[i].member != 0 ? room_member(&m->room, m->talk[i].member) : NULL;
    if (p != NULL)
      json_array_append_new(names, json_string(p->name));
  }
  return names;
}

char *reach_status(const struct model *m) {
  static const char *const STATES[] = {"connecting", "lobby", "joined", "reconnecting", "ended"};
  const struct member *self = model_self(m);
  json_t *o = json_pack("{ss ss ss sb si si so}", "state", STATES[m->state], "room",
                        m->have_room ? m->room.name : m->link_room, "mic", model_mic_words(m), "open",
                        m->gate, "here", (int)room_count(&m->room, PRESENCE_HERE), "waiting",
                        (int)room_count(&m->room, PRESENCE_WAITING), "talking", talkers(m));
  if (self != NULL) {
    json_t *me = json_pack("{sI ss ss sb sb si}", "id", (json_int_t)self->id, "name", self->name, "role",
                           role_name(self->role), "muted", self->muted, "floor", self->floor, "hand",
                           (int)room_hand_place(&m->room, self->id));
    json_object_set_new(o, "me", me);
  }
  char *text = json_dumps(o, JSON_COMPACT);
  json_decref(o);
  return text;
}

/* ---- commands ---- */

/* What a command from outside must not disturb. */
struct desk {
  enum model_mode mode;
  struct question ask;
  char typed[TEXT_CHAT_MAX + 1];
};

static void desk_clear(struct model *m, struct desk *d) {
  d->mode = m->mode;
  d->ask = m->ask;
  snprintf(d->typed, sizeof d->typed, "%s", lineedit_text(m->command));
  m->mode = MODE_KEYS;
  m->toast[0] = '\0';
}

static void desk_restore(struct model *m, const struct desk *d) {
  m->mode = d->mode;
  m->ask = d->ask;
  if (strcmp(lineedit_text(m->command), d->typed) != 0)
    lineedit_set(m->command, d->typed);
}

/* claim: the acts a line put into the outbox are marked with who waits for their reply; how many there are.
 */
static size_t claim(struct model *m, size_t from, uint32_t conn) {
  size_t acts = 0;
  for (size_t i = from; i < m->n_outbox; i++)
    if (m->outbox[i].kind == INTENT_ACT) {
      m->outbox[i].remote = conn;
      acts++;
    }
  return acts;
}

static void run_line(struct reach *r, const struct remote_line *line, us_t now) {
  struct model *m = r->ctl->m;
  struct desk desk;
  desk_clear(m, &desk);
  size_t before = m->n_outbox;
  bool ok = pilot_line(r->ctl, line->text, now);
  if (m->mode == MODE_ASK)
    pilot_answer(r->ctl, 'y', now);
  json_t *body = NULL;
  if (m->mode == MODE_PAGE)
    body = json_pack("{sb ss ss}", "ok", true, "title", m->page_title, "page", m->page);
  else if (m->mode == MODE_COMMAND)
    body = json_pack("{sb ss ss}", "ok", false, "code", err_code(ERR_BAD_REQUEST), "text",
                     "it needs more words");
  else if (claim(m, before < m->n_outbox ? before : m->n_outbox, line->conn) == 0)
    body = ok ? json_pack("{sb ss}", "ok", true, "text", m->toast)
              : json_pack("{sb ss ss}", "ok", false, "code", err_code(r->ctl->refused), "text", m->toast);
  if (body != NULL)
    answer(r, line->conn, body);
  desk_restore(m, &desk);
}

static void run(struct reach *r, const struct remote_line *line, us_t now) {
  const char *text = line->text + strspn(line->text, " :/");
  bool watch = strcmp(text, "watch") == 0;
  if (!watch && strcmp(text, "status") != 0) {
    run_line(r, line, now);
    return;
  }
  char *status = reach_status(r->ctl->m);
  if (watch)
    remote_watch(r->remote, line->conn);
  if (status != NULL)
    remote_answer(r->remote, line->conn, status);
  free(status);
}

static void tell_watchers(struct reach *r) {
  char *status = reach_status(r->ctl->m);
  if (status != NULL && (r->told == NULL || strcmp(status, r->told) != 0)) {
    remote_tell(r->remote, status);
    free(r->told);
    r->told = status;
    status = NULL;
  }
  free(status);
}

bool reach_run(struct reach *r, us_t now) {
  struct remote_line line;
  bool one = r->remote != NULL && remote_next(r->remote, &line);
  if (one)
    run(r, &line, now);
  else if (r->remote != NULL && remote_watched(r->remote))
    tell_watchers(r);
  return one;
}

void reach_sent(struct reach *r, const struct intent *i, uint32_t ticket) {
  if (i->remote == 0 || r->remote == NULL)
    return;
  for (size_t k = 0; k < REACH_PENDING_MAX; k++)
    if (r->pending[k].ticket == 0) {
      r->pending[k].ticket = ticket;
      r->pending[k].conn = i->remote;
      return;
    }
  answer(r, i->remote,
         json_pack("{sb ss ss}", "ok", false, "code", err_code(ERR_AGAIN), "text", err_text(ERR_AGAIN)));
}

void reach_reply(struct reach *r, const struct client_event *ev) {
  for (size_t k = 0; ev->kind == CLIENT_EV_REPLY && k < REACH_PENDING_MAX; k++) {
    if (r->pending[k].ticket == 0 || r->pending[k].ticket != ev->ticket)
      continue;
    answer(r, r->pending[k].conn,
           json_pack("{sb ss ss}", "ok", ev->why == ERR_OK, "code", err_code(ev->why), "text",
                     ev->data != NULL      ? ev->data
                     : ev->text[0] != '\0' ? ev->text
                                           : err_text(ev->why)));
    r->pending[k].ticket = 0;
  }
}

void reach_notify(struct reach *r, const struct intent *i) {
  const struct model *m = r->ctl->m;
  if (r->hook.command == NULL)
    return;
  json_t *o = json_pack("{ss ss ss si}", "event", i->text2, "text", i->text, "room", m->room.name, "waiting",
                        (int)room_count(&m->room, PRESENCE_WAITING));
  char *text = json_dumps(o, JSON_COMPACT);
  if (text != NULL)
    (void)hook_run(&r->hook, text);
  free(text);
  json_decref(o);
}

void reach_close(struct reach *r) {
  remote_close(r->remote);
  free(r->told);
  *r = (struct reach){0};
}
