"""
Who is asking: the checks of a signed request, written from the exchange's documents and shared with nobody.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import unquote

from bitget_async.sim.accounts import Key
from bitget_async.sim.refusals import Refusal

__all__ = ["check_permission", "identify", "parse_timestamp", "signed_by"]


def parse_timestamp(text: str | None) -> int | None:
    """ACCESS-TIMESTAMP in Unix milliseconds, `None` unless it is plain digits."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 20 else None


def identify(
    keys: Mapping[str, Key],
    *,
    method: str,
    path: str,
    raw_query: str,
    headers: Mapping[str, str],
    body: bytes,
    now_ms: int,
    tolerance_ms: int,
) -> Key:
    """
    The key that signed a request.

    `headers` have lower-case names; `raw_query` is the query as it stood on the wire, without "?".
    Raises `Refusal` with the documented code of the first check that fails.
    """
    for header, code in (("access-key", "40001"), ("access-sign", "40002"), ("access-passphrase", "40011")):
        if not headers.get(header):
            raise Refusal(code)
    stamp = headers.get("access-timestamp", "")
    stamp_ms = parse_timestamp(stamp)
    if stamp_ms is None:
        raise Refusal("40005")
    key = keys.get(headers["access-key"])
    if key is None:
        raise Refusal("40006")
    if abs(now_ms - stamp_ms) > tolerance_ms:
        raise Refusal("40008")
    if method == "POST" and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal("40007")
    # The exchange checks the decoded query; a client that signs its encoded form fails only where the two differ.
    question = "?" + unquote(raw_query) if raw_query else ""
    message = _bytes(f"{stamp}{method}{path}{question}") + (body if method == "POST" else b"")
    if not signed_by(key, message, headers["access-sign"]):
        raise Refusal("40009")
    if not hmac.compare_digest(_bytes(headers["access-passphrase"]), _bytes(key.texts.passphrase)):
        raise Refusal("40012")
    return key


def check_permission(key: Key, permission: str) -> None:
    """Raises `Refusal` 40014 unless the key has the permission: `read`, `trade` or `transfer`."""
    granted, name = {
        "read": (key.read, "spot order read"),
        "trade": (key.trade, "spot order write"),
        "transfer": (key.transfer, "wallet transfer write"),
    }[permission]
    if not granted:
        raise Refusal("40014", name)


def signed_by(key: Key, message: bytes, signature: str) -> bool:
    """Whether that is the base64 text of the key's HMAC or RSA signature of the message."""
    if key.rsa_public_key is not None:
        return _signed_by_rsa(key, message, signature)
    right = base64.b64encode(hmac.digest(key.secret_bytes, message, "sha256"))
    return hmac.compare_digest(right, _bytes(signature))


def _bytes(text: str) -> bytes:
    """What stood on the wire, also where it was no UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def _signed_by_rsa(key: Key, message: bytes, signature: str) -> bool:
    # Imported here: only RSA keys need the library, and it is not one of the package's own dependencies.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    if key.rsa is None:
        assert key.rsa_public_key is not None
        key.rsa = serialization.load_pem_public_key(key.rsa_public_key.encode())
    if not isinstance(key.rsa, rsa.RSAPublicKey):
        raise ValueError("rsa_public_key is not the PEM text of an RSA public key")
    try:
        key.rsa.verify(base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error):
        return False
    return True
