"""The signature of a document, or of changes: a comment in the last line of its text.

    # corsguard-signature: document 12 hmac-sha256 3q2+7w...

It covers every byte before that line, the kind of the text and its version. So a text can't be
changed, nor taken for another version or kind. The algorithm is that of the key, whatever the line
says.

For version 12 of a document the signed bytes are `corsguard document 12`, a line feed, and the text
up to the signature line in UTF-8.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from os import PathLike, fspath
from typing import TYPE_CHECKING, Protocol

from corsguard.sources.source import SourceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

__all__ = [
    "SignatureError",
    "SigningKey",
    "VerifyingKey",
    "load_signing_key",
    "load_verifying_key",
    "read_signed_version",
    "remove_signature",
    "sign",
    "verify",
]

_START = "# corsguard-signature:"
_LINE = re.compile(
    rf"{_START} (document|changes) ([1-9][0-9]{{0,17}}) (hmac-sha256|ed25519) ([A-Za-z0-9+/]+=*)"
)
_ANY_SIGNATURE_LINE = re.compile(rf"^{_START}[^\n]*(?:\n|\Z)", re.MULTILINE)
_MIN_SECRET = 32
_DER_ED25519 = b"\x06\x03\x2b\x65\x70"  # the object identifier 1.3.101.112 (RFC 8410, 3)


class SignatureError(SourceError):
    """A text is not signed as the key requires, or a key can't be used."""


class VerifyingKey(Protocol):
    """A key that can tell if a text was signed with its counterpart."""

    @property
    def algorithm(self) -> str:
        """The name of the algorithm in a signature line."""
        ...

    def is_signature(self, signature: str, message: bytes) -> bool:
        """Return True if signature, in Base64, is that of message."""
        ...


class SigningKey(VerifyingKey, Protocol):
    """A key that can sign, and verify what it has signed."""

    def sign(self, message: bytes) -> str:
        """Return the signature of message in Base64."""
        ...


class _Secret:
    """A secret for HMAC-SHA256 (RFC 2104), with which texts are both signed and verified."""

    algorithm = "hmac-sha256"

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, message: bytes) -> str:
        return b64encode(hmac.digest(self._secret, message, "sha256")).decode("ascii")

    def is_signature(self, signature: str, message: bytes) -> bool:
        # The texts are compared, as Base64 can write the same bytes in more than one way.
        return hmac.compare_digest(signature, self.sign(message))


class _PublicKey:
    """An Ed25519 key that verifies (RFC 8032)."""

    algorithm = "ed25519"

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._public_key = key

    def is_signature(self, signature: str, message: bytes) -> bool:
        from base64 import b64decode

        from cryptography.exceptions import InvalidSignature

        try:
            decoded = b64decode(signature, validate=True)
            self._public_key.verify(decoded, message)
        except (ValueError, InvalidSignature):
            return False
        return b64encode(decoded).decode("ascii") == signature


