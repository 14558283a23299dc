"""The suffixes under which anyone can register a name: the Public Suffix List, and some more.

Start-up only. Hosts are in ASCII, as browsers write them.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

__all__ = [
    "SuffixMatch",
    "covers_public_suffix",
    "explain_naming",
    "find_registrable_domain",
    "find_suffix",
    "is_public_suffix",
    "is_reserved",
    "list_labels_below",
    "list_private_label_ends",
    "reserve_label",
]

# Suffixes that the Public Suffix List lacks (looked up in its version of 2026-10-22), although
# these services give anyone a name under them that serves pages of its owner.
_UNLISTED_SERVICES = """
    loca.lt                 localtunnel: names of tunnels
    serveo.net              Serveo: names of tunnels
    lhr.life                localhost.run: names of tunnels
    share.zrok.io           zrok: names of public shares
    pagekite.me             PageKite: names of tunnels
    exp.direct              Expo: names of tunnels to a development server
    devtunnels.ms           Microsoft dev tunnels: NAME-PORT.REGION.devtunnels.ms
    *.devtunnels.ms
    app.github.dev          GitHub Codespaces: forwarded ports, NAME-PORT.app.github.dev
    gitpod.io               Gitpod: ports of a workspace, PORT-NAME.REGION.gitpod.io
    *.gitpod.io
    codesandbox.io          CodeSandbox: previews, NAME.codesandbox.io and NAME.sse.codesandbox.io
    sse.codesandbox.io
    stackblitz.io           StackBlitz: previews
    webcontainer.io         StackBlitz: previews, NAME.local-credentialless.webcontainer.io
    *.webcontainer.io
    webcontainer-api.io     StackBlitz: previews of others' WebContainers
    *.webcontainer-api.io
    gradio.live             Gradio: names of shared demos
    *.1.azurestaticapps.net Azure Static Web Apps: previews, NAME-PULL.REGION.1.(the same)
    *.2.azurestaticapps.net
    *.3.azurestaticapps.net
    *.4.azurestaticapps.net
    *.5.azurestaticapps.net
    *.6.azurestaticapps.net
    *.7.azurestaticapps.net
