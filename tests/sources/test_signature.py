"""Signatures: what is covered, which texts are refused, and the files of keys."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from corsguard.sources import SourceError
from corsguard.sources.signature import (
    SignatureError,
    SigningKey,
    VerifyingKey,
    load_signing_key,
    load_verifying_key,
    read_signed_version,
    sign,
    verify,
)

TEXT = 'allow_origins = ["https://app.example.com"]\n'
SECRET = b"a secret of thirty-two bytes, or of more"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PRIVATE_PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC_PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
ALGORITHMS = ("hmac-sha256", "ed25519")
Keys = dict[str, tuple[SigningKey, VerifyingKey]]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Algorithm -> the key that signs, and the one that verifies."""
    folder = tmp_path_factory.mktemp("keys")
    files = {"secret": SECRET, "private.pem": PRIVATE_PEM, "public.pem": PUBLIC_PEM}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {
        "hmac-sha256": (load_signing_key(folder / "secret"), load_verifying_key(folder / "secret")),
        "ed25519": (
            load_signing_key(folder / "private.pem"),
            load_verifying_key(folder / "public.pem"),
        ),
    }


@pytest.fixture(params=ALGORITHMS)
def pair(request: pytest.FixtureRequest, keys: Keys) -> tuple[SigningKey, VerifyingKey]:
    return keys[request.param]


def refuse(text: str, key: VerifyingKey, *, is_change: bool = False) -> str:
    """Return why a text is refused."""
    with pytest.raises(SignatureError) as refused:
        verify(text, key, is_change=is_change)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_signature_is_the_last_line_of_the_text(keys: Keys) -> None:
    signed = sign(TEXT, 12, keys["hmac-sha256"][0])

    assert signed.startswith(f"{TEXT}# corsguard-signature: document 12 hmac-sha256 ")
    assert signed.endswith("=\n")
    assert signed.count("\n") == 2


def test_signed_text_names_its_version(pair: tuple[SigningKey, VerifyingKey]) -> None:
    signed = sign(TEXT, 12, pair[0])

    assert verify(signed, pair[1]) == 12
    assert verify(signed, pair[0]) == 12
    assert read_signed_version(signed) == 12


def test_signed_changes_are_no_document(pair: tuple[SigningKey, VerifyingKey]) -> None:
    changes = sign("[changes.a]\n", 13, pair[0], is_change=True)

    assert verify(changes, pair[1], is_change=True) == 13
    assert refuse(changes, pair[1]) == "the signature is for changes, and this is a document"
    assert "is for document" in refuse(sign(TEXT, 1, pair[0]), pair[1], is_change=True)


@pytest.mark.parametrize("old", ["document 12", "changes 12"])
def test_kind_and_version_in_the_line_are_signed(
    pair: tuple[SigningKey, VerifyingKey], old: str
) -> None:
    is_change = old.startswith("changes")
    signed = sign(TEXT, 12, pair[0], is_change=is_change)

    other_version = signed.replace(old, old.replace("12", "13"))
    assert "does not match" in refuse(other_version, pair[1], is_change=is_change)
    other_kind = signed.replace(old, "document 12" if is_change else "changes 12")
    assert "does not match" in refuse(other_kind, pair[1], is_change=not is_change)


def test_signing_again_replaces_the_signature(pair: tuple[SigningKey, VerifyingKey]) -> None:
    first = sign(TEXT, 12, pair[0])
    edited = f"{first}enforce = true\n"

    assert sign(first, 13, pair[0]) == sign(TEXT, 13, pair[0])
    assert sign(edited, 13, pair[0]) == sign(f"{TEXT}enforce = true\n", 13, pair[0])
    assert sign(first.rstrip("\n"), 13, pair[0]) == sign(TEXT, 13, pair[0])


def test_text_without_signature_is_refused(pair: tuple[SigningKey, VerifyingKey]) -> None:
    assert refuse(TEXT, pair[1]) == "the document is not signed, and a key is configured"
    assert refuse("", pair[1]) == "the document is not signed, and a key is configured"
    assert refuse(TEXT, pair[1], is_change=True).startswith("the change is not signed")
    assert read_signed_version(TEXT) is None
    assert read_signed_version("") is None


def test_line_that_is_not_the_last_is_refused(pair: tuple[SigningKey, VerifyingKey]) -> None:
    signed = sign(TEXT, 12, pair[0])
    wrong = "the signature of the document must be its last line, with a line feed"

    for text in (f"{signed}enforce = false\n", f"{signed}\n", f"{signed} ", signed[:-1]):
        assert refuse(text, pair[1]) == wrong
        assert read_signed_version(text) is None


