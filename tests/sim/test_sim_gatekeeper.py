"""Who may ask: the documented codes of every check, and the exchange's way to sign."""

from __future__ import annotations

import base64

import pytest

from bitget_async.sim import Request, SimulatedKey
from bitget_async.sim.accounts import Account, Key
from bitget_async.sim.gatekeeper import identify
from bitget_async.sim.refusals import Refusal

UNFILLED = "/api/v2/spot/trade/unfilled-orders"

# Reference, section 1.5: made-up key, computed from the documented rule by somebody else.
VECTOR_KEY = SimulatedKey("bg_testkey0123456789abcdef", "s3cr3t-made-up-for-docs-ONLY", "p")
HISTORY = "/api/v2/spot/trade/history-orders"
VECTORS = [
    (
        "GET",
        HISTORY,
        "endTime=1700000000000&limit=100&startTime=1699990000000&symbol=BTCUSDT",
        b"",
        "2fxImJ6KQcVu62NnbA3vytzfhgTmAMP9gDor/187Y/k=",
    ),
    ("GET", UNFILLED, "", b"", "WK527BZuRSlNHMoZkKjNVd2mOXFAmoCMOTb/AT/ZVqU="),
    (
        "POST",
        "/api/v2/spot/trade/cancel-symbol-order",
        "",
        b'{"symbol":"BTCUSDT"}',
        "j5j7S40hv+UkodsjsfHDq6Ym1c4erGpO9DddTskrWo8=",
    ),
    (
        "GET",
        "/api/v2/spot/trade/orderInfo",
        "clientOid=t-1%23a",
        b"",
        "KiWv3egWJDlnTZB4B4w7j8vodf0zJ+DRZqTdf/XbSG0=",
    ),
]
ENCODED_FORM = "1XDHi8nww60MOXKI+CtV+/YRjXTBbJByV9r84a9jfpk="


def check(method, path, query, body, signature):
    """The key that the exchange takes this signature for, at the vectors' own time."""
    key = Key(Account("1"), VECTOR_KEY, read=True, trade=True)
    headers = {
        "access-key": VECTOR_KEY.api_key,
        "access-sign": signature,
        "access-timestamp": "1700000000123",
        "access-passphrase": "p",
        "content-type": "application/json",
    }
    return identify(
        {VECTOR_KEY.api_key: key},
        method=method,
        path=path,
        raw_query=query,
        headers=headers,
        body=body,
        now_ms=1700000000123,
        tolerance_ms=30_000,
    )


@pytest.mark.parametrize(("method", "path", "query", "body", "signature"), VECTORS)
def test_worked_vectors_are_accepted(method, path, query, body, signature):
    """The check is the documented one, not merely the mirror of a client."""
    assert check(method, path, query, body, signature).texts is VECTOR_KEY


def test_signature_over_the_encoded_query_is_refused():
    """The exchange checks the decoded query; a client that signs the encoded one must be found out."""
    with pytest.raises(Refusal) as caught:
        check("GET", "/api/v2/spot/trade/orderInfo", "clientOid=t-1%23a", b"", ENCODED_FORM)
    assert caught.value.code == "40009"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"access-key": None}, "40001"),
        ({"access-sign": None}, "40002"),
        ({"access-passphrase": None}, "40011"),
        ({"access-timestamp": None}, "40005"),
        ({"access-timestamp": "soon"}, "40005"),
        ({"access-timestamp": "17e11"}, "40005"),
        ({"access-key": "bg_nobody"}, "40006"),
        ({"access-sign": "AAAA"}, "40009"),
        ({"access-sign": "\udcff"}, "40009"),
        ({"access-passphrase": "wrong"}, "40012"),
    ],
)
def test_each_broken_header_has_its_code(sim, change, code):
    """A client maps these codes; each must be reachable, as HTTP 400 with an envelope."""
    _, ask, _ = sim()
    headers = ask.sign("GET", UNFILLED) | change
    answer = ask.send(Request(method="GET", path=UNFILLED, headers={k: v for k, v in headers.items() if v is not None}))
    assert (answer.status, answer.code, answer.data) == (400, code, None)


@pytest.mark.parametrize(("off_s", "code"), [(29, "00000"), (-29, "00000"), (31, "40008"), (-31, "40008")])
def test_timestamp_may_be_half_a_minute_off(sim, off_s, code):
    """Thirty seconds either way, on the exchange's clock."""
    exchange, ask, _ = sim()
    headers = ask.sign("GET", UNFILLED)
    exchange.settings.clock_offset_ms += off_s * 1000
    assert ask.send(Request(method="GET", path=UNFILLED, headers=headers)).code == code
    assert exchange.truth.wire[-1].timestamp_age_ms == off_s * 1000


