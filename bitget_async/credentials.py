"""
The API key, and the signature it makes. No I/O, no clock: time is passed in.

What is signed: `timestamp + METHOD + path[?query] + body`, the query in its raw (decoded) form and the body
as the very bytes that are sent (reference: "Signature", https://www.bitget.com/api-doc/common/signature, read
2025-11-30).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from bitget_async.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

__all__ = ["Credentials", "KeyMaterial", "SealedHeaders"]

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
        if missing:
            raise UsageError(f"not set in the environment: {', '.join(missing)}")
        return cls(*(source[name] for name in ENV_NAMES))

    @classmethod
    def of(cls, material: Credentials | KeyMaterial) -> Credentials:
        """The same object, or one made from anything with `api_key`, `secret` and `passphrase`."""
        if isinstance(material, Credentials):
            return material
        try:
            # No local holds them: a traceback with locals would show it.
            return cls(material.api_key, material.secret, material.passphrase)
        except AttributeError:
            kind = type(material).__name__
            raise UsageError(f"credentials must have api_key, secret and passphrase; got a {kind}") from None

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
        secret = self._secret
        self._sign = lambda prehash: hmac.digest(secret, prehash, "sha256")
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


def _problem(name: str, value: object) -> str:
    """What is wrong with a part of the key, without showing it; `""` if nothing is."""
    if not isinstance(value, str):
        return f"{name} must be a str, not {type(value).__name__}"
    if not value:
        return f"{name} is empty"
    if not value.isascii() or not value.isprintable():
        return f"{name} may hold printable ASCII only (no line break, no tab)"
    return ""
