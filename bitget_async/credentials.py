"""
The API key, and the signature it makes. No clock, time is passed in; no I/O but reading a key file when asked to.

What is signed: `timestamp + METHOD + path[?query] + body`, the query in its raw (decoded) form and the body
as the very bytes that are sent (reference: "Signature", https://www.bitget.com/api-doc/common/signature, read
2025-11-30).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from bitget_async.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

__all__ = ["Credentials", "KeyMaterial", "SealedHeaders"]

PARTS = ("api_key", "secret", "passphrase")
# A PEM key of 8192 bits has a tenth of this.
MOST_BYTES = 64 * 1024
# Of SHA-256, in bytes.
BLOCK = 64
ENV_NAMES = ("BITGET_API_KEY", "BITGET_API_SECRET", "BITGET_API_PASSPHRASE")


class KeyMaterial(Protocol):
    """Anything with the three parts of a key as text, such as what the simulator hands out."""

    @property
    def api_key(self) -> str:
        """Public part of the key."""

    @property
    def secret(self) -> str:
        """HMAC secret, or RSA private key as PEM."""

    @property
    def passphrase(self) -> str:
        """Passphrase of the key."""


class SealedHeaders(dict[str, str]):
    """Signed headers. Their repr shows the names only, so that no traceback or log can show the values."""

    def __repr__(self) -> str:
        return f"<headers {', '.join(self)}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)


class Credentials:
    """
    An API key with its secret and passphrase.

    Nothing of them shows in repr, str, format or a traceback, and the object refuses to be pickled or copied.
    A trade-only key is enough: do not give this client one that may withdraw.

    Args:
        api_key: the key's public part.
        secret: the HMAC secret; or a PEM private key (text that starts with `-----BEGIN`) for a key that was
            created with an RSA public key, which needs the extra `rsa`.
        passphrase: the passphrase chosen when the key was created.

    Raises:
        UsageError: a part is empty or holds anything but printable ASCII, or the RSA key cannot be used.
    """

    __slots__ = ("_api_key", "_fingerprint", "_passphrase", "_secret", "_sign")

    _api_key: str
    _passphrase: str
    _secret: bytes
    _fingerprint: str
    _sign: Callable[[bytes], bytes]

    def __init__(self, api_key: str, secret: str, passphrase: str) -> None:
        rsa = isinstance(secret, str) and secret.lstrip().startswith("-----BEGIN")
        problem = _problem("api_key", api_key) or _problem("passphrase", passphrase)
        if not problem and not rsa:
            problem = _problem("secret", secret)
        if not problem:
            self._api_key = api_key
            self._passphrase = passphrase
            self._secret = secret.encode()
            # Names the account in limiter keys without being the key.
            self._fingerprint = hashlib.sha256(b"bitget_async" + api_key.encode()).hexdigest()[:16]
            problem = self._use_rsa() if rsa else self._use_hmac()
        del api_key, secret, passphrase
        if problem:
            raise UsageError(problem)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Credentials:
        """
        Read `BITGET_API_KEY`, `BITGET_API_SECRET` and `BITGET_API_PASSPHRASE`.

        Args:
            environ: where to look; the process's environment by default.

        Raises:
            UsageError: one of them is not set; the text names it.
        """
        source = os.environ if environ is None else environ
        missing = [name for name in ENV_NAMES if not source.get(name)]
        made = (
            f"not set in the environment: {', '.join(missing)}"
            if missing
            else cls._or_problem(source[name] for name in ENV_NAMES)
        )
        # A traceback with locals would show what they hold.
        del source, environ
        if isinstance(made, str):
            raise UsageError(made)
        return made

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Credentials:
        """
        Read a JSON object with `api_key`, `secret` and `passphrase`; what else stands in it is left alone.

        Args:
            path: the file. On POSIX systems a `UserWarning` is given if anybody but its owner may read or write it.

        Raises:
            UsageError: it cannot be read, or a part is missing or wrong. The text shows nothing of what it holds.
        """
        try:
            with open(path, "rb") as file:
                shared = os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077
                made = cls._or_problem(_parts(file.read(MOST_BYTES)))
        except OSError as error:
            made = f"the key file cannot be read: {error.strerror}"
        if isinstance(made, str):
            raise UsageError(made)
        if shared:
            warnings.warn("the key file is open to others than its owner: chmod 600", UserWarning, stacklevel=2)
        return made

    @classmethod
    def of(cls, material: Credentials | KeyMaterial) -> Credentials:
        """The same object, or one made from anything with `api_key`, `secret` and `passphrase`."""
        if isinstance(material, Credentials):
            return material
        try:
            made = cls._or_problem(getattr(material, name) for name in PARTS)
        except AttributeError:
            made = f"credentials must have api_key, secret and passphrase; got a {type(material).__name__}"
        # Its repr may show what it holds.
        del material
        if isinstance(made, str):
            raise UsageError(made)
        return made

    @classmethod
    def _or_problem(cls, parts: Iterable[str] | str) -> Credentials | str:
        """The key, or what is wrong with it: returned, so that no frame of a traceback holds a part of it."""
        try:
            return parts if isinstance(parts, str) else cls(*parts)
        except UsageError as error:
            return str(error)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that tell two keys apart without telling anything of them."""
        return self._fingerprint

    def sign(self, prehash: bytes) -> str:
        """Base64 signature of those bytes: HMAC-SHA256, or RSASSA-PKCS1-v1_5 over SHA-256 for an RSA key."""
        return base64.b64encode(self._sign(prehash)).decode("ascii")

    def headers(self, timestamp_ms: int, method: str, raw_target: str, body: bytes) -> SealedHeaders:
        """
        The four signed headers.

        Args:
            timestamp_ms: exchange time, at most 30 s off when it arrives.
            method: upper case.
            raw_target: path and, after `?`, the raw query.
            body: the bytes that will be sent; empty for GET.
        """
        prehash = f"{timestamp_ms}{method}{raw_target}".encode() + body
        return SealedHeaders(
            {
                "ACCESS-KEY": self._api_key,
                "ACCESS-SIGN": self.sign(prehash),
                "ACCESS-TIMESTAMP": str(timestamp_ms),
                "ACCESS-PASSPHRASE": self._passphrase,
            }
        )

    def login(self, timestamp_s: int) -> SealedHeaders:
        """
        What a WebSocket is signed in with (reference: "Websocket intro",
        https://www.bitget.com/api-doc/common/websocket-intro, read 2025-11-30).

        Args:
            timestamp_s: exchange time in seconds, at most 30 s off when it arrives.
        """
        return SealedHeaders(
            {
                "apiKey": self._api_key,
                "passphrase": self._passphrase,
                "timestamp": str(timestamp_s),
                "sign": self.sign(f"{timestamp_s}GET/user/verify".encode()),
            }
        )

    def redact(self, text: str) -> str:
        """The text with every part of this key replaced, for answers that echo what they should not."""
        for part in (self._api_key, self._secret.decode(), self._passphrase):
            text = text.replace(part, "***")
        return text

    def __repr__(self) -> str:
        return "<Credentials>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Credentials):
            return NotImplemented
        pairs = (
            (self._api_key.encode(), other._api_key.encode()),
            (self._secret, other._secret),
            (self._passphrase.encode(), other._passphrase.encode()),
        )
        # Every pair is compared, whatever the first ones give.
        return sum(hmac.compare_digest(mine, theirs) for mine, theirs in pairs) == len(pairs)

    def __hash__(self) -> int:
        return hash(self._fingerprint)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("Credentials refuse to be pickled or copied")

    def __copy__(self) -> NoReturn:
        raise TypeError("Credentials refuse to be pickled or copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("Credentials refuse to be pickled or copied")

    def _use_hmac(self) -> str:
        # HMAC as RFC 2104 defines it. What it makes of the key is the same each time: it is made once, and copied.
        secret = self._secret if len(self._secret) <= BLOCK else hashlib.sha256(self._secret).digest()
        key = secret.ljust(BLOCK, b"\0")
        inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key))
        outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))

        def sign(prehash: bytes) -> bytes:
            inside, outside = inner.copy(), outer.copy()
            inside.update(prehash)
            outside.update(inside.digest())
            return outside.digest()

        self._sign = sign
        return ""

    def _use_rsa(self) -> str:
        try:
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.asymmetric import padding, rsa
            from cryptography.hazmat.primitives.serialization import load_pem_private_key
        except ImportError:
            return 'an RSA key needs the extra "rsa": pip install "bitget-async[rsa]"'
        try:
            key: Any = load_pem_private_key(self._secret, password=None)
        except (ValueError, TypeError):
            return "secret: this PEM cannot be read as an unencrypted private key"
        if not isinstance(key, rsa.RSAPrivateKey):
            return "secret: the PEM key is not an RSA key"
        private: RSAPrivateKey = key
        self._sign = lambda prehash: private.sign(prehash, padding.PKCS1v15(), hashes.SHA256())
        return ""


def _parts(told: bytes) -> Iterator[str] | str:
    """The three parts of a key file, in a thing whose repr shows none of them; or what is wrong with it."""
    try:
        held = json.loads(told)
    except (ValueError, RecursionError):
        held = None
    if not isinstance(held, dict):
        return f"the key file must hold a JSON object with {', '.join(PARTS)}"
    missing = [name for name in PARTS if name not in held]
    return f"not in the key file: {', '.join(missing)}" if missing else iter([held[name] for name in PARTS])


def _problem(name: str, value: object) -> str:
    """What is wrong with a part of the key, without showing it; `""` if nothing is."""
    if not isinstance(value, str):
        return f"{name} must be a str, not {type(value).__name__}"
    if not value:
        return f"{name} is empty"
    if not value.isascii() or not value.isprintable():
        return f"{name} may hold printable ASCII only (no line break, no tab)"
    return ""
