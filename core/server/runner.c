#include "core/server/runner.h"

#include "core/server/harden.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define JOB_HEAD offsetof(struct runner_job, body)

enum err runner_send(int fd, const struct runner_job *job) {
  size_t n = JOB_HEAD + job->n;
  if (send(fd, job, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n)
    return ERR_OK;
  return errno == EAGAIN || errno == ENOBUFS ? ERR_BUSY : ERR_IO;
}

int runner_receive(int fd, struct runner_answer *a) {
  ssize_t n = recv(fd, a, sizeof *a, MSG_DONTWAIT);
  if (n == (ssize_t)sizeof *a) {
    a->text[sizeof a->text - 1] = 0;
    return 1;
  }
  return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

bool runner_url_ok(const char *url) {
  size_t skip = strncasecmp(url, "https://", 8) == 0 ? 8 : strncasecmp(url, "http://", 7) == 0 ? 7 : 0;
  size_t host = strcspn(url + skip, "/?#");
  for (const char *p = url; *p; p++)
    if ((unsigned char)*p <= ' ' || (unsigned char)*p > '~' || *p == '"' || *p == '\\')
      return false;
  return skip && host > 0 && !memchr(url + skip, '@', host);
}

/* Nothing of gaveld but one socket and stderr; the last step keeps it from outliving us. */
static bool settle(int fd, const struct runner_config *c, bool filter) {
  const char *const nothing[] = {NULL};
  char why[256];
  if (dup2(fd, 3) != 3 || close_range(4, ~0U, 0) != 0)
    return false;
  if (harden_user(c->user ? c->user : "", nothing, why) != ERR_OK || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    return false;
  (void)prctl(PR_SET_NAME, "gaveld-runner");
  return !filter || harden_syscalls(why) == ERR_OK;
}

static enum err make(const struct runner_config *c, bool command, int *out, char why[256]) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0) {
    pid_t pid = fork();
    if (pid == 0) {
      if (!settle(pair[1], c, c->seccomp && !command))
        _exit(1);
      if (command)
        runner_command_run(3, c);
      runner_http_run(3, c);
    }
    close(pair[1]);
    if (pid > 0) {
      *out = pair[0];
      return ERR_OK;
    }
    close(pair[0]);
  }
  snprintf(why, 256, "a process for webhooks and alerts cannot be started: %s", strerror(errno));
  return ERR_IO;
}

enum err runner_start(const struct runner_config *c, struct runner *out, char why[256]) {
  static const char *const WHAT[] = {"[webhook] url", "[alert] webhook", "[alert] command",
                                     "[alert] watch_urls"};
  bool asks = false, commands = c->to[RUN_COMMAND] && *c->to[RUN_COMMAND];
  *out = (struct runner){-1, -1};
  for (unsigned i = 0; i < RUN_TARGETS; i++) {
    const char *to = c->to[i];
    if (!to || !*to)
      continue;
    if (i == RUN_COMMAND ? *to != '/' || access(to, X_OK) != 0 : !runner_url_ok(to)) {
      snprintf(why, 256, "%s: %.150s is not %s", WHAT[i < RUN_WATCH ? i : RUN_WATCH], to,
               i == RUN_COMMAND ? "the path, from /, of a program" : "an address of http or https");
      return ERR_BAD_CONFIG;
    }
    asks |= i != RUN_COMMAND;
  }
  enum err e = asks ? make(c, false, &out->http, why) : ERR_OK;
  return e == ERR_OK && commands ? make(c, true, &out->command, why) : e;
}
