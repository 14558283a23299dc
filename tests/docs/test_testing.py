"""docs/testing.md: every block of it runs, and shows what is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from corsguard import Policy
from corsguard.browser import assert_cors
from corsguard_wsgi import CORSMiddleware

PAGE = (Path(__file__).parents[2] / "docs/testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", BLOCKS)
def test_blocks_run(code: str, caplog: pytest.LogCaptureFixture) -> None:
    exec(compile(code, "testing.md", "exec"), {"__name__": "docs"})


def test_the_tests_for_pytest_pass(tmp_path: Path) -> None:
    [module] = [code for code in BLOCKS if "def test_" in code]
    (tmp_path / "test_page.py").write_text(module, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "3 passed" in run.stdout, run.stdout


def test_the_failure_reads_as_shown() -> None:
    [shown] = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

    def service(environ: object, start_response: object) -> list[bytes]:
        return []

    app = CORSMiddleware(
        service, Policy(allow_origins=["https://app.example.com"], allow_methods=["PUT"])
    )
    with pytest.raises(AssertionError) as failure:
        assert_cors(app, page="https://app.example.com", method="PATCH")
    assert f"AssertionError: {failure.value}\n" == shown
