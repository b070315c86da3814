#include "core/server/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true /* the sanitizers' own threads trace this process when it ends */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

void harden_early(void) {
  struct rlimit none = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &none); /* fails only where it is 0 already and may not be set */
  if (!SANITIZED)
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void harden_free(void *p) {
  if (p)
    explicit_bzero(p, malloc_usable_size(p));
  free(p);
}

/* ---- another user ---- */

static enum err refuse(char why[256], const char *what, const char *of) {
  snprintf(why, 256, "%s %.150s: %s", what, of, strerror(errno));
  return ERR_BAD_CONFIG;
}

static bool give(const char *path, uid_t uid, gid_t gid) {
  return lchown(path, uid, gid) == 0 || errno == ENOENT;
}

static enum err give_files(const char *const *owned, uid_t uid, gid_t gid, char why[256]) {
  static const char *const BESIDE[] = {"-wal", "-shm", ".lock", ".key", ".erased"};
  char path[4096];
  for (size_t i = 0; owned[i]; i++)
    if (!give(owned[i], uid, gid))
      return refuse(why, "the user cannot be given", owned[i]);
  for (size_t i = 0; owned[0] && i < sizeof BESIDE / sizeof BESIDE[0]; i++) {
    snprintf(path, sizeof path, "%s%s", owned[0], BESIDE[i]);
    if (!give(path, uid, gid))
      return refuse(why, "the user cannot be given", path);
  }
  return ERR_OK;
}

/* SQLite makes and removes files beside the database as long as it runs. */
static enum err check_folder(const char *database, char why[256]) {
  char folder[4096];
  snprintf(folder, sizeof folder, "%s", database);
  char *slash = strrchr(folder, '/');
  if (slash)
    *(slash == folder ? slash + 1 : slash) = 0;
  if (access(slash ? folder : ".", W_OK | X_OK) == 0)
    return ERR_OK;
  return refuse(why, "the user of [server] user cannot write to the database's folder", slash ? folder : ".");
}

enum err harden_user(const char *user, const char *const *owned, char why[256]) {
  if (!*user || geteuid() != 0)
    return ERR_OK;
  errno = 0;
  const struct passwd *p = getpwnam(user);
  if (!p || p->pw_uid == 0) {
    snprintf(why, 256, "there is no user '%.60s' without root's rights: see [server] user", user);
    return ERR_BAD_CONFIG;
  }
  uid_t uid = p->pw_uid;
  gid_t gid = p->pw_gid;
  enum err e = give_files(owned, uid, gid, why);
  if (e != ERR_OK)
    return e;
  if (setgroups(0, NULL) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
    return refuse(why, "this process cannot become", user);
  if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || getuid() != uid || geteuid() != uid ||
      getegid() != gid) {
    snprintf(why, 256, "this process can still become root again");
    return ERR_BAD_CONFIG;
  }
  if (!SANITIZED)
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  return owned[0] ? check_folder(owned[0], why) : ERR_OK;
}

/* ---- system calls ---- */

#define S(name) SCMP_SYS(name)
/* What libwebsockets, SQLite, OpenSSL, malloc and threads use once they run; with more room than they take
 * today, as a library of the next year may prefer a call's younger brother. None of it reaches beyond this
 * process's files and sockets. */
