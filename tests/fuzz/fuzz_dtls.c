/* Arbitrary datagrams into a DTLS server, fresh or in the middle of a handshake: it neither crashes nor
 * finishes. Input: one byte of flags (1: after a true ClientHello, 2: run the timer between datagrams), then
 * datagrams, each behind two bytes of length. */
#include "core/base/bytes.h"
#include "core/media/dtls.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dtls_ctx *ctx; /* made once: key generation is slow */
static struct cert cert;

static void make_ctx(void) {
  if (cert_make("fuzz", 1, &cert) != ERR_OK || (ctx = dtls_ctx_create(&cert, false)) == NULL)
    abort();
}

static void drain(struct dtls *d) {
  uint8_t out[1200];
  while (dtls_poll_packet(d, out, sizeof out) > 0)
    ;
}

static void greet(struct dtls *server) {
  uint8_t hello[1200];
  struct dtls *client = dtls_create(ctx, false, "sha-256", cert.sha256, 32);
  if (client == NULL)
    abort();
  dtls_start(client, 0);
  dtls_handle_packet(server, 0, hello, dtls_poll_packet(client, hello, sizeof hello));
  dtls_destroy(client);
  drain(server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (ctx == NULL)
    make_ctx();
  struct dtls *server = dtls_create(ctx, true, "sha-256", cert.sha256, 32);
  struct reader r = reader_of(data, size);
  us_t now = 0;
  unsigned flags = read_u8(&r);
  if (server == NULL)
    abort();
  if (flags & 1)
    greet(server);
  while (r.ok && reader_left(&r) >= 2) {
    size_t n = read_u16(&r), left = reader_left(&r);
    n = n < left ? n : left;
    dtls_handle_packet(server, now, read_bytes(&r, n), n);
    drain(server);
    if ((flags & 2) && dtls_next_timeout(server) != US_NEVER)
      dtls_handle_timeout(server, now = dtls_next_timeout(server));
    drain(server);
    if (dtls_state(server) == DTLS_DONE)
      abort();
  }
  dtls_destroy(server);
  return 0;
}
