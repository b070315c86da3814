/* Addresses and blocks as strangers, moderators and operators write them: the first line is a block and a
 * list of proxies, the second what came in X-Forwarded-For. A block that is read has one spelling and holds
 * itself; who is no proxy is never changed by what he wrote. */
#include "core/room/room.h"
#include "core/server/proxies.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void block(const char *text) {
  struct cidr c, same;
  struct ban rule;
  char again[CIDR_TEXT_MAX];
  bool alone;
  if (!cidr_read(text, &c, &alone))
    return;
  cidr_text(&c, again);
  bool ok = cidr_read(again, &same, &alone);
  assert(ok && !alone && memcmp(&c, &same, sizeof c) == 0);
  assert(cidr_holds(&c, c.addr) == addr_known(c.addr));
  assert(!room_ban_rule(text, &rule)); /* a rule says what it is of */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t PEERS[][16] = {
      {[10] = 0xff, 0xff, 10, 0, 0, 1}, {[15] = 1}, {[0] = 0x20, 1, 0xd, 0xb8}};
  char *text = malloc(size + 1), why[256];
  struct proxies p;
  struct ban rule;
  assert(text);
  memcpy(text, data, size);
  text[size] = 0;
  char *list = text + strcspn(text, "\n");
  if (*list)
    *list++ = 0;
  block(text);
  if (room_ban_rule(text, &rule))
    assert((rule.cidr.bits > 0) + (rule.user[0] != 0) + (rule.invite != 0) == 1);
  if (proxies_read(text, &p, why) == ERR_OK)
    for (size_t i = 0; i < sizeof PEERS / sizeof PEERS[0]; i++) {
      uint8_t addr[16];
      memcpy(addr, PEERS[i], sizeof addr);
      proxies_client(&p, list, addr);
      assert(proxies_has(&p, PEERS[i]) || memcmp(addr, PEERS[i], sizeof addr) == 0);
    }
  free(text);
  return 0;
}
