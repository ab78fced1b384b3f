"""
The exchange's way of saying no: a code, its text, an HTTP status.
"""

from __future__ import annotations

__all__ = ["MESSAGES", "Refusal"]

MESSAGES: dict[str, str] = {
    "00000": "success",
    "00001": "startTime and endTime interval cannot be greater than {0} days",
    "429": "Too Many Requests",
    "22001": "No order to cancel",
    "40001": "ACCESS_KEY cannot be empty",
    "40002": "ACCESS_SIGN cannot be empty",
    "40005": "Invalid ACCESS_TIMESTAMP",
    "40006": "Invalid ACCESS_KEY",
    "40007": "Invalid Content_Type",
    "40008": "Request timestamp expired",
    "40009": "sign signature error",
    "40011": "ACCESS_PASSPHRASE cannot be empty",
    "40012": "apikey/password is incorrect",
    "40014": "Incorrect permissions, need {0} permissions",
    "40017": "Parameter verification failed {0}",
    "40019": "Parameter {0} cannot be empty",
    "40034": "Parameter {0} does not exist",
    "40066": "This subUid does not belong to the account or is not a virtual sub-account",
    "40068": "Disable subaccount access",
    "40078": "Timestamp for this request is outside of the ME receiveWindow.",
    "40079": "receiveWindow timestamp must be less than 60s",
    "40084": "You are in Classic Account mode, and the Unified Account API is not supported at this time",
    "40085": "You are in Unified Account mode, and the Classic Account API is not supported at this time",
    "40304": "clientOid or clientOrderId length cannot greater than 50",
    "40305": "clientOid or clientOrderId length cannot greater than 64, and cannot be Martian characters",
    "40306": "Batch processing orders can only process up to 20",
    "40404": "Request URL NOT FOUND",
    "40705": "The start and end time cannot exceed 90 days",
    "40707": "Start time is greater than end time",
    "40808": "Parameter verification exception {0}",
    "40912": "single cancel cannot exceed 50",
    "40913": "{0} must be passed one",
    "43001": "The order does not exist",
    "43004": "There is no order to cancel",
    "43005": "Exceed the maximum number of orders",
    "43008": "The current order price cannot be less than {0}",
    "43009": "The current order price exceeds the limit {0}",
    "43012": "Insufficient balance",
    "43025": "Plan order does not exist",
    "43026": "The planned order has been closed",
    "43118": "clientOrderId duplicate",
    "43127": "Sub transfer not by main account, or main/sub relationship error",
    "45056": "The current order type cannot be cancelled",
    "45110": "less than the minimum amount {0} USDT",
    "45111": "less than the minimum order quantity",
    "45113": "Maximum order value limit triggered",
    "45129": "Cancel order is too frequent, the same orderId is only allowed to be canceled once in a second",
    "400172": "{0} does not conform to specification",
}
"""Code -> text, with `{0}` where the exchange names something. A code without an entry gets an empty text."""


class Refusal(Exception):  # noqa: N818 - the exchange says no; nothing went wrong
    """
    The exchange refuses.

    Args:
        code: the exchange's code.
        detail: what replaces `{0}` in its text.
        text: another text than that of `MESSAGES`.
        status: HTTP status of the answer.
    """

    def __init__(self, code: str, detail: str = "", *, text: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.text = text or MESSAGES.get(code, "").replace("{0}", detail)
        self.status = status
