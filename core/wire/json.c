#include "core/wire/json.h"

#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define DEPTH_MAX 8
#define STRING_MAX 16384                   /* an SDP offer rides in one */
#define INT_LIMIT ((INT64_C(1) << 53) - 1) /* beyond it a reader with doubles would see another number */
#define METHOD_MAX 64

struct limits {
  size_t bytes, members, string;
};

/* scan_text: what can no longer be seen, or would cost too much, once jansson has built the tree: depth (its
 * parser recurses up to 2048 deep) and -0 (which it turns into 0). */
static const char *scan_text(const char *text, size_t n) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < n; i++) {
    char c = text[i];
    if (in_string && c == '\\')
      i++;
    else if (c == '"')
      in_string = !in_string;
    else if (in_string)
      continue;
    else if ((c == '[' || c == '{') && ++depth > DEPTH_MAX)
      return "nested too deep";
    else if ((c == ']' || c == '}') && depth-- == 0)
      return "not JSON";
    else if (c == '-' && i + 1 < n && text[i + 1] == '0')
      return "minus zero";
  }
  return NULL;
}

/* check_value: one value alone, without its members. */
static const char *check_value(const json_t *v, const struct limits *lim) {
  switch (json_typeof(v)) {
  case JSON_OBJECT:
    return json_object_size(v) > lim->members ? "too many members" : NULL;
  case JSON_ARRAY:
    return json_array_size(v) > lim->members ? "too many members" : NULL;
  case JSON_STRING:
    return json_string_length(v) > lim->string ? "string too long" : NULL;
  case JSON_INTEGER: {
    json_int_t i = json_integer_value(v);
    return i > INT_LIMIT || i < -INT_LIMIT ? "integer out of range" : NULL;
  }
  case JSON_REAL:
    return "not an integer";
  default:
    return NULL;
  }
}

struct frame {
  json_t *node;
  void *it;  /* the next member of an object */
  size_t at; /* the next element of an array */
};

static struct frame frame_of(json_t *node) {
  return (struct frame){.node = node, .it = json_object_iter(node)}; /* NULL for arrays */
}

/* next_child: NULL after the last. *why is set when the child's key is too long. */
static json_t *next_child(struct frame *f, const char **why) {
  if (json_is_array(f->node))
    return json_array_get(f->node, f->at++);
  if (!f->it)
    return NULL;
  if (strlen(json_object_iter_key(f->it)) > STRING_MAX)
    *why = "key too long";
  json_t *v = json_object_iter_value(f->it);
  f->it = json_object_iter_next(f->node, f->it);
  return v;
}

static const char *check_tree(json_t *root, const struct limits *lim) {
  struct frame stack[DEPTH_MAX]; /* of containers; scan_text saw to it that they are enough */
  size_t depth = 1;
  const char *why = check_value(root, lim);
  stack[0] = frame_of(root);
  while (!why && depth > 0) {
    json_t *child = next_child(&stack[depth - 1], &why);
    if (!child) {
      depth--;
      continue;
    }
    if (!why)
      why = check_value(child, lim);
    if (json_is_object(child) || json_is_array(child)) {
      assert(depth < DEPTH_MAX);
      stack[depth++] = frame_of(child);
    }
  }
  return why;
}

static const char *parse(const char *text, size_t n, const struct limits *lim, json_t **out) {
  *out = NULL;
  if (n > lim->bytes)
    return "message too long";
  const char *why = scan_text(text, n);
  if (why)
    return why;
  json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
  if (!root)
    return "not JSON";
  why = check_tree(root, lim);
  if (why)
    json_decref(root);
  else
    *out = root;
  return why;
}

enum err json_parse_strict(const char *text, size_t n, json_t **out, const char **why) {
  static const struct limits lim = {JSON_MESSAGE_MAX, 256, STRING_MAX};
  const char *fault = parse(text, n, &lim, out);
  if (why)
    *why = fault;
  return fault ? ERR_BAD_JSON : ERR_OK;
}

enum err json_parse_server(const char *text, size_t n, json_t **out) {
  static const struct limits lim = {8 << 20, 100000, 4 << 20}; /* an attendance list is one string */
  return parse(text, n, &lim, out) ? ERR_BAD_JSON : ERR_OK;
}

bool json_only_keys(const json_t *o, ...) {
  json_t *obj = (json_t *)o; /* jansson's iterators take no const */
  for (void *it = json_object_iter(obj); it; it = json_object_iter_next(obj, it)) {
    const char *key = json_object_iter_key(it), *allowed;
    va_list args;
    va_start(args, o);
    while ((allowed = va_arg(args, const char *)) != NULL && strcmp(key, allowed) != 0) {
    }
    va_end(args);
    if (!allowed)
      return false;
  }
  return json_is_object(o);
}

const char *json_str(const json_t *o, const char *key, const char *fallback) {
  const char *s = json_string_value(json_object_get(o, key));
  return s ? s : fallback;
}

