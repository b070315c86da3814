// icons.js: the few pictures of the page, drawn as elements: the page's policy lets no markup be parsed.

const SHAPES = {
  mic: [
    'M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 0 0-7 0v5A3.5 3.5 0 0 0 12 15z',
    'M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3.5',
  ],
  mic_off: [
    'M15.5 10V6.5a3.5 3.5 0 0 0-7-.3M8.5 9.5v2a3.5 3.5 0 0 0 5.5 2.9',
    'M5.5 11.5a6.5 6.5 0 0 0 10.5 5.1M18.5 11.5a6.5 6.5 0 0 1-.6 2.7M12 18v3.5M3.5 3l17 18',
  ],
  hand: [
    'M7 12V6.5a1.5 1.5 0 0 1 3 0V11M10 11V4.5a1.5 1.5 0 0 1 3 0V11M13 11V5.5a1.5 1.5 0 0 1 3 0V12M16' +
    ' 12V8.5a1.5 1.5 0 0 1 3 0V15a6.5 6.5 0 0 1-6.5 6.5c-3 0-4.5-1.3-6-3.8L4 13.5a1.5 1.5 0 0 1' +
    ' 2.5-1.6L7 13',
  ],
  leave: ['M14 4H5v16h9M10 12h11M17 8l4 4-4 4'],
  away: ['M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2'],
  line: ['M5 20v-4M10 20v-8M15 20V8M20 20V4'],
  write: ['M4 5h16v11H9l-5 4z'],
};
const SVG = 'http://www.w3.org/2000/svg';

// It is decoration only: a text beside it, or the button's label, says the same.
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  for (const d of SHAPES[name]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}
