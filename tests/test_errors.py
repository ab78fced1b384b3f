"""The error tree: texts, fields that survive copying, and who is a kind of whom."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest

from bitget_async import errors
from bitget_async.errors import (
    AccountModeMismatch,
    AuthenticationFailed,
    BitgetError,
    CancellationUnconfirmed,
    ClockSkewed,
    DuplicateClientOid,
    InsufficientFunds,
    ModificationUnconfirmed,
    NothingToCancel,
    NotSent,
    OrderAlreadyFinal,
    OrderNotFound,
    OutcomeUnknown,
    PermissionDenied,
    PlacementUnconfirmed,
    RateLimited,
    Refused,
    ReplacementUnconfirmed,
    StopUnconfirmed,
    StreamError,
    StreamOverflow,
    SubscriptionFailed,
    Unconfirmed,
    UnknownSymbol,
    UsageError,
)
from bitget_async.models import (
    CancellationReport,
    Fate,
    Modification,
    ModificationReport,
    Order,
    OrderFailure,
    OrderFate,
    Outcome,
    Placement,
    PlacementOutcome,
    PlacementReport,
    Replacement,
    ReplacementOutcome,
    ReplacementReport,
    Scope,
)

CANCEL = "POST /api/v2/spot/trade/cancel-symbol-order"


COMMON: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "acknowledged": False,
    "signed_at_ms": 1,
    "acknowledged_at_ms": None,
    "settled_at_ms": 2,
    "attempts": 1,
    "requests": {},
    "anomalies": (),
    "assumptions": {},
}


def fated(number: int, fate: Fate) -> OrderFate:
    """What became of one old order."""
    return OrderFate(order=Order(order_id=str(number)), fate=fate, scope=Scope.IN, source="client")


def report(still_open: int = 0, vanished: int = 0, outcome: str = "STILL_OPEN", reason: str = "") -> CancellationReport:
    """A report of that many orders without a final row."""
    fates = [Fate.OPEN] * still_open + [Fate.VANISHED] * vanished
    orders = tuple(fated(number, fate) for number, fate in enumerate(fates, start=1))
    return CancellationReport(outcome=Outcome[outcome], reason=reason, orders=orders, cleared_at_ms=None, **COMMON)


def placed(name: str, outcome: str, code: str = "", text: str = "") -> Placement:
    """What became of one new order."""
    refusal = OrderFailure(client_oid=name, error_code=code, error_msg=text) if code else None
    return Placement(
        client_oid=name, order_id=None, outcome=PlacementOutcome[outcome], order=None, source="client", refusal=refusal
    )


def placement_report(outcome: str, *placements: Placement, reason: str = "") -> PlacementReport:
    """A report of placements."""
    return PlacementReport(outcome=PlacementOutcome[outcome], reason=reason, placements=placements, **COMMON)


def replacement_report(outcome: str, *pairs: tuple[int, Fate, str, str], reason: str = "") -> ReplacementReport:
    """A report of replacements: the old order's id and fate, what became of the new one, and of both."""
    replacements = tuple(
        Replacement(old=fated(number, fate), new=placed("n", new), outcome=ReplacementOutcome[both])
        for number, fate, new, both in pairs
    )
    return ReplacementReport(outcome=ReplacementOutcome[outcome], reason=reason, replacements=replacements, **COMMON)


def modification_report(outcome: str, reason: str = "") -> ModificationReport:
    """A report of a change."""
    return ModificationReport(outcome=Modification[outcome], reason=reason, order=None, **COMMON)