def test_second_signature_line_is_refused(pair: tuple[SigningKey, VerifyingKey]) -> None:
    signed = sign(TEXT, 12, pair[0])
    line = signed.splitlines(keepends=True)[-1]

    assert refuse(signed + line, pair[1]) == "the document has more than one signature line"
    assert refuse(f"# corsguard-signature: x\n{signed}", pair[1]).endswith("signature line")


def test_text_whose_line_ends_were_rewritten_is_refused(
    pair: tuple[SigningKey, VerifyingKey],
) -> None:
    signed = sign(TEXT, 12, pair[0])

    assert "malformed" in refuse(signed.replace("\n", "\r\n"), pair[1])
    dos = sign(TEXT.replace("\n", "\r\n"), 12, pair[0])
    assert verify(dos, pair[1]) == 12
    assert "does not match" in refuse(dos.replace("\r\n", "\n"), pair[1])


@pytest.mark.parametrize(
    "line",
    [
        "",
        " document 12 hmac-sha256",
        " document 012 hmac-sha256 AAAA",
        " document 0 hmac-sha256 AAAA",
        " document -1 hmac-sha256 AAAA",
        " document \u0661 hmac-sha256 AAAA",
        f" document {10**18} hmac-sha256 AAAA",
        " document 12 none AAAA",
        " document 12 hmac-sha256 AA-_",
        " document 12 hmac-sha256 AAAA AAAA",
        "document 12 hmac-sha256 AAAA",
    ],
)
def test_malformed_line_is_refused(keys: Keys, line: str) -> None:
    text = f"{TEXT}# corsguard-signature:{line}\n"

    assert refuse(text, keys["hmac-sha256"][1]) == (
        "the signature line of the document is malformed"
    )
    assert read_signed_version(text) is None


def test_key_decides_about_the_algorithm(keys: Keys) -> None:
    by_secret, by_pair = (sign(TEXT, 12, keys[name][0]) for name in ALGORITHMS)

    assert refuse(by_secret, keys["ed25519"][1]) == (
        "the document is signed with hmac-sha256, and the key is for ed25519"
    )
    assert "the key is for hmac-sha256" in refuse(by_pair, keys["hmac-sha256"][1])


def test_signature_of_another_key_is_refused(tmp_path: Path, keys: Keys) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"another secret, which is as long as the first")

    assert refuse(sign(TEXT, 12, load_signing_key(other)), keys["hmac-sha256"][1]) == (
        "the signature of the document does not match: somebody has changed it, or it is signed"
        " with another key"
    )


def test_signature_in_another_spelling_is_refused(pair: tuple[SigningKey, VerifyingKey]) -> None:
    start, _, signature = sign(TEXT, 12, pair[0]).strip().rpartition(" ")
    last = signature.rstrip("=")[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = signature.replace(f"{last}=", f"{alphabet[alphabet.index(last) + 1]}=")

    assert base64.b64decode(other) == base64.b64decode(signature)
    assert "does not match" in refuse(f"{start} {other}\n", pair[1])
    assert "does not match" in refuse(f"{start} {signature.rstrip('=')}\n", pair[1])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_change_of_any_one_character_is_refused(keys: Keys, algorithm: str) -> None:
    signing, verifying = keys[algorithm]
    signed = sign(TEXT, 12, signing)

    for at, character in enumerate(signed):
        for other in {"", "x", "\n", " ", "\r", "0", "=", "A", chr(ord(character) ^ 1)}:
            if other != character:
                refuse(signed[:at] + other + signed[at + 1 :], verifying)
        refuse(f"{signed[:at]}x{signed[at:]}", verifying)
        refuse(f"{signed[:at]}\n{signed[at:]}", verifying)


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(st.characters() | st.sampled_from("\n\r# \ud800")),
    version=st.integers(1, 10**18 - 1),
    is_change=st.booleans(),
    algorithm=st.sampled_from(ALGORITHMS),
)
def test_any_text_that_is_signed_is_verified(
    keys: Keys, text: str, version: int, is_change: bool, algorithm: str
) -> None:
    signing, verifying = keys[algorithm]
    signed = sign(text, version, signing, is_change=is_change)

    assert verify(signed, verifying, is_change=is_change) == version
    assert read_signed_version(signed) == version
    assert signed.startswith(text)
    assert sign(signed, version, signing, is_change=is_change) == signed


@settings(max_examples=200, deadline=None)
@given(data=st.data(), algorithm=st.sampled_from(ALGORITHMS))
def test_change_of_any_one_byte_is_refused(keys: Keys, data: st.DataObject, algorithm: str) -> None:
    signing, verifying = keys[algorithm]
    text = data.draw(st.text(max_size=30))
    signed = sign(text, 7, signing).encode()
    at = data.draw(st.integers(0, len(signed) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda each: each != signed[at]))
    changed = signed[:at] + bytes([byte]) + signed[at + 1 :]

    refuse(changed.decode("utf-8", "surrogateescape"), verifying)


