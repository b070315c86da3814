// Drives Chromium for browser.py: a line of JSON in is one command, a line out its answer.
//
//   {"page", "open": URL, "size", "dark", "microphone"}      a window of its own, as of another person
//   {"page", "at": {role, name} | {label} | {css}, "call", "args"}   a method of that place: click, fill, innerText ...
//   {"page", "wait": JS, "arg", "seconds"}                   until the function of arg is true of the page
//   {"page", "call", "args"}                                 a method of the page itself; "keyboard": of its keyboard
//   {"page", "grant": true}                                  the microphone, from now on
//   {"page", "problems": true}                               what has gone wrong in it since last asked
import {createInterface} from 'node:readline';
import {createRequire} from 'node:module';

const [modules, executablePath, voice] = process.argv.slice(2);
const {chromium} = createRequire(modules + '/')('playwright-core');
const browser = await chromium.launch({
  executablePath,
  args: ['--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${voice}`,
    '--allow-loopback-in-peer-connection', '--disable-dev-shm-usage'],
});
const windows = new Map();

// In the page before its own code: what the connection brings, to look into it. `hears` is true when the tone is the
// loudest there is, and clearly there.
function look() {
  const connections = [];
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(...args) {
      super(...args);
      connections.push(this);
    }
  };
  let track, analyser;
  window.testConnection = () => connections.at(-1);
  window.testHears = (hz) => {
    const last = connections.at(-1)?.getReceivers()[0]?.track;
    if (!last) return false;
    if (last !== track) {
      track = last;
      const context = new AudioContext();
      analyser = context.createAnalyser();
      analyser.fftSize = 8192;
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    }
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(Math.max(...bins));
    return bins[loudest] > -50 && Math.abs(loudest * analyser.context.sampleRate / analyser.fftSize - hz) < 20;
  };
}

function watch(page, host, problems) {
  page.on('console', (m) => {
    if (['error', 'warning'].includes(m.type())) problems.push(`console ${m.type()}: ${m.text()}`);
  });
  page.on('pageerror', (e) => problems.push(`exception: ${e.stack ?? e}`));
  page.on('request', (r) => {
    const url = new URL(r.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.host !== host) problems.push(`request to another host: ${r.url()}`);
  });
  page.on('websocket', (w) => {
    if (new URL(w.url()).host !== host) problems.push(`WebSocket to another host: ${w.url()}`);
  });
  page.on('response', (r) => {
    if (r.status() >= 400) problems.push(`${r.status()}: ${r.url()}`);
  });
}

async function open(name, {open: url, size = [1000, 800], dark = false, microphone = true}) {
  const context = await browser.newContext({ignoreHTTPSErrors: true, viewport: {width: size[0], height: size[1]},
    colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce'});
  const {origin, host} = new URL(url);
  if (microphone) await context.grantPermissions(['microphone'], {origin});
  await context.addInitScript(look);
  const page = await context.newPage();
  const problems = [];
  watch(page, host, problems);
  page.setDefaultTimeout(30000);
  windows.set(name, {page, problems});
  const response = await page.goto(url);
  return {status: response.status(), headers: response.headers()};
}

function place(page, {role, name, label, css}) {
  if (css) return page.locator(css);
  return label ? page.getByLabel(label, {exact: true}) : page.getByRole(role, {name, exact: true});
}

// Not page.waitForFunction: it evaluates inside the page, which the page's policy forbids.
async function until(page, js, seconds) {
  const end = Date.now() + seconds * 1000;
  while (!await page.evaluate(js)) {
    if (Date.now() > end) throw new Error('in vain');
    await new Promise((go) => setTimeout(go, 50));
  }
  return true;
}

async function run(c) {
  if (c.open) return open(c.page, c);
  const {page, problems} = windows.get(c.page);
  if (c.grant) return page.context().grantPermissions(['microphone'], {origin: new URL(page.url()).origin});
  if (c.problems) return problems.splice(0);
  if (c.wait) return until(page, `(${c.wait})(${JSON.stringify(c.arg ?? null)})`, c.seconds);
  const on = c.at ? place(page, c.at) : c.keyboard ? page.keyboard : page;
  const result = await on[c.call](...(c.args ?? []));
  return Buffer.isBuffer(result) || result === undefined ? null : result;
}

for await (const line of createInterface({input: process.stdin})) {
  let answer;
  try {
    answer = {ok: true, result: await run(JSON.parse(line))};
  } catch (e) {
    answer = {ok: false, error: String(e.message ?? e)};
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
await browser.close();
