"""The API key: signatures by the exchange's rules, and nothing secret in anything that can be shown."""

from __future__ import annotations

import base64
import copy
import hmac
import json
import logging
import pickle
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from bitget_async import Credentials, UsageError
from bitget_async.credentials import SealedHeaders

# Reference 1.5: a made-up key, and signatures computed outside this package.
KEY = "bg_testkey0123456789abcdef"
SECRET = "s3cr3t-made-up-for-docs-ONLY"
PASSPHRASE = "canary-passphrase"
CANARIES = (KEY, SECRET, PASSPHRASE)
STAMP = 1_700_000_000_123
TRADE = "/api/v2/spot/trade/"
ORDER = (
    b'{"symbol":"BTCUSDT","side":"buy","orderType":"limit","force":"gtc","price":"30000","size":"0.001",'
    b'"clientOid":"t-1#a"}'
)
VECTORS = [
    (
        "GET",
        TRADE + "history-orders?endTime=1700000000000&limit=100&startTime=1699990000000&symbol=BTCUSDT",
        b"",
        "2fxImJ6KQcVu62NnbA3vytzfhgTmAMP9gDor/187Y/k=",
    ),
    ("GET", TRADE + "unfilled-orders", b"", "WK527BZuRSlNHMoZkKjNVd2mOXFAmoCMOTb/AT/ZVqU="),
    ("POST", TRADE + "cancel-symbol-order", b'{"symbol":"BTCUSDT"}', "j5j7S40hv+UkodsjsfHDq6Ym1c4erGpO9DddTskrWo8="),
    ("POST", TRADE + "place-order", ORDER, "GVbbv+17zTMbWUfA/YoGgST0vDKT89y/z5aFnHGkBIw="),
    ("GET", TRADE + "orderInfo?clientOid=t-1#a", b"", "KiWv3egWJDlnTZB4B4w7j8vodf0zJ+DRZqTdf/XbSG0="),
    # The encoded form, which the exchange refuses: here to show that the two differ and that nothing is re-encoded.
    ("GET", TRADE + "orderInfo?clientOid=t-1%23a", b"", "1XDHi8nww60MOXKI+CtV+/YRjXTBbJByV9r84a9jfpk="),
]


def credentials() -> Credentials:
    """The made-up key."""
    return Credentials(KEY, SECRET, PASSPHRASE)


def told(error: BaseException) -> str:
    """Everything that a crash reporter would print: texts, chain, frames and their locals."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def without_canaries(text: str) -> bool:
    """Whether none of the secrets stands in the text."""
    return not any(canary in text for canary in CANARIES)


@pytest.mark.parametrize(("method", "target", "body", "signature"), VECTORS)
def test_signature_is_the_one_of_the_reference(method: str, target: str, body: bytes, signature: str) -> None:
    """Six vectors that were computed outside this package; a wrong one means 40009 on every call."""
    headers = credentials().headers(STAMP, method, target, body)
    assert dict(headers) == {
        "ACCESS-KEY": KEY,
        "ACCESS-SIGN": signature,
        "ACCESS-TIMESTAMP": str(STAMP),
        "ACCESS-PASSPHRASE": PASSPHRASE,
    }
    assert credentials().sign(f"{STAMP}{method}{target}".encode() + body) == signature


@pytest.mark.parametrize("length", [1, 32, 63, 64, 65, 200])
def test_a_signature_is_the_hmac_of_the_standard_library(length: int) -> None:
    """What a key makes of every message is worked out once, by ourselves: also for keys longer than a block."""
    secret = "".join(chr(33 + number % 90) for number in range(length))
    key = Credentials("key", secret, "pass")
    for prehash in (b"", b"x", b"a" * 1000):
        expected = base64.b64encode(hmac.digest(secret.encode(), prehash, "sha256")).decode()
        assert [key.sign(prehash), key.sign(prehash)] == [expected, expected]


def test_signs_the_socket_login_too() -> None:
    """Vectors 7 and 8: the login frame of the stream, in seconds and in milliseconds."""
    assert credentials().sign(b"1700000000GET/user/verify") == "LR5WaCP1zQRgSCM0jsTMKeQJv+NTYBbDoc1JCmPEnzg="
    assert credentials().sign(b"1700000000123GET/user/verify") == "2O/veKdS0JN8OI7zmwNsGOEnCRyS6J6ilZOej87HQzE="


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    """A key as a user would make one."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key: Any, password: bytes | None = None) -> str:
    """PKCS 8 text of a private key."""
    encryption: Any = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    text: bytes = key.private_bytes(encoding, form, encryption)
    return text.decode()


