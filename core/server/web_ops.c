/* web_ops.c: what the operator's port answers to machines: metrics, and whether we can take people. */
#include "core/base/bytes.h"
#include "core/server/health.h"
#include "core/server/metrics.h"
#include "core/server/web_private.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The token of [ops] token_file; hashes are compared, so that time tells nothing. */
static bool has_token(const struct control *c, const char *header) {
  uint8_t hash[32];
  if (!c->cfg.ops_token)
    return true;
  if (!header || strncasecmp(header, "bearer ", 7) != 0)
    return false;
  const char *token = header + 7 + strspn(header + 7, " ");
  sha256(token, strlen(token), hash);
  return CRYPTO_memcmp(hash, c->cfg.ops_token, sizeof hash) == 0;
}

void metrics_get(struct control *c, uint32_t request, const struct web_request *r) {
  if (!has_token(c, r->authorization)) {
    web_bearer_refuse(c, request, 401, r->authorization ? "invalid_token" : NULL, NULL);
    return;
  }
  web_answer(c, request,
             &(struct web_reply){
                 .status = 200, .type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_text(c)});
}

void readyz_get(struct control *c, uint32_t request, const struct web_request *r) {
  unsigned bad = health_look(c);
  json_t *names = json_array();
  (void)r;
  for (unsigned bit = HEALTH_DATABASE; bit <= HEALTH_DRAINING; bit <<= 1)
    if (bad & bit)
      json_array_append_new(names, json_string(health_name((enum health)bit)));
  web_json(c, request, bad ? 503 : 200, json_pack("{s:b,s:o}", "ready", !bad, "not", names), bad ? 10 : 0);
}
