"""An example, started by the command that its first lines give."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from examples.started import ROOT


@contextmanager
def example(file: str) -> Iterator[str]:
    """The URL at which it answers, on a free port, until the end of the block."""
    text = (ROOT / "examples" / file).read_text(encoding="utf-8")
    documented = re.search(r"\n\n    (.+)\n", text)
    assert documented, "the first lines give no command"
    program, *arguments = documented[1].removesuffix(" --port 8000").split()
    module = [] if program == "python" else ["-m", program]
    with subprocess.Popen(
        [sys.executable, "-u", *module, *arguments, "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.search(r" http://(?:localhost|127\.0\.0\.1):(\d+)", line):
                    break
            else:
                raise AssertionError(f"{file} did not start")
            # What it says later is of no interest, and must not fill the pipe.
            Thread(target=process.stdout.read, daemon=True).start()
            yield f"http://localhost:{found[1]}"
        finally:
            process.terminate()