@pytest.mark.parametrize("lead", ["", "\n  "])
def test_rsa_signature_is_verified_by_the_public_key(rsa_key: rsa.RSAPrivateKey, lead: str) -> None:
    """RSASSA-PKCS1-v1_5 over SHA-256, as the exchange's samples sign; the prehash is the same as for HMAC."""
    made = Credentials(KEY, lead + pem_of(rsa_key), PASSPHRASE)
    headers = made.headers(STAMP, "POST", TRADE + "cancel-symbol-order", b'{"symbol":"BTCUSDT"}')
    signature = base64.b64decode(headers["ACCESS-SIGN"], validate=True)
    prehash = f'{STAMP}POST{TRADE}cancel-symbol-order{{"symbol":"BTCUSDT"}}'.encode()
    rsa_key.public_key().verify(signature, prehash, padding.PKCS1v15(), hashes.SHA256())


def test_unusable_rsa_keys_are_refused_without_being_shown(rsa_key: rsa.RSAPrivateKey) -> None:
    """Garbage, an encrypted key, a key of another kind: said in words, the PEM in no text."""
    bad = {
        "-----BEGIN PRIVATE KEY-----\nnonsense-canary\n-----END PRIVATE KEY-----\n": "cannot be read",
        pem_of(rsa_key, b"canary-password"): "cannot be read",
        pem_of(ec.generate_private_key(ec.SECP256R1())): "not an RSA key",
    }
    for pem, problem in bad.items():
        with pytest.raises(UsageError, match=problem) as caught:
            Credentials(KEY, pem, PASSPHRASE)
        # The frame of this very test holds them, of course.
        frames = told(caught.value.with_traceback(caught.tb.tb_next if caught.tb else None))
        assert pem.splitlines()[1] not in frames
        assert without_canaries(frames)


