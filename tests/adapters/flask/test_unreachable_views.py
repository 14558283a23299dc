"""Decorated views that no URL leads to: PolicyError, or a line in the log."""

from __future__ import annotations

import gc
import inspect
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from pathlib import Path
from threading import Barrier, Event
from types import FunctionType
from typing import Any

import pytest
from flask import Flask, current_app, g, request, session
from flask.views import MethodView
from support.flask_requests import APP, POLICY, PUBLIC, fetch, get_allow_origin
from support.flask_views import Function

from corsguard import PolicyError
from corsguard_flask import CORSGuard, cors_exempt, cors_policy

pytestmark = pytest.mark.usefixtures("no_leftovers")


def opaque(view: Function) -> Function:
    """Decorate a view without functools.wraps."""

    def wrapper(*args: Any, **values: Any) -> Any:
        return view(*args, **values)

    return wrapper


class Opaque:
    def __init__(self, view: Function) -> None:
        self.view = view

    def __call__(self, **values: Any) -> Any:
        return self.view(**values)


def call_by_partial(view: Function) -> Function:
    return partial(lambda view, **values: view(**values), view)


@pytest.mark.parametrize("wrapper", [opaque, Opaque, call_by_partial])
def test_exempt_view_hidden_by_wrapper_serves_no_request(
    app: Flask, wrapper: Callable[[Function], Function]
) -> None:
    def internal() -> str:
        return "internal"

    app.add_url_rule("/internal", "internal", wrapper(cors_exempt(internal)))
    for _ in range(2):
        with pytest.raises(PolicyError) as raised:
            fetch(app, "/")
        (problem,) = raised.value.problems
        assert problem.code == "view-policy-unreachable"
        assert problem.field.endswith('internal"')
        line = inspect.getsourcelines(internal)[1]
        assert f"{__file__}:{line}" in problem.message


def test_exempt_method_hidden_by_wrapper_serves_no_request(app: Flask) -> None:
    class Items(MethodView):
        get = opaque(cors_exempt(lambda self: "get"))

    app.add_url_rule("/items", view_func=Items.as_view("items"))
    with pytest.raises(PolicyError, match="view-policy-unreachable"):
        fetch(app, "/")


def test_exempt_wrapper_of_routed_view_serves_no_request(app: Flask) -> None:
    @app.get("/internal")
    def internal() -> str:
        return "internal"

    @wraps(internal)
    def above() -> str:
        return internal()

    wrapper = cors_exempt(above)
    with pytest.raises(PolicyError, match="view-policy-unreachable"):
        fetch(app, "/")
    app.view_functions["again"] = wrapper
    assert fetch(app, "/internal").status_code == 200


def test_hidden_view_with_policy_is_served(app: Flask) -> None:
    app.add_url_rule("/public", "public", opaque(cors_policy(PUBLIC)(lambda: "public")))
    assert get_allow_origin(fetch(app, "/public")) == APP


def test_exempt_view_called_by_another_view_is_served(app: Flask) -> None:
    @cors_exempt
    def internal() -> str:
        return "internal"

    app.add_url_rule("/internal", "internal", internal)
    app.add_url_rule("/other", "other", lambda: internal())
    assert "Vary" not in fetch(app, "/internal").headers
    assert get_allow_origin(fetch(app, "/other")) == APP


def test_exempt_view_beside_flask_proxies_is_found(app: Flask) -> None:
    proxies = (current_app, g, request, session)

    @cors_exempt
    def internal() -> str:
        return "internal"

    app.add_url_rule("/", "index", lambda: f"{proxies} {internal()}")
    with pytest.raises(PolicyError, match="view-policy-unreachable"):
        fetch(app, "/")


def get_errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.ERROR]