@pytest.mark.parametrize("version", [0, -1, 10**18])
def test_version_of_no_revision_is_not_signed(keys: Keys, version: int) -> None:
    with pytest.raises(ValueError, match="is not the version of a revision"):
        sign(TEXT, version, keys["hmac-sha256"][0])


def write(folder: Path, content: bytes) -> str:
    file = folder / "key"
    file.write_bytes(content)
    return str(file)


def test_white_space_around_a_secret_is_no_part_of_it(tmp_path: Path, keys: Keys) -> None:
    file = write(tmp_path, b"\n " + SECRET + b"\r\n")

    assert verify(sign(TEXT, 1, load_signing_key(file)), keys["hmac-sha256"][1]) == 1


def test_weak_secret_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = write(tmp_path, b"  " + b"x" * 31 + b"\n")

    for load in (load_signing_key, load_verifying_key):
        with pytest.raises(SignatureError) as refused:
            load(file)
        assert str(refused.value) == (
            f"{file}: the secret has 31 bytes, and needs 32 or more: write a random one with"
            f" `openssl rand -base64 48 > {file}`"
        )


def test_missing_file_of_a_key_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^.*/none: can't be read: No such file or directory$"):
        load_signing_key(tmp_path / "none")


def test_public_key_can_not_sign(tmp_path: Path) -> None:
    file = write(tmp_path, PUBLIC_PEM)

    with pytest.raises(SignatureError, match="is a public key, which can't sign: use the private"):
        load_signing_key(file)


def test_private_key_is_refused_where_public_will_do(tmp_path: Path) -> None:
    file = write(tmp_path, PRIVATE_PEM)

    with pytest.raises(SignatureError) as refused:
        load_verifying_key(file)
    assert f"`openssl pkey -in {file} -pubout -out corsguard-public.pem`" in str(refused.value)


RSA = generate_private_key(65_537, 2_048)
PKCS8 = PrivateFormat.PKCS8
OTHER_KEYS = {
    "rsa private": RSA.private_bytes(Encoding.PEM, PKCS8, NoEncryption()),
    "rsa public": RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "broken": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "certificate": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "openssh": PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())[:-60],
}


@pytest.mark.parametrize("content", OTHER_KEYS.values(), ids=OTHER_KEYS)
def test_other_key_in_pem_is_never_a_secret(tmp_path: Path, content: bytes) -> None:
    file = write(tmp_path, content)

    for load in (load_signing_key, load_verifying_key):
        with pytest.raises(SignatureError) as refused:
            load(file)
        assert str(refused.value) == (
            f"{file} is not an Ed25519 key in PEM: write one with"
            f" `openssl genpkey -algorithm ed25519 -out {file}`"
        )


@pytest.mark.parametrize(
    "content",
    [
        PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        PRIVATE.private_bytes(Encoding.DER, PKCS8, NoEncryption()),
        PRIVATE.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
    ],
    ids=["public der", "private der", "public openssh"],
)
def test_key_in_another_format_is_never_a_secret(tmp_path: Path, content: bytes) -> None:
    file = write(tmp_path, content)

    with pytest.raises(SignatureError, match="is a key, but not in PEM"):
        load_verifying_key(file)


def test_encrypted_key_is_refused_with_what_to_do(tmp_path: Path) -> None:
    content = PRIVATE.private_bytes(Encoding.PEM, PKCS8, BestAvailableEncryption(b"password"))
    file = write(tmp_path, content)

    with pytest.raises(SignatureError, match=r"is encrypted: decrypt it with `openssl pkey -in "):
        load_signing_key(file)


def test_representation_of_a_key_has_no_secret(keys: Keys) -> None:
    for key in (each for pair in keys.values() for each in pair):
        assert "secret" not in repr(key)
        assert str(bytes(range(32)))[2:20] not in repr(key)
        assert "\n" not in repr(key)


def test_keys_of_openssl_sign_and_verify(tmp_path: Path) -> None:
    private, public = str(tmp_path / "private.pem"), str(tmp_path / "public.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)

    assert verify(sign(TEXT, 5, load_signing_key(private)), load_verifying_key(public)) == 5


def test_pair_of_keys_without_cryptography_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    file = write(tmp_path, PUBLIC_PEM)

    with pytest.raises(SignatureError) as refused:
        load_verifying_key(file)
    assert str(refused.value) == (
        f'{file} is an Ed25519 key, which needs: pip install "corsguard[sign]"'
    )
    assert (
        verify(
            sign(TEXT, 1, load_signing_key(write(tmp_path, SECRET))),
            load_verifying_key(write(tmp_path, SECRET)),
        )
        == 1
    )
