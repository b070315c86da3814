/* runner_http.c: the process that asks other servers. */
#include "core/base/addr.h"
#include "core/server/runner.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 65536 /* bytes of an answer that are read; what they say does not matter */
#define CONNECT_S 5L

/* RFC 6890 and its kin: this machine, its networks, and the ways to write IPv4 in IPv6. */
static const char *const PRIVATE[] = {"0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",
                                      "169.254.0.0/16", "172.16.0.0/12",  "192.0.0.0/24",  "192.168.0.0/16",
                                      "198.18.0.0/15",  "224.0.0.0/3",    "::/96",         "::ffff:0:0:0/96",
                                      "64:ff9b::/96",   "64:ff9b:1::/48", "2001::/32",     "2002::/16",
                                      "fc00::/7",       "fe80::/10",      "fec0::/10",     "ff00::/8"};

bool runner_is_private(const uint8_t addr[16]) {
  struct cidr block;
  bool alone;
  for (size_t i = 0; i < sizeof PRIVATE / sizeof PRIVATE[0]; i++)
    if (!cidr_read(PRIVATE[i], &block, &alone) || cidr_holds(&block, addr))
      return true;
  return !addr_known(addr);
}

struct ask {
  struct runner_job job;
  const struct runner_config *c;
  struct curl_slist *headers;
  size_t read;
  bool refused; /* its address */
  char error[CURL_ERROR_SIZE];
};

/* The address that a name has at this moment: nothing can be swapped after it was looked at. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *a) {
  struct ask *k = user;
  uint8_t addr[16] = {[10] = 0xff, [11] = 0xff};
  (void)purpose;
  if (a->family == AF_INET)
    memcpy(addr + 12, &((struct sockaddr_in *)(void *)&a->addr)->sin_addr, 4);
  else if (a->family == AF_INET6)
    memcpy(addr, &((struct sockaddr_in6 *)(void *)&a->addr)->sin6_addr, 16);
  else
    return CURL_SOCKET_BAD;
  k->refused = !k->c->private_ok[k->job.target] && runner_is_private(addr);
  return k->refused ? CURL_SOCKET_BAD : socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t skip(char *text, size_t one, size_t n, void *user) {
  struct ask *k = user;
  (void)text;
  k->read += one * n;
  return k->read > ANSWER_MAX ? 0 : one * n;
}

static void add_header(struct ask *k, const char *name, const char *value) {
  char line[160];
  snprintf(line, sizeof line, "%s: %s", name, value);
  struct curl_slist *more = *value ? curl_slist_append(k->headers, line) : NULL;
  k->headers = more ? more : k->headers;
}

static void set_up(CURL *e, struct ask *k) {
  const char *ca = k->c->ca_file[k->job.target];
  bool post = k->job.target < RUN_WATCH;
  curl_easy_setopt(e, CURLOPT_URL, k->c->to[k->job.target]);
  curl_easy_setopt(e, CURLOPT_PRIVATE, k);
  curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)RUNNER_LIMIT_S);
  curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
  curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, k);
  curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, skip);
  curl_easy_setopt(e, CURLOPT_WRITEDATA, k);
  curl_easy_setopt(e, CURLOPT_ERRORBUFFER, k->error);
  curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(e, CURLOPT_USERAGENT, "gavel/" GAVEL_VERSION);
  if (ca && *ca)
    curl_easy_setopt(e, CURLOPT_CAINFO, ca);
  if (!post) /* whether it takes a new connection is what is asked */
    curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(e, CURLOPT_FORBID_REUSE, post ? 0L : 1L);
  if (post) {
    curl_easy_setopt(e, CURLOPT_POST, 1L);
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)k->job.n);
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, k->job.body);
    add_header(k, "content-type", "application/json");
    add_header(k, "webhook-id", k->job.name);
    add_header(k, "webhook-timestamp", k->job.at);
    add_header(k, "webhook-signature", k->job.signature);
    add_header(k, "expect", " ");
  }
  curl_easy_setopt(e, CURLOPT_HTTPHEADER, k->headers);
}

static void answer(int fd, const struct ask *k, int32_t status, const char *text) {
  struct runner_answer a = {.id = k->job.id, .target = k->job.target, .status = status};
  snprintf(a.text, sizeof a.text, "%.111s", text);
  if (send(fd, &a, sizeof a, MSG_NOSIGNAL) != (ssize_t)sizeof a)
    _exit(0); /* gaveld is gone */
}

/* One job of the socket; false when there is none. */
static bool take(int fd, CURLM *m, const struct runner_config *c) {
  struct ask *k = calloc(1, sizeof *k);
  CURL *e = curl_easy_init();
  if (!k || !e)
    _exit(1);
  k->c = c;
  ssize_t n = recv(fd, &k->job, sizeof k->job, MSG_DONTWAIT);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
    _exit(0);
  bool whole = n >= (ssize_t)offsetof(struct runner_job, body) &&
               k->job.n == (size_t)n - offsetof(struct runner_job, body) && k->job.target < RUN_TARGETS &&
               k->job.target != RUN_COMMAND && c->to[k->job.target] && *c->to[k->job.target];
  if (n > 0 && whole) {
    k->job.name[sizeof k->job.name - 1] = k->job.at[sizeof k->job.at - 1] = 0;
    k->job.signature[sizeof k->job.signature - 1] = 0;
    set_up(e, k);
    curl_multi_add_handle(m, e);
    return true;
  }
  curl_easy_cleanup(e);
  free(k);
  return n > 0;
}

static void finish(int fd, CURLM *m, CURL *e, CURLcode rc) {
  struct ask *k = NULL;
  long status = 0;
  curl_easy_getinfo(e, CURLINFO_PRIVATE, (char **)&k);
  curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
  curl_multi_remove_handle(m, e);
  bool said = rc == CURLE_OK || (rc == CURLE_WRITE_ERROR && status > 0);
  answer(fd, k, said ? (int32_t)status : -1,
         said         ? ""
         : k->refused ? "a private address: see allow_private"
         : *k->error  ? k->error
                      : curl_easy_strerror(rc));
  curl_slist_free_all(k->headers);
  curl_easy_cleanup(e);
  explicit_bzero(k, sizeof *k);
  free(k);
}

void runner_http_run(int fd, const struct runner_config *c) {
  int running = 0, left;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM *m = curl_multi_init();
  if (!m)
    _exit(1);
  for (;;) {
    struct curl_waitfd w = {fd, CURL_WAIT_POLLIN, 0};
    CURLMsg *msg;
    curl_multi_poll(m, &w, running < RUNNER_AT_ONCE, 60000, NULL);
    while (running < RUNNER_AT_ONCE && take(fd, m, c))
      running++;
    curl_multi_perform(m, &running);
    while ((msg = curl_multi_info_read(m, &left)))
      if (msg->msg == CURLMSG_DONE)
        finish(fd, m, msg->easy_handle, msg->data.result);
  }
}
