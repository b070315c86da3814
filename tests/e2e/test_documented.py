"""Every test that docs/security.md and docs/controls.md name is one: of CTest, or a fuzz target; every document names some."""
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
print("tests known: %d" % len(known))
sys.exit(1 if wrong else 0)
