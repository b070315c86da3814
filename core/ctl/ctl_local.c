/* ctl_local.c: which function does a verb that gavelctl does itself. */
#include "core/ctl/ctl.h"

#include <string.h>

static const struct {
  const char *verb;
  ctl_verb_fn *run;
} LOCAL[] = {
    {"token mint", ctl_token_mint},
    {"token inspect", ctl_token_inspect},
    {"token verify", ctl_token_verify},
    {"selftest jwt", ctl_selftest_jwt},
    {"privacy export", ctl_privacy_export},
    {"privacy schema", ctl_privacy_schema},
    {"metering", ctl_metering},
    {"create", ctl_create},
    {"show", ctl_show},
    {"bans", ctl_bans},
    {"notes", ctl_notes},
    {"trusted", ctl_trusted},
    {"invites", ctl_invites},
    {"metrics", ctl_metrics},
    {"quality", ctl_quality},
    {"backup now", ctl_backup_now},
    {"backup list", ctl_backup_list},
    {"backup verify", ctl_backup_verify},
    {"backup drill", ctl_backup_drill},
    {"restore", ctl_restore},
    {"account create", ctl_account_create},
    {"account password", ctl_account_password},
    {"account totp", ctl_account_totp},
    {"audit query", ctl_audit_query},
    {"audit verify", ctl_audit_verify},
    {"audit export", ctl_audit_export},
    {"audit report", ctl_audit_report},
};

ctl_verb_fn *ctl_local(const char *verb) {
  for (size_t i = 0; i < sizeof LOCAL / sizeof LOCAL[0]; i++)
    if (strcmp(LOCAL[i].verb, verb) == 0)
      return LOCAL[i].run;
  return NULL;
}
