/* foreign_vidyo.c: vidyo.io tokens, as github.com/Vidyo/generateToken-java makes them:
 * base64("provision" NUL user@appID NUL expires NUL vCard NUL hex(HMAC-SHA384(key, all before the last
 * NUL))). */
#include "core/auth/token_private.h"
#include "core/base/bytes.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YEAR_0_S INT64_C(62167219200) /* 1970 in Gregorian seconds */
#define VCARD_MAX 4096
#define MAC 48

enum { USER, EXPIRES, VCARD, HEX };

const char *vidyo_open(const char *text, size_t n, struct token_open *o) {
  int len = token_b64(text, n, (uint8_t *)o->raw, sizeof o->raw - 1);
  if (len < 0)
    return "base64";
  const char *p = o->raw, *end = p + len; /* o->raw ends in a NUL: it was all zeros */
  size_t fields = 0;
  for (p += strlen(p) + 1; p <= end && fields < 4; p += strlen(p) + 1)
    o->field[fields++] = p;
  if (fields != 4 || p <= end || strcmp(o->raw, "provision") != 0 || strlen(o->field[HEX]) != 2 * MAC)
    return "format";
  o->body = o->raw;
  o->n_body = (size_t)(o->field[HEX] - o->raw) - 1;
  const char *at = strrchr(o->field[USER], '@');
  return at && token_copy(o->issuer, sizeof o->issuer, at + 1, strlen(at + 1)) ? NULL : "issuer";
}

/* The MAC's text is compared, as the reference does: another spelling is another token. */
static bool check(const struct token_open *o, const struct token_key *key) {
  uint8_t mac[64];
  char hex[2 * MAC + 1];
  if (token_hmac(EVP_sha384(), key->secret, key->n_secret, o->body, o->n_body, mac) != MAC)
    return false;
  hex_encode(mac, MAC, hex);
  return bytes_equal_ct(hex, o->field[HEX], 2 * MAC);
}

/* element: the text of the first <tag>, its entities decoded; "" when there is none. */
static void element(const char *xml, const char *tag, char *out, size_t cap) {
  static const struct {
    const char *entity, *text;
  } known[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}};
  char open[16];
  snprintf(open, sizeof open, "<%s>", tag);
  const char *p = strstr(xml, open);
  size_t len = 0;
  for (p = p ? p + strlen(open) : ""; *p && *p != '<' && len + 1 < cap;) {
    size_t i = 0;
    while (i < 5 && strncmp(p, known[i].entity, strlen(known[i].entity)) != 0)
      i++;
    out[len++] = i < 5 ? known[i].text[0] : *p;
    p += i < 5 ? strlen(known[i].entity) : 1;
  }
  out[len] = 0;
}

static const char *read_claims(const struct token_open *o, unsigned ceiling, int64_t now_s,
                               struct token_claims *out) {
  (void)now_s;
  const char *user = o->field[USER], *vcard = o->field[VCARD];
  char name[TOKEN_NAME_MAX + 1], role[32];
  int64_t expires;
  if (!token_copy(out->subject, sizeof out->subject, user, (size_t)(strrchr(user, '@') - user)))
    return "subject";
  if (!token_number(o->field[EXPIRES], strlen(o->field[EXPIRES]), &expires) || expires <= YEAR_0_S ||
      strlen(vcard) > VCARD_MAX)
    return "claims";
  out->exp_s = expires - YEAR_0_S;
  out->scopes = SCOPE_JOIN | SCOPE_SPEAK | SCOPE_CHAT;
  element(vcard, "FN", name, sizeof name);
  text_show(name, false, out->name, sizeof out->name);
  element(vcard, "X-ROLE", role, sizeof role);
  /* A word of ours in a foreign card: only a key that may make moderators speaks this dialect. */
  if (ceiling & SCOPE_MODERATE && role[0] && !token_role(TOKEN_VIDYO, role, &out->scopes))
    return "role";
  return NULL;
}

static void put_escaped(char *out, size_t cap, const char *s) {
  for (; *s; s++)
    (void)text_append(out, cap,
                      *s == '&'   ? "&amp;"
                      : *s == '<' ? "&lt;"
                      : *s == '>' ? "&gt;"
                                  : (char[2]){*s, 0});
}

static void make_vcard(const struct token_claims *c, char *out, size_t cap) {
  out[0] = 0;
  if (!c->name[0] && !(c->scopes & SCOPE_MODERATE))
    return;
  (void)text_append(out, cap, "<vCard xmlns=\"vcard-temp\">");
  if (c->name[0]) {
    (void)text_append(out, cap, "<FN>");
    put_escaped(out, cap, c->name);
    (void)text_append(out, cap, "</FN>");
  }
  if (c->scopes & SCOPE_MODERATE)
    (void)text_append(out, cap, "<X-ROLE>moderator</X-ROLE>");
  (void)text_append(out, cap, "</vCard>");
}

static char *mint(const struct token_key *key, const struct token_claims *c, const struct token_extra *x,
                  const char **why) {
  char own[1024], body[TOKEN_MAX], hex[2 * MAC + 1];
  uint8_t mac[64];
  make_vcard(c, own, sizeof own);
  const char *vcard = x->vcard ? x->vcard : own;
  if (strlen(vcard) > VCARD_MAX) {
    *why = "size";
    return NULL;
  }
  int n = snprintf(body, sizeof body, "provision%c%s@%s%c%" PRId64 "%c%s", 0, c->subject, key->issuer, 0,
                   c->exp_s + YEAR_0_S, 0, vcard);
  if (n < 0 || (size_t)n + 2 * MAC + 2 > sizeof body)
    return NULL;
  if (token_hmac(EVP_sha384(), key->secret, key->n_secret, body, (size_t)n, mac) != MAC)
    return NULL;
  hex_encode(mac, MAC, hex);
  memcpy(body + n + 1, hex, sizeof hex); /* after the NUL */
  return token_b64_make("", body, (size_t)n + 1 + 2 * MAC);
}

const struct token_ops TOKEN_OPS_VIDYO = {check, read_claims, mint, 0, 0, 0};
