"""Decorated views that no URL leads to: what is refused, what is logged, what `check` reports."""

from __future__ import annotations

import gc
import importlib
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
from types import FunctionType, ModuleType
from typing import Any

import pytest
from adapters.flask.test_cli import APPLICATION, run, typed
from flask import Flask, current_app, g, request, session
from flask.views import MethodView
from support.flask_requests import APP, POLICY, PUBLIC, allowed, fetch

from corsguard import PolicyError
from corsguard_flask import CORSGuard, cors_exempt, cors_policy

Function = Callable[..., Any]


@pytest.fixture(autouse=True)
def nothing_of_other_tests() -> None:
    """Let go of what the views and applications of the test before are held by: cycles."""
    gc.collect()


@pytest.fixture
def app() -> Flask:
    made = Flask(__name__)
    CORSGuard(made, {"/": POLICY})
    return made


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


def called(view: Function) -> Function:
    return partial(lambda view, **values: view(**values), view)


@pytest.mark.parametrize("wrapper", [opaque, Opaque, called])
def test_an_exempt_view_that_a_wrapper_hides_answers_nothing(
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


def test_an_exempt_method_that_a_wrapper_hides_answers_nothing(app: Flask) -> None:
    class Items(MethodView):
        get = opaque(cors_exempt(lambda self: "get"))

    app.add_url_rule("/items", view_func=Items.as_view("items"))
    with pytest.raises(PolicyError, match="view-policy-unreachable"):
        fetch(app, "/")


def test_an_exempt_wrapper_above_a_routed_view_answers_nothing(app: Flask) -> None:
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


def test_a_hidden_view_with_a_policy_is_left_to_the_command(app: Flask) -> None:
    app.add_url_rule("/public", "public", opaque(cors_policy(PUBLIC)(lambda: "public")))
    assert allowed(fetch(app, "/public")) == APP


def test_an_exempt_view_that_another_view_calls_is_no_problem(app: Flask) -> None:
    @cors_exempt
    def internal() -> str:
        return "internal"

    app.add_url_rule("/internal", "internal", internal)
    app.add_url_rule("/other", "other", lambda: internal())
    assert "Vary" not in fetch(app, "/internal").headers
    assert allowed(fetch(app, "/other")) == APP


def test_a_view_that_holds_flask_s_proxies_is_looked_into(app: Flask) -> None:
    proxies = (current_app, g, request, session)

    @cors_exempt
    def internal() -> str:
        return "internal"

    app.add_url_rule("/", "index", lambda: f"{proxies} {internal()}")
    with pytest.raises(PolicyError, match="view-policy-unreachable"):
        fetch(app, "/")


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.ERROR]


