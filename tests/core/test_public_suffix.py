"""The Public Suffix List, and the services that it lacks."""

from __future__ import annotations

import re

import pytest
from publicsuffixlist import PublicSuffixList

from corsguard import Policy, PolicyError
from corsguard.public_suffix import (
    covers_public_suffix,
    find_registrable_domain,
    find_suffix,
    is_public_suffix,
)

LIST = PublicSuffixList()
NAMES = [
    *("com", "example.com", "a.example.com", "co.uk", "uk", "a.b.co.uk", "unknown", "a.b.unknown"),
    *("ck", "www.ck", "a.www.ck", "x.ck", "a.x.ck", "kobe.jp", "city.kobe.jp", "a.b.kobe.jp"),
    *("github.io", "a.github.io", "b.a.github.io", "amazonaws.com", "s3.amazonaws.com"),
    *("xn--p1ai", "a.xn--p1ai", "xn--vler-qoa.xn--stfold-9xa.no", "localhost", "a.localhost"),
    *("A.Example.COM", "example.com.", "a..com", ".com", "", "127.0.0.1"),
]


@pytest.mark.parametrize("name", NAMES)
def test_public_suffix_agrees_with_publicsuffixlist(name: str) -> None:
    assert is_public_suffix(name) == LIST.is_public(name)
    assert find_registrable_domain(name) == (LIST.privatesuffix(name) or name)


OPEN = [
    *("nip.io", "1.nip.io", "0.0.1.nip.io", "app.sslip.io", "traefik.me", "loca.lt", "serveo.net"),
    *("10.0.0.1.nip.io", "app.10.0.0.1.nip.io", "app-10-0-0-1.sslip.io", "10-0-0-1.traefik.me"),
    *("10.0.0.1.sslip.io", "203-0-113-7.10.0.0.1.sslip.io", "0a000001.nip.io", "--1.sslip.io"),
    *("lhr.life", "share.zrok.io", "pagekite.me", "exp.direct", "devtunnels.ms"),
    *("euw.devtunnels.ms", "app.github.dev", "github.dev", "gitpod.io", "ws-eu1.gitpod.io"),
    *("codesandbox.io", "sse.codesandbox.io", "stackblitz.io", "webcontainer.io"),
    *("local.webcontainer.io", "webcontainer-api.io", "gradio.live"),
    *("2.azurestaticapps.net", "westeurope.2.azurestaticapps.net"),
    *("ngrok-free.app", "trycloudflare.com", "csb.app", "vercel.app"),  # of the list itself
]


@pytest.mark.parametrize("suffix", OPEN)
def test_public_suffix_of_unlisted_services_is_known(suffix: str) -> None:
    assert covers_public_suffix(suffix)
    with pytest.raises(PolicyError) as caught:
        Policy(allow_origins=[f"https://*.{suffix}"], allow_credentials=True)
    assert [problem.code for problem in caught.value.problems] == ["origin-public-suffix"]
    assert Policy(allow_origins=[f"https://*.{suffix}"])


@pytest.mark.parametrize(
    "host",
    [
        *("mine.app.github.dev", "mine.loca.lt", "mine.ws-eu1.gitpod.io", "mine.x.devtunnels.ms"),
        *("notnip.io", "loca.lt.example.com", "calm-sea-0a1.westeurope.2.azurestaticapps.net"),
    ],
)
def test_name_below_a_hosted_name_is_accepted(host: str) -> None:
    assert not covers_public_suffix(host)
    assert Policy(allow_origins=[f"https://*.{host}"], allow_credentials=True)


@pytest.mark.parametrize("suffix", ["nip.io", "gitpod.io", "app.github.dev"])
def test_unlisted_services_are_private_and_not_published(suffix: str) -> None:
    assert find_suffix(f"a.{suffix}").private
    assert not is_public_suffix(suffix)


@pytest.mark.parametrize("service", ["nip.io", "sslip.io", "traefik.me"])
@pytest.mark.parametrize("name", ["10-0-0-1", "10.0.0.1", "app.10.0.0.1", "a.b-10-0-0-1"])
def test_name_with_an_address_is_accepted_alone(name: str, service: str) -> None:
    host = f"{name}.{service}"
    assert find_suffix(host) == (host.count(".") + 1, True)
    assert Policy(allow_origins=[f"https://{host}"], allow_credentials=True)
    with pytest.raises(PolicyError) as caught:
        Policy(allow_origins=[f"https://*.{host}:8443"], allow_credentials=True)
    (problem,) = caught.value.problems
    assert problem.code == "origin-public-suffix"
    assert problem.suggestion.startswith(f"list each name, such as https://your-name.{host}:8443")
    for labels in ("[a-z0-9-]+", "[a-z0-9.-]+"):
        expression = re.compile(rf"https://{labels}\.{re.escape(host)}")
        assert Policy(allow_origins=[expression])
        with pytest.raises(PolicyError) as caught:
            Policy(allow_origins=[expression], allow_credentials=True)
        assert [problem.code for problem in caught.value.problems] == ["regex-too-wide"]
    known = re.compile(rf"https://(?:a|b)\.{re.escape(host)}")
    assert Policy(allow_origins=[known], allow_credentials=True)
