/* shell_http.h: plain HTTP on the public port and on the redirect port: reads a request within its limits,
 * gives it to web.h, writes the answer with the security headers. Also who is at the other end, behind
 * proxies of ours or not.
 *
 * Invariant: one request at a time of a connection; from connect to the end of a request, and from there to
 * its answer, 10 s at most; a network has at most LIMIT_VALUE_TLS_HALF connections that have not sent a
 * request yet. Thread: the control thread. */
#ifndef GAVEL_SERVER_SHELL_HTTP_H
#define GAVEL_SERVER_SHELL_HTTP_H

#include "core/server/server_private.h"
#include "core/server/web.h"

/* shell_http_open: the state; reads [server] proxies: ERR_BAD_CONFIG. After shell_http_close nothing is
 * called. */
MUST_CHECK enum err shell_http_open(struct server *s, char why[256]);
void shell_http_close(struct server *s);
/* shell_http_redirect: the listener that only answers 301. ERR_PORT_TAKEN. */
MUST_CHECK enum err shell_http_redirect(struct server *s, char why[256]);

/* shell_http_ops: the operator's listener, with TLS and protocols of `i`; none without [ops] port.
 * ERR_PORT_TAKEN. */
MUST_CHECK enum err shell_http_ops(struct server *s, struct lws_context_creation_info *i, char why[256]);

/* shell_http_callback: of protocols[0]: plain HTTP. */
int shell_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);
/* shell_http_headers: for lws_context_creation_info.headers: on every answer, of libwebsockets too. */
const struct lws_protocol_vhost_options *shell_http_headers(void);
/* shell_http_upgraded: a connection becomes a WebSocket: it is not watched any more. */
void shell_http_upgraded(struct lws *wsi);
/* shell_http_end: forgets the connection; of an upgraded one, once its address is known. */
void shell_http_end(struct lws *wsi, struct server *s);
/* shell_http_address: of a connection, as control.h wants it; of what stands before our proxies. False: not
 * known. */
bool shell_http_address(struct lws *wsi, uint8_t addr[16]);
/* shell_http_is_ops: it came to the operator's port. */
bool shell_http_is_ops(struct lws *wsi);
/* shell_http_reply: for control_config.http_reply; ctx is the server. */
void shell_http_reply(void *ctx, uint32_t request, struct web_reply *r);

#endif
