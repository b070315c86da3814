#include "tui/hook.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void hook_reap(struct hook *h) {
  for (size_t i = 0; i < HOOK_RUNNING_MAX; i++)
    if (h->running[i] > 0 && waitpid(h->running[i], NULL, WNOHANG) != 0)
      h->running[i] = 0;
}

/* start: with our signal mask and handlers undone, a session of its own, and no descriptor but the pipe. */
static pid_t start(const char *command, int in) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attr;
  sigset_t none, pipe_set;
  char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, NULL, NULL};
  char *copy = strdup(command);
  pid_t pid = 0;
  argv[2] = copy;
  sigemptyset(&none);
  sigemptyset(&pipe_set);
  sigaddset(&pipe_set, SIGPIPE);
  if (copy == NULL || posix_spawn_file_actions_init(&files) != 0) {
    free(copy);
    return 0;
  }
  if (posix_spawnattr_init(&attr) == 0) {
    bool ok = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO) == 0 &&
              posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
              posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
              posix_spawn_file_actions_addclosefrom_np(&files, 3) == 0 &&
              posix_spawnattr_setsigmask(&attr, &none) == 0 &&
              posix_spawnattr_setsigdefault(&attr, &pipe_set) == 0 &&
              posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                  POSIX_SPAWN_SETSID) == 0;
    if (!ok || posix_spawn(&pid, "/bin/sh", &files, &attr, argv, environ) != 0)
      pid = 0;
    posix_spawnattr_destroy(&attr);
  }
  posix_spawn_file_actions_destroy(&files);
  free(copy);
  return pid;
}

bool hook_run(struct hook *h, const char *json) {
  size_t n = strlen(json), slot = 0;
  int fds[2];
  if (h->command == NULL || n > HOOK_TEXT_MAX)
    return false;
  hook_reap(h);
  while (slot < HOOK_RUNNING_MAX && h->running[slot] > 0)
    slot++;
  if (slot == HOOK_RUNNING_MAX || pipe2(fds, O_CLOEXEC) != 0)
    return false;
  /* Written before it starts: it fits the pipe, and a command that never reads cannot hold us up. */
  bool written = write(fds[1], json, n) == (ssize_t)n && write(fds[1], "\n", 1) == 1;
  close(fds[1]);
  h->running[slot] = written ? start(h->command, fds[0]) : 0;
  close(fds[0]);
  return h->running[slot] > 0;
}
