/* web_page.c: /device: the page where a person approves or declines what waits at a terminal (RFC 8628).
 * Plain HTML without script or style: works in a text browser. He sees the code again and has to say that it
 * is the one on his terminal now (section 5.4: codes are sent around by phishers); nothing is approved by
 * opening a link. */
#include "core/server/limits.h"
#include "core/server/shell_kdf.h"
#include "core/server/web_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX 4096
#define BUSY_RETRY_S 2

struct page {
  char *text; /* PAGE_MAX bytes, goes with the reply */
  size_t n;
};

static void put(struct page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct page *p, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(p->text + p->n, PAGE_MAX - p->n, format, args);
  va_end(args);
  p->n = n < 0 || p->n + (size_t)n >= PAGE_MAX ? PAGE_MAX - 1 : p->n + (size_t)n;
}

/* At most 64 bytes of a text from outside, safe between tags and in quotes. */
static void put_text(struct page *p, const char *text) {
  char clean[65];
  text_show(text, false, clean, sizeof clean);
  for (const char *s = clean; *s; s++) {
    if (strchr("&<>\"'", *s))
      put(p, "&#%d;", *s);
    else
      put(p, "%c", *s);
  }
}

static void begin(struct page *p) {
  p->n = 0;
  p->text = malloc(PAGE_MAX);
  if (!p->text)
    abort();
  put(p,
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>gavel: sign in</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width\"></head><body><h1>Sign in at a terminal</h1>\n");
}

static void finish(struct control *c, uint32_t request, int status, struct page *p, int retry_s) {
  put(p, "</body></html>\n");
  web_html(c, request, status, p->text, retry_s);
}

/* What was wrong, as a page of its own: no secret and no name comes back in it. */
static void say(struct control *c, uint32_t request, int status, const char *text, int retry_s) {
  struct page p;
  begin(&p);
  put(&p, "<p>%s</p>\n<p><a href=\"/device\">Enter a code</a></p>\n", text);
  finish(c, request, status, &p, retry_s);
}

static void ask_code(struct control *c, uint32_t request) {
  struct page p;
  begin(&p);
  put(&p, "<form method=\"get\" action=\"/device\"><p><label>The code on your terminal: "
          "<input name=\"user_code\" size=\"12\" maxlength=\"16\" autocomplete=\"off\"></label>\n"
          "<input type=\"submit\" value=\"Go on\"></p></form>\n");
  finish(c, request, 200, &p, 0);
}

static void put_age(struct page *p, json_int_t s) {
  put(p, s < 60 ? "%d s ago" : "%d min ago", (int)(s < 60 ? s : s / 60));
}

static void put_scopes(struct page *p, const char *words) {
  static const char *const HELP[SCOPE__COUNT] = {
#define X(name, word, help) help,
      SCOPE_TABLE(X)
#undef X
  };
  unsigned scopes;
  bool first = true;
  if (scope_parse(words, false, &scopes) != ERR_OK)
    return;
  for (unsigned i = 0; i < SCOPE__COUNT; i++)
    if (scopes & 1U << i) {
      put(p, "%s%s", first ? "" : ", ", HELP[i]);
      first = false;
    }
}

/* `note`: what was wrong with the last try, NULL for the first. */
static void ask_approval(struct control *c, uint32_t request, int status, const char *user_code,
                         const json_t *show, const char *note) {
  struct page p;
  begin(&p);
  if (note)
    put(&p, "<p><strong>%s</strong></p>\n", note);
  put(&p, "<p>A program that calls itself <b>");
  put_text(&p, json_str(show, "client", "?"));
  put(&p, "</b> asks to act for you.<br>It asked from the network <b>");
  put_text(&p, json_str(show, "network", "?"));
  put(&p, "</b>, ");
  put_age(&p, json_int(show, "age_s", 0));
  put(&p, ".</p>\n<p>It wants to: <b>");
  put_scopes(&p, json_str(show, "scope", ""));
  put(&p,
      "</b>, as far as your account may.</p>\n<p>Is this exact code on your terminal now?</p>\n<p><big><b>");
  put_text(&p, json_str(show, "user_code", user_code));
  put(&p, "</b></big></p>\n<p>If somebody sent you this code or this link: decline. He would be signed in as "
          "you.</p>\n"
          "<form method=\"post\" action=\"/device\"><input type=\"hidden\" name=\"user_code\" value=\"");
  put_text(&p, user_code);
  put(&p,
      "\">\n<p><label>Account: <input name=\"account\" maxlength=\"128\" "
      "autocomplete=\"username\"></label><br>\n"
      "<label>Password: <input type=\"password\" name=\"password\" maxlength=\"128\" "
      "autocomplete=\"current-password\"></label><br>\n"
      "<label>Code of the authenticator, if there is one: <input name=\"code\" size=\"20\" maxlength=\"24\" "
      "inputmode=\"numeric\" autocomplete=\"one-time-code\"></label></p>\n"
      "<p><button name=\"decision\" value=\"approve\">Yes, sign in my terminal</button>\n"
      "<button name=\"decision\" value=\"deny\">No, decline</button></p></form>\n");
  finish(c, request, status, &p, 0);
}

