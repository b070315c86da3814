/* runner.h: child processes for what gaveld itself may not do once it is hardened: requests to other servers,
 * and the operator's command. Forked first of all, before threads, keys and the database.
 *
 * Invariant: a job names its target by number; where that is was fixed before the fork, so who takes gaveld
 * over reaches nothing else by it. All end with gaveld. Each worker has a keeper above it, which makes
 * another when it dies (RUNNER_ALL_LOST) and reads nothing. Framing: one SOCK_SEQPACKET message a job or
 * answer. Requests: http and https only, no redirects, no proxies, certificates are checked, not to private
 * addresses unless the target says so, 10 s. The command: the job on its stdin, nothing of our environment,
 * 10 s, then it and its children are killed. */
#ifndef GAVEL_SERVER_RUNNER_H
#define GAVEL_SERVER_RUNNER_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RUNNER_WATCH_MAX 8
enum runner_target {
  RUN_WEBHOOK,
  RUN_ALERT,
  RUN_COMMAND,
  RUN_WATCH,
  RUN_TARGETS = RUN_WATCH + RUNNER_WATCH_MAX
};
#define RUNNER_BODY_MAX 16384
#define RUNNER_LIMIT_S 10
#define RUNNER_AT_ONCE 8           /* requests; more wait in the socket */
#define RUNNER_ALL_LOST UINT64_MAX /* id of an answer: to all that its process had taken */

struct runner_config { /* borrowed texts; "" or NULL: there is no such target */
  const char *to[RUN_TARGETS];
  bool private_ok[RUN_TARGETS];
  const char *ca_file[RUN_TARGETS]; /* "": the system's */
  const char *user;                 /* as gaveld */
  bool seccomp;
};
struct runner {
  int http, command; /* our ends, -1: none */
};
struct runner_job {
  uint64_t id; /* told back */
  uint32_t target;
  char name[48], at[24], signature[80]; /* webhook-id, -timestamp, -signature; "" none */
  uint32_t n;
  char body[RUNNER_BODY_MAX];
};
struct runner_answer {
  uint64_t id;
  uint32_t target;
  int32_t status; /* of HTTP, or the exit code; -1: there was none, see text */
  char text[112];
};

/* runner_start: the processes that `c` needs. ERR_BAD_CONFIG (an address that is none), ERR_IO. */
MUST_CHECK enum err runner_start(const struct runner_config *c, struct runner *out, char why[256]);
/* runner_send: ERR_BUSY: not now; ERR_IO: it is gone. runner_receive: 1 an answer, 0 none, -1 it is gone. */
MUST_CHECK enum err runner_send(int fd, const struct runner_job *job);
int runner_receive(int fd, struct runner_answer *a);

/* The two processes; they do not return. runner_is_private: an address nobody shall reach through us. */
_Noreturn void runner_http_run(int fd, const struct runner_config *c);
_Noreturn void runner_command_run(int fd, const struct runner_config *c);
bool runner_is_private(const uint8_t addr[16]);
/* runner_url_ok: http or https, a host, no user name, nothing that is not of an address. */
bool runner_url_ok(const char *url);

#endif
