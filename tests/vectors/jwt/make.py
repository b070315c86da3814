#!/usr/bin/env python3
"""Makes the token vectors beside it: make.py [FOLDER]. Standard library only, so that the bad tokens owe nothing to
the code under test. One JSON file a token: what it is, the key to verify with, the time, and `claims` when it is
good or `why` it must be refused."""
import base64
import hashlib
import hmac
import json
import os
import sys

NOW = 1700000000
SECRET = bytes(range(1, 33))
SEED = bytes(range(101, 133))

# ---- Ed25519 signing, RFC 8032 section 5.1: slow and not for secrets ----
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BY = 4 * pow(5, P - 2, P) % P
BX = 15112221349535400772501151409588531511454012693041857206046113283949847762202


def add(a, b):
    x1, y1, x2, y2 = *a, *b
    k = D * x1 * x2 * y1 * y2 % P
    return ((x1 * y2 + x2 * y1) * pow(1 + k, P - 2, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, P - 2, P) % P)


def times(n, point):
    out = (0, 1)
    while n:
        if n & 1:
            out = add(out, point)
        point, n = add(point, point), n >> 1
    return out


def pack(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, 'little')


def number(*parts):
    return int.from_bytes(hashlib.sha512(b''.join(parts)).digest(), 'little') % L


def ed_scalar(seed):
    h = bytearray(hashlib.sha512(seed).digest())
    h[0] &= 248
    h[31] = h[31] & 63 | 64
    return int.from_bytes(h[:32], 'little'), bytes(h[32:])


def ed_public(seed):
    return pack(times(ed_scalar(seed)[0], (BX, BY)))


def ed_sign(seed, text, more=0):
    a, prefix = ed_scalar(seed)
    r = number(prefix, text)
    big_r = pack(times(r, (BX, BY)))
    s = (r + number(big_r, ed_public(seed), text) * a) % L
    return big_r + (s + more).to_bytes(32, 'little')


assert ed_public(bytes.fromhex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')).hex() == \
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'  # RFC 8032 section 7.1, test 1
PUBLIC = ed_public(SEED)


# ---- tokens ----
def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b'=').decode()


def part(value):
    """A part from a dict, or from a text as it is."""
    return b64((value if isinstance(value, str) else json.dumps(value, separators=(',', ':'), ensure_ascii=False)).encode())


def hs256(text, key=SECRET):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


HEADER = {'alg': 'HS256', 'typ': 'gavel+jwt', 'kid': 'k1'}
ED_HEADER = {'alg': 'EdDSA', 'typ': 'gavel+jwt', 'kid': 'e1'}
CLAIMS = {'iss': 'acme', 'aud': 'meet.example', 'sub': 'ada', 'exp': NOW + 600, 'iat': NOW, 'jti': 'j-1',
          'room': 'blue', 'scope': 'room:join room:speak'}
KEY = {'format': 'jwt-hs256', 'kid': 'k1', 'issuer': 'acme', 'secret': SECRET.hex(), 'audience': 'meet.example',
       'scopes': 'room:join room:speak room:chat room:moderate'}
ED_KEY = dict(KEY, format='jwt-eddsa', kid='e1', secret=PUBLIC.hex())


def token(header=None, claims=None, sign=hs256):
    text = part(HEADER if header is None else header) + '.' + part(CLAIMS if claims is None else claims)
    return text + '.' + b64(sign(text))


def ed_token(header=None, claims=None, more=0):
    return token(header or ED_HEADER, claims, lambda text: ed_sign(SEED, text.encode(), more))


def but(**changes):
    """The good claims with these changes; None takes one away."""
    return {k: v for k, v in {**CLAIMS, **changes}.items() if v is not None}


def head(**changes):
    return {k: v for k, v in {**HEADER, **changes}.items() if v is not None}


def text_with(name, raw):
    """The good claims as a text with `raw` as the value of a claim."""
    return json.dumps(but(**{name: '@@'}), separators=(',', ':')).replace('"@@"', raw)


OUT = {}


def good(case, what, text, key=KEY, now=NOW, **claims):
    expected = {'subject': 'ada', 'room': 'blue', 'name': '', 'jti': 'j-1', 'exp': NOW + 600,
                'scopes': 'room:join room:speak'}
    OUT['good-' + case] = {'what': what, 'now': now, 'key': key, 'token': text, 'claims': {**expected, **claims}}


def bad(name, why, text, key=KEY, now=NOW):
    OUT['bad-' + name] = {'what': name.replace('-', ' '), 'now': now, 'key': key, 'token': text, 'why': why}


good('hs256', 'HMAC-SHA256', token())
good('eddsa', 'Ed25519', ed_token(), ED_KEY)
good('any-room', 'room "*" is any', token(claims=but(room='*')), room='')
good('aud-array', 'one of several audiences', token(claims=but(aud=['other', 'meet.example'])))
good('unknown-scope', 'unknown words are dropped', token(claims=but(scope='room:join room:share x')), scopes='room:join')
good('ceiling', 'cut to what the key may give', token(claims=but(scope='room:join server:operate privacy:admin')),
     scopes='room:join')