class _PrivateKey(_PublicKey):
    """An Ed25519 key that signs."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        super().__init__(key.public_key())
        self._private_key = key

    def sign(self, message: bytes) -> str:
        return b64encode(self._private_key.sign(message)).decode("ascii")


def load_signing_key(path: str | PathLike[str]) -> SigningKey:
    """Return the key of a file that `sign` takes.

    A file in PEM is an Ed25519 private key, any other is a secret for HMAC-SHA256 of at least 32
    bytes, without white space around it. Raises SignatureError with what to do.
    """
    key = _load_key(path)
    if isinstance(key, (_Secret, _PrivateKey)):
        return key
    raise SignatureError(f"{fspath(path)} is a public key, which can't sign: use the private key")


def load_verifying_key(path: str | PathLike[str]) -> VerifyingKey:
    """Return the key of a file that `verify` takes.

    A file in PEM is an Ed25519 public key, any other is the secret that signs with HMAC-SHA256. A
    private key is refused, as whoever reads it can sign. Raises SignatureError with what to do.
    """
    key = _load_key(path)
    if not isinstance(key, _PrivateKey):
        return key
    raise SignatureError(
        f"{fspath(path)} is a private key, which a worker must not have: write its public key with"
        f" `openssl pkey -in {fspath(path)} -pubout -out corsguard-public.pem`"
    )


def sign(text: str, version: int, key: SigningKey, *, is_change: bool = False) -> str:
    """Return text with a signature in its last line, and without any earlier signature line.

    `version` is that of the revision, and `is_change` says that the text is changes.
    """
    if not 0 < version < 10**18:
        raise ValueError(f"{version} is not the version of a revision")
    body = remove_signature(text)
    if body and not body.endswith("\n"):
        body += "\n"
    kind = _name_kind(is_change)
    signature = key.sign(_build_message(kind, str(version), body))
    return f"{body}{_START} {kind} {version} {key.algorithm} {signature}\n"


def verify(text: str, key: VerifyingKey, *, is_change: bool = False) -> int:
    """Return the version that is signed in text. Raise SignatureError unless it is signed by key.

    The signature line must be the last one and the only one, and end with one line feed.
    """
    kind, noun = _name_kind(is_change), "change" if is_change else "document"
    body, line = _split(text)
    count = len(_ANY_SIGNATURE_LINE.findall(text))
    if not count:
        raise SignatureError(f"the {noun} is not signed, and a key is configured")
    if count > 1:
        raise SignatureError(f"the {noun} has more than one signature line")
    if not line.startswith(_START):
        raise SignatureError(f"the signature of the {noun} must be its last line, with a line feed")
    match = _LINE.fullmatch(line)
    if match is None:
        raise SignatureError(f"the signature line of the {noun} is malformed")
    signed_kind, version, algorithm, signature = match.groups()
    if signed_kind != kind:
        raise SignatureError(f"the signature is for {signed_kind}, and this is a {noun}")
    if algorithm != key.algorithm:
        raise SignatureError(
            f"the {noun} is signed with {algorithm}, and the key is for {key.algorithm}"
        )
    if not key.is_signature(signature, _build_message(kind, version, body)):
        raise SignatureError(
            f"the signature of the {noun} does not match: somebody has changed it, or it is signed"
            " with another key"
        )
    return int(version)


def read_signed_version(text: str) -> int | None:
    """Return the version in the signature line of text, which is not verified; None without one."""
    match = _LINE.fullmatch(_split(text)[1])
    return int(match[2]) if match else None


def remove_signature(text: str) -> str:
    """Return text without its signature line, wherever that is."""
    return _ANY_SIGNATURE_LINE.sub("", text)


def _split(text: str) -> tuple[str, str]:
    """Return what a signature covers, and the last line, which is empty without a line feed."""
    start, newline, end = text.rpartition("\n")
    if end:
        return text, ""
    body, newline, line = start.rpartition("\n")
    return body + newline, line


def _name_kind(is_change: bool) -> str:
    return "changes" if is_change else "document"


def _build_message(kind: str, version: str, body: str) -> bytes:
    # A surrogate, which UTF-8 does not have, must not end a worker with another error.
    return f"corsguard {kind} {version}\n{body}".encode("utf-8", "surrogatepass")


def _load_key(path: str | PathLike[str]) -> _Secret | _PublicKey:
    name = fspath(path)
    try:
        with open(path, "rb") as file:
            content = file.read().strip()
    except OSError as error:
        raise SignatureError(f"{name}: can't be read: {error.strerror or error}") from None
    if b"-----BEGIN " in content:
        return _load_pem(name, content)
    if _DER_ED25519 in content[:20] or content.startswith(b"ssh-"):
        # Else a public key, which anybody may have, would be the secret.
        raise SignatureError(f"{name} is a key, but not in PEM, which openssl writes by default")
    if len(content) < _MIN_SECRET:
        raise SignatureError(
            f"{name}: the secret has {len(content)} bytes, and needs {_MIN_SECRET} or more: write"
            f" a random one with `openssl rand -base64 48 > {name}`"
        )
    return _Secret(content)


def _load_pem(name: str, content: bytes) -> _PublicKey:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ed25519
        from cryptography.hazmat.primitives.serialization import (
            load_pem_private_key,
            load_pem_public_key,
        )
    except ImportError:
        message = f'{name} is an Ed25519 key, which needs: pip install "corsguard[sign]"'
        raise SignatureError(message) from None
    try:
        if b" PUBLIC KEY-----" in content:
            public = load_pem_public_key(content)
            if isinstance(public, ed25519.Ed25519PublicKey):
                return _PublicKey(public)
        else:
            private = load_pem_private_key(content, None)
            if isinstance(private, ed25519.Ed25519PrivateKey):
                return _PrivateKey(private)
    except TypeError:
        raise SignatureError(
            f"{name} is encrypted: decrypt it with `openssl pkey -in {name} -out FILE`"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        pass  # whose messages are several lines, and may quote the key
    raise SignatureError(
        f"{name} is not an Ed25519 key in PEM: write one with"
        f" `openssl genpkey -algorithm ed25519 -out {name}`"
    )
