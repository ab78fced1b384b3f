"""Frames that nobody here wrote: recorded ones, and those of the exchange's pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["DOCUMENTED", "RECORDED", "compact", "frames"]

FOLDER = Path(__file__).parents[1] / "fixtures" / "ws"
RECORDED = ("spot_orders_market_buy", "login_and_errors")
DOCUMENTED = (
    "websocket-intro",
    "websocket_private_Account-Channel",
    "websocket_private_Fill-Channel",
    "websocket_private_Order-Channel",
    "websocket_public_Depth-Channel",
    "websocket_public_Tickers-Channel",
)


def frames(name: str, key: str = "frames") -> list[dict[str, Any]]:
    """The frames of that file, in its order."""
    held = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert held["_meta"]["kind"]
    found: list[dict[str, Any]] = held[key]
    return found


def compact(frame: Any) -> bytes:
    """A frame as it goes over the socket."""
    return json.dumps(frame, separators=(",", ":")).encode()