good('leeway', '29 s after its end', token(), now=NOW + 629)
good('clock-behind', 'made 30 s in the future', token(), now=NOW - 30)
good('nbf', 'with a beginning', token(claims=but(nbf=NOW + 30)))
good('name', 'a name in UTF-8, and claims nobody knows',
     token(claims=but(name='Zoë 鈴木', email='zoe@example.org', amr=['x', {'y': 1}])), name='Zoë 鈴木')
good('kid-64', 'the longest kid', token(head(kid='K' * 64)), dict(KEY, kid='K' * 64))
good('long-life', 'as long as its key allows', token(claims=but(exp=NOW + 86400)), dict(KEY, max_ttl=86400), exp=NOW + 86400)

# the algorithm
for alg in ('none', 'None', 'nOnE', 'NONE', '', 'hs256', 'HS384', 'HS512', 'RS256', 'ES256', 'PS256', 'Ed25519'):
    bad('alg-' + (alg if alg != '' else 'empty'), 'alg', token(head(alg=alg)))
bad('alg-none-unsigned', 'alg', part(head(alg='none')) + '.' + part(CLAIMS) + '.')
bad('alg-missing', 'alg', token(head(alg=None)))
bad('alg-number', 'alg', token(head(alg=1)))
bad('hs256-with-public-key', 'alg', token(head(kid='e1'), sign=lambda t: hs256(t, PUBLIC)), ED_KEY)
bad('hs256-with-public-key-hex', 'alg', token(head(kid='e1'), sign=lambda t: hs256(t, PUBLIC.hex().encode())), ED_KEY)
bad('eddsa-for-hs256-key', 'alg', ed_token(head(alg='EdDSA')))
# the header
for name, value in (('crit', ['exp']), ('jku', 'https://evil.example/k'), ('jwk', {'kty': 'oct', 'k': 'AA'}),
                    ('x5u', 'https://evil.example/c'), ('x5c', ['AA']), ('x5t', 'AA'), ('zip', 'DEF'), ('b64', False), ('cty', 'JWT')):
    bad('header-' + name, 'header', token(head(**{name: value})))
bad('typ-jwt', 'typ', token(head(typ='JWT')))
bad('typ-missing', 'typ', token(head(typ=None)))
bad('typ-at-jwt', 'typ', token(head(typ='at+jwt')))
bad('typ-upper', 'typ', token(head(typ='GAVEL+JWT')))
bad('typ-number', 'header', token(head(typ=5)))
bad('header-twice', 'json', token('{"alg":"none","alg":"HS256","typ":"gavel+jwt","kid":"k1"}'))
bad('header-array', 'json', token('["HS256"]'))
bad('header-empty', 'json', token(''))
# the key's name
for name, kid in (('path', '../../x'), ('sql', "' OR 1--"), ('65', 'k' * 65), ('empty', ''), ('space', 'k 1'), ('dev-null', '/dev/null'),
                  ('percent', 'k%31'), ('newline', 'k1\n'), ('utf8', 'ķ1')):
    bad('kid-' + name, 'kid', token(head(kid=kid)))
bad('kid-nul', 'json', token('{"alg":"HS256","typ":"gavel+jwt","kid":"k1\\u0000x"}'))
bad('kid-missing', 'kid', token(head(kid=None)))
bad('kid-number', 'header', token(head(kid=1)))
bad('kid-10kb', 'size', token(head(kid='k' * 10240)))
bad('kid-of-another', 'kid', token(head(kid='k2')))
bad('kid-of-other-tenant', 'issuer', token(), dict(KEY, issuer='globex'))
# the form
good_text = token()
h, c, s = good_text.split('.')
bad('empty', 'size', '')
bad('two-parts', 'format', h + '.' + c)
bad('four-parts', 'format', good_text + '.' + s)
bad('no-signature', 'signature', h + '.' + c + '.')
bad('short-signature', 'signature', h + '.' + c + '.' + b64(hs256(h + '.' + c)[:16]))
bad('long-signature', 'base64', h + '.' + c + '.' + s + 'A' * 64)
bad('padding', 'base64', good_text + '=')
bad('last-char', 'base64', good_text[:-1] + chr(ord(good_text[-1]) + 1))
bad('std-alphabet', 'base64', h + '.' + c + '.' + '+/' + s[2:])
bad('blank-before', 'base64', ' ' + good_text)
bad('newline-after', 'base64', good_text + '\n')
bad('bearer', 'base64', 'Bearer ' + good_text)
bad('other-signature', 'signature', h + '.' + c + '.' + b64(hs256(h + '.' + c, b'\0' * 32)))
bad('payload-changed', 'signature', h + '.' + part(but(sub='eve')) + '.' + s)
bad('header-changed', 'signature', part('{"typ":"gavel+jwt","alg":"HS256","kid":"k1"}') + '.' + c + '.' + s)
bad('eddsa-other-key', 'signature', ed_token(), dict(ED_KEY, secret=SECRET.hex()))
bad('eddsa-malleable', 'signature', ed_token(more=L), ED_KEY)
bad('too-long', 'size', token(claims=but(pad='x' * 3000)))
bad('deep', 'json', token(claims=text_with('pad', '[' * 40 + ']' * 40)))
bad('not-json', 'json', token(claims='{"iss":'))
bad('json-after', 'json', token(claims=json.dumps(CLAIMS) + '{}'))
bad('bom', 'json', token(claims='\ufeff' + json.dumps(CLAIMS)))
# what must be said
for name, why in (('iss', 'issuer'), ('aud', 'audience'), ('sub', 'subject'), ('exp', 'claims'), ('iat', 'claims'),
                  ('jti', 'claims'), ('room', 'room'), ('scope', 'scope')):
    bad('no-' + name, why, token(claims=but(**{name: None})))
    bad('number-' + name if name not in ('exp', 'iat') else 'string-' + name, why,
        token(claims=but(**{name: 7 if name not in ('exp', 'iat') else str(NOW + 60)})))
    bad('twice-' + name, 'json', token(claims=json.dumps(CLAIMS)[:-1] + ',"%s":%s}' % (name, json.dumps(CLAIMS[name]))))
