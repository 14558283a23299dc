"""An example, started by the command that its first lines give, or by another."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

ROOT = Path(__file__).parents[3]


@contextmanager
def example(file: str, command: str = "", **environ: str) -> Iterator[str]:
    """Run an example on a free port until the end of the block, and yield its URL."""
    text = (ROOT / "examples" / file).read_text(encoding="utf-8")
    documented = re.match(r'""".*\n\n    (.+)\n', text)
    assert documented, "the first lines give no command"
    program, *arguments = (command or documented[1]).removesuffix(" --port 8000").split()
    module = [] if program == "python" else ["-m", program]
    with (
        TemporaryDirectory() as folder,  # for its files, which it does not remove when it is ended
        subprocess.Popen(
            [sys.executable, "-u", *module, *arguments, "--port", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env={**os.environ, "TMPDIR": folder, **environ},
        ) as process,
    ):
        assert process.stdout is not None
        # What it says after its address is of no interest, and must not fill the pipe.
        rest = Thread(target=process.stdout.read)
        try:
            for line in process.stdout:
                if found := re.search(r" http://(?:localhost|127\.0\.0\.1):([1-9]\d*)", line):
                    break
            else:
                raise AssertionError(f"{file} did not start")
            rest.start()
            yield f"http://localhost:{found[1]}"
        finally:
            process.terminate()
            if rest.is_alive():
                rest.join()
