/* web_guest.c: invite links in a browser: the guest's page for whoever takes HTML, a hint for everybody else,
 * and the page's own files under /web/. All of them are in the binary (cmake/embed.cmake) and small, so
 * nothing is cached: after an update nobody runs the page of yesterday. */
#include "core/server/web_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE "index.html"

static const struct web_file *file_named(const char *name) {
  for (const struct web_file *f = WEB_FILES; f->name; f++)
    if (strcmp(f->name, name) == 0)
      return f;
  return NULL;
}

/* NULL: not of the page: it has a path of its own. */
static const char *type_of(const char *name) {
  static const struct {
    const char *ending, *type;
  } TYPES[] = {{".js", "text/javascript; charset=utf-8"},
               {".css", "text/css; charset=utf-8"},
               {".svg", "image/svg+xml"}};
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < sizeof TYPES / sizeof TYPES[0]; i++)
    if (strcmp(dot, TYPES[i].ending) == 0)
      return TYPES[i].type;
  return NULL;
}

static char *copy_of(const struct web_file *f) {
  char *text = malloc(f->n + 1);
  if (!text)
    abort();
  memcpy(text, f->text, f->n + 1);
  return text;
}

/* 'self' is the WebSocket's place as well, but not in older browsers. An IPv6 address has no form here. */
static void write_policy(const struct control *c, char out[WEB_POLICY_MAX]) {
  char base[WEB_BASE_MAX];
  web_base(c, base);
  bool named = !strchr(c->cfg.link.host, ':');
  snprintf(out, WEB_POLICY_MAX,
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
           "connect-src 'self'%s%s; media-src 'self' blob:; worker-src 'self'; base-uri 'none'; "
           "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
           named ? " wss" : "", named ? base + strlen("https") : "");
}

void guest_page_get(struct control *c, uint32_t request, const struct web_request *r) {
  const struct web_file *page = file_named(PAGE);
  if (!c->cfg.guest_page || !page || !r->accept || !strstr(r->accept, "text/html")) {
    web_text(c, request, 200,
             "This is an invitation to an audio room. Join it from a terminal:\n\n  gavel join LINK\n\n"
             "where LINK is the whole address of this page.\n");
    return;
  }
  struct web_reply reply = {
      .status = 200, .type = "text/html; charset=utf-8", .body = copy_of(page), .microphone = true};
  write_policy(c, reply.policy);
  web_answer(c, request, &reply);
}

void guest_file_get(struct control *c, uint32_t request, const struct web_request *r) {
  const char *name = r->path + strlen("/web/");
  const struct web_file *f = c->cfg.guest_page && type_of(name) ? file_named(name) : NULL;
  if (!f) {
    web_text(c, request, 404, "not here\n");
    return;
  }
  web_answer(c, request, &(struct web_reply){.status = 200, .type = type_of(name), .body = copy_of(f)});
}