"""
# Services whose names are addresses: 10.0.0.1.nip.io resolves to 10.0.0.1. They differ in which of
# several addresses they use (203-0-113-7.10.0.0.1.sslip.io resolves to 203.0.113.7), so anyone can
# have a name below any other.
_ADDRESS_SERVICES = ("nip.io", "sslip.io", "traefik.me")

# Suffixes under which the end of a label names its owner. Netlify serves the deploys of SITE as
# `https://ANYTHING--SITE.netlify.app` (docs.netlify.com, "Manage domains for Deploy Previews"), and
# names of sites have no `--`.
_OWNER_ENDS = {"netlify.app": "--"}
# Suffixes under which previews have names that look like their owner's, but are not reserved.
_UNRESERVED = {
    "vercel.app": "; Vercel does not reserve PROJECT-*-TEAM: anyone can name a project so",
}


class SuffixMatch(NamedTuple):
    """A public suffix of a name."""

    labels: int
    """The number of its labels, counted from the end of the name."""
    private: bool
    """True if a company gives away the names under it, as under github.io. Else they are sold."""


def is_public_suffix(host: str) -> bool:
    """Return True if host is on the Public Suffix List: anyone can register a name under it."""
    labels = _split_labels(host)
    return "" not in labels and _load_published_list().match(labels).labels == len(labels)


def covers_public_suffix(host: str) -> bool:
    """Return True if anyone can register a name under host, or under a name below host.

    Such names are below amazonaws.com, for example.
    """
    labels = _split_labels(host)
    return find_suffix(host).labels == len(labels) or bool(list_labels_below(".".join(labels)))


def is_reserved(label: str, host: str) -> bool:
    """Return True if only one owner can have the names that a label with `*` covers under host."""
    if host not in _OWNER_ENDS:
        return False
    separator = _OWNER_ENDS[host]
    before, found, owner = label.rpartition("*")[2].rpartition(separator)
    return bool(found and owner) and separator not in before and not before.endswith("-")


def reserve_label(label: str, host: str) -> str:
    """Return a label with `*` for the same owner that is reserved; empty where none is known."""
    start, _, end = label.rpartition("*")
    owner = end.strip("-")
    return f"{start}*{_OWNER_ENDS[host]}{owner}" if host in _OWNER_ENDS and owner else ""


def explain_naming(host: str) -> str:
    """Return what a provider does not reserve under host; empty where nobody would expect it."""
    return _UNRESERVED.get(host, "")


def find_registrable_domain(host: str) -> str:
    """Return the part of host that has one owner: example.co.uk of a.example.co.uk."""
    labels = _split_labels(host)
    length = _load_published_list().match(labels).labels + 1
    return ".".join(labels[-length:]) if "" not in labels and length <= len(labels) else host


def find_suffix(name: str) -> SuffixMatch:
    """Return the longest suffix of name under which anyone can register a name."""
    labels = _split_labels(name)
    whole = ".".join(labels)
    if any(whole == service or whole.endswith(f".{service}") for service in _ADDRESS_SERVICES):
        return SuffixMatch(len(labels), private=True)
    return _load_extended_list().match(labels)


def list_labels_below(name: str) -> frozenset[str]:
    """Return the labels right before name in the rules of the list, possibly with `*`."""
    return _load_extended_list().below.get(name, frozenset())


@cache
def list_private_label_ends(name: str) -> frozenset[str]:
    """Return the ends of the labels right before name that may lead to a private suffix."""
    whole = (
        each
        for each in list_labels_below(name)
        if f"{each}.{name}".strip(".") in _load_extended_list().to_private
    )
    return frozenset(label[at:] for label in whole for at in range(len(label)))


class _SuffixList(NamedTuple):
    """The rules of a Public Suffix List."""

    rules: dict[str, bool]
    """Rule -> True if it is in the private section."""
    below: dict[str, frozenset[str]]
    """Name -> the labels right before it. The empty name has the top-level domains."""
    to_private: frozenset[str]
    """The names of private rules, and all ends of these names."""

    def match(self, labels: list[str]) -> SuffixMatch:
        """Return the public suffix of a name (publicsuffix.org, "Algorithm")."""
        for start in range(len(labels)):
            name = ".".join(labels[start:])
            length = len(labels) - start
            if (private := self.rules.get(f"!{name}")) is not None:
                return SuffixMatch(length - 1, private)
            if (private := self.rules.get(f"*.{name}")) is not None:
                return SuffixMatch(min(length + 1, len(labels)), private)
            if (private := self.rules.get(name)) is not None:
                return SuffixMatch(length, private)
        return SuffixMatch(1, private=False)


def _split_labels(name: str) -> list[str]:
    return name.removesuffix(".").lower().split(".")


@cache
def _load_published_list() -> _SuffixList:
    from publicsuffixlist import PSLFILE

    rules: dict[str, bool] = {}
    private = False
    with open(PSLFILE, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("//"):
                private = private or "===BEGIN PRIVATE DOMAINS===" in line
            elif rule := line.strip().lower():
                rules[rule if rule.isascii() else _encode_rule(rule)] = private
    return _build_list(rules)


@cache
def _load_extended_list() -> _SuffixList:
    """Return the published list with the services that it lacks."""
    missing = [line.split()[0] for line in _UNLISTED_SERVICES.strip().splitlines()]
    return _build_list(
        {**dict.fromkeys((*missing, *_ADDRESS_SERVICES), True), **_load_published_list().rules}
    )


def _build_list(rules: dict[str, bool]) -> _SuffixList:
    below: dict[str, set[str]] = {}
    to_private: set[str] = set()
    for rule, private in rules.items():
        name = rule.removeprefix("!")
        while name:
            if private:
                to_private.add(name)
            label, _, name = name.partition(".")
            below.setdefault(name, set()).add(label)
    frozen = {name: frozenset(labels) for name, labels in below.items()}
    return _SuffixList(rules, frozen, frozenset(to_private))


def _encode_rule(rule: str) -> str:
    """Return a rule in ASCII, as browsers write hosts."""
    labels = rule.removeprefix("!").split(".")
    encoded = (each if each.isascii() else each.encode("idna").decode("ascii") for each in labels)
    return "!" * rule.startswith("!") + ".".join(encoded)
