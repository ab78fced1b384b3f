"""
Mutants that may survive, by room and reason: `*` in a key stands for anything.

Whoever adds one says why no test can or should notice it.
"""

from __future__ import annotations

REASONS: dict[str, dict[str, tuple[str, ...]]] = {
    "stopping": {
        "before all moments: whatever it is, nothing happened then": (
            "checks.module: 0 -> 1",
            "checks.module: 0 -> 1 #4",
        ),
        "found by halves: where the search begins changes the number of steps, and the bound by a nanosecond at most": (
            "planner._Task.bound_ns: -1 -> 1 #2",
            "planner._Task.bound_ns: 0 -> 1 #*",
            "planner._Task.bound_ns: 1 -> 2 #*",
            "planner._Task.bound_ns: 2 -> 3",
        ),
        "slower, with the same result: an empty part is ended at once, and the rest of the slots take nothing": (
            "planner._Task.commands: break -> continue",
            "planner._Task.commands: 0 -> 1",
            "planner._spread: most >= len(whole) -> most > len(whole)",
            "planner._tasks: for task in (normal, trigger) if *",
        ),
        "the name of an endpoint that is never used": ("planner._tasks: '' -> 'X'",),
        "true and false are told apart as well the other way round": (
            "planner.plan: each.book is Book.PLAN -> each.book is not Book.PLAN",
        ),
        "a nanosecond or its like more or less; what is never is far away": (
            "planner.module: 1000000000 -> 1000000001",
            "rests.module: 1 -> 2",
            "rests.module: 62 -> 63",
        ),
        "no id is so small": ("state.Stopping.symbols: 0 -> 1",),
        "how many are noted: one more or less": ("state.module: 50 -> 51",),
    },
    "guard": {
        "how much is read of a file, and how many old sessions are remembered: one more or twice as many": (
            "memory.module: 1 -> 2 #2",
            "memory.module: 20 -> 21",
            "watchdog.module: 64 -> 65",
        ),
        "before a name is heard: its first session sets it, and whoever is armed from the start is given its time": (
            "watchdog.Watchdog.hear: 1 -> 2",
            "watchdog.module: -1 -> 1",
            "watchdog.module: 0 -> 1",
            "watchdog.module: 1 -> 2",
        ),
    },
    "tracking": {
        "before all moments: whatever it is, nothing happened then": (
            "ledger.Ledger.__init__: 0 -> 1",
            "ledger.Ledger.__init__: self.since_ms = 0 -> pass",
            "ledger.Ledger._end: 0 -> 1",
            "ledger.Ledger._saw: 0 -> 1",
            "ledger.Ledger.floor_of: 0 -> 1",
            "rounds.Rounds.__init__: 0 -> 1 #2",
            "rounds.Rounds.__init__: self._swept_ms = self._began_ms = 0 -> pass",
            "rounds.Rounds._new_sweep: 0 -> 1",
        ),
        "no is no: nobody asks whether it is False": ("*: return False -> return None*",),
        "ranks, of which only the order counts": (
            "ledger.module: 0 -> 1 #2",
            "ledger.module: 1 -> 2",
            "ledger.module: 2 -> 3",
        ),
        "how many are remembered, and for how long: one more or less": (
            "ledger.module: 4096 -> 4097",
            "rounds.module: 10000 -> 10001",
            "rounds.module: 0 -> 1 #2",
        ),
        "a nanosecond or its like more or less": (
            "state.module: 1000000 -> 1000001",
            "state.Tracking.sureness: age_ns > self.within_ns -> age_ns >= self.within_ns",
            "ledger.Ledger._saw: open_ms < self.floor_of(row.symbol) -> open_ms <= self.floor_of(row.symbol)",
        ),
        "the same listing again, or one that is no newer": (
            "rounds.Rounds.listed: listing.requested_ns <= self.listed_ns -> listing.requested_ns < self.listed_ns",
            "ledger.Ledger.listed: floor > self.floor_of(listing.symbol) -> floor >= self.floor_of(listing.symbol)",
        ),
        "where nothing was told it is shown to nobody": ("ledger.Ledger.expect: 'client' -> 'Xclient'",),
        "the longest pause was reached before": ("rounds.Rounds._asked: 16 -> 17",),
        "no id is so small": ("rounds.Rounds._paged: 0 -> 1*",),
        "no order has this id": ("rounds.Rounds.done: '' -> 'X'", "rounds.Rounds.failed: '' -> 'X'"),
    },
    "bucket": {
        "no is no: nobody asks whether it is False": ("bucket.Bucket.retire: return False -> return None",),
        "where the clock is finer than a millisecond, as here, its steps add nothing": (
            "bucket.module: SECOND_NS + 4 * MS_NS + * -> SECOND_NS + 4 * MS_NS - *",
        ),
        "slower, with the same result: more rounds are counted one by one": (
            "bucket.Bucket.wait_ns: (max(moments) - each) // hold -> (max(moments) - each) * hold",
            "bucket.Bucket.wait_ns: 1 -> 2",
            "bucket.Bucket.wait_ns: max(moments) - each -> max(moments) + each",
        ),
    },
    "evidence": {
        "the moment before all others: whatever it is, nothing happened then": (
            "sweep.Sweep.foretold: 0 -> 1",
            "sweep.Sweep.foretold: self.heard_ns < 0 -> self.heard_ns <= 0",
            "sweep.Sweep.has_run: 0 -> 1*",
            "sweep.Sweep.has_run: 0 <= known.shown_ns *",
            "sweep.Sweep.again: 1 -> 2*",
            "sweep.Sweep.again: -1 -> 1*",
            "sweep.Sweep.open_ids: 0 -> 1",
            "sweep.Sweep._fate: 0 -> 1",
            "sweep.Sweep._last_shown_ns: 1 -> 2",
            "sweep.Sweep._last_shown_ns: -1 -> 1",
            "named.Named.again: 1 -> 2*",
            "named.Named.again: -1 -> 1*",
            "named.Named.fate: 0*",
            "named.Named.why_unknown: 0 -> 1",
            "named.Named.why_unknown: self.read_ns < 0 -> self.read_ns <= 0",
            "named.Named._note_earlier: -1 -> 1",
            "named.Named._note_earlier: 1 -> 2 #2",
            "target.module: -1 -> 1*",
            "target.module: 1 -> 2*",
            "sweep.module: -1 -> 1*",
            "sweep.module: 1 -> 2*",
            "facts.module: 0 -> 1*",
        ),
        "a nanosecond more or less": ("sweep.Sweep._clear_from: 1 -> 2",),
        "no is no: nobody asks whether it is False": ("*: return False -> return None*",),
        "set when the order ends, and asked for only then": ("sweep.module: False -> True #2",),
        "a page without ids ends the chain, and its lowest id is not asked for": ("sweep.Sweep._follow: 0 -> 1",),
        "a page that shows swept orders and ends the chain is the last one: how far down it reached is not asked": (
            "sweep.Sweep._follow: min(swept, default=page.below) -> max(swept, default=page.below)*",
        ),
        "equal is the case before it": ("sweep.Sweep._follow: page.below > self._owed -> page.below >= self._owed",),
        "shown and perhaps shown at the same moment: only the later of both is asked": (
            "named.Named._saw: target.shown_ns < requested_ns -> target.shown_ns <= requested_ns",
        ),
        "for the type checker: what it asks was asked before": (
            "named.Named.answered_ns: for moment in moments if moment is not None -> for moment in moments",
        ),
        "the words of our records are texts, and equal to them as they are": (
            "target.has_values: 'value' -> 'Xvalue'",
        ),
    },
    "classifier": {
        "the name of a group, for readers of the table": (
            "codes.module: 'region' -> 'Xregion'",
            "codes.module: 'p2p' -> 'Xp2p'",
        ),
        "a text for people": ("wire._unreadable: why or *",),
        "redirects were answered before": (
            "wire._error: 200 <= reply.status < 300 -> 200 <= reply.status <= 300",
            "wire._error: 300 -> 301 #2",
        ),
        "slower, with the same result: more answers take the way with all questions": (
            "wire.decode: 200 -> 201",
            "wire.decode: 200 <= reply.status < 300 -> 200 < reply.status < 300",
            "wire.decode: reply.body.count(b'\"code\"') > 1 -> reply.body.count(b'\"code\"') >= 1*",
            "wire.decode: row.effect is Effect.COMMAND and * > 1 -> row.effect is Effect.COMMAND or *",
        ),
        "a byte more or less": (
            "wire.decode: len(reply.body) > SMALL -> len(reply.body) >= SMALL",
            "wire._glanced: len(reply.body) > SMALL -> len(reply.body) >= SMALL",
        ),
        "a time of so many digits is none": (
            "wire._integer: 18 -> 19",
            "wire._integer: len(value) <= 18 -> len(value) < 18",
        ),
    },
    "inquiry": {
        "the moment before all others: whatever it is, nothing happened then": (
            "breaker.Breaker.answered: 0 -> 1",
            "looks.SweepLook.hint: 0 -> 1",
            "looks.SweepLook.hint: evidence.last_listing_ns >= 0 -> evidence.last_listing_ns > 0",
            "looks.module: -1 -> 1",
            "looks.module: 1 -> 2 #2",
            "looks.SweepLook.failed: self.evidence.last_listing_ns < 0 -> self.evidence.last_listing_ns <= 0",
            "looks.SweepLook.failed: 0 -> 1",
            "planner.Inquiry.add: evidence.last_listing_ns < 0 -> evidence.last_listing_ns <= 0",
            "planner.Inquiry.add: 0 -> 1",
            "planner.Inquiry._still_out: 0 -> 1",
        ),
        "doubling ends at the longest gap long before that": ("breaker.Breaker.failed: 16 -> 17",),
        "no is no: nobody asks whether it is False": ("*: return False -> return None*",),
        "no id is as low as that": ("planner.Inquiry.__init__: 0 -> 1", "planner.Inquiry.done: 0 -> 1*"),
        "centuries, or twice as many": ("looks.module: 1 -> 2", "looks.module: 62 -> 63"),
        "the probe asks whether anything is answered: any of its symbols will do": (
            "planner.Inquiry._probe_first: min(look.symbols) -> max(look.symbols)",
        ),
        "for the type checker: a listing for named orders has a symbol": ("planner.Inquiry._listings: '' -> 'X'",),
        "for the type checker: who asks the history knows the ids of all its orders": (
            "named_looks.NamedLook.missing: for target in self.evidence.left if target.order_id is not None -> *",
        ),
        "equal: the window begins at that moment either way": (
            "looks.SweepLook.listed: next_ns < self.from_ns -> next_ns <= self.from_ns",
        ),
        "nothing is missing that has a number: no page begins anywhere, however far apart": (
            "planner.Inquiry._account_histories: 1 -> 2",
        ),
        "nothing is gathered before the first listing was answered": (
            "pace.Pace.__init__: 0 -> 1*",
            "pace.Pace.__init__: False -> True",
            "pace.Pace.__init__: self._reading = False -> pass",
        ),
        "only sweeps ask how many pages the account has": ("planner.Inquiry.due: 1 -> 2",),
        "one row more of an account of unknown size": ("planner.Inquiry._account_pages: 0 -> 1",),
    },
}
