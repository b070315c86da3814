"""Every test that docs/security.md and docs/controls.md name is one: of CTest, or a fuzz target; every document names some. gaveld's
manual page names every key of its configuration and no other, and the example in README.md has none that is not there."""
import glob
import os
import re
import subprocess
import sys

SOURCE = os.environ["GAVEL_SOURCE"]
NAME = re.compile(r"`((?:unit|e2e|sim|fuzz|golden|house)(?:_\w+)?)`")

listed = subprocess.run(["ctest", "--test-dir", os.environ["GAVEL_BUILD"], "-N"], capture_output=True, text=True, check=True).stdout
known = set(re.findall(r"Test +#\d+: (\S+)", listed))
known |= {os.path.basename(p)[:-2] for p in glob.glob(os.path.join(SOURCE, "tests/fuzz/fuzz_*.c"))}
wrong = 0
for document in ("docs/security.md", "docs/controls.md"):
    with open(os.path.join(SOURCE, document)) as f:
        named = set(NAME.findall(f.read()))
    assert len(named) > 10, document + " names no tests"
    if "GAVEL_SANITIZED" in os.environ:  # some do not go together with sanitizers
        named -= {"e2e_harden", "e2e_lws_guard"}
    for name in sorted(named - known):
        print("%s names %s, which is no test" % (document, name))
        wrong += 1


def text(name):
    with open(os.path.join(SOURCE, name)) as f:
        return f.read()


def keys_of(lines, section, key):
    """(section, key) of all lines; `key` finds the keys of a line."""
    found, now = set(), None
    for line in lines:
        title = re.match(section, line)
        now = title.group(1) if title else now
        found |= {(now, k) for k in re.findall(key, line)}
    return found


taken = set(re.findall(r'(?:KEY|COUNT)\("(\w+)", "(\w+)"', text("core/server/config.c")))
page = text("docs/man/gaveld.1").split(".SH CONFIGURATION FILE")[1].split(".SH ENVIRONMENT")[0]
heads = re.findall(r"Section \[\w+\]|(?<=\n\.TP\n)\\fB.*", page)
told = keys_of(heads, r"Section \[(\w+)\]", r"\\fB(\w+)\\fR")
example = keys_of(text("README.md").split("```ini\n")[1].split("```")[0].splitlines(), r"\[(\w+)\]", r"^(\w+) =")
assert len(taken) > 30 and len(example) > 10
for what, names in (("gaveld.1 does not name", taken - told), ("gaveld.1 names, and there is none:", told - taken),
                    ("README.md names, and there is none:", example - taken)):
    for name in sorted(names):
        print("%s [%s] %s" % (what, *name))
        wrong += 1
print("tests known: %d, settings: %d" % (len(known), len(taken)))
sys.exit(1 if wrong else 0)