TEXTS: tuple[tuple[BitgetError, str], ...] = (
    (BitgetError("root"), "root"),
    (UsageError("symbol must not be empty"), "symbol must not be empty"),
    (NotSent("closed"), "not sent (closed)"),
    (
        NotSent("rate_limit", endpoint=CANCEL, expected_wait_s=1.25),
        f"not sent (rate_limit); a token is expected in 1.25 s [{CANCEL}]",
    ),
    (NotSent("connect", detail="refused"), "not sent (connect): refused"),
    (OutcomeUnknown("timeout"), "outcome unknown (timeout)"),
    (
        OutcomeUnknown("code", endpoint=CANCEL, code="40010", message="Request timed out", http_status=400),
        f"outcome unknown (code), code 40010, HTTP 400, Request timed out [{CANCEL}]",
    ),
    (OutcomeUnknown("http_status", http_status=502), "outcome unknown (http_status), HTTP 502"),
    (Refused("40017", "Parameter verification failed"), "refused with code 40017: Parameter verification failed"),
    (
        AuthenticationFailed("40009", "sign signature error", http_status=400, endpoint=CANCEL),
        f"refused with code 40009 (HTTP 400): sign signature error [{CANCEL}]",
    ),
    (ClockSkewed("40008", "expired"), "refused with code 40008: expired"),
    (PermissionDenied("40014", "no"), "refused with code 40014: no"),
    (
        AccountModeMismatch("40085", "You are in Unified Account mode"),
        f"refused with code 40085: You are in Unified Account mode. {AccountModeMismatch.remedy}",
    ),
    (RateLimited("429", "Too many requests", http_status=429), "refused with code 429 (HTTP 429): Too many requests"),
    (UnknownSymbol("40034", "absent"), "refused with code 40034: absent"),
    (OrderNotFound("43001", "absent"), "refused with code 43001: absent"),
    (OrderAlreadyFinal("45031", "final"), "refused with code 45031: final"),
    (NothingToCancel("22001", "none"), "refused with code 22001: none"),
    (InsufficientFunds("43012", "low"), "refused with code 43012: low"),
    (DuplicateClientOid("43118", "twice"), "refused with code 43118: twice"),
    (StreamError("ended"), "ended"),
    (
        SubscriptionFailed("ticker XYZ", "30001", "no such channel"),
        "ticker XYZ was refused with code 30001: no such channel",
    ),
    (SubscriptionFailed("orders", None, "4 requests"), "orders was not acknowledged: 4 requests"),
    (StreamOverflow("orders", 3), "the reader of orders was too slow: 3 records were lost"),
    (CancellationUnconfirmed(report()), "cancellation of BTCUSDT is STILL_OPEN"),
    (
        CancellationUnconfirmed(report(still_open=1, vanished=1, outcome="UNKNOWN", reason="deadline")),
        "cancellation of BTCUSDT is UNKNOWN (deadline): 2 without a final row: 1, 2",
    ),
    (
        CancellationUnconfirmed(report(still_open=7)),
        "cancellation of BTCUSDT is STILL_OPEN: 7 without a final row: 1, 2, 3, 4, 5, ...",
    ),
    (StopUnconfirmed(report(still_open=1)), "stop of BTCUSDT is STILL_OPEN: 1 without a final row: 1"),
    (Unconfirmed(report()), "command of BTCUSDT is STILL_OPEN"),
    (
        PlacementUnconfirmed(
            placement_report("NOT_PLACED", placed("a", "NOT_PLACED", "43012", "Insufficient\n balance"))
        ),
        r"placement of BTCUSDT is NOT_PLACED: a; code 43012: Insufficient\n balance",
    ),
    (
        PlacementUnconfirmed(
            placement_report(
                "PARTLY_PLACED",
                placed("a", "PLACED"),
                placed("b", "NOT_PLACED", "43012", "low"),
                placed("c", "NOT_PLACED", "43012", "low"),
                placed("d", "NOT_PLACED"),
            )
        ),
        "placement of BTCUSDT is PARTLY_PLACED: b, c, d; code 43012: low",
    ),
    (
        PlacementUnconfirmed(placement_report("UNKNOWN", *[placed(each, "UNKNOWN") for each in "abcdef"], reason="x")),
        "placement of BTCUSDT is UNKNOWN (x): a, b, c, d, e, ...",
    ),
    (PlacementUnconfirmed(placement_report("UNKNOWN")), "placement of BTCUSDT is UNKNOWN"),
    (
        ReplacementUnconfirmed(replacement_report("NEW_MISSING", (7, Fate.CANCELLED, "NOT_PLACED", "NEW_MISSING"))),
        "replacement of BTCUSDT is NEW_MISSING: 7 CANCELLED, new NOT_PLACED",
    ),
    (
        ReplacementUnconfirmed(
            replacement_report(
                "MIXED",
                (7, Fate.CANCELLED, "PLACED", "REPLACED"),
                (8, Fate.OPEN, "NOT_PLACED", "OLD_KEPT"),
                (9, Fate.OPEN, "PLACED", "BOTH_OPEN"),
            )
        ),
        "replacement of BTCUSDT is MIXED: 8 OPEN, new NOT_PLACED; 9 OPEN, new PLACED",
    ),
    (ReplacementUnconfirmed(replacement_report("UNKNOWN", reason="y")), "replacement of BTCUSDT is UNKNOWN (y)"),
    (ModificationUnconfirmed(modification_report("NOT_MODIFIED")), "modification of BTCUSDT is NOT_MODIFIED"),
    (
        ModificationUnconfirmed(modification_report("UNKNOWN", reason="deadline")),
        "modification of BTCUSDT is UNKNOWN (deadline)",
    ),
)


