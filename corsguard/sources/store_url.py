"""The URL of a store: the policy that it names, and the form of it that messages may show."""

from __future__ import annotations

import re
from urllib.parse import unquote

from corsguard.sources.redaction import redact
from corsguard.sources.source import SourceError

__all__ = ["DEFAULT_POLICY", "StoreURL"]

DEFAULT_POLICY = "default"

_POLICY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,50}")
"""A name without characters that keys, patterns and channels treat specially."""
_PASSWORD = re.compile(r"://[^:@]*:(.*)@", re.DOTALL)
_SECRET_OPTION = re.compile(r"[^=]*(?:password|passwd|secret|token)[^=]*=(.+)", re.IGNORECASE)


class StoreURL:
    """A URL with credentials, which neither its repr nor its `shown` form contains."""

    def __init__(self, url: str) -> None:
        """Parse a URL. Raises SourceError if its `policy` is not a valid name."""
        base, _, query = url.partition("?")
        options = [option for option in query.split("&") if option]
        names = [unquote(each[len("policy=") :]) for each in options if each.startswith("policy=")]
        others = [each for each in options if not each.startswith("policy=")]
        self.policy: str = names[-1] if names else DEFAULT_POLICY
        if not _POLICY_NAME.fullmatch(self.policy):
            raise SourceError(
                f"policy={self.policy!r} is not a valid name of a policy: "
                "use up to 50 letters, digits, '.', '_' and '-'."
            )
        self.for_client: str = "?".join([base, "&".join(others)] if others else [base])
        """The URL without `policy`. It has the credentials, so never show it."""
        # An "@" there may be one of a password, and then what is before it is not all of it.
        self.shown: str = f"{base.partition('://')[0]}://***" if "@" in query else redact(url)
        self._secrets = _find_secrets(base, others)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shown!r})"

    def describe(self, error: object) -> str:
        """Return an error in one line that begins with the URL and has no password."""
        line = " ".join(str(error).split()) or type(error).__name__
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return f"{self.shown}: {line}"


def _find_secrets(base: str, options: list[str]) -> list[str]:
    """Return the passwords of a URL as they are written and as they are sent, longest first."""
    found = [_PASSWORD.search(base), *map(_SECRET_OPTION.fullmatch, options)]
    written = [match[1] for match in found if match and match[1]]
    return sorted({*written, *map(unquote, written)}, key=len, reverse=True)
