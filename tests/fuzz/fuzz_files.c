/* Small files that others may have written: the erasure journal, names of backups, times. */
#include "core/base/utc.h"
#include "core/store/backup.h"
#include "core/store/erased.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void journal(const uint8_t *data, size_t size) {
  char path[] = "/tmp/fuzz-files-XXXXXX", why[256]; /* a file of its own: no link is followed */
  struct erased l;
  int fd = mkstemp(path);
  assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
  enum err e = erased_load(path, &l, why);
  assert(e == ERR_OK);
  for (size_t i = 0; i < l.n; i++)
    assert(l.pid[i][0] && strlen(l.pid[i]) <= STORE_PID_MAX && !strchr(l.pid[i], '\n'));
  erased_free(&l);
  close(fd);
  unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1), again[BACKUP_NAME_MAX > UTC_MAX ? BACKUP_NAME_MAX : UTC_MAX];
  int64_t ms, same;
  assert(text);
  memcpy(text, data, size);
  text[size] = 0;
  journal(data, size);
  if (backup_time(text, &ms)) {
    backup_name(ms, true, again);
    assert(backup_time(again, &same) && same == ms);
  }
  if (utc_read(text, &ms)) {
    utc_text(ms, again);
    assert(strncmp(again, text, UTC_DAY) == 0 && utc_read(again, &same) && same == ms);
  }
  free(text);
  return 0;
}