def test_rsa_without_its_library_names_the_extra(rsa_key: rsa.RSAPrivateKey, monkeypatch: Any) -> None:
    """The extra is optional: whoever needs it reads how to get it."""
    text = pem_of(rsa_key)
    for name in [each for each in sys.modules if each.split(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=r"bitget-async\[rsa\]"):
        Credentials(KEY, text, PASSPHRASE)


ENVIRON = {"BITGET_API_KEY": KEY, "BITGET_API_SECRET": SECRET, "BITGET_API_PASSPHRASE": PASSPHRASE}


def test_from_env_reads_the_three_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """From a mapping or from the process's environment."""
    assert Credentials.from_env(ENVIRON) == credentials()
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    assert Credentials.from_env() == credentials()


@pytest.mark.parametrize("gone", [["BITGET_API_KEY"], ["BITGET_API_SECRET", "BITGET_API_PASSPHRASE"]])
@pytest.mark.parametrize("empty", [True, False])
def test_from_env_names_what_is_missing_and_shows_nothing(gone: list[str], empty: bool) -> None:
    """The text helps, and the values that are set stay out of it."""
    environ = {name: value for name, value in ENVIRON.items() if name not in gone}
    if empty:
        environ |= dict.fromkeys(gone, "")
    with pytest.raises(UsageError, match=", ".join(gone)) as caught:
        Credentials.from_env(environ)
    assert without_canaries(str(caught.value))


@pytest.mark.parametrize("which", ["api_key", "secret", "passphrase"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty"),
        (None, "must be a str, not NoneType"),
        (b"bytes-canary", "must be a str, not bytes"),
        (17, "must be a str, not int"),
        ("line\r\nbreak", "printable ASCII"),
        ("tab\there", "printable ASCII"),
        ("nul\x00", "printable ASCII"),
        ("del\x7f", "printable ASCII"),
        ("schlüssel", "printable ASCII"),
        ("no-break\u00a0space", "printable ASCII"),
    ],
)
def test_malformed_parts_are_refused_by_name_and_not_shown(which: str, value: Any, problem: str) -> None:
    """A header with a line break would be a second header; aiohttp would let non-ASCII through."""
    parts = {"api_key": KEY, "secret": SECRET, "passphrase": PASSPHRASE, which: value}
    with pytest.raises(UsageError, match=f"^{which} .*{problem}") as caught:
        Credentials(**parts)
    assert without_canaries(str(caught.value))
    assert not value or str(value) not in str(caught.value)


def _made_wrong() -> None:
    """No secret stands in this frame: they are made on the way in."""
    Credentials(*("".join(part) for part in (list(KEY), list(SECRET), list(PASSPHRASE + "\n"))))


def _made_wrong_from_env() -> None:
    Credentials.from_env(_Vault({"BITGET_API_KEY": KEY, "BITGET_API_SECRET": SECRET + "\u00e9"}))


def _made_wrong_from_material() -> None:
    Credentials.of(_Vault({}))


class _Vault(dict):
    """A mapping and a key material whose repr shows nothing."""

    api_key = KEY
    secret = SECRET + "\r\n"
    passphrase = PASSPHRASE

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__({"BITGET_API_PASSPHRASE": PASSPHRASE, **values})

    def __repr__(self) -> str:
        return "<vault>"


@pytest.mark.parametrize("make", [_made_wrong, _made_wrong_from_env, _made_wrong_from_material])
def test_a_traceback_with_locals_shows_no_part_of_the_key(make: Any) -> None:
    """Crash reporters print the locals of every frame: none of ours may hold a secret when it raises."""
    with pytest.raises(UsageError) as caught:
        make()
    text = told(caught.value)
    assert "credentials.py" in text
    assert without_canaries(text)


def test_nothing_that_can_be_printed_shows_the_key() -> None:
    """repr, str, format, f-strings, %-formatting, logging, vars: the redacted form everywhere."""
    made = credentials()
    record = logging.LogRecord("x", logging.INFO, "x", 1, "%s %r", (made, made), None)
    texts = [repr(made), str(made), f"{made}", f"{made!r:>40}", format(made, "10"), f"{[made]}", record.getMessage()]
    assert all(without_canaries(text) for text in texts)
    assert repr(made) == "<Credentials>"
    assert not hasattr(made, "__dict__")
    assert without_canaries(made.fingerprint)


def test_signed_headers_show_their_names_only() -> None:
    """They pass through aiohttp's frames; whatever prints them must find nothing."""
    headers = credentials().headers(STAMP, "GET", TRADE + "orderInfo", b"")
    signature = headers["ACCESS-SIGN"]
    for text in (repr(headers), str(headers), f"{headers}", f"{headers!s:>10}", f"{[headers]}"):
        assert without_canaries(text)
        assert signature not in text
        assert "ACCESS-PASSPHRASE" in text
    assert isinstance(headers, SealedHeaders)


@pytest.mark.parametrize(
    "leave",
    [
        copy.copy,
        copy.deepcopy,
        *(lambda made, level=level: pickle.dumps(made, level) for level in range(pickle.HIGHEST_PROTOCOL + 1)),
        lambda made: copy.deepcopy({"nested": [made]}),
    ],
)
def test_the_key_refuses_to_be_copied_or_pickled(leave: Any) -> None:
    """A copy on a disk or in another process is a leak that nobody sees."""
    with pytest.raises(TypeError, match="refuse to be pickled or copied"):
        leave(credentials())


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Credentials(KEY, SECRET, PASSPHRASE), True),
        (Credentials(KEY + "0", SECRET, PASSPHRASE), False),
        (Credentials(KEY, SECRET + "0", PASSPHRASE), False),
        (Credentials(KEY, SECRET, PASSPHRASE + "0"), False),
        (KEY, False),
        (None, False),
    ],
)
def test_keys_are_equal_when_all_three_parts_are(other: object, same: bool) -> None:
    """And equal ones have the same hash, so that they find each other in a dict."""
    assert (credentials() == other) is same
    assert (credentials() != other) is not same
    if same:
        assert hash(other) == hash(credentials())
        assert len({credentials(), other}) == 1


def test_the_fingerprint_tells_keys_apart_and_tells_nothing_else() -> None:
    """It names the account in limiter keys: one key, one name, whatever its secret."""
    assert credentials().fingerprint == Credentials(KEY, "other", "other").fingerprint
    assert credentials().fingerprint != Credentials(KEY + "x", SECRET, PASSPHRASE).fingerprint
    assert len(credentials().fingerprint) == 16
    assert set(credentials().fingerprint) <= set("0123456789abcdef")


