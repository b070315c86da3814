#include "core/server/proxies.h"

#include <stdio.h>
#include <string.h>

enum err proxies_read(const char *text, struct proxies *out, char why[256]) {
  *out = (struct proxies){0};
  for (size_t n; text += strspn(text, ", "), (n = strcspn(text, ", ")) > 0; text += n) {
    char one[CIDR_TEXT_MAX];
    bool alone;
    snprintf(one, sizeof one, "%.*s", (int)(n < sizeof one ? n : sizeof one), text);
    if (out->n == PROXIES_MAX || !cidr_read(one, &out->of[out->n], &alone) ||
        cidr_is_wide(&out->of[out->n])) {
      snprintf(why, 256, "[server] proxies: %s is not an address or a block, or is one too many", one);
      return ERR_BAD_CONFIG;
    }
    out->n++;
  }
  return ERR_OK;
}

bool proxies_has(const struct proxies *p, const uint8_t addr[16]) {
  for (size_t i = 0; i < p->n; i++)
    if (cidr_holds(&p->of[i], addr))
      return true;
  return false;
}

static bool read_hop(const char *text, size_t n, uint8_t addr[16]) {
  while (n > 0 && text[0] == ' ')
    text++, n--;
  while (n > 0 && text[n - 1] == ' ')
    n--;
  return addr_read(text, n, addr);
}

/* Each of our proxies appends whom it heard: from the right, the first that is none of ours is the client.
 * What cannot be read ends the search: further left anything may stand. */
void proxies_client(const struct proxies *p, const char *list, uint8_t addr[16]) {
  for (size_t end = strlen(list); proxies_has(p, addr);) {
    size_t from = end;
    uint8_t hop[16];
    while (from > 0 && list[from - 1] != ',')
      from--;
    if (!read_hop(list + from, end - from, hop))
      return;
    memcpy(addr, hop, sizeof hop);
    if (from == 0)
      return;
    end = from - 1;
  }
}
