/* json.h: strict JSON from strangers, over jansson. Depth, size, members, duplicate keys, numbers are
 * bounded.
 *
 * Invariant: what json_parse_strict returns has depth <= 8, <= 256 members per container, strings <= 16384
 * bytes without U+0000, only integers with |n| <= 2^53-1, no duplicate keys, nothing after the value. Pure;
 * any thread. */
#ifndef GAVEL_WIRE_JSON_H
#define GAVEL_WIRE_JSON_H

#include "core/base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define JSON_MESSAGE_MAX 65536 /* bytes of one message from a client */

/* json_parse_strict: ERR_BAD_JSON and *why (static sentence, may be NULL) on refusal. *out is a new
 * reference. */
MUST_CHECK enum err json_parse_strict(const char *text, size_t n, json_t **out, const char **why);
/* json_parse_server: for what a server sends us (snapshots of 5000 people): the same rules, but size up to 8
 * MiB, 100000 members and strings of 4 MiB. */
MUST_CHECK enum err json_parse_server(const char *text, size_t n, json_t **out);
/* json_only_keys: true when every key of the object is in the NULL-ended list (unknown keys are an error). */
bool json_only_keys(const json_t *o, ...) __attribute__((sentinel));
/* json_str, json_int, json_flag: a member of the given type or the fallback; never fail. */
const char *json_str(const json_t *o, const char *key, const char *fallback);
json_int_t json_int(const json_t *o, const char *key, json_int_t fallback);
bool json_flag(const json_t *o, const char *key, bool fallback);

/* ---- JSON-RPC 2.0 envelopes ---- */
struct rpc_in {
  enum { RPC_REQUEST, RPC_NOTIFY, RPC_RESULT, RPC_ERROR } kind;
  json_int_t id;       /* integer ids > 0 only; 0 for notifications and for errors without an id */
  const char *method;  /* borrowed from root */
  json_t *params;      /* borrowed; an empty object stands for none */
  json_t *result;      /* borrowed; RPC_RESULT */
  enum err error;      /* RPC_ERROR, by error.data.code */
  const char *message; /* borrowed; RPC_ERROR */
  int retry_ms;        /* RPC_ERROR: error.data.retry_ms, 0: not said */
  json_t *root;        /* owned: json_decref it */
};
/* rpc_parse: one message. On refusal in->id is the id if one could be read (for the error answer), else 0.
 * `from_server` picks json_parse_server. ERR_BAD_JSON or ERR_BAD_REQUEST. Refused are: batches, params that
 * are no object, ids that are no positive integer, unknown members of the envelope. */
MUST_CHECK enum err rpc_parse(const char *text, size_t n, bool from_server, struct rpc_in *in);
/* rpc_*: one compact line as malloc'd text (caller frees). They take ownership of `body`, which may be
 * NULL for none. NULL when out of memory. */
char *rpc_request(json_int_t id, const char *method, json_t *body);
char *rpc_notify(const char *method, json_t *body);
char *rpc_result(json_int_t id, json_t *body);
/* rpc_error: code number by kind (-32700 parse, -32600 request, -32601 method, -32602 argument, else -32000),
 * message = `detail` or err_text, data.code = err_code, data.retry_ms when retry_ms > 0. id 0 becomes null.
 */
char *rpc_error(json_int_t id, enum err e, const char *detail, int retry_ms);

#endif
