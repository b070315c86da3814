/* ctl_account.c: accounts: passwords are hashed here, so that none goes to gaveld and none holds up its
 * control thread; the secret of an authenticator is shown as QR text. */
#include "core/auth/password.h"
#include "core/base/rng.h"
#include "core/ctl/ctl.h"
#include "core/wire/json.h"

#include <qrencode.h>
#include <stdio.h>
#include <string.h>

/* The password among the words gives way to its hash; false after a line on stderr. */
static bool hash_password(json_t *params) {
  const json_t *typed = json_object_get(params, "password");
  char phc[PASSWORD_PHC_MAX];
  const char *why = "there is no --password=FILE (- asks for it)";
  enum err e = typed ? password_check(json_string_value(typed), &why) : ERR_BAD_PASSWORD;
  if (e == ERR_OK) {
    e = password_hash(json_string_value(typed), rng_system(), phc);
    why = err_text(e);
  }
  if (typed)
    explicit_bzero((char *)(uintptr_t)json_string_value(typed), json_string_length(typed));
  json_object_del(params, "password");
  if (e == ERR_OK)
    json_object_set_new(params, "phc", json_string(phc));
  else
    fprintf(stderr, "gavelctl: %s\n", why);
  return e == ERR_OK;
}

static int ask_hashed(struct ctl *c, const char *method, json_t *params) {
  return hash_password(params) ? ctl_ask_print(c, method, json_incref(params)) : EXIT_USAGE;
}

int ctl_account_create(struct ctl *c, json_t *params) {
  return ask_hashed(c, "account.create", params);
}

int ctl_account_password(struct ctl *c, json_t *params) {
  return ask_hashed(c, "account.password", params);
}

/* Two rows of modules to a line of half blocks; light ones are drawn, as terminals are dark, with a quiet
 * zone of two around. */
static void print_qr(const char *text) {
  QRcode *qr = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
  int w = qr ? qr->width : 0;
  for (int y = -2; qr && y < w + 2; y += 2) {
    for (int x = -2; x < w + 2; x++) {
      bool in = x >= 0 && x < w;
      bool top = !(in && y >= 0 && y < w && (qr->data[y * w + x] & 1));
      bool low = !(in && y + 1 >= 0 && y + 1 < w && (qr->data[(y + 1) * w + x] & 1));
      fputs(top && low ? "\u2588" : top ? "\u2580" : low ? "\u2584" : " ", stdout);
    }
    puts("");
  }
  QRcode_free(qr);
}

int ctl_account_totp(struct ctl *c, json_t *params) {
  int rc = EXIT_OK;
  json_t *result = ctl_ask(c, "account.totp", json_incref(params), &rc);
  if (result && !c->json) {
    print_qr(json_str(result, "uri", ""));
    puts("Scan it, or type the secret into the authenticator. None of this is shown\n"
         "again; each recovery code signs in once when the authenticator is lost.\n");
  }
  if (result)
    ctl_print(c, result);
  json_decref(result);
  return rc;
}
