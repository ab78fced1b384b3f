"""
The desk for the account: its ledger, its sub-accounts, fees, tax, totals, the way to a unified account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from bitget_async.sim import rows
from bitget_async.sim.accounts import Account
from bitget_async.sim.after import delay_ns
from bitget_async.sim.call import Call
from bitget_async.sim.drafts import known_symbol, one_of
from bitget_async.sim.fields import known_coin, long, plain
from bitget_async.sim.funds import ACCOUNT_TYPES, Bill, Funds
from bitget_async.sim.ledger import FEE
from bitget_async.sim.market import SYMBOLS
from bitget_async.sim.pages import Wanted
from bitget_async.sim.refusals import Refusal
from bitget_async.sim.settings import Dice, Settings, draw_ns
from bitget_async.sim.venue import Venue

__all__ = ["AccountDesk", "family", "member"]

BUSINESS = ("spot", "mix", "margin")
# Of futures and margin only what the page's example tells: nothing is traded there.
RATES = {"spot": (FEE, FEE), "margin": (FEE, FEE), "mix": (Decimal("0.0002"), Decimal("0.0006"))}


class AccountDesk:
    """Every method answers one endpoint: takes the call, gives `data`, raises `Refusal`."""

    def __init__(self, venue: Venue, funds: Funds, settings: Settings, dice: Dice) -> None:
        self._venue = venue
        self._funds = funds
        self._settings = settings
        self._dice = dice

    def table(self) -> dict[str, Callable[[Call], object]]:
        """Route name -> who answers."""
        return {
            "bills": self.bills,
            "subaccount-assets": self.subaccount_assets,
            "deduct-info": self.deduct_info,
            "switch-deduct": self.switch_deduct,
            "upgrade": self.upgrade,
            "upgrade-status": self.upgrade_status,
            "trade-rate": self.trade_rate,
            "all-trade-rate": self.all_trade_rate,
            "all-account-balance": self.all_account_balance,
            "funding-assets": self.funding_assets,
            "bot-assets": self.bot_assets,
            "spot-record": self.tax_spot_record,
        }

    def bills(self, call: Call) -> object:
        """GET account/bills: newest first."""
        wanted = Wanted(call, 100, 500)
        coin, group, business = known_coin(call), call.params.get("groupType"), call.params.get("businessType")
        bills = (
            bill
            for bill in self._funds.bills(call.account.uid)
            if coin in (None, bill.coin) and group in (None, "", bill.group) and business in (None, "", bill.business)
        )
        return [_bill_row(bill) for bill in wanted.page(bills, _bill_key)[0]]

    def tax_spot_record(self, call: Call) -> object:
        """GET tax/spot-record: the same ledger in other words, thirty days at most."""
        wanted = Wanted(call, 500, 500, days=30, too_long="00001", needs_span=True)
        coin = known_coin(call)
        bills = (bill for bill in self._funds.bills(call.account.uid) if coin in (None, bill.coin))
        return [
            {
                "id": str(bill.number),
                "coin": bill.coin,
                "spotTaxType": bill.tax,
                "amount": long(bill.size),
                "fee": long(bill.fee),
                "balance": long(bill.balance),
                "bizOrderId": bill.origin,
                "ts": str(bill.time_ms),
            }
            for bill in wanted.page(bills, _bill_key)[0]
        ]

    def subaccount_assets(self, call: Call) -> object:
        """GET subaccount-assets: sub-accounts that hold something; their numbers are JSON numbers as on the page."""
        if call.account.parent is not None:
            raise Refusal("40068")
        wanted = Wanted(call, 10, 50)
        subs = sorted(family(self._venue, call.account)[1:], key=lambda sub: -int(sub.uid))
        holders = [sub for sub in subs if rows.asset_rows(sub, None, everything=False)]
        return [
            {
                "id": _cursor(sub),
                "userId": int(sub.uid),
                "assetsList": rows.asset_rows(sub, None, everything=False),
            }
            for sub in wanted.page(holders, lambda sub: (_cursor(sub), call.now_ms))[0]
        ]

    def deduct_info(self, call: Call) -> object:
        """GET deduct-info."""
        return {"deduct": "on" if call.account.deduct else "off"}

    def switch_deduct(self, call: Call) -> object:
        """POST switch-deduct: the recorded refusal for anything but on and off; `data` is a bare true."""
        deduct = call.body.get("deduct")
        if deduct not in ("on", "off"):
            raise Refusal("400172", "deduct")
        if delay_ns(call, 0, self._dice) == 0:
            call.account.deduct = deduct == "on"
        return True

    def upgrade(self, call: Call) -> object:
        """POST upgrade: answers at once, and some time later the account is a unified one."""
        account = member(self._venue, call, call.params.get("subUid"))
        if account.upgrade[0] not in ("process", "success"):
            usual_ns = draw_ns(self._settings.upgrade_delay_s, self._dice.funds)
            account.upgrade = ("process", "")
            self._venue.timeline.at(
                call.now_ns + delay_ns(call, usual_ns, self._dice), lambda now_ns: self._upgraded(account)
            )
        return {"status": account.upgrade[0]}

    def upgrade_status(self, call: Call) -> object:
        """GET upgrade-status: empty texts before an upgrade was asked for."""
        status, reason = member(self._venue, call, call.params.get("subUid")).upgrade
        return {"status": status, "reason": reason}

    def trade_rate(self, call: Call) -> object:
        """GET common/trade-rate."""
        known_symbol(call)
        maker, taker = RATES[one_of(call, "businessType", BUSINESS)]
        return {"makerFeeRate": plain(maker), "takerFeeRate": plain(taker)}

    def all_trade_rate(self, call: Call) -> object:
        """GET common/all-trade-rate."""
        names = [known_symbol(call)] if call.params.get("symbol") else list(SYMBOLS)
        maker, taker = RATES[one_of(call, "businessType", BUSINESS)]
        return [{"symbol": name, "makerFeeRate": plain(maker), "takerFeeRate": plain(taker)} for name in names]

    def all_account_balance(self, call: Call) -> object:
        """GET all-account-balance: the six types of the page, in its order, each worth in USDT."""
        account, worth = call.account, self._worth
        spot = {coin: held.available + held.frozen for coin, held in account.balances.items()}
        futures = [kind for kind in ACCOUNT_TYPES if kind.endswith("_futures")]
        margin = [kind for kind in ACCOUNT_TYPES if kind.endswith("_margin")]
        totals = {
            "spot": worth(spot),
            "futures": sum((worth(self._funds.pocket(account.uid, kind)) for kind in futures), Decimal(0)),
            "funding": worth(self._funds.pocket(account.uid, "p2p")),
            "earn": worth(self._funds.pocket(account.uid, "earn")),
            "bots": worth(self._funds.pocket(account.uid, "bots")),
            "margin": sum((worth(self._funds.pocket(account.uid, kind)) for kind in margin), Decimal(0)),
        }
        return [{"accountType": name, "usdtBalance": plain(total)} for name, total in totals.items()]

    def funding_assets(self, call: Call) -> object:
        """GET funding-assets: what is in the p2p account; `frozen` is an empty text, as in the page's example."""
        return [
            {"coin": coin, "available": plain(held), "frozen": "", "usdtValue": plain(self._funds.usdt(coin, held))}
            for coin, held in self._held(call, "p2p")
        ]

    def bot_assets(self, call: Call) -> object:
        """GET bot-assets: what was given to the bots, which here all trade spot."""
        if one_of(call, "accountType", ("spot", "futures"), "spot") == "futures":
            return []
        return [
            {
                "coin": coin,
                "available": plain(held),
                "equity": plain(held),
                "bonus": "0",
                "frozen": "0",
                "usdtValue": plain(self._funds.usdt(coin, held)),
            }
            for coin, held in self._held(call, "bots")
        ]

    def _held(self, call: Call, account_type: str) -> Iterable[tuple[str, Decimal]]:
        coin = known_coin(call)
        pocket = self._funds.pocket(call.account.uid, account_type)
        return ((name, held) for name, held in pocket.items() if coin in (None, name))

    def _worth(self, held: dict[str, Decimal]) -> Decimal:
        return sum((self._funds.usdt(coin, amount) for coin, amount in held.items()), Decimal(0))

    def _upgraded(self, account: Account) -> None:
        refusal = self._settings.upgrade_refusal
        account.upgrade = ("fail", refusal) if refusal else ("success", "")
        if not refusal:
            account.mode = "unified"


def family(venue: Venue, main: Account) -> list[Account]:
    """A main account and its sub-accounts, oldest first."""
    return [main, *(account for account in venue.accounts.values() if account.parent is main)]


def member(venue: Venue, call: Call, uid: str | None) -> Account:
    """The caller's account, or the sub-account of his with that user id. Raises `Refusal` 40066."""
    if not uid:
        return call.account
    found = venue.accounts.get(uid)
    if found is None or (found is not call.account and found.parent is not call.account):
        raise Refusal("40066")
    return found


def _cursor(sub: Account) -> int:
    return 1000 + int(sub.uid) % 1_000_000


def _bill_key(bill: Bill) -> tuple[int, int]:
    return bill.number, bill.time_ms


def _bill_row(bill: Bill) -> dict[str, object]:
    """A row of bills, in the order and with the eight decimals of the recording."""
    return {
        "billId": str(bill.number),
        "bizOrderId": bill.origin,
        "coin": bill.coin,
        "groupType": bill.group,
        "businessType": bill.business,
        "size": long(bill.size),
        "balance": long(bill.balance),
        "fees": long(bill.fee),
        "cTime": str(bill.time_ms),
    }
