#include "core/session/network.h"

#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SETTLE_US (400 * US_PER_MS)

static uint64_t mix(uint64_t h, const void *p, size_t n) { /* FNV-1a */
  const uint8_t *b = p;
  for (size_t i = 0; i < n; i++)
    h = (h ^ b[i]) * UINT64_C(1099511628211);
  return h;
}

static uint64_t mix_address(uint64_t h, const struct sockaddr *sa) {
  if (sa->sa_family == AF_INET)
    return mix(h, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
  return mix(h, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
}

/* The address that a datagram to the server would leave from: another one when the route is. */
static uint64_t mix_source(uint64_t h, const struct sockaddr *to, socklen_t len) {
  struct sockaddr_storage from = {0};
  socklen_t n = sizeof from;
  int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, to, len) == 0 && getsockname(fd, (struct sockaddr *)&from, &n) == 0)
    h = mix_address(h, (struct sockaddr *)&from);
  if (fd >= 0)
    close(fd);
  return h;
}

static uint64_t print_now(const struct network *n) {
  uint64_t sum = 0;
  struct ifaddrs *list = NULL;
  if (getifaddrs(&list) == 0)
    for (const struct ifaddrs *i = list; i; i = i->ifa_next)
      if (i->ifa_addr && (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6) &&
          (i->ifa_flags & IFF_UP) && !(i->ifa_flags & IFF_LOOPBACK))
        sum += mix_address(1, i->ifa_addr); /* in whatever order */
  freeifaddrs(list);
  uint64_t h = mix(UINT64_C(14695981039346656037), &sum, sizeof sum);
  if (n->server.sin6_family == AF_UNSPEC)
    return h;
  return mix_source(h, (const struct sockaddr *)&n->server, sizeof n->server);
}

void network_open(struct network *n) {
  struct sockaddr_nl a = {.nl_family = AF_NETLINK,
                          .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                                       RTMGRP_IPV6_ROUTE | RTMGRP_LINK};
  n->due = US_NEVER;
  n->server.sin6_family = AF_UNSPEC;
  n->print = print_now(n);
  n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (n->fd >= 0 && bind(n->fd, (struct sockaddr *)&a, sizeof a) != 0)
    network_close(n);
}

void network_towards(struct network *n, const struct sockaddr_in6 *server) {
  bool first = n->server.sin6_family == AF_UNSPEC;
  n->server = *server;
  if (first)
    n->print = print_now(n);
}

bool network_changed(struct network *n, us_t now) {
  char buf[4096];
  while (n->fd >= 0 && recv(n->fd, buf, sizeof buf, MSG_DONTWAIT) > 0)
    n->due = now + SETTLE_US;
  if (n->due > now)
    return false;
  n->due = US_NEVER;
  uint64_t print = print_now(n);
  bool changed = print != n->print;
  n->print = print;
  return changed;
}

void network_close(struct network *n) {
  if (n->fd >= 0)
    close(n->fd);
  n->fd = -1;
  n->due = US_NEVER;
}