def test_post_needs_the_json_content_type(sim):
    """40007, as documented, and a charset behind it does no harm."""
    _, ask, _ = sim()
    path = "/api/v2/spot/trade/cancel-symbol-order"
    for content_type, code in [("text/plain", "40007"), ("application/json; charset=utf-8", "00000")]:
        headers = ask.sign("POST", path, b'{"symbol": "BTCUSDT"}') | {"content-type": content_type}
        request = Request(method="POST", path=path, body=b'{"symbol": "BTCUSDT"}', headers=headers)
        assert ask.send(request).code == code


def test_permissions_are_per_key(sim):
    """A key that may only read is refused a cancel with 40014; another key of the same account is not."""
    exchange, ask, _ = sim()
    reader = exchange.add_key(trade=False)
    assert ask.post("cancel-symbol-order", {"symbol": "BTCUSDT"}, reader).code == "40014"
    assert ask.get("unfilled-orders", reader).code == "00000"
    writer = exchange.add_key(read=False)
    assert ask.get("unfilled-orders", writer).code == "40014"
    assert ask.post("cancel-symbol-order", {"symbol": "BTCUSDT"}, writer).code == "00000"
    assert ask.get("/api/v2/spot/account/info", reader).data["authorities"] == ["stor"]


def test_unified_account_is_refused_everywhere(sim):
    """Every classic private call gives 40085; the classic account's v3 call gives 40084."""
    exchange, ask, _ = sim()
    unified = exchange.credentials(exchange.add_account(mode="unified"))
    for path in ("unfilled-orders", "history-orders", "/api/v2/spot/account/assets"):
        answer = ask.get(path, unified)
        assert (answer.status, answer.code) == (400, "40085")
    assert ask.post("cancel-symbol-order", {"symbol": "BTCUSDT"}, unified).code == "40085"
    assert ask.get("/api/v3/account/settings", unified).code == "00000"
    assert ask.get("/api/v3/account/settings").code == "40084"


def test_public_endpoints_look_at_no_signature(sim):
    """A signed call, rightly or wrongly, is answered like an unsigned one."""
    _, ask, _ = sim()
    for headers in ({}, {"access-key": "x", "access-sign": "y"}):
        assert ask.send(Request(method="GET", path="/api/v2/public/time", headers=headers)).code == "00000"


def test_rsa_keys_are_checked_with_their_public_half(sim):
    """Same prehash, RSASSA-PKCS1-v1_5 over SHA-256; a signature by another key fails."""
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding

    exchange, ask, _ = sim()
    mine, other = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    account = exchange.add_account(rsa_public_key=mine.public_key().public_bytes(*form).decode())
    key = exchange.credentials(account)
    for private, code in ((mine, "00000"), (other, "40009")):
        headers = ask.sign("GET", UNFILLED, key=key)
        message = f"{headers['access-timestamp']}GET{UNFILLED}".encode()
        signature = private.sign(message, padding.PKCS1v15(), hashes.SHA256())
        headers["access-sign"] = base64.b64encode(signature).decode()
        assert ask.send(Request(method="GET", path=UNFILLED, headers=headers)).code == code


def test_nothing_secret_shows(sim):
    """Neither the key's repr nor the wire log holds what a log must not."""
    exchange, ask, _ = sim()
    ask.get("unfilled-orders")
    key = exchange.credentials()
    shown = f"{key!r} {key} {exchange.account!r} {exchange.account.keys!r} {exchange.truth.wire[-1]!r}"
    assert not any(text in shown for text in key)


def test_unsorted_spaced_and_unknown_things_are_tolerated(sim):
    """Recorded clients send unsorted queries, spaced JSON, nulls and fields nobody knows."""
    _, ask, _ = sim()
    assert ask.get("unfilled-orders", symbol="BTCUSDT", limit=5, extra="?").code == "00000"
    body = {"symbol": "BTCUSDT", "requestTime": None, "receiveWindow": None, "colour": {"a": [1]}}
    assert ask.post("cancel-symbol-order", body).code == "00000"
    assert ask.post("cancel-symbol-order", [1]).code == "40808"
    assert ask.post("cancel-symbol-order", {}).code == "40019"
