/* Tokens of other systems: every published vector is accepted with what it says and made again byte for byte,
 * and no change of it is accepted. */
#include "core/auth/token_private.h"
#include "core/base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define TALK (SCOPE_JOIN | SCOPE_SPEAK | SCOPE_CHAT)
#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define VIDYO_KEY "rUlaMASgt1Byi4Kp3sKYDeQzo"
#define OT_KEY "1234567890abcdef1234567890abcdef1234567890"
#define OT_SESSION "1_MX4xMjM0NTZ-flNhdCBNYXIgMTUgMTQ6NDI6MjMgUERUIDIwMTR-MC40OTAxMzAyNX4"
#define AG_APP "970CA35de60c44645bbae8a215061b33"
#define AG_CERT "5CFd2fd1755d40ecb72977518be15d3b"
#define AG_CHANNEL "7d72365eb983485397e3e3f9d460bdda"
#define TEAM "6d12d819-c0ae-42b5-b320-a7791890c662"

/* V1 published by the vendor; V2, V3: with a vCard, until the year 2100. */
static const char V1[] = "cHJvdmlzaW9uAHVzZXIxQEFwcGxpY2F0aW9uSUQANjM2NTI2MDI3ODUAAGQzMDkxMjA5NjFmMGYxMjFkM2F"
                         "lZjQxMzJkNmRiNTdkMTA5MDU0MG"
                         "U4ZWZmNjYxMzlhOTUyMzJiODA0MGViOWU5MjI3OTQ3N2MwYWUzODQ3Y2NiYmJiYTNhZDc5OTdkOA==";
static const char V2[] =
    "cHJvdmlzaW9uAHVzZXIxQEFwcGxpY2F0aW9uSUQANjM2NTI2MDI3ODUAPHZDYXJkIHhtbG5zPSJ2Y2FyZC10ZW1wIj48Rk4+"
    "VXNlciBPbmU8L0"
    "ZOPjwvdkNhcmQ+"
    "ADcwYmNmZjcwZjdiYzNiNWMxOTMzNDcxZGI2NmE2M2JiODRmYjgyZGEyMGE4ZDRmN2IzZDBiY2UzNzg5ZDMyNDUyODg1MDdk"
    "Mjg4ODg0NWE3MTA5ZjE5YWEwNjFmNzg1MQ==";
static const char V3[] = "cHJvdmlzaW9uAHVzZXIxQEFwcGxpY2F0aW9uSUQANjYyNjk2NjQwMDAAADFhMjU4MDZjMjViNmQwOTBhOGE"
                         "wMzEyYzA4MTQyMjIxZTY1Mzk4OG"
                         "U1YjcwZjYyNTQyNTc5MjBkNTE4Y2JhYTI5MDQ2Mzg1MDI1NDI5ZmE0ZTZhMTBhNDA3MWFiZjRiMA==";
static const char O1[] = "T1=="
                         "cGFydG5lcl9pZD0xMjM0NTYmc2lnPWM3ZmFjNDU0Njg1ZTJiYTk4Y2U1OWQ1ODNlM2EyYTFjYzg2ZDViOTQ"
                         "6c2Vzc2lvbl9pZD0xX01YNH"
                         "hNak0wTlRaLWZsTmhkQ0JOWVhJZ01UVWdNVFE2TkRJNk1qTWdVRVJVSURJd01UUi1NQzQwT1RBeE16QXlOW"
                         "DQmY3JlYXRlX3RpbWU9MTcwMDAw"
                         "MDAwMCZleHBpcmVfdGltZT0xNzAwMDg2NDAwJnJvbGU9bW9kZXJhdG9yJm5vbmNlPTEyMzQ1JmluaXRpYWx"
                         "fbGF5b3V0X2NsYXNzX2xpc3Q9Jm"
                         "Nvbm5lY3Rpb25fZGF0YT1uYW1lJTNESm9obm55";
static const char O2[] =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzZXNzaW9uX2lkIjoiMV9NWDR4TWpNME5UWi1mbE5oZENCTllYSWdNVFVnTVRRNk5"
    "ESTZNak1nVUVSVUlESXdNVFItTUM0ME9UQXhNekF5Tlg0Iiwicm9sZSI6Im1vZGVyYXRvciIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjo"
    "xNzAwMDg2NDAwLCJzY29wZSI6InNlc3Npb24uY29ubmVjdCIsImNvbm5lY3Rpb25fZGF0YSI6Im5hbWU9Sm9obm55IiwiaXNzIjoiMTI"
    "zNDU2IiwiaXN0IjoicHJvamVjdCIsIm5vbmNlIjoxMjM0NX0.tejVc93tTxJiKOJbChhLHH_LjEiyax1ikV_H2ISRO2I";