json_int_t json_int(const json_t *o, const char *key, json_int_t fallback) {
  const json_t *v = json_object_get(o, key);
  return json_is_integer(v) ? json_integer_value(v) : fallback;
}

bool json_flag(const json_t *o, const char *key, bool fallback) {
  const json_t *v = json_object_get(o, key);
  return json_is_boolean(v) ? json_is_true(v) : fallback;
}

/* parse_call: a request or a notification. */
static bool parse_call(struct rpc_in *in) {
  in->method = json_str(in->root, "method", "");
  size_t n = strlen(in->method);
  if (!json_only_keys(in->root, "jsonrpc", "id", "method", "params", NULL) || n == 0 || n > METHOD_MAX)
    return false;
  in->kind = json_object_get(in->root, "id") ? RPC_REQUEST : RPC_NOTIFY;
  if (!json_object_get(in->root, "params"))
    json_object_set_new(in->root, "params", json_object());
  in->params = json_object_get(in->root, "params");
  return json_is_object(in->params) && (in->kind == RPC_NOTIFY || in->id > 0);
}

static bool parse_error(struct rpc_in *in) {
  const json_t *e = json_object_get(in->root, "error");
  if (!json_only_keys(in->root, "jsonrpc", "id", "error", NULL) ||
      !json_only_keys(e, "code", "message", "data", NULL) || !json_is_integer(json_object_get(e, "code")))
    return false;
  in->kind = RPC_ERROR;
  in->error = err_from_code(json_str(json_object_get(e, "data"), "code", ""));
  json_int_t retry_ms = json_int(json_object_get(e, "data"), "retry_ms", 0);
  in->retry_ms = retry_ms > 0 && retry_ms <= INT_MAX ? (int)retry_ms : 0;
  if (in->error == ERR_OK) /* "ok" is no error a peer may report */
    in->error = ERR_INTERNAL;
  in->message = json_str(e, "message", NULL);
  return in->message && (in->id > 0 || json_is_null(json_object_get(in->root, "id")));
}

static bool parse_result(struct rpc_in *in) {
  in->kind = RPC_RESULT;
  in->result = json_object_get(in->root, "result");
  return in->result && in->id > 0 && json_only_keys(in->root, "jsonrpc", "id", "result", NULL);
}

enum err rpc_parse(const char *text, size_t n, bool from_server, struct rpc_in *in) {
  memset(in, 0, sizeof *in);
  enum err e =
      from_server ? json_parse_server(text, n, &in->root) : json_parse_strict(text, n, &in->root, NULL);
  if (e)
    return e;
  in->id = json_int(in->root, "id", 0);
  if (in->id < 0)
    in->id = 0;
  bool ok = json_object_get(in->root, "method")  ? parse_call(in)
            : json_object_get(in->root, "error") ? parse_error(in)
                                                 : parse_result(in);
  if (ok && strcmp(json_str(in->root, "jsonrpc", ""), "2.0") == 0)
    return ERR_OK;
  json_decref(in->root);
  *in = (struct rpc_in){.id = in->id};
  return ERR_BAD_REQUEST;
}

/* envelope: {"jsonrpc":"2.0","id":id,key:body} as text; id 0 is left out unless `null_id`. Takes body. */
static char *envelope(json_int_t id, bool null_id, const char *method, const char *key, json_t *body) {
  json_t *o = json_object();
  json_object_set_new(o, "jsonrpc", json_string("2.0"));
  if (id != 0 || null_id)
    json_object_set_new(o, "id", id != 0 ? json_integer(id) : json_null());
  if (method)
    json_object_set_new(o, "method", json_string(method));
  if (body)
    json_object_set_new(o, key, body);
  char *text = json_dumps(o, JSON_COMPACT);
  json_decref(o);
  return text;
}

char *rpc_request(json_int_t id, const char *method, json_t *body) {
  assert(id > 0 && method);
  return envelope(id, false, method, "params", body);
}

char *rpc_notify(const char *method, json_t *body) {
  assert(method);
  return envelope(0, false, method, "params", body);
}

char *rpc_result(json_int_t id, json_t *body) {
  assert(id > 0);
  return envelope(id, false, NULL, "result", body ? body : json_object());
}

static int rpc_code(enum err e) {
  switch (e) {
  case ERR_BAD_JSON:
    return -32700;
  case ERR_BAD_REQUEST:
    return -32600;
  case ERR_BAD_METHOD:
    return -32601;
  case ERR_BAD_ARG:
    return -32602;
  default:
    return -32000;
  }
}

char *rpc_error(json_int_t id, enum err e, const char *detail, int retry_ms) {
  assert(e != ERR_OK);
  json_t *message = detail ? json_string(detail) : NULL; /* NULL as well when it is not UTF-8 */
  json_t *data = json_pack("{ss}", "code", err_code(e));
  if (retry_ms > 0)
    json_object_set_new(data, "retry_ms", json_integer(retry_ms));
  json_t *body = json_pack("{sisoso}", "code", rpc_code(e), "message",
                           message ? message : json_string(err_text(e)), "data", data);
  return envelope(id, true, NULL, "error", body);
}
