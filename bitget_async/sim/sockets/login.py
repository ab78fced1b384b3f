"""
Who logs in on a socket: the checks of a login frame, written from the exchange's documents and shared with nobody.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from bitget_async.sim.accounts import Key
from bitget_async.sim.gatekeeper import parse_timestamp, signed_by

__all__ = ["LOGIN_TEXTS", "NoLogin", "log_in"]

LOGIN_TEXTS = {
    30005: "Login failed",
    30011: "Invalid ACCESS_KEY",
    30012: "Invalid ACCESS_PASSPHRASE",
    30013: "Invalid ACCESS_TIMESTAMP",
    30014: "Request timestamp expired",
    30015: "Invalid sign",
    # A guess: the documents do not say what the socket tells an account of the other mode.
    40085: "You are in Unified Account mode, and the Classic Account API is not supported at this time",
}
# No moment since 1973 has fewer digits in milliseconds, none before 5138 more in seconds.
SECONDS_END = 100_000_000_000


class NoLogin(Exception):  # noqa: N818 - the exchange says no; nothing went wrong
    """The login is refused with that code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def log_in(keys: Mapping[str, Key], fields: object, *, now_ms: int, tolerance_ms: int) -> Key:
    """
    The key of a login frame, whose argument `fields` is: `apiKey` or `api_key`, `passphrase`, `timestamp` as text or
    number, in seconds or milliseconds, `sign`. Raises `NoLogin` with the code of the first check that fails.
    """
    if not isinstance(fields, dict):
        raise NoLogin(30005)
    stamp = fields.get("timestamp")
    text = stamp if isinstance(stamp, str) else str(stamp) if type(stamp) is int else None
    key = keys.get(str(fields.get("apiKey") or fields.get("api_key")))
    if key is None:
        raise NoLogin(30011)
    if not _same(fields.get("passphrase"), key.texts.passphrase):
        raise NoLogin(30012)
    number = parse_timestamp(text)
    if number is None:
        raise NoLogin(30013)
    if abs(now_ms - (number * 1000 if number < SECONDS_END else number)) > tolerance_ms:
        raise NoLogin(30014)
    sign = fields.get("sign")
    if not isinstance(sign, str) or not signed_by(key, f"{text}GET/user/verify".encode(), sign):
        raise NoLogin(30015)
    if key.account.mode == "unified":
        raise NoLogin(40085)
    return key


def _same(sent: object, right: str) -> bool:
    return isinstance(sent, str) and hmac.compare_digest(sent.encode("utf-8", "replace"), right.encode())
