#include "core/base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};

bool addr_known(const uint8_t addr[16]) {
  static const uint8_t UNKNOWN[16];
  return memcmp(addr, UNKNOWN, sizeof UNKNOWN) != 0;
}

bool addr_is_v4(const uint8_t addr[16]) {
  return memcmp(addr, MAPPED, sizeof MAPPED) == 0;
}

bool addr_is_loopback(const uint8_t addr[16]) {
  static const uint8_t SELF[16] = {[15] = 1};
  return addr_is_v4(addr) ? addr[12] == 127 : memcmp(addr, SELF, sizeof SELF) == 0;
}

size_t addr_network(const uint8_t addr[16]) {
  return addr_is_v4(addr) ? 16 : 8;
}

bool addr_read(const char *text, size_t n, uint8_t addr[16]) {
  char one[INET6_ADDRSTRLEN];
  if (n >= sizeof one || memchr(text, 0, n))
    return false;
  memcpy(one, text, n);
  one[n] = 0;
  memcpy(addr, MAPPED, sizeof MAPPED);
  return inet_pton(AF_INET, one, addr + sizeof MAPPED) == 1 || inet_pton(AF_INET6, one, addr) == 1;
}

struct cidr cidr_make(const uint8_t addr[16], unsigned bits) {
  struct cidr c = {.bits = (uint8_t)bits};
  memcpy(c.addr, addr, sizeof c.addr);
  for (unsigned i = bits; i < 128; i++)
    c.addr[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
  return c;
}

bool cidr_read(const char *text, struct cidr *out, bool *alone) {
  uint8_t addr[16];
  size_t n = strcspn(text, "/");
  if (!addr_read(text, n, addr))
    return false;
  bool v4 = memchr(text, ':', n) == NULL;
  unsigned most = v4 ? 32 : 128, bits = most;
  const char *digits = text + n + 1;
  *alone = !text[n];
  if (!*alone) {
    size_t len = strlen(digits);
    if (len < 1 || len > 3 || strspn(digits, "0123456789") != len ||
        (bits = (unsigned)strtoul(digits, NULL, 10)) > most)
      return false;
  }
  bits += v4 ? 96 : 0;
  *out = cidr_make(addr, bits);
  return bits >= (addr_is_v4(addr) ? 96 : 1);
}

bool cidr_is_wide(const struct cidr *c) {
  return c->bits < (addr_is_v4(c->addr) ? 96 + 8 : 32);
}

void cidr_text(const struct cidr *c, char out[CIDR_TEXT_MAX]) {
  char host[INET6_ADDRSTRLEN] = "";
  bool v4 = addr_is_v4(c->addr) && c->bits >= 96;
  inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? c->addr + 12 : c->addr, host, sizeof host);
  snprintf(out, CIDR_TEXT_MAX, "%s/%u", host, v4 ? c->bits - 96u : c->bits);
}

bool cidr_holds(const struct cidr *c, const uint8_t addr[16]) {
  unsigned whole = c->bits / 8, left = c->bits % 8;
  if (c->bits == 0 || c->bits > 128 || !addr_known(addr) || addr_is_v4(c->addr) != addr_is_v4(addr) ||
      memcmp(c->addr, addr, whole) != 0)
    return false;
  return left == 0 || ((c->addr[whole] ^ addr[whole]) >> (8 - left)) == 0;
}
