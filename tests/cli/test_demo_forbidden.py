"""What a policy of the demo must not name: a page in the browser writes it."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from support.demo_visit import Running, post

ANY = 'allow_origins = ["*"]\n'

# A key that names a file, a server or code, what it would reach, and the code of its refusal.
FORBIDDEN = {
    "source of a file": ('source = "{file}"', "source-in-document"),
    "source of a server": ('source = "http://127.0.0.1:{port}/policy"', "source-in-document"),
    "source of redis": ('source = "redis://127.0.0.1:{port}/0"', "source-in-document"),
    "source of postgres": ('source = "postgresql://127.0.0.1:{port}/x"', "source-in-document"),
    "source of sql": ('source = "mysql+pymysql://127.0.0.1:{port}/x"', "source-in-document"),
    "source with options": (
        'source = {{ url = "http://127.0.0.1:{port}/", last_good = "{file}", key = "{file}" }}',
        "source-in-document",
    ),
    "source beside a policy": (
        'allow_origins = ["*"]\nsource = "http://127.0.0.1:{port}/"',
        "source-in-document",
    ),
    "source of a candidate": (
        'allow_origins = ["*"]\n[candidate]\nsource = "http://127.0.0.1:{port}/"',
        "unknown-field",
    ),
    "source of a route": (
        '[routes."/"]\nallow_origins = ["*"]\nsource = "http://127.0.0.1:{port}/"',
        "unknown-field",
    ),
    "last_good": ('allow_origins = ["*"]\nlast_good = "{file}"', "unknown-field"),
    "key": ('allow_origins = ["*"]\nkey = "{file}"', "unknown-field"),
    "poll": ('allow_origins = ["*"]\npoll = 1', "unknown-field"),
    "metrics": ('allow_origins = ["*"]\nmetrics = "prometheus"', "unknown-field"),
    "shadow": ('allow_origins = ["*"]\nshadow = true', "unknown-field"),
    "callable": ('allow_origins = ["os:getcwd"]', "origin-invalid"),
    "callable in a table": ('allow_origins = [{{ callable = "os:getcwd" }}]', "type-invalid"),
    "lookup": ('allow_origins = [{{ lookup = "redis://127.0.0.1:{port}" }}]', "type-invalid"),
    "origins of a file": ('allow_origins = "@{file}"', "not-a-list"),
    "set of a file": (
        'allow_origins = [{{ set = "a" }}]\n[origin_sets]\na = {{ file = "{file}" }}',
        "type-invalid",
    ),
    "include": ('allow_origins = ["*"]\ninclude = ["{file}"]', "unknown-field"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_text_reaches_no_file_no_server_and_no_code(
    demo: Running, tmp_path: Path, name: str
) -> None:
    toml, code = FORBIDDEN[name]
    file = tmp_path / "policy.toml"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        file.write_text(ANY, encoding="utf-8")
        before = file.stat().st_atime_ns
        threads = threading.active_count()

        given = {"toml": toml.format(file=file, port=port)}
        status, document = post(demo.origins.frontend, "/policy", given)

        assert (status, document["applied"]) == (200, False)
        assert code in [problem["code"] for problem in document["problems"]]
        with pytest.raises(BlockingIOError):
            server.accept()
        assert file.stat().st_atime_ns == before
        assert [*tmp_path.iterdir()] == [file]
        assert threading.active_count() <= threads + 1  # that of a request
