/* What a process that has been taken over would try, after harden.c's filter: sandbox_probe WHAT does one of
 * it and says on stdout what came of it ("refused ERRNO", "done"); what is deadly ends it with SIGSYS before
 * it can say anything. */
#include "core/server/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long do_exec(void) {
  char *const argv[] = {"true", NULL}, *const env[] = {NULL};
  return execve("/bin/true", argv, env);
}
static long do_fork(void) {
  return fork();
}
static long do_ptrace(void) {
  return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}
static long do_mount(void) {
  return mount("none", "/mnt", "tmpfs", 0, NULL);
}
static long do_bpf(void) {
  return syscall(SYS_bpf, 0, NULL, 0);
}
static long do_unshare(void) {
  return unshare(CLONE_NEWUSER);
}
static long do_setuid(void) {
  return setuid(0);
}
static long do_netlink(void) {
  return socket(AF_NETLINK, SOCK_RAW, 0);
}
static long do_packet(void) {
  return socket(AF_PACKET, SOCK_RAW, 0);
}
static long do_inet(void) {
  return socket(AF_INET6, SOCK_STREAM, 0);
}
static long do_code(void) { /* new memory that can be run */
  return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                 MAP_FAILED
             ? -1
             : 0;
}
static long do_code_later(void) {
  void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return p == MAP_FAILED ? 0 : mprotect(p, 4096, PROT_READ | PROT_EXEC);
}
static long do_dumpable(void) {
  return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}
static void *nothing(void *arg) {
  return arg;
}
static long do_thread(void) {
  pthread_t t;
  errno = pthread_create(&t, NULL, nothing, NULL);
  return errno ? -1 : pthread_join(t, NULL);
}
static void *exec_there(void *ready) { /* started before the filter: it must hold for all threads */
  pthread_barrier_wait(ready);
  do_exec();
  return NULL;
}
static long do_file(void) {
  FILE *f = tmpfile();
  return f && fputs("x", f) >= 0 && fclose(f) == 0 ? 0 : -1;
}

static const struct probe {
  const char *what;
  long (*run)(void);
} PROBES[] = {{"exec", do_exec},         {"fork", do_fork},       {"ptrace", do_ptrace},
              {"mount", do_mount},       {"bpf", do_bpf},         {"unshare", do_unshare},
              {"setuid", do_setuid},     {"netlink", do_netlink}, {"packet", do_packet},
              {"inet", do_inet},         {"code", do_code},       {"code_later", do_code_later},
              {"dumpable", do_dumpable}, {"thread", do_thread},   {"file", do_file}};

int main(int argc, char **argv) {
  char why[256] = "";
  pthread_t other;
  pthread_barrier_t ready;
  bool there = argc == 2 && strcmp(argv[1], "exec_there") == 0;
  pthread_barrier_init(&ready, NULL, 2);
  if (there && pthread_create(&other, NULL, exec_there, &ready) != 0)
    return 2;
  harden_early();
  if (harden_syscalls(why) != ERR_OK) {
    fprintf(stderr, "%s\n", why);
    return 2;
  }
  if (there) {
    pthread_barrier_wait(&ready);
    pthread_join(other, NULL);
  }
  for (size_t i = 0; argc == 2 && i < sizeof PROBES / sizeof PROBES[0]; i++)
    if (strcmp(argv[1], PROBES[i].what) == 0) {
      errno = 0;
      long rc = PROBES[i].run();
      if (rc < 0)
        printf("refused %s\n", strerrorname_np(errno));
      else
        puts("done");
      return 0;
    }
  return 2;
}
