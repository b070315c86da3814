"""The unit for systemd: its exposure as systemd-analyze sees it, and that it is the program's: the paths and what it starts."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ["GAVEL_SOURCE"]
BUILD = os.environ["GAVEL_BUILD"]


def main():
    path = os.path.join(BUILD, "gaveld.service")
    unit = open(path).read()
    program = re.search(r"^ExecStart=(\S+)", unit, re.M)[1]
    assert program.endswith("/bin/gaveld") and "LoadCredential=gavel.key:" in unit and "LimitCORE=0" in unit, unit
    assert re.search(r"^ExecPaths=%s " % re.escape(program), unit, re.M), "it may not start its own program"
    media = re.search(r"^SocketBindAllow=udp:(\S+)", unit, re.M)[1]
    assert "\nSocketBindAllow=tcp:%s\n" % media in unit, "the media ports are ports for TCP, too ([media] tcp)"
    if not shutil.which("systemd-analyze"):
        print("skipped: systemd-analyze is not installed")
        return 77
    r = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", path], capture_output=True, text=True)
    level = re.search(r"Overall exposure level for gaveld.service: ([\d.]+)", r.stdout)
    print(level[0] if level else r.stdout + r.stderr)
    assert r.returncode == 0 and float(level[1]) <= 1.5, "too much is left open"
    with tempfile.TemporaryDirectory() as folder:  # the test can fail: the same unit with its doors open
        weaker = re.sub(r"^(ProtectSystem|PrivateUsers|CapabilityBoundingSet|SystemCallFilter|PrivateDevices)=.*\n", "", unit, flags=re.M)
        copy = os.path.join(folder, "gaveld.service")
        open(copy, "w").write(weaker)
        assert subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", copy],
                              capture_output=True).returncode != 0
    print("passed")
    return 0


sys.exit(main())
