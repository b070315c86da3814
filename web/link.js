// link.js: the invite link, https://HOST/j/[APP/]ROOM#i=SECRET[&p=PIN]. Pure.

const SLUG = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const APP = /^[a-z0-9][a-z0-9-]{0,31}$/;
const SECRET = /^[A-Za-z0-9_-]{43}$/;

// The room and, when the fragment has one, the secret; null when this is no link to a room. A certificate's
// pin is for programs: a browser has checked the certificate in its own way by now.
export function parseLink(path, fragment) {
  const parts = path.replace(/\/$/, '').split('/');
  if (parts[0] !== '' || parts[1] !== 'j' || parts.length < 3 || parts.length > 4) return null;
  const room = parts.at(-1);
  const app = parts.length === 4 ? parts[2] : null;
  if (!SLUG.test(room) || (app !== null && !APP.test(app))) return null;
  const secret = new URLSearchParams(fragment.replace(/^#/, '')).get('i');
  return {room, app, secret: secret !== null && SECRET.test(secret) ? secret : null};
}
