/* terms.c: what the server asks consent to, before anything of the person is sent; and what it stores of him.
 */
#include "core/session/session_private.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool terms_first(struct session *s) {
  if (!s->cfg.ask_terms || s->terms_known || (s->resume[0] && !s->terms_twice))
    return false; /* who comes back has agreed already, unless the text is another by now */
  if (!s->terms_id) {
    s->terms_id = ++s->last_id;
    session_request(s, s->terms_id, "privacy.terms", NULL);
  }
  return true;
}

bool terms_again(struct session *s) {
  bool new_text = s->cfg.ask_terms && !s->terms_twice;
  s->terms_known = s->terms_asked = false;
  s->terms_twice = true; /* once more, not for ever */
  if (new_text)
    session_try_join(s);
  return new_text;
}

/* A server that knows no such method asks for none. */
static void on_terms(struct session *s, const json_t *r) {
  const char *version = json_str(r, "version", NULL), *text = json_str(r, "text", "");
  if (!version || strcmp(version, s->consent) == 0) {
    s->terms_known = true;
    s->terms_asked = version != NULL;
    session_try_join(s);
    return;
  }
  struct client_event ev;
  session_event(&ev, CLIENT_EV_CONSENT);
  snprintf(ev.text, sizeof ev.text, "%s", version);
  if (!(ev.data = strdup(text)))
    abort();
  s->cfg.event(s->cfg.ctx, &ev);
  session_end(s, ERR_NEED_CONSENT, NULL);
}

/* ---- what is stored ---- */

void session_privacy(struct session *s, us_t now, bool withdraw) {
  s->now = now;
  if (s->privacy_id || (s->state != CLIENT_JOINED && s->state != CLIENT_LOBBY))
    return;
  s->privacy_id = ++s->last_id;
  session_request(s, s->privacy_id, withdraw ? "privacy.withdraw" : "privacy.show", NULL);
}

static void one_line(FILE *f, const json_t *row) {
  fprintf(f, "%lld x %s\n    for: %s\n    kept: %s\n", (long long)json_int(row, "count", 0),
          json_str(row, "what", ""), json_str(row, "why", ""), json_str(row, "until", ""));
}

static char *as_lines(const json_t *r) {
  char *text = NULL;
  size_t n = 0, i;
  FILE *f = open_memstream(&text, &n);
  const json_t *row;
  if (!f)
    abort();
  fprintf(f, "You are known as %s", json_str(r, "pid", "?"));
  if (*json_str(r, "user", ""))
    fprintf(f, " (%s)", json_str(r, "user", ""));
  fputs(".\n\n", f);
  json_array_foreach(json_object_get(r, "stored"), i, row) one_line(f, row);
  fputs("\nYou may have a copy of it, have it corrected, restricted or erased, and complain to the data "
        "protection authority. :consent withdraw takes your consent back.\n",
        f);
  const char *who = json_str(r, "controller", ""), *contact = json_str(r, "contact", "");
  if (*who || *contact)
    fprintf(f, "Responsible: %s%s%s\n", who, *who && *contact ? ", " : "", contact);
  fclose(f);
  return text;
}

static void on_privacy(struct session *s, const struct rpc_in *in) {
  struct client_event ev;
  session_event(&ev, CLIENT_EV_PRIVACY);
  ev.why = in->kind == RPC_RESULT ? ERR_OK : in->error;
  if (ev.why != ERR_OK)
    snprintf(ev.text, sizeof ev.text, "%s", in->message);
  else if (json_object_get(in->result, "stored"))
    ev.data = as_lines(in->result);
  else {
    session_end(s, ERR_OK, "you took your consent back, and left");
    return;
  }
  s->cfg.event(s->cfg.ctx, &ev);
}

bool terms_reply(struct session *s, const struct rpc_in *in) {
  if (in->id == s->terms_id) {
    s->terms_id = 0;
    on_terms(s, in->kind == RPC_RESULT ? in->result : NULL);
    return true;
  }
  if (in->id != s->privacy_id)
    return false;
  s->privacy_id = 0;
  on_privacy(s, in);
  return true;
}
