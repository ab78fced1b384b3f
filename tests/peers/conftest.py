"""An exchange on a real socket, with enough orders to tell a right answer from a lucky one, and clients of others."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bitget_async.sim import Settings, SimulatedExchange

# At DEBUG they log headers and frames, key and passphrase among them: no leak of ours, and not ours to mend.
for name in ("ccxt", "websockets"):
    logging.getLogger(name).setLevel(logging.WARNING)


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    """No lags: these tests are about the wire format, not about patience."""
    settings = Settings(
        sweep_delay_s=0.05,
        listing_lag_s=0.0,
        history_lag_s=0.0,
        order_info_lag_s=0.0,
        fills_lag_s=0.0,
        trigger_delay_s=0.0,
    )
    async with SimulatedExchange(7, settings=settings) as exchange:
        yield exchange


@pytest.fixture
async def bitget_of_ccxt(exchange: SimulatedExchange) -> AsyncIterator[Any]:
    """The client ccxt with its own pacing, pointed at the simulator; only spot markets are loaded."""
    ccxt = pytest.importorskip("ccxt.async_support")
    key = exchange.add_key(transfer=True)
    bitget = ccxt.bitget({"apiKey": key.api_key, "secret": key.secret, "password": key.passphrase})
    bitget.urls["api"] = dict.fromkeys(bitget.urls["api"], exchange.base_url)
    bitget.options["fetchMarkets"]["types"] = ["spot"]
    try:
        yield bitget
    finally:
        await bitget.close()


@pytest.fixture
async def streams_of_ccxt(exchange: SimulatedExchange) -> AsyncIterator[Any]:
    """The same client with its sockets, at the simulator's."""
    pro = pytest.importorskip("ccxt.pro")
    key = exchange.credentials()
    bitget = pro.bitget({"apiKey": key.api_key, "secret": key.secret, "password": key.passphrase})
    sockets = {name: f"{exchange.ws_url}/v2/ws/{name}" for name in ("public", "private")}
    bitget.urls["api"] = dict.fromkeys(bitget.urls["api"], exchange.base_url) | {"ws": sockets}
    bitget.options["fetchMarkets"]["types"] = ["spot"]
    try:
        await bitget.load_markets()
        yield bitget
    finally:
        await bitget.close()


@pytest.fixture
async def typed_classic(exchange: SimulatedExchange) -> AsyncIterator[Any]:
    """The classic surface of typed-bitget with validation on, at the simulator's address."""
    typed_bitget = pytest.importorskip("typed_bitget")
    key = exchange.add_key(transfer=True)
    async with typed_bitget.Bitget.new(
        access_key=key.api_key, secret_key=key.secret, passphrase=key.passphrase
    ) as bitget:
        bitget.http_client.base_url = exchange.base_url
        yield bitget.classic