@pytest.mark.parametrize(("error", "text"), TEXTS, ids=lambda value: type(value).__name__)
def test_text_is_built_from_the_fields(error: BitgetError, text: str) -> None:
    """What a reader of the log sees, for every class."""
    assert str(error) == text


def test_the_table_of_texts_has_every_class() -> None:
    """A new class comes with its text."""
    assert {type(error).__name__ for error, _ in TEXTS} == set(errors.__all__)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("a\r\nFAKE LOG LINE", r"a\r\nFAKE LOG LINE"),
        ("\x1b[31mred\x00", r"\x1b[31mred\x00"),
        ("right\u202eleft", r"right\u202eleft"),
        ("参数验证失败", "参数验证失败"),
        ("x" * 300, "x" * 256),
        ("\x00" * 300, r"\x00" * 64),
        (None, "None"),
        (["a\n"], r"['a\n']"),
    ],
)
def test_text_of_the_exchange_fits_one_line(raw: Any, shown: str) -> None:
    """No log injection and no flood: control characters escaped, at most 256 characters, whatever the type."""
    assert errors.printable(raw) == shown
    for error in (Refused(raw, raw), OutcomeUnknown("code", code="1", message=raw), NotSent("tls", detail=raw)):
        assert shown in str(error)
        assert "\n" not in str(error)
        assert len(str(error)) < 600
        assert len(repr(error)) < 1200