bad('twice-inside', 'json', token(claims=text_with('pad', '{"a":1,"a":2}')))
bad('twice-escaped', 'json', token(claims=json.dumps(CLAIMS)[:-1] + ',"\\u0065xp":%d}' % (NOW + 9999)))
for name, raw, why in (('1e30', '1e30', 'json'), ('fraction', '1700000600.5', 'json'), ('negative', '-1', 'claims'), ('zero', '0', 'claims'),
                       ('2-53', '9007199254740993', 'json'), ('2-64', '18446744073709551616', 'json'), ('null', 'null', 'claims'),
                       ('true', 'true', 'claims'), ('max', '9007199254740991', 'ttl')):
    bad('exp-' + name, why, token(claims=text_with('exp', raw)))
bad('iat-negative', 'claims', token(claims=but(iat=-1)))
bad('nbf-string', 'claims', token(claims=but(nbf=str(NOW))))
for name, value in (('empty', ''), ('65', 's' * 65), ('newline', 'ada\nroot'), ('escape', '\x1b[2J'), ('rtl', 'ada\u202eadmin')):
    bad('sub-' + name, 'subject', token(claims=but(sub=value)))
bad('room-empty', 'room', token(claims=but(room='')))
bad('room-129', 'room', token(claims=but(room='r' * 129)))
bad('jti-empty', 'claims', token(claims=but(jti='')))
bad('jti-65', 'claims', token(claims=but(jti='j' * 65)))
bad('scope-array', 'scope', token(claims=but(scope=['room:join'])))
# whom and when
bad('aud-wrong', 'audience', token(claims=but(aud='meet.example.evil')))
bad('aud-array-wrong', 'audience', token(claims=but(aud=['a', 'b'])))
bad('aud-array-empty', 'audience', token(claims=but(aud=[])))
bad('aud-of-nobody', 'audience', token(claims=but(aud='')), dict(KEY, audience=''))
bad('iss-wrong', 'issuer', token(claims=but(iss='ACME')))
bad('expired', 'expired', token(), now=NOW + 630)
bad('expired-long-ago', 'expired', token(claims=but(iat=1, exp=2)))
bad('iat-future', 'iat', token(), now=NOW - 31)
bad('nbf-future', 'not_yet', token(claims=but(nbf=NOW + 31)))
bad('ends-before-it-begins', 'ttl', token(claims=but(iat=NOW + 20, exp=NOW + 10)))
bad('ttl', 'ttl', token(claims=but(exp=NOW + 3601)))
bad('ttl-of-key', 'ttl', token(claims=but(exp=NOW + 61)), dict(KEY, max_ttl=60))
bad('ttl-cap', 'ttl', token(claims=but(exp=NOW + 86401)), dict(KEY, max_ttl=10**9))
bad('key-retired', 'key', token(), dict(KEY, retire=NOW))
bad('key-not-yet', 'key', token(), dict(KEY, not_before=NOW + 1))
bad('key-short', 'key', token(sign=lambda t: hs256(t, SECRET[:31])), dict(KEY, secret=SECRET[:31].hex()))
bad('key-empty', 'key', token(sign=lambda t: hs256(t, b'')), dict(KEY, secret=''))

if __name__ == '__main__':
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name, case in OUT.items():
        with open(os.path.join(folder, name + '.json'), 'w', encoding='utf-8') as f:
            json.dump(case, f, indent=1, ensure_ascii=False)
            f.write('\n')
    print(sum(n.startswith('good') for n in OUT), 'good,', sum(n.startswith('bad') for n in OUT), 'bad')
