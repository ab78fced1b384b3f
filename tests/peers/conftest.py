"""An exchange on a real socket, with enough orders to tell a right answer from a lucky one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bitget_async.sim import Settings, SimulatedExchange


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