def test_of_takes_anything_with_the_three_parts() -> None:
    """Credentials pass as they are; a stranger is named by its class, without its values."""
    made = credentials()
    assert Credentials.of(made) is made
    assert Credentials.of(SimpleNamespace(api_key=KEY, secret=SECRET, passphrase=PASSPHRASE)) == made
    with pytest.raises(UsageError, match="got a SimpleNamespace") as caught:
        Credentials.of(SimpleNamespace(api_key=KEY, secret=SECRET))
    assert without_canaries(str(caught.value))


def test_redact_takes_every_part_out_of_a_text() -> None:
    """An answer may echo what it was sent."""
    text = f"bad key {KEY}, sign with {SECRET}{SECRET}, pass={PASSPHRASE}"
    assert credentials().redact(text) == "bad key ***, sign with ******, pass=***"
    assert credentials().redact("nothing here") == "nothing here"


# -- files --------------------------------------------------------------------------------------------------------


def key_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    """A file with that text and that mode."""
    path = folder / "key.json"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


WHOLE = {"base_url": "http://127.0.0.1:1", "api_key": KEY, "secret": SECRET, "passphrase": PASSPHRASE}


def test_from_file_reads_what_the_simulator_prints(tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    """The three names in a JSON object; a PEM key has line breaks, which JSON can hold."""
    assert Credentials.from_file(key_file(tmp_path, json.dumps(WHOLE))) == credentials()
    pem = pem_of(rsa_key)
    path = key_file(tmp_path, json.dumps(WHOLE | {"secret": pem}))
    assert Credentials.from_file(str(path)) == Credentials(KEY, pem, PASSPHRASE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_from_file_warns_of_a_file_that_others_may_open(tmp_path: Path, mode: int) -> None:
    """It works, for the panic button must; and whoever runs it hears of it, without a word of the key."""
    with pytest.warns(UserWarning, match="chmod 600") as heard:
        assert Credentials.from_file(key_file(tmp_path, json.dumps(WHOLE), mode)) == credentials()
    assert without_canaries(str(heard[0].message))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must hold a JSON object"),
        (f'["{SECRET}"]', "must hold a JSON object"),
        (f'{{"secret": "{SECRET}"', "must hold a JSON object"),
        ("[" * 60_000, "must hold a JSON object"),
        (json.dumps({"secret": SECRET}), "not in the key file: api_key, passphrase"),
        (json.dumps(WHOLE | {"secret": 17}), "secret must be a str"),
        (json.dumps(WHOLE | {"secret": SECRET + "\n"}), "secret may hold printable ASCII only"),
    ],
)
def test_from_file_says_what_is_wrong_and_shows_nothing(tmp_path: Path, text: str, problem: str) -> None:
    """Cut off, of another shape, a part missing: in words, and no frame of ours holds what was read."""
    path = key_file(tmp_path, text)
    with pytest.raises(UsageError, match=problem) as caught:
        Credentials.from_file(path)
    frames = told(caught.value.with_traceback(caught.tb.tb_next if caught.tb else None))
    assert "from_file" in frames
    assert without_canaries(frames)


def test_a_key_file_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    """As a UsageError, like every other slip."""
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        Credentials.from_file(tmp_path / "none.json")


# -- what the traceback holds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda given: Credentials.from_env({name: value for name, value in given.items() if "KEY" not in name}),
        lambda given: Credentials.from_env(given | {"BITGET_API_SECRET": SECRET + "\t"}),
        lambda given: Credentials.of(SimpleNamespace(api_key=KEY, secret=SECRET)),
        lambda given: Credentials.of(SimpleNamespace(api_key=KEY, secret=SECRET + "\n", passphrase=PASSPHRASE)),
    ],
)
def test_what_was_handed_over_is_in_no_frame_of_ours(make: Any) -> None:
    """The whole environment, or an object whose repr shows everything: a crash reporter would see them there."""
    with pytest.raises(UsageError) as caught:
        make(ENVIRON)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    own = [frame for frame in frames if "/bitget_async/" in frame.f_code.co_filename]
    assert own
    assert all(without_canaries(repr(value)) for frame in own for value in frame.f_locals.values())
    assert caught.value.__context__ is None


def test_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """All three pairs go through `hmac.compare_digest`, also when the first one differs already."""
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def heard(one: bytes, two: bytes) -> bool:
        compared.append((one, two))
        return compare(one, two)

    monkeypatch.setattr("bitget_async.credentials.hmac.compare_digest", heard)
    assert credentials() != Credentials("x", "y", "z")
    assert compared == [(KEY.encode(), b"x"), (SECRET.encode(), b"y"), (PASSPHRASE.encode(), b"z")]