static const char A1[] =
    "007eJxTYBBbsMMnKq7p9Hf/"
    "HcIX5kce9b518kCiQgSr5Zrp4X1Tu6UUGCzNDZwdjU1TUs0Mkk1MzExMk5ISUy0SjQxNDcwMk4yN3b8IMEQwMTAw"
    "MoAwBIL4CgzmKeZGxmamqUmWFsYmFqbGluapxqnGaZYpJmYGSSkpiVwMRhYWRsYmhkbmxgDCaiTj";
static const char A2[] = "007eJxTYLhzZP08Lxa1Pg57+TcXb/"
                         "3cZ3wi4V6kbpbOog0G2dOYk20UGCzNDZwdjU1TUs0Mkk1MzExMk5ISUy0SjQxNDcwMk4yN3b8IMEQwMTAw"
                         "MoAwBIL4CgzmKeZGxmamqUmWFsYmFqbGluapxqnGaZYpJmYGSSkpiQwMADacImo=";
static const char S1[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
                         "eyJ0ZCI6IjZkMTJkODE5LWMwYWUtNDJiNS1iMzIwLWE3NzkxODkwYzY2MiIsInJkIjoiYmx1ZS"
                         "1yb29tIiwidWQiOiJ1c2VyLTEyMyIsInUiOiJBZGEiLCJyb2xlIjoibW9kZXJhdG9yIiwiaWF0IjoxNzAwM"
                         "DAwMDAwLCJuYmYiOjE3MDAwMDAw"
                         "MDAsImV4cCI6MTcwMDAwMzYwMH0.LZxVAKil2534J9FPeH4kbj2XPmuS1gC8X4fNB2MfI7g";
static const char C1[] = "application_id=8056&auth_key=8-RapJEU3yVdLR4&nonce=265071&timestamp=1734454656&"
                         "user[email]=usertest@gmail.com"
                         "&user[password]=Parole1299&signature=23c3646517cda7e82dd94f091aca007bae89d5c1";
static const char C2[] = "application_id=1&auth_key=k&nonce=7&timestamp=1700000000&signature="
                         "48fedb8272dd2819b3192e4f702ef91dc7d2f8ce";

static struct token_key key_of(enum token_format f, const char *issuer, const char *secret) {
  struct token_key k = {.format = f, .scopes = SCOPE_ALL, .n_secret = strlen(secret)};
  snprintf(k.issuer, sizeof k.issuer, "%s", issuer);
  memcpy(k.secret, secret, k.n_secret);
  return k;
}

static struct token_key vidyo_key(void) {
  return key_of(TOKEN_VIDYO, "ApplicationID", VIDYO_KEY);
}
static struct token_key opentok_key(void) {
  return key_of(TOKEN_OPENTOK, "123456", OT_KEY);
}
static struct token_key agora_key(void) {
  return key_of(TOKEN_AGORA, AG_APP, AG_CERT);
}
static struct token_key samba_key(void) {
  return key_of(TOKEN_SAMBA, TEAM, "developer-key");
}
static struct token_key cube_key(void) {
  return key_of(TOKEN_CUBE, "8056", "azj3WKRTbTkeHad");
}

static struct token_claims accept(const char *text, const struct token_key *k, int64_t now_s) {
  struct token_claims c;
  const char *why;
  if (token_verify(text, strlen(text), k, now_s, &c, &why) != ERR_OK)
    fail_msg("%.40s: %s", text, why);
  assert_null(why);
  assert_true(c.subject[0] && c.exp_s > 0);
  return c;
}

static void refuse(const char *text, const struct token_key *k, int64_t now_s, const char *want) {
  struct token_claims c;
  const char *why;
  if (token_verify(text, strlen(text), k, now_s, &c, &why) == ERR_OK)
    fail_msg("accepted: %s", text);
  assert_string_equal(why, want);
  assert_int_equal(c.scopes, 0);
}

static void peek(const char *text, enum token_format format, const char *issuer) {
  enum token_format f;
  char kid[TOKEN_KID_MAX + 1], iss[TOKEN_ISSUER_MAX + 1];
  const char *why;
  assert_int_equal(token_peek(text, strlen(text), &f, kid, iss, &why), ERR_OK);
  assert_int_equal(f, format);
  assert_string_equal(iss, issuer);
  assert_string_equal(kid, "");
}

/* No other character anywhere gives a token that is accepted with other words than the original's. */
static void tamper(const char *text, const struct token_key *k, int64_t now_s) {
  struct token_claims was = accept(text, k, now_s), c;
  char *copy = strdup(text);
  const char *why;
  for (size_t i = 0; copy[i]; i++) {
    for (int bit = 0; bit < 7; bit++) {
      copy[i] ^= (char)(1 << bit);
      if (token_verify(copy, strlen(text), k, now_s, &c, &why) == ERR_OK && memcmp(&c, &was, sizeof c) != 0)
        fail_msg("byte %zu bit %d of %.20s", i, bit, text);
      copy[i] ^= (char)(1 << bit);
    }
  }
  free(copy);
}

static char *mint(const struct token_key *k, const struct token_claims *c, const struct token_extra *x) {
  struct rng rng;
  char *out;
  const char *why;
  rng_seed(&rng, 1);
  if (token_mint(k, c, x, &rng, &out, &why) != ERR_OK)
    fail_msg("%s", why);
  return out;
}

static void minted(const struct token_key *k, const struct token_claims *c, const struct token_extra *x,
                   const char *want) {
  char *out = mint(k, c, x);
  assert_string_equal(out, want);
  free(out);
}

#define V_END INT64_C(1485383585)

static void test_vidyo(void **state) {
  (void)state;
  struct token_key k = vidyo_key();
  peek(V1, TOKEN_VIDYO, "ApplicationID");
  struct token_claims c = accept(V1, &k, V_END - 1);
  assert_string_equal(c.subject, "user1");
  assert_string_equal(c.room, "");
  assert_string_equal(c.name, "");
  assert_int_equal(c.exp_s, V_END);
  assert_int_equal(c.iat_s, 0);
  assert_int_equal(c.scopes, TALK);
  assert_string_equal(accept(V2, &k, V_END - 1).name, "User One");
  assert_int_equal(accept(V3, &k, 1700000000).exp_s, INT64_C(4102444800));
  refuse(V1, &k, V_END, "expired");
  tamper(V1, &k, V_END - 1);
  tamper(V2, &k, V_END - 1);
  c = (struct token_claims){.subject = "user1", .iat_s = V_END - 60, .exp_s = V_END, .scopes = TALK};
  minted(&k, &c, &(struct token_extra){0}, V1);
  minted(&k, &c, &(struct token_extra){.vcard = "<vCard xmlns=\"vcard-temp\"><FN>User One</FN></vCard>"}, V2);
  memcpy(c.name, "User One", 9);
  minted(&k, &c, &(struct token_extra){0}, V2);
  k.max_ttl_s = 600; /* a token has no beginning: what is left of it is measured */
  refuse(V1, &k, V_END - 601, "ttl");
  accept(V1, &k, V_END - 600);
}

/* vidyo_text: a signed token around any fields, made without our packer. */
static char *vidyo_text(const char *body, size_t n, bool upper) {
  uint8_t mac[64], all[6000];
  char hex[97];
  assert_int_equal(token_hmac(EVP_sha384(), VIDYO_KEY, strlen(VIDYO_KEY), body, n, mac), 48);
  hex_encode(mac, 48, hex);
  for (size_t i = 0; upper && i < 96; i++)
    hex[i] = hex[i] >= 'a' ? (char)(hex[i] - 32) : hex[i];
  memcpy(all, body, n);
  all[n] = 0;
  memcpy(all + n + 1, hex, 96);
  return token_b64_make("", all, n + 97);
}

static void test_vidyo_signed_nonsense(void **state) {
  (void)state;
  static const struct {
    const char *body;
    size_t n;
    bool upper;
    const char *why;
  } bad[] = {
#define BODY(s) s, sizeof s - 1
      {BODY("provision\0user1@ApplicationID\00063652602785\0"), true, "signature"},
      {BODY("provision\0user1@ApplicationID\00063652602785"), false, "format"},
      {BODY("provision\0user1@ApplicationID\00063652602785\0\0"), false, "format"},
      {BODY("provision\0user1@Other\00063652602785\0"), false, "issuer"},
      {BODY("provision\0user1\00063652602785\0"), false, "issuer"},
      {BODY("provision\0user1@\00063652602785\0"), false, "issuer"},
      {BODY("provision\0@ApplicationID\00063652602785\0"), false, "subject"},
      {BODY("provision\0a\nb@ApplicationID\00063652602785\0"), false, "subject"},
      {BODY("provision\0a\xff@ApplicationID\00063652602785\0"), false, "subject"},
      {BODY("provision\0user1@ApplicationID\0\0"), false, "claims"},
      {BODY("provision\0user1@ApplicationID\000-1\0"), false, "claims"},
      {BODY("provision\0user1@ApplicationID\00063652602785x\0"), false, "claims"},
      {BODY("provision\0user1@ApplicationID\000063652602785\0"), false, "claims"},
      {BODY("provision\0user1@ApplicationID\0001485383585\0"), false, "claims"},
      {BODY("provision\0user1@ApplicationID\00063652602785\0<X-ROLE>king</X-ROLE>"), false, "role"},
  };
  struct token_key k = vidyo_key();
  for (size_t i = 0; i < COUNT(bad); i++) {
    char *t = vidyo_text(bad[i].body, bad[i].n, bad[i].upper);
    refuse(t, &k, V_END - 1, bad[i].why);
    free(t);
  }
  char bare[sizeof V1];
  snprintf(bare, sizeof bare, "%.*s", (int)sizeof V1 - 3, V1);
  refuse(bare, &k, V_END - 1, "base64"); /* without its padding */
  char *big = calloc(1, 5000);
  memcpy(big, "provision\0user1@ApplicationID\00063652602785", 41);
  memset(big + 42, 'x', 4097);
  char *t = vidyo_text(big, 42 + 4097, false);
  refuse(t, &k, V_END - 1, "claims");
  free(t);
  free(big);
}

static void test_vidyo_card(void **state) {
  (void)state;
  struct token_key k = vidyo_key();
  struct token_claims c = {
      .subject = "ada", .name = "A <&> \"B\"", .iat_s = 100, .exp_s = 200, .scopes = TALK | SCOPE_MODERATE};
  char *t = mint(&k, &c, &(struct token_extra){0});
  struct token_claims got = accept(t, &k, 150);
  assert_string_equal(got.name, c.name);
  assert_int_equal(got.scopes, TALK | SCOPE_MODERATE);
  k.scopes = TALK; /* not a key that may make moderators: the word is not even read */
  assert_int_equal(accept(t, &k, 150).scopes, TALK);
  free(t);
  k.scopes = SCOPE_ALL;
  t = mint(&k, &c, &(struct token_extra){.vcard = "<X-ROLE>attendee</X-ROLE><FN>\x1b[31mRed</FN>"});
  got = accept(t, &k, 150);
  assert_int_equal(got.scopes, SCOPE_JOIN | SCOPE_CHAT);
  assert_string_equal(got.name, "[31mRed");
  free(t);
}

static void test_opentok(void **state) {
  (void)state;
  struct token_key k = opentok_key();
  const char *both[] = {O1, O2};
  for (size_t i = 0; i < 2; i++) {
    peek(both[i], TOKEN_OPENTOK, "123456");
    struct token_claims c = accept(both[i], &k, 1700000000);
    assert_string_equal(c.room, OT_SESSION);
    assert_string_equal(c.name, "Johnny");
    assert_int_equal(c.scopes, TALK | SCOPE_MODERATE);
    assert_int_equal(c.iat_s, 1700000000);
    assert_int_equal(c.exp_s, 1700086400);
    assert_memory_equal(c.subject, "anonymous-", 10);
    refuse(both[i], &k, 1700086430, "expired");
    refuse(both[i], &k, 1699999969, "iat");
    k.max_ttl_s = 86399;
    refuse(both[i], &k, 1700000000, "ttl");
    k.max_ttl_s = 0;
    tamper(both[i], &k, 1700000000);
    c = (struct token_claims){
        .room = OT_SESSION, .name = "Johnny", .iat_s = 1700000000, .exp_s = 1700086400, .scopes = SCOPE_ALL};
    minted(&k, &c, &(struct token_extra){.t1 = i == 0, .nonce = 12345}, both[i]);
  }
  assert_string_not_equal(accept(O1, &k, 1700000000).subject, accept(O2, &k, 1700000000).subject);
  struct token_key other = key_of(TOKEN_OPENTOK, "654321", OT_KEY);
  refuse(O1, &other, 1700000000, "issuer");
}

/* t1: a signed T1 around any data. */
static char *t1(const char *data) {
  uint8_t mac[64];
  char hex[41], all[3000];
  token_hmac(EVP_sha1(), OT_KEY, strlen(OT_KEY), data, strlen(data), mac);
  hex_encode(mac, 20, hex);
  int n = snprintf(all, sizeof all, "partner_id=123456&sig=%s:%s", hex, data);
  return token_b64_make("T1==", all, (size_t)n);
}

static void test_opentok_t1_data(void **state) {
  (void)state;
  static const struct {
    const char *data, *why;
    unsigned scopes;
    const char *name;
  } v[] = {
      {"session_id=s&create_time=1700000000&role=subscriber", NULL, SCOPE_JOIN | SCOPE_CHAT, ""},
      {"create_time=1700000000&session_id=s&role=publisheronly", NULL, SCOPE_JOIN | SCOPE_SPEAK, ""},
      {"create_time=1700000000&session_id=s", NULL, TALK, ""},
      {"session_id=s&create_time=1700000000&role=publisher&nonce=0.123&connection_data=%7B%22name%22%3A%22Bo%"
       "22%7D",
       NULL, TALK, "Bo"},
      {"session_id=s&create_time=1700000000&connection_data=user%3D7%26name%3DA%2520B", NULL, TALK, "A B"},
      {"session_id=s&create_time=1700000000&connection_data=whatever", NULL, TALK, ""},
      {"create_time=1700000000", "room", 0, NULL},
      {"session_id=&create_time=1700000000", "room", 0, NULL},
      {"session_id=a&session_id=b&create_time=1700000000", "room", 0, NULL},
      {"session_id=a%00b&create_time=1700000000", "room", 0, NULL},
      {"session_id=a%0&create_time=1700000000", "room", 0, NULL},
      {"session_id=s", "claims", 0, NULL},
      {"session_id=s&create_time=1.7e9", "claims", 0, NULL},
      {"session_id=s&create_time=1700000000&expire_time=1700000060.5", "claims", 0, NULL},
      {"session_id=s&create_time=1700000000&expire_time=1700000060&expire_time=1800000000", "claims", 0,
       NULL},
      {"session_id=s&create_time=1700000000&expire_time=1702592001", "ttl", 0, NULL},
      {"session_id=s&create_time=1700000000&expire_time=1600000000", "expired", 0, NULL},
      {"session_id=s&create_time=1700000000&role=admin", "role", 0, NULL},
      {"session_id=s&create_time=1700000000&role=attendee", "role", 0, NULL},
  };
  struct token_key k = opentok_key();
  for (size_t i = 0; i < COUNT(v); i++) {
    char *t = t1(v[i].data);
    if (v[i].why) {
      refuse(t, &k, 1700000000, v[i].why);
    } else {
      struct token_claims c = accept(t, &k, 1700000000);
      assert_int_equal(c.scopes, v[i].scopes);
      assert_string_equal(c.name, v[i].name);
      if (!strstr(v[i].data, "expire"))
        assert_int_equal(c.exp_s, 1700086400);
    }
    free(t);
  }
}

/* A JWT by jansson's text, so that any claim can be wrong. */
static char *jwt_text(const char *claims, const char *secret, const char *typ) {
  json_t *c = json_loads(claims, 0, NULL);
  assert_non_null(c);
  return jwt_make(JWT_HS256, typ, NULL, c, (const uint8_t *)secret, strlen(secret));
}

static void test_foreign_jwts(void **state) {
  (void)state;
  static const struct {
    enum token_format f;
    const char *claims, *why;
    unsigned scopes;
  } v[] = {
#define OT                                                                                                   \
  "'iss':'123456','ist':'project','session_id':'s','iat':1700000000,'exp':1700000060,'scope':'session."      \
  "connect'"
#define DS "'td':'" TEAM "','rd':'blue','exp':1700000060"
      {TOKEN_OPENTOK, "{" OT ",'nonce':0.5}", NULL, TALK},
      {TOKEN_OPENTOK, "{" OT ",'role':'subscriber'}", NULL, SCOPE_JOIN | SCOPE_CHAT},
      {TOKEN_OPENTOK, "{" OT ",'role':'speaker'}", "role", 0},
      {TOKEN_OPENTOK, "{" OT ",'role':null}", "role", 0},
      {TOKEN_OPENTOK, "{" OT ",'connection_data':7}", "claims", 0},
      {TOKEN_OPENTOK, "{'iss':'123456','ist':'account','session_id':'s','iat':1700000000,'exp':1700000060}",
       "claims", 0},
      {TOKEN_OPENTOK, "{'iss':'123456','ist':'project','session_id':'s','iat':1700000000,'exp':1700000060}",
       "scope", 0},
      {TOKEN_OPENTOK, "{'iss':'123456','ist':'project','session_id':'s','iat':1700000000}", "claims", 0},
      {TOKEN_OPENTOK, "{'iss':'123456','ist':'project','iat':1700000000,'exp':1700000060}", "typ", 0},
      {TOKEN_OPENTOK, "{" OT ",'td':'x'}", "typ", 0},
      {TOKEN_SAMBA, "{" DS "}", NULL, SCOPE_JOIN | SCOPE_CHAT},
      {TOKEN_SAMBA, "{" DS ",'role':'speaker','ud':'u'}", NULL, TALK},
      {TOKEN_SAMBA, "{" DS ",'role':'moderator'}", NULL, TALK | SCOPE_MODERATE},
      {TOKEN_SAMBA, "{" DS ",'role':'publisher'}", "role", 0},
      {TOKEN_SAMBA, "{" DS ",'ud':''}", "subject", 0},
      {TOKEN_SAMBA, "{" DS ",'iat':1600000000}", "ttl", 0},
      {TOKEN_SAMBA, "{" DS ",'iat':1700000031}", "iat", 0},
      {TOKEN_SAMBA, "{" DS ",'nbf':1700000031}", "not_yet", 0},
      {TOKEN_SAMBA, "{" DS ",'nbf':'1'}", "claims", 0},
      {TOKEN_SAMBA, "{'td':'" TEAM "','exp':1700000060}", "room", 0},
      {TOKEN_SAMBA, "{'td':'" TEAM "','rd':'blue'}", "claims", 0},
      {TOKEN_SAMBA, "{'td':'" TEAM "','rd':'blue','exp':1700086401}", "ttl", 0},
      {TOKEN_SAMBA, "{'td':'" TEAM "','rd':'blue','exp':1700000060.0}", "claims", 0},
  };
  for (size_t i = 0; i < COUNT(v); i++) {
    struct token_key k = v[i].f == TOKEN_SAMBA ? samba_key() : opentok_key();
    char text[400];
    snprintf(text, sizeof text, "%s", v[i].claims);
    for (char *p = text; *p; p++)
      *p = *p == '\'' ? '"' : *p;
    char *t = jwt_text(text, v[i].f == TOKEN_SAMBA ? "developer-key" : OT_KEY, "JWT");
    if (v[i].why)
      refuse(t, &k, 1700000000, v[i].why);
    else
      assert_int_equal(accept(t, &k, 1700000000).scopes, v[i].scopes);
    free(t);
  }
}

static void test_samba(void **state) {
  (void)state;
  struct token_key k = samba_key();
  peek(S1, TOKEN_SAMBA, TEAM);
  struct token_claims c = accept(S1, &k, 1700003629);
  assert_string_equal(c.subject, "user-123");
  assert_string_equal(c.room, "blue-room");
  assert_string_equal(c.name, "Ada");
  assert_int_equal(c.nbf_s, 1700000000);
  assert_int_equal(c.scopes, TALK | SCOPE_MODERATE);
  refuse(S1, &k, 1700003630, "expired");
  tamper(S1, &k, 1700000000);
  minted(&k, &c, &(struct token_extra){0}, S1);
  k.scopes = SCOPE_JOIN;
  assert_int_equal(accept(S1, &k, 1700000000).scopes, SCOPE_JOIN);
  struct token_key ot = opentok_key();
  refuse(S1, &ot, 1700000000, "format");
}

static void test_agora(void **state) {
  (void)state;
  struct token_key k = agora_key();
  peek(A1, TOKEN_AGORA, AG_APP);
  struct token_claims c = accept(A1, &k, 1111111);
  assert_string_equal(c.subject, "2882341273");
  assert_string_equal(c.room, AG_CHANNEL);
  assert_int_equal(c.iat_s, 1111111);
  assert_int_equal(c.exp_s, 1111711);
  assert_int_equal(c.scopes, SCOPE_JOIN);
  assert_memory_equal(accept(A2, &k, 1111111).subject, "anonymous-", 10);
  refuse(A1, &k, 1111741, "expired");
  refuse(A1, &k, 1111080, "iat");
  tamper(A1, &k, 1111111);
  tamper(A2, &k, 1111111);
  /* the same claims and salt are signed to the same bytes, whatever deflate made of them */
  char *t = mint(&k, &c, &(struct token_extra){.nonce = 1});
  struct token_open mine, theirs;
  assert_null(token_open(t, strlen(t), &mine));
  assert_null(token_open(A1, strlen(A1), &theirs));
  assert_memory_equal(mine.sig, theirs.sig, 32);
  assert_int_equal(mine.n_body, theirs.n_body);
  assert_memory_equal(mine.body, theirs.body, mine.n_body);
  free(t);
}

/* agora: a token around any service block, signed; `pad` bytes of zeros after it. */
static char *agora(const char *services, size_t n, size_t pad) {
  static const char head[] =
      "\x20\0" AG_APP "\x07\xf4\x10\0\x58\x02\0\0\x01\0\0"; /* salt 1; NUL of the literal */
  uint8_t all[9000] = {32}, k1[64], k2[64], packed[9000];
  uint8_t *info = all + 34;
  memcpy(info, head, sizeof head);
  memcpy(info + sizeof head, services, n);
  size_t len = sizeof head + n + pad;
  token_hmac(EVP_sha256(), "\x07\xf4\x10", 4, AG_CERT, 32, k1);
  token_hmac(EVP_sha256(), "\x01\0\0", 4, k1, 32, k2);
  token_hmac(EVP_sha256(), k2, 32, info, len, all + 2);
  uLongf n_packed = sizeof packed;
  assert_int_equal(compress(packed, &n_packed, all, 34 + len), Z_OK);
  return token_b64_make("007", packed, n_packed);
}

static void test_agora_services(void **state) {
  (void)state;
#define RTC_END "\x01\0c\x01\0u"
#define S(s) s, sizeof s - 1
  static const struct {
    const char *s;
    size_t n;
    const char *why;
    unsigned scopes;
    int64_t life_s;
  } v[] = {
      {S("\1\0\1\0\4\0\1\0\x58\2\0\0\2\0\x58\2\0\0\3\0\x58\2\0\0\4\0\x58\2\0\0" RTC_END), NULL, TALK, 600},
      {S("\1\0\1\0\2\0\1\0\x58\2\0\0\2\0\x0a\0\0\0" RTC_END), NULL, SCOPE_JOIN, 600}, /* speaking ended */
      {S("\1\0\1\0\2\0\1\0\x64\0\0\0\2\0\0\0\0\0" RTC_END), NULL, SCOPE_JOIN | SCOPE_SPEAK, 100},
      {S("\2\0\2\0\1\0\1\0\x58\2\0\0\1\0x\1\0\1\0\1\0\x58\2\0\0" RTC_END), NULL, SCOPE_JOIN,
       600}, /* after RTM */
      {S("\1\0\1\0\1\0\1\0\x0a\0\0\0" RTC_END), "expired", 0, 0},
      {S("\1\0\1\0\1\0\2\0\x58\2\0\0" RTC_END), "claims", 0, 0}, /* may not join */
      {S("\0\0"), "claims", 0, 0},
      {S("\1\0\2\0\1\0\1\0\x58\2\0\0\1\0x"), "claims", 0, 0},
      {S("\1\0\x09\0\0\0"), "claims", 0, 0},
      {S("\1\0\1\0\xff\xff\1\0\x58\2\0\0" RTC_END), "claims", 0, 0},
      {S("\1\0\1\0\1\0\1\0\x58\2\0\0\xff\xff"), "claims", 0, 0},
      {S("\1\0\1\0\1\0\1\0\x58\2\0\0\0\0\1\0u"), "room", 0, 0},
      {S("\1\0\1\0\1\0\1\0\x58\2\0\0\1\0c\1\0\n"), "subject", 0, 0},
      {S("\1\0\1\0\1\0\1\0\x58\2\0\0\1\0c"), "claims", 0, 0},
  };
  struct token_key k = agora_key();
  for (size_t i = 0; i < COUNT(v); i++) {
    char *t = agora(v[i].s, v[i].n, 0);
    if (v[i].why) {
      refuse(t, &k, 1111111 + 50, v[i].why);
    } else {
      struct token_claims c = accept(t, &k, 1111111 + 50);
      assert_int_equal(c.scopes, v[i].scopes);
      assert_int_equal(c.exp_s - c.iat_s, v[i].life_s);
    }
    free(t);
  }
  char *bomb = agora(v[0].s, v[0].n, 8000);
  refuse(bomb, &k, 1111111, "format");
  free(bomb);
  bomb = agora(v[0].s, v[0].n, 3000);
  accept(bomb, &k, 1111111);
  free(bomb);
}

static void test_cube(void **state) {
  (void)state;
  struct token_key k = cube_key(), app = key_of(TOKEN_CUBE, "1", "secret");
  peek(C1, TOKEN_CUBE, "8056");
  struct token_claims c = accept(C1, &k, 1734454656 + 3629);
  assert_string_equal(c.subject, "usertest@gmail.com");
  assert_string_equal(c.jti, "1734454656-265071");
  assert_int_equal(c.exp_s, 1734454656 + 3600);
  assert_int_equal(c.scopes, TALK);
  c = accept(C2, &app, 1700000000);
  assert_int_equal(c.scopes, SCOPE_JOIN); /* nobody logs in */
  refuse(C1, &k, 1734454656 + 3630, "expired");
  refuse(C1, &k, 1734454656 - 31, "iat");
  k.max_ttl_s = 60;
  refuse(C1, &k, 1734454656 + 90, "expired");
  assert_int_equal(accept(C1, &k, 1734454656 + 59).exp_s, 1734454656 + 60);
  k.max_ttl_s = 86400; /* an hour is the format's own end */
  refuse(C1, &k, 1734454656 + 3630, "expired");
  tamper(C1, &k, 1734454656);
  tamper(C2, &app, 1700000000);
  memcpy(app.kid, "k", 2);
  c = (struct token_claims){.iat_s = 1700000000, .scopes = SCOPE_JOIN};
  minted(&app, &c, &(struct token_extra){.nonce = 7}, C2);
  memcpy(c.subject, "a&user[z]=b", 12);
  char *out;
  const char *why;
  assert_int_equal(token_mint(&app, &c, &(struct token_extra){.nonce = 7}, rng_system(), &out, &why),
                   ERR_BAD_ARG);
}

static void test_cube_forms(void **state) {
  (void)state;
  static const struct {
    const char *body, *why;
    bool sha256;
  } v[] = {
      {"application_id=1&auth_key=k&nonce=7&timestamp=1700000000&user[login]=ada", NULL, false},
      {"application_id=1&auth_key=k&nonce=7&timestamp=1700000000&user[login]=ada", NULL, true},
      {"application_id=1&nonce=7&auth_key=k&timestamp=1700000000", "format", false},
      {"application_id=1&application_id=1&auth_key=k&nonce=7&timestamp=1700000000", "format", false},
      {"application_id=1&auth_key=k&nonce=7&timestamp=1700000000&timestamp=1800000000", "format", false},
      {"application_id=1&auth_key=k&nonce=7&timestamp=1700000000&", "format", false},
      {"application_id=1&auth_key=k&nonce=7&timestamp", "format", false},
      {"application_id=2&auth_key=k&nonce=7&timestamp=1700000000", "issuer", false},
      {"application_id=x&auth_key=k&nonce=7&timestamp=1700000000", "issuer", false},
      {"application_id=1&nonce=7&timestamp=1700000000", "claims", false},
      {"application_id=1&auth_key=k&timestamp=1700000000", "claims", false},
      {"application_id=1&auth_key=k&nonce=-7&timestamp=1700000000", "claims", false},
      {"application_id=1&auth_key=k&nonce=7", "claims", false},
      {"application_id=1&auth_key=k&nonce=7&timestamp=1e9", "claims", false},
      {"application_id=1&auth_key=k&nonce=7&timestamp=1700000000&user[login]=", "subject", false},
      {"application_id=1&auth_key=k&nonce=7&timestamp=1700000000&user[login]=a\tb", "subject", false},
  };
  struct token_key k = key_of(TOKEN_CUBE, "1", "secret");
  for (size_t i = 0; i < COUNT(v); i++) {
    uint8_t mac[64];
    char hex[65], t[400];
    size_t n =
        token_hmac(v[i].sha256 ? EVP_sha256() : EVP_sha1(), "secret", 6, v[i].body, strlen(v[i].body), mac);
    hex_encode(mac, n, hex);
    snprintf(t, sizeof t, "%s&signature=%s", v[i].body, hex);
    if (v[i].why) {
      refuse(t, &k, 1700000000, v[i].why);
    } else {
      assert_string_equal(accept(t, &k, 1700000000).subject, "ada");
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_vidyo),           cmocka_unit_test(test_vidyo_signed_nonsense),
      cmocka_unit_test(test_vidyo_card),      cmocka_unit_test(test_opentok),
      cmocka_unit_test(test_opentok_t1_data), cmocka_unit_test(test_foreign_jwts),
      cmocka_unit_test(test_samba),           cmocka_unit_test(test_agora),
      cmocka_unit_test(test_agora_services),  cmocka_unit_test(test_cube),
      cmocka_unit_test(test_cube_forms),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
