"""Verbs by family of the exchange's documents: `client.market`, `client.account`, `client.trigger`."""

from __future__ import annotations
