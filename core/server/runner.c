#include "core/server/runner.h"

#include "core/server/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOB_HEAD offsetof(struct runner_job, body)
#define AGAIN_MS 1000 /* from one death to the next try */

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

/* Nothing of gaveld but one socket and stderr. */
static bool settle(int fd, const struct runner_config *c) {
  const char *const nothing[] = {NULL};
  char why[256];
  signal(SIGCHLD, SIG_DFL);
  if (dup2(fd, 3) != 3 || close_range(4, ~0U, 0) != 0)
    return false;
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || dup2(null, 0) != 0 || dup2(null, 1) != 1 || close(null) != 0)
    return false;
  (void)prctl(PR_SET_NAME, "gaveld-runner");
  return harden_user(c->user ? c->user : "", nothing, why) == ERR_OK &&
         prctl(PR_SET_PDEATHSIG, SIGKILL) == 0; /* it does not outlive us; a change of user takes that away */
}

static _Noreturn void work(const struct runner_config *c, bool command) {
  char why[256];
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    _exit(1);
  if (command)
    runner_command_run(3, c);
  if (c->seccomp && harden_syscalls(why) != ERR_OK)
    _exit(1);
  runner_http_run(3, c);
}

/* Another worker when one dies: only before it is hardened can a process make one. It reads nothing at all,
 * so nothing can be done to it. */
static _Noreturn void keep(const struct runner_config *c, bool command) {
  const struct runner_answer lost = {.id = RUNNER_ALL_LOST,
                                     .target = command ? RUN_COMMAND : RUN_WEBHOOK,
                                     .status = -1,
                                     .text = "the process that does it has died"};
  for (;;) {
    int status = 0;
    pid_t pid = fork(), got;
    if (pid == 0)
      work(c, command);
    while ((got = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
      ;
    if (pid < 0 || got < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) /* gaveld is gone */
      _exit(0);
    (void)poll(&(struct pollfd){.fd = 3}, 1, AGAIN_MS); /* until it is gone, at most */
    if (send(3, &lost, sizeof lost, MSG_NOSIGNAL) != (ssize_t)sizeof lost)
      _exit(0);
  }
}

static enum err make(const struct runner_config *c, bool command, int *out, char why[256]) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0) {
    pid_t pid = fork();
    if (pid == 0) {
      if (settle(pair[1], c))
        keep(c, command);
      _exit(1);
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
