// store.js: what this browser keeps: for the tab the invite (so that a reload finds it: it is taken out of the
// address at once) and the resume secret; for the installation a device id and the name. A browser that keeps
// nothing is fine: everything then lasts as long as the page.

function keeper(which) {
  const memory = new Map();
  const real = () => { // a getter that may throw
    try {
      return window[which];
    } catch {
      return null;
    }
  };
  return {
    get(key) {
      try {
        return real()?.getItem(key) ?? memory.get(key) ?? null;
      } catch {
        return memory.get(key) ?? null;
      }
    },
    set(key, value) {
      try {
        if (value === null) real()?.removeItem(key);
        else real()?.setItem(key, value);
      } catch {
        // full or forbidden
      }
      if (value === null) memory.delete(key);
      else memory.set(key, value);
    },
  };
}

export const tab = keeper('sessionStorage');
export const installation = keeper('localStorage');

// What a ban can hold on to; any text that stays the same here. Made only when somebody joins.
export function deviceId() {
  let id = installation.get('gavel-device');
  if (!id) {
    id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
    installation.set('gavel-device', id);
  }
  return id;
}
