// dom.js: small help for the views. Text from people only ever becomes textContent, never markup.

export const $ = (id) => document.getElementById(id);

// el('li', {className: 'a', dataset: {id: 1}}, child, 'text')
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key === 'dataset') Object.assign(node.dataset, value);
    else if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}

// An unchanged text is not set again: a screen reader would say it twice.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
  return node;
}

export function setShown(node, shown, text) {
  if (text !== undefined) setText(node, text);
  if (node.hidden === shown) node.hidden = !shown;
}

// Says a text to a screen reader: at once, or when it has finished what it says.
export function announce(text, now = false) {
  const live = $(now ? 'live-now' : 'live');
  live.textContent = '';
  setTimeout(() => { live.textContent = text; }, 50);
}

// One screen at a time; its heading gets the focus, so that a screen reader goes on from there.
export function showScreen(id) {
  const screen = $(id);
  if (!screen.hidden) return;
  for (const other of document.querySelectorAll('main > section')) other.hidden = other !== screen;
  document.body.dataset.screen = id.replace('screen-', '');
  screen.querySelector('h2').focus({preventScroll: true});
  scrollTo(0, 0);
}
