"""The FastAPI example, started as its first lines say, and used over a real socket."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples/fastapi_app.py"
PAGE = "http://localhost:3000"
EVIL = "https://evil.example"


@contextmanager
def started(database: Path) -> Iterator[str]:
    """The URL of the example; the port is for the system to choose."""
    found = re.search(r"^    (uvicorn .*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    program, *words = shlex.split(found[1])
    command = [sys.executable, "-m", program, *words, "--port", "0"]
    environ = {"DATABASE": str(database), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            assert process.stdout
            for line in process.stdout:
                if running := re.search(r"running on (http://\S+)", line):
                    yield running[1]
                    break
            else:
                raise AssertionError("it did not start")
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(tmp_path_factory.mktemp("example") / "items.sqlite") as address:
        yield address


@pytest.fixture
def page(url: str) -> Iterator[httpx.Client]:
    """What a script of the page sends, with the cookies that it gets."""
    with httpx.Client(base_url=url, headers={"Origin": PAGE}, timeout=10) as client:
        yield client


def log_in(page: httpx.Client) -> None:
    login = page.post("/api/login", json={"user": "ada", "password": "lovelace"})
    assert login.status_code == 204
    assert "HttpOnly" in login.headers["set-cookie"]
    assert_readable(login)


def assert_readable(response: httpx.Response) -> None:
    assert response.headers["access-control-allow-origin"] == PAGE
    assert response.headers["access-control-allow-credentials"] == "true"


def test_items_are_created_read_updated_and_deleted(page: httpx.Client) -> None:
    log_in(page)
    created = page.post("/api/items", json={"name": "first"})
    assert created.status_code == 201
    item = created.headers["location"]
    assert "Location" in created.headers["access-control-expose-headers"]
    assert page.get(item).json() == created.json()
    assert created.json() in page.get("/api/items").json()

    updated = page.put(item, json={"name": "second"})
    assert (updated.status_code, updated.json()["name"]) == (200, "second")
    assert page.get(item).json()["name"] == "second"

    assert page.delete(item).status_code == 204
    missing = [page.get(item), page.delete(item), page.put(item, json={"name": "third"})]
    for response in (created, updated, *missing):
        assert_readable(response)
    assert [response.status_code for response in missing] == [404, 404, 404]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/items"), ("PUT", "/api/items/1"), ("DELETE", "/api/items/1")],
)
def test_who_is_not_logged_in_changes_nothing(page: httpx.Client, method: str, path: str) -> None:
    response = page.request(method, path, json={"name": "no"})
    assert response.status_code == 401
    assert_readable(response)


@pytest.mark.parametrize(("user", "password"), [("ada", "wrong"), ("ada", ""), ("eve", "")])
def test_a_wrong_login_is_refused(page: httpx.Client, user: str, password: str) -> None:
    response = page.post("/api/login", json={"user": user, "password": password})
    assert (response.status_code, "set-cookie" in response.headers) == (403, False)
    assert_readable(response)


def test_the_items_can_be_downloaded(page: httpx.Client) -> None:
    log_in(page)
    page.post("/api/items", json={"name": 'a "quoted" name'})
    response = page.get("/api/items.csv")
    assert response.headers["content-disposition"] == 'attachment; filename="items.csv"'
    assert "Content-Disposition" in response.headers["access-control-expose-headers"]
    assert response.text.startswith("id,name\r\n")
    assert_readable(response)


@pytest.mark.parametrize(
    ("path", "status"), [("/api/failure", 500), ("/api/items/one", 422), ("/api/nothing", 404)]
)
def test_a_page_may_read_every_error(page: httpx.Client, path: str, status: int) -> None:
    response = page.get(path)
    assert response.status_code == status
    assert_readable(response)


def test_a_preflight_of_the_page_is_allowed(url: str) -> None:
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type",
    }
    response = httpx.options(f"{url}/api/items/1", headers=asked)
    assert response.status_code == 204
    assert "PUT" in response.headers["access-control-allow-methods"]
    refused = httpx.options(f"{url}/api/items/1", headers={**asked, "Origin": EVIL})
    assert refused.status_code == 403


def test_another_site_can_neither_read_nor_write(url: str) -> None:
    read = httpx.get(f"{url}/api/items", headers={"Origin": EVIL})
    assert read.status_code == 200
    assert "access-control-allow-origin" not in read.headers
    written = httpx.post(f"{url}/api/items", headers={"Origin": EVIL}, json={"name": "evil"})
    assert written.status_code == 403
    assert written.text.startswith("corsguard: ")


def test_anyone_may_read_what_is_public(url: str) -> None:
    response = httpx.get(f"{url}/public/count", headers={"Origin": EVIL})
    assert response.headers["access-control-allow-origin"] == "*"
    assert set(response.json()) == {"items"}


def test_items_stay_when_the_service_is_started_again(tmp_path: Path) -> None:
    database = tmp_path / "items.sqlite"
    for expected in (0, 1):
        with started(database) as url, httpx.Client(base_url=url, timeout=10) as client:
            assert client.get("/public/count").json() == {"items": expected}
            client.post("/api/login", json={"user": "ada", "password": "lovelace"})
            assert client.post("/api/items", json={"name": "kept"}).status_code == 201