@pytest.mark.parametrize("error", [error for error, _ in TEXTS], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_errors_survive_pickle_with_their_fields(error: BitgetError, protocol: int) -> None:
    """A worker process must be able to hand its error to its parent."""
    error = copy.copy(error)
    error.add_note("seen by worker 3")
    again = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - our own bytes
    assert type(again) is type(error)
    assert vars(again).keys() == vars(error).keys()
    assert str(again) == str(error)
    assert again.__notes__ == error.__notes__


@pytest.mark.parametrize("error", [error for error, _ in TEXTS], ids=lambda error: type(error).__name__)
def test_errors_survive_copy_with_their_fields(error: BitgetError) -> None:
    """Copying goes the road of pickle; the fields are the same objects, the error is not."""
    again = copy.copy(error)
    assert again is not error
    assert vars(again) == vars(error)
    assert again.args == error.args


def test_fields_are_what_was_given() -> None:
    """The attributes that the docstrings promise."""
    refused = RateLimited("429", "slow down", http_status=429, endpoint=CANCEL)
    assert (refused.code, refused.message, refused.http_status, refused.endpoint) == ("429", "slow down", 429, CANCEL)
    unknown = OutcomeUnknown("timeout")
    assert (unknown.code, unknown.message, unknown.http_status, unknown.endpoint) == (None, "", None, "")
    unsent = NotSent("rate_limit", expected_wait_s=0.5)
    assert (unsent.reason, unsent.expected_wait_s, unsent.detail) == ("rate_limit", 0.5, "")
    settled = report()
    assert CancellationUnconfirmed(settled).report is settled


@pytest.mark.failure(25)
@pytest.mark.parametrize(
    "error",
    [
        Refused("40009", "sign s3cret error", http_status=400, endpoint=CANCEL),
        OutcomeUnknown("code", code="s3cret", message="got s3cret", http_status=400),
        OutcomeUnknown("connection", message="closed by s3cret"),
    ],
)
def test_redaction_leaves_no_copy_behind(error: Refused | OutcomeUnknown) -> None:
    """The text, the repr and the pickled bytes of an error whose answer echoed a secret."""
    errors.redact(error, lambda text: text.replace("s3cret", "***"))
    assert "***" in str(error)
    assert "s3cret" not in f"{error} {error!r} {vars(error)}"
    assert b"s3cret" not in pickle.dumps(error)


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (UsageError, ValueError),
        (UsageError, BitgetError),
        (NotSent, BitgetError),
        (OutcomeUnknown, BitgetError),
        (Refused, BitgetError),
        (Unconfirmed, BitgetError),
        (CancellationUnconfirmed, Unconfirmed),
        (StopUnconfirmed, Unconfirmed),
        (PlacementUnconfirmed, Unconfirmed),
        (ReplacementUnconfirmed, Unconfirmed),
        (ModificationUnconfirmed, Unconfirmed),
        (AuthenticationFailed, Refused),
        (ClockSkewed, AuthenticationFailed),
        *(
            (error, Refused)
            for error in (
                PermissionDenied,
                AccountModeMismatch,
                RateLimited,
                UnknownSymbol,
                OrderNotFound,
                OrderAlreadyFinal,
                NothingToCancel,
                InsufficientFunds,
                DuplicateClientOid,
            )
        ),
    ],
)
def test_child_is_a_kind_of_parent(child: type[Exception], parent: type[Exception]) -> None:
    """Who is caught by whose `except`."""
    assert issubclass(child, parent)


def test_the_answers_to_may_i_repeat_it_exclude_each_other() -> None:
    """No error is two of the branches at once, and none of ours is a builtin that a broad `except OSError` takes."""
    branches = (UsageError, NotSent, OutcomeUnknown, Refused, StreamError, Unconfirmed)
    for name in errors.__all__:
        error = getattr(errors, name)
        assert not issubclass(error, (OSError, TimeoutError, RuntimeError))
        assert sum(issubclass(error, branch) for branch in branches) == (0 if error is BitgetError else 1)


def test_the_list_of_exports_is_the_tree() -> None:
    """Exactly these, and nothing public beside them."""
    assert errors.__all__ == sorted(errors.__all__)
    assert set(errors.__all__) == {
        "AccountModeMismatch",
        "AuthenticationFailed",
        "BitgetError",
        "CancellationUnconfirmed",
        "ClockSkewed",
        "DuplicateClientOid",
        "InsufficientFunds",
        "ModificationUnconfirmed",
        "NotSent",
        "NothingToCancel",
        "OrderAlreadyFinal",
        "OrderNotFound",
        "OutcomeUnknown",
        "PermissionDenied",
        "PlacementUnconfirmed",
        "RateLimited",
        "Refused",
        "ReplacementUnconfirmed",
        "StopUnconfirmed",
        "StreamError",
        "StreamOverflow",
        "SubscriptionFailed",
        "Unconfirmed",
        "UnknownSymbol",
        "UsageError",
    }
    classes = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert classes == set(errors.__all__)


def test_the_tree_in_the_docstring_shows_every_class() -> None:
    """The drawing is what people read first; it must not lag behind."""
    assert errors.__doc__ is not None
    assert [name for name in errors.__all__ if name not in errors.__doc__] == []