def test_exempt_view_without_url_is_logged_once(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @cors_exempt
    def lost() -> str:
        return "lost"

    app.add_url_rule("/", "index", lambda: "index")
    assert fetch(app, "/").status_code == fetch(app, "/").status_code == 200
    (line,) = get_errors(caplog)
    assert "[view-policy-unreachable]" in line
    assert lost.__qualname__ in line
    assert Path(__file__).name in line


def test_exempt_view_without_url_is_logged_once_per_process(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    lost = [cors_exempt(lambda: "lost")]
    other = Flask(__name__)
    CORSGuard(other, {"/": POLICY})
    for number in range(3):
        for each in (app, other):
            each.view_functions[f"later {number}"] = lambda: "later"
            assert fetch(each, "/").status_code == 404
    assert len(get_errors(caplog)) == 1
    lost.append(cors_exempt(lambda: "another"))
    app.view_functions["last"] = lambda: "last"
    assert fetch(app, "/").status_code == fetch(other, "/").status_code == 404
    assert len(get_errors(caplog)) == 2
    assert len(lost) == 2


def test_exempt_view_of_another_module_is_not_logged(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @cors_exempt
    def lost() -> str:
        return "lost"

    elsewhere = lambda: "lost"  # noqa: E731
    elsewhere.__module__ = "elsewhere"
    decorated = cors_exempt(elsewhere)
    assert fetch(app, "/").status_code == 404
    (line,) = get_errors(caplog)
    assert lost.__qualname__ in line
    del decorated


def test_first_requests_in_threads_read_views_once(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    applied: list[Function] = []
    inside, together = Event(), Barrier(8)

    def note(view: Function) -> Function:
        if isinstance(view, FunctionType):  # at each request, it is a bound method
            applied.append(view)
            if len(applied) == 1:
                inside.set()
                together.wait()
        return view

    class Items(MethodView):
        method_decorators = (note,)

        def get(self) -> str:
            return "get"

    lost = cors_exempt(lambda: "lost")
    app.add_url_rule("/items", view_func=Items.as_view("items"))

    def send_first(number: int) -> int:
        if number:
            inside.wait()
            together.wait()
        return fetch(app, "/items").status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(send_first, range(8))) == {200}
    assert len(applied) == len(get_errors(caplog)) == 1
    del lost


FORKING = """
import os, signal
from threading import Event, Thread
from flask import Flask
from flask.views import MethodView
from corsguard_flask import CORSGuard, cors_exempt

parent, inside, ended = os.getpid(), Event(), Event()

def waiting(view):
    if os.getpid() == parent:
        inside.set()
        ended.wait()
    return cors_exempt(view)

class Items(MethodView):
    method_decorators = (waiting,)
    def get(self):
        return "get"

def answer():
    return app.test_client().get("/items", headers={"Origin": "https://app.example"})

app = Flask(__name__)
CORSGuard(app, allow_origins=["https://app.example"], allow_credentials=True)
app.add_url_rule("/items", view_func=Items.as_view("items"))
thread = Thread(target=answer)
thread.start()
inside.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)  # in case the child waits for the lock
    os._exit("Vary" in answer().headers)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
ended.set()
thread.join()
raise SystemExit(abs(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_child_forked_during_read_reads_views_itself() -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_view_of_another_living_application_is_not_logged(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    other = Flask(__name__)
    CORSGuard(other, {"/": POLICY})
    internal = cors_exempt(lambda: "internal")
    other.add_url_rule("/internal", "internal", internal)
    assert fetch(app, "/").status_code == 404
    assert get_errors(caplog) == []
    del other
    gc.collect()
    late = Flask(__name__)
    CORSGuard(late, {"/": POLICY})
    assert fetch(late, "/").status_code == 404
    assert len(get_errors(caplog)) == 1
    del internal


def test_view_of_a_dead_application_is_not_logged(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    other = Flask(__name__)
    CORSGuard(other, {"/": POLICY})
    internal = cors_exempt(lambda: "internal")
    other.add_url_rule("/internal", "internal", internal)
    assert fetch(other, "/internal").status_code == 200
    del other
    gc.collect()
    assert fetch(app, "/").status_code == 404
    assert get_errors(caplog) == []
    del internal


def test_method_decorated_per_request_is_not_logged(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    class Items(MethodView):
        method_decorators = (cors_exempt,)

        def get(self) -> str:
            return "get"

    app.add_url_rule("/items", view_func=Items.as_view("items"))
    decorated_method = cors_exempt(Items().get)
    assert "Vary" not in fetch(app, "/items").headers
    assert decorated_method() == "get"
    assert get_errors(caplog) == []


def test_method_wrapped_per_request_is_not_logged(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    def private(view: Function) -> Function:
        return cors_exempt(wraps(view)(lambda **values: view(**values)))

    class Items(MethodView):
        method_decorators = (private,)

        def get(self) -> str:
            return "get"

    app.add_url_rule("/items", view_func=Items.as_view("items"))
    lost = cors_exempt(lambda: "lost")
    decorated_method = private(Items().get)  # as in a request of another thread
    other = Flask(__name__)
    CORSGuard(other, {"/": POLICY})
    assert fetch(other, "/").status_code == 404
    assert "Vary" not in fetch(app, "/items").headers
    assert decorated_method() == "get"
    (line,) = get_errors(caplog)
    assert "Items.get" not in line
    del lost
