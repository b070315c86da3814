#include "tui/doctor.h"

#include "core/base/text.h"
#include "tui/term_look.h"
#include "tui/view.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_COLUMN_MIN 20 /* cells; a narrower window breaks rows where it likes */
static const char *const STATES[] = {"ok", "note", "warn", "fail"};

void doctor_add(struct doctor *d, const char *id, enum doctor_state state, const char *advice,
                json_t *figures, const char *format, ...) {
  va_list args;
  char raw[sizeof d->of[0].text];
  if (d->n == DOCTOR_CHECKS_MAX) {
    json_decref(figures);
    return;
  }
  struct doctor_check *c = &d->of[d->n++];
  *c = (struct doctor_check){.id = id, .state = state, .advice = advice, .figures = figures};
  va_start(args, format);
  vsnprintf(raw, sizeof raw, format, args);
  va_end(args);
  for (char *p = raw; *p; p++)
    if (*p == '\n')
      *p = p[1] ? ';' : '\0';
  text_show(raw, false, c->text, sizeof c->text); /* some words are the server's: none moves the terminal */
  if (d->tell)
    d->tell(c);
}

json_t *doctor_json(const struct doctor *d) {
  json_t *list = json_array();
  bool ok = true;
  for (size_t i = 0; i < d->n; i++) {
    const struct doctor_check *c = &d->of[i];
    json_array_append_new(list,
                          json_pack("{s:s,s:s,s:s,s:s?,s:O?}", "check", c->id, "state", STATES[c->state],
                                    "text", c->text, "advice", c->advice, "figures", c->figures));
    ok &= c->state != DOCTOR_FAIL;
  }
  return json_pack("{s:b,s:o}", "ok", ok, "checks", list);
}

void doctor_free(struct doctor *d) {
  for (size_t i = 0; i < d->n; i++)
    json_decref(d->of[i].figures);
  d->n = 0;
}

/* put: a text on rows of its own column; the first begins after what is printed already. */
static void put(const char *text, int column, int w) {
  size_t next;
  for (const char *p = text;; p += next) {
    size_t n = w - column >= TEXT_COLUMN_MIN ? view_wrap(p, (size_t)(w - column), &next) : (next = strlen(p));
    printf("%.*s\n", (int)n, p);
    if (p[next] == '\0')
      return;
    printf("%*s", column, "");
  }
}

static void tell(const struct doctor_check *c) {
  struct term_look t;
  term_look(&t); /* now: the window may have been resized; into a file or a pipe nothing is broken */
  printf("%-5s %-12s ", STATES[c->state], c->id);
  put(c->text, 19, t.w);
  if (c->advice) {
    printf("%19s-> ", "");
    put(c->advice, 22, t.w);
  }
  fflush(stdout);
}

/* ---- the terminal ---- */

static void terminal(struct doctor *d) {
  struct term_look t;
  const char *term = getenv("TERM"), *codes = nl_langinfo(CODESET);
  term_look(&t);
  if (!t.is) {
    doctor_add(d, "terminal", DOCTOR_NOTE, NULL, NULL,
               "standard output is not a terminal: gavel would use line mode");
    return;
  }
  const char *advice = !t.places                     ? "set TERM to what your terminal is, or use --line"
                       : strcmp(codes, "UTF-8") != 0 ? "a UTF-8 locale (LANG=C.UTF-8) shows everybody's name"
                       : t.w < 80 || t.h < 24        ? "it works, but 80x24 shows more"
                                                     : NULL;
  doctor_add(d, "terminal", advice ? DOCTOR_WARN : DOCTOR_OK, advice,
             json_pack("{s:i,s:i,s:i}", "columns", t.w, "rows", t.h, "colours", t.colours),
             "%.40s, %dx%d, %s, %d colours", term ? term : "TERM is not set", t.w, t.h, codes, t.colours);
}

/* ---- all of it ---- */

enum exit_code doctor_run(const struct options *o) {
  bool json = o->front.kind == FRONT_HEADLESS;
  struct doctor d = {.tell = json ? NULL : tell};
  terminal(&d);
  bool echo = !json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  if (!o->front.client.no_audio)
    doctor_sound(&d, &o->front.client, echo);
  if (o->front.client.link.host[0]) {
    struct probe p;
    probe_run(&o->front.client.link, o->front.client.token, &p);
    doctor_network(&d, &o->front.client.link, &p);
    probe_free(&p);
  } else
    doctor_add(&d, "network", DOCTOR_NOTE, "gavel doctor LINK tries the way to a server", NULL, "not tried");
  json_t *all = doctor_json(&d);
  bool ok = json_is_true(json_object_get(all, "ok"));
  if (json)
    json_dumpf(all, stdout, JSON_INDENT(2));
  if (json)
    putchar('\n');
  json_decref(all);
  doctor_free(&d);
  return ok ? EXIT_LEFT : EXIT_CONNECT;
}
