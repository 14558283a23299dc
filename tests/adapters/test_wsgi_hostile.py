"""Nothing of a request is sent back but an allowed origin and names that are tokens."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from support.application import Fields
from support.stacks.wsgi import application, environ_of, through_validator
from support.table import APP, by_name

from corsguard import Guard, Origin, Policy, Reason
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

APPS = [
    CORSMiddleware(application, guard)
    for guard in (
        Guard(Policy(allow_origins=["*"], allow_methods=["PUT"])),
        Guard(Policy(allow_origins=[lambda value: True])),
        Guard(Policy(allow_origins=[re.compile(r"https://[a-z]+\.example\.com")])),
        Guard({"/api": Policy(allow_origins=[APP])}, enforce=True),
        Guard(
            Policy(
                allow_origins=[lambda value: True, APP],
                allow_credentials=True,
                allow_methods=["*"],
                allow_headers=["*"],
            )
        ),
    )
]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]
HOSTILE = [
    "https://a.example\r\nSet-Cookie: a=1",
    f"{APP}\n",
    f"{APP}\x00",
    "x-a\r\n\r\n<script>",
    "x-a\x0b",
    "PUT\nX-Injected: 1",
    "https://\u202e.example",
]
LINES = [f"corsguard: {reason.words}\n".encode() for reason in Reason]
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

values = st.one_of(
    st.text(),
    st.sampled_from([APP, "null", "PUT", "x-a, x-b", "same-origin", "websocket", *HOSTILE]),
    st.from_regex(r"https://[a-z.]{1,9}(:\d{1,6})?", fullmatch=True),
    st.lists(st.text(min_size=1)).map(",".join),
)
requests = st.dictionaries(
    st.sampled_from(
        [
            "Access-Control-Request-Headers",
            "Access-Control-Request-Method",
            "Cookie",
            "Host",
            "Origin",
            "Sec-Fetch-Mode",
            "Sec-Fetch-Site",
            "Upgrade",
        ]
    ),
    values,
)


@given(app=st.sampled_from(APPS), method=st.sampled_from(METHODS), path=values, request=requests)
def test_any_request_gets_a_printable_and_valid_response(
    app: CORSMiddleware, method: str, path: str, request: dict[str, str]
) -> None:
    headers = list(request.items())
    status, fields, body = through_validator(app, environ_of(method, f"/items/{path}", headers))
    assert all(text.isascii() and text.isprintable() for text in chain(*fields))
    assert status in {200, 204, 403}
    if status != 200:
        assert body == b"" if status == 204 else body in LINES
    assert_nothing_is_echoed(fields, request.get("Origin"))


@given(names=values, method=values)
def test_wildcards_with_credentials_echo_only_tokens(names: str, method: str) -> None:
    asked = [
        ("Origin", APP),
        ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Headers", names),
    ]
    status, fields, _ = through_validator(APPS[-1], environ_of("OPTIONS", "/items", asked))
    assert status == 204
    assert_nothing_is_echoed(fields, APP)


def test_path_beyond_latin_1_matches_no_longer_prefix() -> None:
    # PEP 3333 rules them out, and a server that lets them through is no reason to fail.
    routes = {"/": None, "/a": Policy(allow_origins=[APP]), "/aé": Policy(allow_origins=["*"])}

    def answering(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    environ = {**environ_of("GET", "/", [("Origin", APP)]), "PATH_INFO": "/a\u0100"}
    status, _, _ = through_validator(CORSMiddleware(answering, Guard(routes)), environ)
    assert status == 200
    assert environ["corsguard.decision"].reason is Reason.NO_POLICY


def assert_nothing_is_echoed(fields: Fields, origin: str | None) -> None:
    sent = by_name(fields)
    allowed = sent.get("access-control-allow-origin", "*")
    assert allowed == "*" or (allowed == origin == str(Origin.parse(allowed)))
    for name in ("access-control-allow-methods", "access-control-allow-headers"):
        assert name not in sent or all(map(TOKEN.fullmatch, sent[name].split(", ")))
