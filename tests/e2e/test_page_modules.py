"""The guest page's modules that need no browser, in node: the fold of a room against what a real server said, the session with a socket
made for the test, links, figures, words. And what each file of the page must keep to: no markup in code, nothing from elsewhere."""
import glob
import os
import re
import shutil
import subprocess
import sys

import gavel_e2e as e2e

FORBIDDEN = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|\bimport\(")
ELSEWHERE = re.compile(r"(?:src|href|from|url\()\s*[=]?\s*['\"]?(?:https?:)?//", re.I)
INLINE = re.compile(r"<(?:script|style)\b[^>]*>[^<]|\sstyle=|\son\w+=", re.I)


def check_files():
    names = sorted(os.listdir(os.path.join(e2e.SOURCE, "web")))
    for name in names:
        with open(os.path.join(e2e.SOURCE, "web", name), encoding="utf-8") as f:
            text = f.read()
        assert re.fullmatch(r"[a-z_]+\.(html|css|js|svg)", name), name
        for rule in (FORBIDDEN, ELSEWHERE) + ((INLINE,) if name.endswith("html") else ()):
            assert not rule.search(text), (name, rule.search(text)[0])
        for module in re.findall(r"from '\./([^']+)'", text) + re.findall(r'"/web/([^"]+)"', text):
            assert module in names, (name, module)
        assert len(text.splitlines()) < 400, name


def check_ids():
    """Every id the code looks for is there."""
    def read(name):
        with open(os.path.join(e2e.SOURCE, "web", name), encoding="utf-8") as f:
            return f.read()
    there = set(re.findall(r'\bid="([^"]+)"', read("index.html")))
    for path in glob.glob(os.path.join(e2e.SOURCE, "web", "*.js")):
        wanted = set(re.findall(r"(?:\$|showScreen)\('([^']+)'\)", read(os.path.basename(path))))
        assert wanted <= there, (path, wanted - there)


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def check_contrast():
    """WCAG 2.2 AA in light and dark: 4.5 for text, 3 for the edges of controls."""
    with open(os.path.join(e2e.SOURCE, "web", "style.css"), encoding="utf-8") as f:
        palettes = re.findall(r":root \{([^}]*)\}", f.read())
    assert len(palettes) == 2, palettes
    for palette in palettes:
        colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", palette))
        for grounds, texts, least in (("ground paper ask-bg", "ink soft warn bad", 4.5), ("paper", "good main", 4.5), ("warn-bg", "warn", 4.5),
                                      ("main", "on-main", 4.5), ("good", "paper", 4.5), ("ground paper", "edge main", 3)):
            for ground in grounds.split():
                for text in texts.split():
                    light, dark = sorted((luminance(colour[ground]), luminance(colour[text])), reverse=True)
                    assert (light + 0.05) / (dark + 0.05) >= least, (ground, text, (light + 0.05) / (dark + 0.05))


def told(folder):
    """Random lives of a room: what each viewer is sent, folded by the page, is what the server would say anew."""
    path = os.path.join(folder, "told.jsonl")
    made = subprocess.run([os.path.join(e2e.BUILD, "tests", "unit_wire_room_told")], env=dict(os.environ, GAVEL_TOLD=path), capture_output=True,
                          timeout=120)
    assert made.returncode == 0, made.stderr.decode()[-2000:]
    r = subprocess.run(["node", os.path.join(e2e.SOURCE, "tests", "web", "told.mjs"), path], capture_output=True, timeout=120)
    said = re.fullmatch(rb"(\d+) events, (\d+) checks\n", r.stdout)
    assert r.returncode == 0 and said and int(said[1]) > 5000 and int(said[2]) > 5000, (r.stdout + r.stderr).decode()[-4000:]


def test(folder):
    check_files()
    check_ids()
    check_contrast()
    tests = sorted(glob.glob(os.path.join(e2e.SOURCE, "tests", "web", "*.test.mjs")))
    assert len(tests) >= 3, tests
    r = subprocess.run(["node", "--test", *tests], capture_output=True, timeout=120)
    ran = re.search(rb"^# pass (\d+)$", r.stdout, re.M)
    assert r.returncode == 0 and ran and int(ran[1]) >= 42, (r.stdout + r.stderr).decode()[-4000:]
    told(folder)


if not shutil.which("node"):
    print("NO TEST OF THE PAGE'S MODULES: node is missing; .ci/setup test installs it")
    sys.exit(1 if os.environ.get("CI") else 77)
e2e.main(test)
