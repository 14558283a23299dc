"""The message in Chromium's console, to the letter."""

from __future__ import annotations

import pytest
from support.scripted_server import (
    API,
    CREDENTIALS,
    OTHER,
    OWN,
    PAGE,
    allow,
    allow_preflight,
    answer,
    play,
    redirect,
)

from corsguard.browser import Exchange

REFUSED = f"Access to fetch at '{API}' from origin '{PAGE}' has been blocked by CORS policy: "
PREFLIGHT = f"{REFUSED}Response to preflight request doesn't pass access control check: "
HEADER = "The 'Access-Control-Allow-Origin' header"
ADVICE = "Have the server send the header with a valid value."
SCHEMES = (
    "Cross origin requests are only supported for protocol schemes: chrome, "
    "chrome-experimental-site-token-provider, chrome-extension, chrome-untrusted, data, http, "
    "https, isolated-app."
)
XHR = "XMLHttpRequest"
MISSING = "No 'Access-Control-Allow-Origin' header is present on the requested resource."
USERINFO = (
    "Redirect location '' contains a username and password, which is disallowed for "
    "cross-origin requests."
)


@pytest.mark.parametrize(
    ("exchange", "text"),
    [
        (play(answer()), REFUSED + MISSING),
        (
            play(allow(origin="null")),
            f"{REFUSED}{HEADER} has a value 'null' that is not equal to the supplied origin. "
            f"{ADVICE}",
        ),
        (
            play(allow(origin=f"{PAGE}\x0b")),
            f"{REFUSED}{HEADER} has a value '{PAGE}\\u000B' that is not equal to the supplied "
            f"origin. {ADVICE}",
        ),
        (
            play(allow(origin="a\x8d\xe9\x7f")),
            f"{REFUSED}{HEADER} contains the invalid value 'a\\u008D\\u00E9\\u007F'. {ADVICE}",
        ),
        (
            play(allow(origin="foo")),
            f"{REFUSED}{HEADER} contains the invalid value 'foo'. {ADVICE}",
        ),
        (
            play(allow(origin="*, *")),
            f"{REFUSED}{HEADER} contains multiple values '*, *', but only one is allowed. {ADVICE}",
        ),
        (
            play(allow(origin="*"), credentials="include"),
            f"{REFUSED}The value of the 'Access-Control-Allow-Origin' header in the response must "
            "not be the wildcard '*' when the request's credentials mode is 'include'.",
        ),
        (
            play(allow(), credentials="include"),
            f"{REFUSED}The value of the 'Access-Control-Allow-Credentials' header in the response "
            "is '' which must be 'true' when the request's credentials mode is 'include'.",
        ),
        (play(answer(), method="PUT"), PREFLIGHT + MISSING),
        (play(allow(status=404), method="PUT"), f"{PREFLIGHT}It does not have HTTP ok status."),
        (
            play(redirect(API), method="PUT"),
            f"{PREFLIGHT}Redirect is not allowed for a preflight request.",
        ),
        (
            play(allow_preflight(), method="PUT", headers={"X-A": "1"}),
            f"{REFUSED}Method PUT is not allowed by Access-Control-Allow-Methods in preflight "
            "response.",
        ),
        (
            play(allow_preflight(), headers={"X-A": "1"}),
            f"{REFUSED}Request header field x-a is not allowed by Access-Control-Allow-Headers in "
            "preflight response.",
        ),
        (
            play(allow_preflight("(bad)"), method="PUT"),
            f"{REFUSED}Cannot parse Access-Control-Allow-Methods response header field in "
            "preflight response.",
        ),
        (
            play(allow_preflight(None, "(bad)"), method="PUT"),
            f"{REFUSED}Cannot parse Access-Control-Allow-Headers response header field in "
            "preflight response.",
        ),
        (play(redirect("https://a@other.example/", origin=PAGE)), REFUSED + USERINFO),
        (
            play(redirect(f"{OTHER}#top", origin=PAGE), answer()),
            f"Access to fetch at '{OTHER}#top' (redirected from '{API}') from origin '{PAGE}' has "
            f"been blocked by CORS policy: {MISSING}",
        ),
        (
            play(redirect("foo:\x1b\xe9 #\x1b <", origin=PAGE)),
            f"Access to fetch at 'foo:%1B%C3%A9 #%1B%20%3C' (redirected from '{API}') from origin "
            f"'{PAGE}' has been blocked by CORS policy: {SCHEMES}",
        ),
        (
            play(
                *[allow(*[("Location", "https://a@other.example/")] * 2, status=302)],
                engine="chromium",
            ),
            REFUSED + USERINFO,
        ),
        (
            play(redirect("ftp://x/", origin=PAGE)),
            f"Access to fetch at 'ftp://x/' (redirected from '{API}') from origin '{PAGE}' has "
            f"been blocked by CORS policy: {SCHEMES}",
        ),
        (
            play(mode="same-origin"),
            f'Fetch API cannot load {API}. Request mode is "same-origin" but the URL\'s origin is '
            f"not same as the request origin {PAGE}.",
        ),
        (
            play(redirect(API), url=OWN, mode="same-origin"),
            f"Unsafe attempt to load URL {API} from frame with URL {PAGE}/. Domains, protocols "
            "and ports must match.",
        ),
        (
            play(mode="no-cors", redirect="error"),
            f'Fetch API cannot load {API}. Request mode is "no-cors" but the redirect mode is not '
            '"follow".',
        ),
        (
            play(url="localhost:8000/x"),
            'Fetch API cannot load localhost:8000/x. URL scheme "localhost" is not supported.',
        ),
        (
            play(answer(), upload_listener=True, method="POST", body=b"1"),
            f"{PREFLIGHT}{MISSING}".replace("fetch", "XMLHttpRequest"),
        ),
        (
            play(allow(origin="foo"), upload_listener=True, engine="chromium"),
            f"{REFUSED}{HEADER} contains the invalid value 'foo'.".replace("fetch", XHR),
        ),
        (
            play(
                allow(origin="*"),
                upload_listener=True,
                credentials="include",
                engine="chromium",
            ),
            f"{REFUSED.replace('fetch', XHR)}The value of the 'Access-Control-Allow-Origin' header "
            "in the response must not be the wildcard '*' when the request's credentials mode is "
            "'include'. The "
            "credentials mode of requests initiated by the XMLHttpRequest is controlled by the "
            "withCredentials attribute.",
        ),
        (
            play(url="foo://x/", upload_listener=True),
            f"Access to XMLHttpRequest at 'foo://x/' from origin '{PAGE}' has been blocked by CORS "
            f"policy: {SCHEMES}",
        ),
    ],
)
def test_message_matches_chromium(exchange: Exchange, text: str) -> None:
    assert exchange.console == text


def test_redirect_keeps_the_fragment() -> None:
    exchange = play(redirect(OTHER, origin=PAGE), answer(), url=f"{API}#top")
    assert f"'{OTHER}#top' (redirected from '{API}#top')" in exchange.console
    assert [hop.sent.url for hop in exchange.hops] == [API, OTHER]


@pytest.mark.parametrize(
    "exchange",
    [
        play(allow()),
        play(url="https://"),
        play(url="data:,x"),
        play(url="ftp://x/", upload_listener=True),
        play(redirect("data:,x", origin=PAGE)),
        play(redirect("file:///x", origin=PAGE)),
        play(redirect("http://", origin=PAGE)),
        play(redirect(OTHER.replace("//", "//a@")), mode="no-cors", engine="chromium"),
        play(redirect(OWN.replace("//", "//a@")), url=OWN, engine="chromium"),
        play(answer(("Cross-Origin-Resource-Policy", "same-origin")), mode="no-cors"),
        play(allow(CREDENTIALS), credentials="include"),
    ],
)
def test_message_is_empty_where_chromium_prints_none(exchange: Exchange) -> None:
    assert exchange.console == ""