static const int ALLOWED[] = {
    S(read),
    S(write),
    S(readv),
    S(writev),
    S(pread64),
    S(pwrite64),
    S(preadv),
    S(pwritev),
    S(preadv2),
    S(pwritev2),
    S(lseek),
    S(close),
    S(open),
    S(openat),
    S(creat),
    S(access),
    S(faccessat),
    S(faccessat2),
    S(stat),
    S(lstat),
    S(fstat),
    S(newfstatat),
    S(statx),
    S(statfs),
    S(fstatfs),
    S(getdents64),
    S(getcwd),
    S(readlink),
    S(readlinkat),
    S(unlink),
    S(unlinkat),
    S(rename),
    S(renameat),
    S(renameat2),
    S(link),
    S(linkat),
    S(mkdir),
    S(mkdirat),
    S(rmdir),
    S(chmod),
    S(fchmod),
    S(fchmodat),
    S(fchown),
    S(umask),
    S(utimensat),
    S(truncate),
    S(ftruncate),
    S(fallocate),
    S(fsync),
    S(fdatasync),
    S(sync_file_range),
    S(flock),
    S(fcntl),
    S(ioctl),
    S(dup),
    S(dup3),
    S(pipe2),
    S(copy_file_range),
    S(sendfile),
    S(fadvise64),
    S(poll),
    S(ppoll),
    S(select),
    S(pselect6),
    S(epoll_create1),
    S(epoll_ctl),
    S(epoll_wait),
    S(epoll_pwait),
    S(epoll_pwait2),
    S(eventfd2),
    S(timerfd_create),
    S(timerfd_settime),
    S(timerfd_gettime),
    S(accept),
    S(accept4),
    S(bind),
    S(listen),
    S(connect),
    S(shutdown),
    S(getsockname),
    S(getpeername),
    S(getsockopt),
    S(setsockopt),
    S(recvfrom),
    S(recvmsg),
    S(recvmmsg),
    S(sendto),
    S(sendmsg),
    S(sendmmsg),
    S(munmap),
    S(mremap),
    S(madvise),
    S(brk),
    S(mlock),
    S(mlock2),
    S(munlock),
    S(mincore),
    S(membarrier),
    S(futex),
    S(futex_waitv),
    S(set_robust_list),
    S(get_robust_list),
    S(rseq),
    S(sched_yield),
    S(sched_getaffinity),
    S(sched_getparam),
    S(sched_getscheduler),
    S(set_tid_address),
    S(arch_prctl),
    S(exit),
    S(exit_group),
    S(getpid),
    S(gettid),
    S(getppid),
    S(getuid),
    S(geteuid),
    S(getgid),
    S(getegid),
    S(tgkill),
    S(rt_sigaction),
    S(rt_sigprocmask),
    S(rt_sigreturn),
    S(rt_sigtimedwait),
    S(rt_sigpending),
    S(rt_sigsuspend),
    S(sigaltstack),
    S(restart_syscall),
    S(clock_gettime),
    S(clock_getres),
    S(clock_nanosleep),
    S(nanosleep),
    S(gettimeofday),
    S(time),
    S(getrandom),
    S(getrusage),
    S(sysinfo),
    S(uname),
    S(getrlimit),
};
/* What only somebody who took this process over asks for: it ends at once. */
static const int DEADLY[] = {
    S(execve),
    S(execveat),
    S(fork),
    S(vfork),
    S(ptrace),
    S(process_vm_readv),
    S(process_vm_writev),
    S(bpf),
    S(mount),
    S(umount2),
    S(pivot_root),
    S(chroot),
    S(unshare),
    S(setns),
    S(init_module),
    S(finit_module),
    S(delete_module),
    S(kexec_load),
    S(reboot),
    S(swapon),
    S(keyctl),
    S(add_key),
    S(request_key),
    S(userfaultfd),
    S(perf_event_open),
    S(open_by_handle_at),
    S(memfd_create),
    S(personality),
    S(setuid),
    S(setgid),
    S(setresuid),
    S(setresgid),
    S(capset),
    S(io_uring_setup),
    S(mknod),
    S(mknodat),
};

static struct scmp_arg_cmp is(unsigned arg, scmp_datum_t value) {
  return (struct scmp_arg_cmp){arg, SCMP_CMP_EQ, value, 0};
}

static int allow_some(scmp_filter_ctx f) {
  static const int FAMILIES[] = {AF_UNIX, AF_INET, AF_INET6};
  const uint64_t thread = 0x00010000; /* CLONE_THREAD: a thread of ours, no process */
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < sizeof FAMILIES / sizeof FAMILIES[0]; i++)
    rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, S(socket), 1, is(0, (scmp_datum_t)FAMILIES[i]));
  if (rc == 0)
    rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, S(socketpair), 1, is(0, AF_UNIX));
  if (rc == 0) /* no memory that can be run; what can be is there already */
    rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, S(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  if (rc == 0)
    rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, S(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  if (rc == 0)
    rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, S(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread));
  if (rc == 0) /* its flags are behind a pointer: the C library then falls back to clone */
    rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), S(clone3), 0);
  if (rc == 0) /* the name of a thread, and what is asked; nothing that gives rights */
    rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, S(prctl), 1, is(0, PR_SET_NAME));
  if (rc == 0)
    rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, S(prlimit64), 1, is(2, 0));
  return rc;
}

static int rules(scmp_filter_ctx f) {
  int rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1); /* all threads, not only this one */
  for (size_t i = 0; rc == 0 && i < sizeof ALLOWED / sizeof ALLOWED[0]; i++)
    rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, ALLOWED[i], 0);
  for (size_t i = 0; rc == 0 && i < sizeof DEADLY / sizeof DEADLY[0]; i++)
    rc = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, DEADLY[i], 0);
  if (rc == 0)
    rc = allow_some(f);
  return rc == 0 ? seccomp_load(f) : rc;
}

enum err harden_syscalls(char why[256]) {
  if (SANITIZED)
    return ERR_OK;
  scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  int rc = f ? rules(f) : -ENOMEM;
  seccomp_release(f);
  if (rc == 0)
    return ERR_OK;
  snprintf(why, 256,
           "system calls cannot be filtered (%s): this kernel has no seccomp? [server] seccomp = no starts "
           "without",
           strerror(-rc));
  return ERR_IO;
}