def test_an_exempt_view_without_a_url_is_logged_once(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @cors_exempt
    def lost() -> str:
        return "lost"

    app.add_url_rule("/", "index", lambda: "index")
    assert fetch(app, "/").status_code == fetch(app, "/").status_code == 200
    (line,) = errors(caplog)
    assert "[view-policy-unreachable]" in line
    assert lost.__qualname__ in line
    assert Path(__file__).name in line


def test_an_exempt_view_without_a_url_is_logged_once_in_a_process(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    lost = [cors_exempt(lambda: "lost")]
    other = Flask(__name__)
    CORSGuard(other, {"/": POLICY})
    for number in range(3):
        for each in (app, other):
            each.view_functions[f"later {number}"] = lambda: "later"
            assert fetch(each, "/").status_code == 404
    assert len(errors(caplog)) == 1
    lost.append(cors_exempt(lambda: "another"))
    app.view_functions["last"] = lambda: "last"
    assert fetch(app, "/").status_code == fetch(other, "/").status_code == 404
    assert len(errors(caplog)) == 2
    assert len(lost) == 2


def test_an_exempt_view_of_another_module_is_not_logged(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @cors_exempt
    def lost() -> str:
        return "lost"

    elsewhere = lambda: "lost"  # noqa: E731
    elsewhere.__module__ = "elsewhere"
    decorated = cors_exempt(elsewhere)
    assert fetch(app, "/").status_code == 404
    (line,) = errors(caplog)
    assert lost.__qualname__ in line
    del decorated


def test_threads_read_the_views_once(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    applied: list[Function] = []
    inside, together = Event(), Barrier(8)

    def noting(view: Function) -> Function:
        if isinstance(view, FunctionType):  # and no method, as that of a request is
            applied.append(view)
            if len(applied) == 1:
                inside.set()
                together.wait()
        return view

    class Items(MethodView):
        method_decorators = (noting,)

        def get(self) -> str:
            return "get"

    lost = cors_exempt(lambda: "lost")
    app.add_url_rule("/items", view_func=Items.as_view("items"))

    def first(number: int) -> int:
        if number:
            inside.wait()
            together.wait()
        return fetch(app, "/items").status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(first, range(8))) == {200}
    assert len(applied) == len(errors(caplog)) == 1
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
    signal.alarm(20)  # ends it where it waits for the lock
    os._exit("Vary" in answer().headers)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
ended.set()
thread.join()
raise SystemExit(abs(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_child_forked_while_views_are_read_reads_them_itself() -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_another_living_application_serves_is_not_lost(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    other = Flask(__name__)
    CORSGuard(other, {"/": POLICY})
    internal = cors_exempt(lambda: "internal")
    other.add_url_rule("/internal", "internal", internal)
    assert fetch(app, "/").status_code == 404
    assert errors(caplog) == []
    del other
    gc.collect()
    late = Flask(__name__)
    CORSGuard(late, {"/": POLICY})
    assert fetch(late, "/").status_code == 404
    assert len(errors(caplog)) == 1
    del internal


def test_what_an_application_has_served_is_not_lost_with_it(
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
    assert errors(caplog) == []
    del internal


def test_what_a_class_decorates_at_each_request_is_not_lost(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    class Items(MethodView):
        method_decorators = (cors_exempt,)

        def get(self) -> str:
            return "get"

    app.add_url_rule("/items", view_func=Items.as_view("items"))
    of_request = cors_exempt(Items().get)
    assert "Vary" not in fetch(app, "/items").headers
    assert of_request() == "get"
    assert errors(caplog) == []


def test_what_a_class_has_composed_at_each_request_is_not_lost(
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
    of_request = private(Items().get)  # of a request that another thread answers meanwhile
    other = Flask(__name__)
    CORSGuard(other, {"/": POLICY})
    assert fetch(other, "/").status_code == 404
    assert "Vary" not in fetch(app, "/items").headers
    assert of_request() == "get"
    (line,) = errors(caplog)
    assert "Items.get" not in line
    del lost


LOST = """
CORSGuard(app, {"/": OF_PATH})

def opaque(view):
    return lambda: view()

@app.get("/lost")
@opaque
@cors_policy(PUBLIC)
def lost():
    return ""
"""


def test_check_reports_what_no_url_leads_to(tmp_path: Path) -> None:
    done = typed(tmp_path, APPLICATION + LOST, "check")
    line = (APPLICATION + LOST).splitlines().index('@app.get("/lost")') + 1
    place = tmp_path / "application.py"
    assert done.returncode == 1
    assert done.stdout == ""
    assert f'view "lost": lost ({place}:{line}) has a policy of its own' in done.stderr
    assert "[view-policy-unreachable]" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_reports_an_exempt_view_once(tmp_path: Path) -> None:
    source = "CORSGuard(app, {'/': OF_PATH})\n@cors_exempt\ndef lost(): ...\n"
    done = typed(tmp_path, APPLICATION + source, "check")
    assert (done.returncode, done.stderr.count("view-policy-unreachable")) == (1, 1)


def test_check_reports_what_a_wrapper_hides(tmp_path: Path) -> None:
    source = APPLICATION + LOST.replace("cors_policy(PUBLIC)", "cors_exempt")
    done = typed(tmp_path, source, "check")
    assert (done.returncode, done.stderr.count("view-policy-unreachable")) == (1, 1)


def test_check_of_views_that_were_typed_in_names_their_module() -> None:
    done = run(APPLICATION + LOST, "check")
    assert done.exit_code == 1
    assert 'view "lost": lost (module application) has a policy of its own' in done.stderr


LOOKED_AT = """
import installed
import named
from flask import Flask, request
from function import lost_function
from blueprint import api
from corsguard_flask import CORSGuard

app = Flask(__name__)
CORSGuard(app, allow_origins=["https://app.example.com"])
__import__("other")
"""


def test_check_looks_at_the_modules_that_the_application_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decorated = "from corsguard_flask import cors_exempt\n@cors_exempt\ndef {}(): ...\n"
    installed = tmp_path / "venv" / "site-packages"
    installed.mkdir(parents=True)
    (installed / "installed.py").write_text(decorated.format("installed"), encoding="utf-8")
    names = ("named", "function", "blueprint", "other")
    for name in names:
        source = decorated.format(f"lost_{name}")
        if name == "blueprint":
            source += "from flask import Blueprint\napi = Blueprint('api', __name__)\n"
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    (tmp_path / "looked_at.py").write_text(LOOKED_AT, encoding="utf-8")
    monkeypatch.syspath_prepend(installed)
    monkeypatch.syspath_prepend(tmp_path)
    for name in (*names, "installed", "looked_at"):  # taken out again afterwards
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.delitem(sys.modules, name)
    app: Flask = importlib.import_module("looked_at").app
    done = app.test_cli_runner().invoke(args=["cors", "check"])
    reported = {line.partition('"')[2].partition('"')[0] for line in done.stderr.splitlines()}
    assert reported == {"lost_named", "lost_function", "lost_blueprint"}


def test_check_of_an_application_whose_views_are_all_found() -> None:
    source = "CORSGuard(app, {'/': OF_PATH})\napp.add_url_rule('/', 'a', cors_exempt(lambda: ''))\n"
    done = run(APPLICATION + source, "check")
    assert (done.exit_code, done.stdout) == (0, "no problems\n")