static void refuse(struct control *c, uint32_t request, enum err e, int retry_s) {
  if (e == ERR_RATE)
    say(c, request, 429, "That was tried too often. Wait a while.", retry_s > 0 ? retry_s : 60);
  else if (e == ERR_BUSY)
    say(c, request, 429, "Too many are signing in. Try again in a moment.", BUSY_RETRY_S);
  else
    say(c, request, 400,
        "That code is not known, or it has expired. Start again at the terminal: gavel login", 0);
}

void page_get(struct control *c, uint32_t request, const struct web_request *r) {
  struct form f;
  if (form_parse(r->query, strlen(r->query), &f) != ERR_OK || !form_only(&f, "user_code", NULL)) {
    form_free(&f);
    say(c, request, 400, "That is not an address of this page.", 0);
    return;
  }
  const char *code = form_get(&f, "user_code");
  json_t *show = json_object();
  enum err e = *code ? oauth_device_show(c->access, code, r->addr, show) : ERR_OK;
  if (!*code)
    ask_code(c, request);
  else if (e != ERR_OK)
    refuse(c, request, e, 0);
  else
    ask_approval(c, request, 200, code, show, NULL);
  json_decref(show);
  form_free(&f);
}

static bool fits(const char *text, size_t cap) {
  return *text && strlen(text) < cap;
}

/* The worker compares; page_done goes on. */
static enum err give(struct control *c, uint32_t request, const struct web_request *r, const struct form *f,
                     int *retry_s) {
  struct kdf_job job = {.id = request};
  const char *account = form_get(f, "account");
  struct web_login *w = c->cfg.kdf ? web_login_add(c, request) : NULL;
  enum err e = w ? login_begin(c->access, account, r->addr, &w->compared, retry_s) : ERR_BUSY;
  if (e == ERR_OK) {
    snprintf(job.phc, sizeof job.phc, "%s", w->compared.phc);
    snprintf(job.password, sizeof job.password, "%s", form_get(f, "password"));
    e = limit_take(c, web_logins(c), LIMIT_LOGINS) ? c->cfg.kdf(c->cfg.ctx, &job) : ERR_BUSY;
    if (e != ERR_OK)
      login_cancel(c->access, account, r->addr);
  }
  explicit_bzero(&job, sizeof job);
  if (e != ERR_OK) {
    control_http_gone(c, request);
    return e;
  }
  w->approve = strcmp(form_get(f, "decision"), "approve") == 0;
  w->known = r->addr;
  if (r->addr)
    memcpy(w->addr, r->addr, sizeof w->addr);
  snprintf(w->account, sizeof w->account, "%s", account);
  snprintf(w->user_code, sizeof w->user_code, "%s", form_get(f, "user_code"));
  snprintf(w->code, sizeof w->code, "%s", form_get(f, "code"));
  return ERR_OK;
}

void page_post(struct control *c, uint32_t request, const struct web_request *r) {
  struct form f;
  const struct web_login *size = NULL;
  const char *decision = "";
  bool ok = form_parse(r->body, r->n, &f) == ERR_OK &&
            form_only(&f, "user_code", "account", "password", "code", "decision", NULL);
  if (ok) {
    decision = form_get(&f, "decision");
    ok = fits(form_get(&f, "account"), sizeof size->account) &&
         fits(form_get(&f, "password"), PASSWORD_MAX + 1) &&
         fits(form_get(&f, "user_code"), sizeof size->user_code) &&
         strlen(form_get(&f, "code")) < sizeof size->code &&
         (strcmp(decision, "approve") == 0 || strcmp(decision, "deny") == 0);
  }
  if (!ok) {
    say(c, request, 400, "The form was not filled in completely.", 0);
    form_free(&f);
    return;
  }
  int retry_s = 0;
  json_t *show = json_object(); /* nothing is spent on a code that is not there */
  enum err e = oauth_device_show(c->access, form_get(&f, "user_code"), r->addr, show);
  json_decref(show);
  if (e == ERR_OK)
    e = give(c, request, r, &f, &retry_s);
  if (e != ERR_OK)
    refuse(c, request, e, retry_s);
  form_free(&f);
}

static void wrong(struct control *c, const struct web_login *w, enum err e) {
  json_t *show = json_object();
  const uint8_t *addr = w->known ? w->addr : NULL;
  enum err shown = oauth_device_show(c->access, w->user_code, addr, show);
  if (e == ERR_BAD_LOGIN && addr)
    limit_strike(c, addr);
  if (shown != ERR_OK)
    refuse(c, w->request, shown, 0);
  else
    ask_approval(c, w->request, 401, w->user_code, show,
                 e == ERR_NEED_TOTP ? "This account also needs the code of its authenticator."
                                    : "Account, password or code is wrong.");
  json_decref(show);
}

void page_done(struct control *c, const struct web_login *w, bool right, const char *phc) {
  const uint8_t *addr = w->known ? w->addr : NULL;
  bool mfa = false;
  enum err e = login_end(c->access, w->account, &w->compared, right, w->code, addr, &mfa);
  if (right && phc)
    login_rehash(c->access, &w->compared, phc);
  if (e == ERR_RATE)
    refuse(c, w->request, e, 0);
  else if (e != ERR_OK)
    wrong(c, w, e);
  else if ((e = oauth_device_decide(c->access, w->user_code, w->compared.pid, mfa, w->approve)) != ERR_OK)
    refuse(c, w->request, e, 0);
  else
    say(c, w->request, 200,
        w->approve ? "Done. Your terminal is signed in; you may close this page."
                   : "Declined. Nothing was signed in.",
        0);
}
