"""
Paged reads: one object that is awaited for a page, or iterated over for all records of all pages.

`walk` decides, without I/O, from what a row says of its pages (`Endpoint.paging`); `read` asks.
"""

from __future__ import annotations

from bitget_async.pages.read import Call, Page, Pages
from bitget_async.pages.walk import Position, Walk

__all__ = ["Call", "Page", "Pages", "Position", "Walk"]
