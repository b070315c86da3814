/* login.c: signing in: the limits before the password is looked at, the second factor after. */
#include "core/access/accounts_private.h"

#include "core/base/bytes.h"

#include <stdio.h>
#include <string.h>

/* Names that are no account have limits as well, or the limit would tell which are. */
static struct throttle *tries_of(struct access *a, const char *account) {
  struct account *k = account_by_name(a, account);
  uint8_t hash[32];
  if (k)
    return &k->tries;
  sha256(account, strlen(account), hash);
  return throttle_of(&a->accounts->unknown, hash);
}

static const char *pid_of(const struct access *a, const char *account) {
  const struct account *k = account_by_name(a, account);
  return k ? k->pid : NULL;
}

enum err login_begin(struct access *a, const char *account, const uint8_t *addr, struct login_try *t,
                     int *retry_s) {
  struct throttle *tries = tries_of(a, account);
  const struct account *k = account_by_name(a, account);
  *t = (struct login_try){0};
  bool may = login_take(a, LOGIN_ACCOUNT, tries, retry_s);
  if (may && !login_take_net(a, LOGIN_ADDRESS, &a->accounts->addresses, addr, retry_s)) {
    throttle_give(tries); /* one address cannot lock accounts for longer than its own tries last */
    may = false;
  }
  if (!may) {
    audit_refusal(a, "login.refused", "", "", pid_of(a, account), "too often", addr, ERR_RATE);
    return ERR_RATE;
  }
  if (k) {
    snprintf(t->pid, sizeof t->pid, "%s", k->pid);
    snprintf(t->phc, sizeof t->phc, "%s", k->phc);
  }
  return ERR_OK;
}

void login_cancel(struct access *a, const char *account, const uint8_t *addr) {
  throttle_give(tries_of(a, account));
  login_give_net(&a->accounts->addresses, addr);
}

static bool recovery_use(struct account *k, const char *code) {
  uint8_t hash[32];
  if (!totp_recovery_hash(code, hash))
    return false;
  for (size_t i = 0; i < k->n_recovery; i++)
    if (bytes_equal_ct(k->recovery[i], hash, sizeof hash)) {
      memmove(k->recovery[i], k->recovery[--k->n_recovery], sizeof hash);
      return true;
    }
  return false;
}

enum err login_second(struct access *a, struct account *k, const char *code, const uint8_t *addr) {
  int retry_s;
  if (!login_take(a, LOGIN_SECOND, &k->seconds, &retry_s)) {
    audit_refusal(a, "mfa.refused", "", "", k->pid, "too often", addr, ERR_RATE);
    return ERR_RATE;
  }
  bool recovery = false, right = totp_check(k->secret, code, a->wall_ms / 1000, &k->last_step);
  if (!right)
    right = recovery = recovery_use(k, code);
  if (!right) {
    audit_refusal(a, "mfa.refused", "", "", k->pid, "code", addr, ERR_BAD_LOGIN);
    return ERR_BAD_LOGIN;
  }
  k->seconds = (struct throttle){0};
  account_put(a, k); /* the step, or the code, is used up */
  accounts_note(a, recovery ? "mfa.recovery" : "mfa.ok", k->pid, NULL, addr, ERR_OK);
  return ERR_OK;
}

/* The account whose password was compared, while both are still what they were; else NULL. */
static struct account *account_of(const struct access *a, const struct login_try *t) {
  struct account *k = account_by_pid(a, t->pid);
  return k && strcmp(k->phc, t->phc) == 0 ? k : NULL;
}

enum err login_end(struct access *a, const char *account, const struct login_try *t, bool right,
                   const char *code, const uint8_t *addr, bool *mfa) {
  struct account *k = account_of(a, t);
  *mfa = false;
  if (!k || !right) {
    const char *why = k ? "password" : *t->pid ? "changed" : "account";
    audit_refusal(a, "login.refused", "", "", pid_of(a, account), why, addr, ERR_BAD_LOGIN);
    return ERR_BAD_LOGIN;
  }
  if (k->totp) { /* who knows the password does not use up its tries; the code has its own */
    throttle_give(&k->tries);
    enum err e = *code ? login_second(a, k, code, addr) : ERR_NEED_TOTP;
    if (e != ERR_OK)
      return e;
  }
  k->tries = (struct throttle){0};
  login_give_net(&a->accounts->addresses, addr);
  accounts_note(a, "login.ok", k->pid, NULL, addr, ERR_OK);
  *mfa = k->totp;
  return ERR_OK;
}

void login_rehash(struct access *a, const struct login_try *t, const char *phc) {
  struct account *k = account_of(a, t);
  if (!k || !password_phc_valid(phc))
    return;
  snprintf(k->phc, sizeof k->phc, "%s", phc);
  account_put(a, k);
}
