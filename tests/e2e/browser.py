"""Chromium as a guest has it: windows that are looked at and clicked by what a person (or a screen reader) finds on the page.

Needs chromium, nodejs and playwright-core, which .ci/setup installs; without them a test is skipped loudly, but never in CI."""
import json
import os
import shutil
import subprocess
import sys

import gavel_e2e as e2e

MODULES = os.path.join(e2e.SOURCE, "build", "node")
VISIBLE = "(e) => Boolean(e) && e.checkVisibility({visibilityProperty: true})"
NAMELESS = """[...document.querySelectorAll('button, input, select, textarea, a, summary, [role=meter], [role=region], [role=log]')]
  .filter((e) => e.checkVisibility({visibilityProperty: true}))
  .filter((e) => !(e.labels?.[0]?.innerText || e.ariaLabel || e.innerText || document.getElementById(e.getAttribute('aria-labelledby'))))
  .concat([...document.querySelectorAll('[id]')].filter((e, at, all) => all.some((x, i) => i < at && x.id === e.id)))
  .map((e) => e.outerHTML)"""


def need():
    """Ends the test with 77, or with 1 in CI, when something is missing."""
    missing = [p for p in ("chromium", "node") if not shutil.which(p)]
    if not os.path.isdir(os.path.join(MODULES, "node_modules", "playwright-core")):
        missing.append("playwright-core")
    if missing:
        print("NO TEST IN A BROWSER: %s missing; .ci/setup test installs it" % ", ".join(missing))
        sys.exit(1 if os.environ.get("CI") else 77)


class Browser:
    def __init__(self, voice, shots):
        shutil.rmtree(shots, ignore_errors=True)
        os.makedirs(shots)
        self.shots, self.n_shots = shots, 0
        env = dict(os.environ, TMPDIR=os.environ["HOME"])  # its profile goes with the scratch folder
        self.process = e2e.start(["node", os.path.join(e2e.SOURCE, "tests", "e2e", "browser.mjs"), MODULES, shutil.which("chromium"), voice],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)

    def ask(self, **command):
        self.process.stdin.write((json.dumps(command) + "\n").encode())
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"ok": False, "error": "the browser has ended"}
        if not answer["ok"]:
            raise e2e.Failure("%s: %s" % (command, answer["error"]))
        return answer.get("result")

    def open(self, name, url, **how):
        return Page(self, name, url, how)

    def close(self):
        self.process.stdin.close()
        if self.process.wait(e2e.PATIENCE) != 0:
            raise e2e.Failure("the browser ended with %s" % self.process.returncode)


class Page:
    def __init__(self, browser, name, url, how):
        self.browser, self.name = browser, name
        self.response = browser.ask(page=name, open=url, **how)

    def ask(self, **command):
        try:
            return self.browser.ask(page=self.name, **command)
        except e2e.Failure as e:
            seen = self.browser.ask(page=self.name, at={"css": "body"}, call="innerText")
            problems = self.browser.ask(page=self.name, problems=True)
            raise e2e.Failure("%s\n%s sees:\n%s\nproblems: %s" % (e, self.name, seen, "\n".join(problems)))

    def at(self, call, *args, **place):
        return self.ask(at=place, call=call, args=args)

    def click(self, role, name):
        self.at("click", role=role, name=name)

    def fill(self, label, text):
        self.at("fill", text, label=label)

    def press(self, key):
        self.ask(keyboard=True, call="press", args=[key])

    def evaluate(self, js):
        return self.ask(call="evaluate", args=[js])

    def wait(self, js, arg=None, seconds=30):
        self.ask(wait=js, arg=arg, seconds=seconds)

    def wait_text(self, text, css="main", seconds=30):
        """Until something visible there has this text."""
        self.wait("([css, text]) => [...document.querySelectorAll(css)].some((e) => (%s)(e) && e.innerText.includes(text))" % VISIBLE,
                  [css, text], seconds)

    def tab_to(self, name):
        """Tab until what is so called has the focus, as somebody without a mouse does."""
        for _ in range(40):
            self.press("Tab")
            if name == self.evaluate("(() => { const e = document.activeElement; return (e.labels?.[0] ?? e).innerText.trim(); })()"):
                return
        raise e2e.Failure("%s: Tab never comes to %s" % (self.name, name))

    def shot(self, name):
        """A picture for whoever looks at the page; and what a screen reader needs to be there."""
        nameless = self.evaluate(NAMELESS)
        if nameless:
            raise e2e.Failure("%s, %s: no name for a screen reader, or an id twice: %s" % (self.name, name, nameless))
        self.browser.n_shots += 1
        path = os.path.join(self.browser.shots, "%02d-%s.png" % (self.browser.n_shots, name))
        self.ask(call="screenshot", args=[{"path": path, "fullPage": True}])

    def problems(self):
        return self.ask(problems=True)
