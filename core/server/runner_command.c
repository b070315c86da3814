/* runner_command.c: the process that runs the operator's command, one job after the other. */
#include "core/base/clock.h"
#include "core/server/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: its stdin, a group of its own, none of our signals' settings. */
static _Noreturn void become(const char *path, int in) {
  char *const argv[] = {(char *)(uintptr_t)path, NULL};
  char *const env[] = {(char *)(uintptr_t) "PATH=/usr/local/bin:/usr/bin:/bin", NULL};
  sigset_t none;
  sigemptyset(&none);
  setpgid(0, 0);
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* nor does it outlive us */
  signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || dup2(in, 0) != 0 || dup2(null, 1) != 1)
    _exit(126);
  close_range(3, ~0U, 0);
  execve(path, argv, env);
  _exit(127);
}

/* Waits for its end, at most so long; then it and what it started are killed. */
static int32_t outcome(pid_t pid, struct runner_answer *a) {
  sigset_t child;
  us_t until = clock_now() + RUNNER_LIMIT_S * US_PER_S;
  siginfo_t info = {0};
  int status = 0;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  /* It is not reaped before its group is killed: until then nobody else can have that number. */
  while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0 &&
         clock_now() < until) {
    us_t left = until - clock_now();
    struct timespec t = {left / US_PER_S, (long)(left % US_PER_S) * 1000};
    (void)sigtimedwait(&child, NULL, &t);
  }
  kill(-pid, SIGKILL); /* with what it left running */
  (void)waitpid(pid, &status, 0);
  if (info.si_pid == 0) {
    snprintf(a->text, sizeof a->text, "it did not end within %d s", RUNNER_LIMIT_S);
    return -1;
  }
  if (WIFEXITED(status))
    return WEXITSTATUS(status);
  snprintf(a->text, sizeof a->text, "it was ended by signal %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  return -1;
}

static int32_t run(const char *path, const struct runner_job *job, struct runner_answer *a) {
  int in[2];
  if (pipe2(in, O_CLOEXEC) != 0)
    return -1;
  pid_t pid = fork();
  if (pid == 0)
    become(path, in[0]);
  close(in[0]);
  if (pid > 0) /* RUNNER_BODY_MAX fits into a pipe: this does not wait */
    (void)!write(in[1], job->body, job->n);
  close(in[1]);
  return pid > 0 ? outcome(pid, a) : -1;
}

void runner_command_run(int fd, const struct runner_config *c) {
  sigset_t child;
  static struct runner_job job; /* large; a global of a process with one thread */
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  for (;;) {
    ssize_t n = recv(fd, &job, sizeof job, 0);
    if (n <= 0)
      _exit(0); /* gaveld is gone */
    if (n < (ssize_t)offsetof(struct runner_job, body) || job.target != RUN_COMMAND ||
        job.n != (size_t)n - offsetof(struct runner_job, body))
      continue;
    struct runner_answer a = {.id = job.id, .target = job.target};
    a.status = run(c->to[RUN_COMMAND], &job, &a);
    if (send(fd, &a, sizeof a, MSG_NOSIGNAL) != (ssize_t)sizeof a)
      _exit(0);
  }
}
