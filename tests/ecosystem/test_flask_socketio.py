"""Flask-SocketIO, which answers handshakes itself, behind corsguard and in front of it."""

# mypy: ignore-errors
# The framework is installed in the environment `ecosystem` alone.

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from threading import Thread

import pytest
import simple_websocket
from flask import Flask
from flask_socketio import SocketIO
from support.doc_pages import read_blocks
from support.flask_docs import IN_LISTS, run_block
from support.flask_requests import APP, EVIL, PARTNERS, POLICY, fetch, get_allow_origin
from werkzeug.serving import make_server

from corsguard import Guard
from corsguard_flask import CORSGuard, cors_policy

POLLING = "/socket.io/?EIO=4&transport=polling"
HANDSHAKE = "/socket.io/?EIO=4&transport=websocket"


def install_sockets(app: Flask) -> SocketIO:
    return SocketIO(app, async_mode="threading", cors_allowed_origins="*")


def build_enforced(*, with_views: bool = False) -> Flask:
    """Return an application whose Socket.IO was installed before corsguard."""
    app = Flask(__name__)
    install_sockets(app)
    CORSGuard(app, Guard(POLICY, enforce=True))
    if with_views:
        app.add_url_rule("/own", "own", cors_policy(PARTNERS)(lambda: "own"))
    return app


@pytest.mark.parametrize("with_views", [False, True])
def test_polling_behind_corsguard_is_enforced(with_views: bool) -> None:
    app = build_enforced(with_views=with_views)
    opened = fetch(app, POLLING)
    assert (opened.status_code, get_allow_origin(opened)) == (200, APP)
    session = json.loads(opened.text[1:])["sid"]

    def post(origin: str) -> int:
        path = f"{POLLING}&sid={session}"
        sent = app.test_client().post(path, data="40", headers={"Origin": origin})
        return sent.status_code

    assert (post(EVIL), post(APP)) == (403, 200)
    # A GET is safe by the standard; its response, with the session's name, can't be read.
    assert get_allow_origin(fetch(app, POLLING, origin=EVIL)) is None


@contextmanager
def serve(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetch_handshake_status(host: str, origin: str) -> int:
    """Return the status of the response to a handshake that the server refuses."""
    with closing(HTTPConnection(host, timeout=30)) as connection:
        fields = {"Origin": origin, "Connection": "Upgrade", "Upgrade": "websocket"}
        connection.request("GET", HANDSHAKE, headers=fields)
        return connection.getresponse().status


@pytest.mark.parametrize("with_views", [False, True])
def test_handshake_behind_corsguard_is_enforced(with_views: bool) -> None:
    with serve(build_enforced(with_views=with_views)) as host:
        client = simple_websocket.Client(f"ws://{host}{HANDSHAKE}", headers={"Origin": APP})
        assert client.receive(timeout=30).startswith("0{")
        client.close()
        assert fetch_handshake_status(host, EVIL) == 403


@pytest.mark.parametrize("enforce", [False, True])
def test_check_socket_io_in_front_exits_with_1(enforce: bool) -> None:
    app = Flask(__name__)
    CORSGuard(app, Guard(POLICY, enforce=enforce))
    install_sockets(app)
    assert fetch(app, POLLING, origin=EVIL).status_code == 200
    done = app.test_cli_runner().invoke(args=["cors", "check"])
    assert done.exit_code == 1
    assert "flask_socketio._SocketIOMiddleware is in front of corsguard" in done.output
    assert "call cors.init_app(app) after it" in done.output


def test_check_socket_io_behind_corsguard_exits_with_0() -> None:
    done = build_enforced().test_cli_runner().invoke(args=["cors", "check"])
    assert done.exit_code == 0
    assert "middleware-in-front" not in done.output


def test_docs_application_enforces_polling() -> None:
    app = run_block(IN_LISTS[2])["app"]
    assert get_allow_origin(fetch(app, POLLING)) == APP
    assert fetch(app, POLLING, "POST", EVIL).status_code == 403


def test_page_on_websockets_has_one_list() -> None:
    [code] = [block.code for block in read_blocks("websockets") if "SocketIO(" in block.code]
    app = run_block(code)["app"]
    assert get_allow_origin(fetch(app, POLLING)) == APP
    assert fetch(app, POLLING, "POST", EVIL).status_code == 403
    with serve(app) as host:
        fields = {"Origin": APP, "Cookie": "session=ada"}
        client = simple_websocket.Client(f"ws://{host}{HANDSHAKE}", headers=fields)
        assert client.receive(timeout=30).startswith("0{")
        client.close()
        assert fetch_handshake_status(host, EVIL) == 403

    default = run_block(code.replace(", cors_allowed_origins=[]", ""))["app"]
    refused = fetch(default, POLLING)
    assert (refused.status_code, refused.text) == (400, '"Not an accepted origin."')
