"""
The one table from the exchange's code to the class of the error and to what the code proves.

`definitive` answers the question of `errors`: *may I repeat it?* True means that an envelope with this code proves
that this request was not executed, because the exchange judged the request itself: key, clock, permission, quota,
parameters, balance, state of the order. False means that the code proves nothing: a timeout, a release window, a
concurrent change, a bare "failed" without a reason, a text about the system, work still in progress. Whatever could
be read either way stands under False, because a wrong True hides an executed order while a wrong False costs a read.

It is about this request only. "Order does not exist" proves that this cancel did nothing; what became of the order
is another question, with evidence of its own.

All codes of the exchange's REST tables of March and November 2025 and of both socket tables are listed, and a few
that were met without standing in a table. "00000" is no error and is not listed.

Source: https://www.bitget.com/api-doc/spot/error-code/restapi (2025-11-30, and the older copy of 2025-03),
https://www.bitget.com/api-doc/spot/error-code/websocket (2025-11-10).
"""

from __future__ import annotations

import msgspec

from bitget_async.errors import (
    AccountModeMismatch,
    AuthenticationFailed,
    ClockSkewed,
    DuplicateClientOid,
    InsufficientFunds,
    NothingToCancel,
    OrderAlreadyFinal,
    OrderNotFound,
    PermissionDenied,
    RateLimited,
    Refused,
    UnknownSymbol,
)

__all__ = ["Verdict", "asks_to_wait", "classify", "known"]


class Verdict(msgspec.Struct, frozen=True):
    """
    What a code of the exchange means.

    Attributes:
        error: class to raise when the code is definitive.
        definitive: whether an envelope with this code proves that the request was not executed.
    """

    error: type[Refused]
    definitive: bool


_UNKNOWN = Verdict(Refused, False)
_RELEASE = "40015 40725 40808 45001 40200"

# class, definitive, what the group is, its codes
_ROWS: tuple[tuple[type[Refused], bool, str, str], ...] = (
    # Key, clock, account.
    (
        AuthenticationFailed,
        True,
        "key, passphrase or signature missing or wrong",
        "40001 40002 40003 40006 40009 40011 40012 40036 40037 40041 49000",
    ),
    (AuthenticationFailed, True, "the same on the socket", "30004 30005 30011 30012 30015"),
    (AuthenticationFailed, True, "the same of brokers and callbacks", "40039 49002 49004 49006 49051 49052"),
    (
        ClockSkewed,
        True,
        "timestamp invalid or expired; the last two on the socket",
        "40004 40005 40008 40911 30013 30014",
    ),
    (AccountModeMismatch, True, "account is in unified mode; met, in no table", "40085"),
    # The opposite mismatch: the remedy that AccountModeMismatch prints would be the wrong one.
    (Refused, True, "account is NOT in unified mode; 40084 met on V3, in no table", "40084 25245"),
    (PermissionDenied, True, "the key may not do this", "40014 40040 40048 25620"),
    (PermissionDenied, True, "demo key on the live exchange or the reverse; met, in no table", "40099"),
    (PermissionDenied, True, "address not allowed, or no allow-list yet", "40018 40038 49003 22010"),
    (PermissionDenied, True, "region", "40000 40100 40103 40104 59006"),
    (
        PermissionDenied,
        True,
        "account abnormal, frozen, suspended, disabled, cancelled",
        "40013 40024 40026 40031 40710 40752 40753 40760 12017 25006 25007 43136 50012 50013 50023 50064",
    ),
    (PermissionDenied, True, "account at risk or in liquidation", "25008 25012 45009 50022 95001"),
    (PermissionDenied, True, "second factor or KYC missing", "40016 40027 40035 40101 40111 49011 59005"),
    (
        PermissionDenied,
        True,
        "business or API restricted for this user",
        "40021 40022 40023 40025 40052 40301 40916 31020 45107 45108 50019 70227 49001 49022 49030 60040 25013",
    ),
    (PermissionDenied, True, "not for traders or sub-accounts", "40199 40061 40068 49005 50015"),
    (PermissionDenied, True, "VIP domain not granted; not available in demo", "40086 40081 40105 40110 22030"),
    (
        PermissionDenied,
        True,
        "limits on what this account may buy or sell of a coin",
        "12002 12003 13007 13009 43122 46013 50068 50081 70221 70222 70224 70225 25213 25214 25215 25216 25243 "
        "95006 95007",
    ),
    (
        RateLimited,
        True,
        "too many requests, or the same too soon",
        "429 13001 22035 25004 30006 30007 40047 40918 43036 45129 59044 70228",
    ),
    # Symbols.
    # 40034 reads "Parameter {0} does not exist", and is what an unknown symbol gets (recorded).
    (UnknownSymbol, True, "no such symbol or coin", "40034 40072 40102 42016 13002 31019 50024 50032 25100 25201"),
    (
        UnknownSymbol,
        True,
        "removed, offline, not open, no API trading",
        "22004 31021 40309 40845 41113 43119 43120 50025 50026 50028 50065 25101 25104 25108",
    ),
    (
        UnknownSymbol,
        False,
        "maintenance, settlement, opening soon",
        "40308 40795 40844 41114 43115 45043 50027 50030 25102 25103 25106",
    ),
    # Orders.
    (OrderNotFound, True, "order unknown", "43001 40109 40768 40819 45057 31007 25204 80011"),
    (
        OrderNotFound,
        True,
        "plan, tpsl, trailing order or strategy unknown",
        "43020 43025 43033 43065 25575 25577 25597",
    ),
    (
        OrderAlreadyFinal,
        True,
        "order final, or its state or type admits no cancel",
        "45031 45055 45056 50062 40769 40817 40818 45125 45126 43021 43026 13010",
    ),
    (NothingToCancel, True, "nothing to cancel or stop", "22001 43004 31054 25578"),
    (
        InsufficientFunds,
        True,
        "balance or margin too low",
        "43012 40711 40712 40754 40756 40759 40762 40798 40800 40893 40898 40901 43132 45002 45004 45008 49023 49064 "
        "50020 50045 59002 59011 59022 59042 60013 25202 25203 25219 25228",
    ),
    (DuplicateClientOid, True, "a pending order has this clientOid", "40708 40786 43118 45034 50060 25212"),
    (
        Refused,
        True,
        "too many open orders",
        "40715 40723 40750 40751 40761 40763 40889 40890 43005 43071 43128 45010 45118 50048 70223 80015 25211 25567 "
        "25599",
    ),
    (
        Refused,
        True,
        "size or value out of range",
        "12006 22034 22039 22040 22041 40717 40734 40804 40887 40888 40892 40921 40922 40923 40928 40930 43006 43007 "
        "43010 43027 43029 43037 43038 43041 43042 43051 45103 45104 45110 45111 45112 45113 45114 45120 50016 50017 "
        "13008 31018 31022 70218 25207 25208 25230 25231 25233 25234 25235 25241 25242 25571 25611 22029",
    ),
    # 41117 is in no table; ccxt quotes a recorded body, "selling price cannot be lower than".
    (
        Refused,
        True,
        "price out of range",
        "22006 22007 22008 22009 31017 40706 40718 40719 40721 40748 40749 40815 40816 40820 40821 40824 40895 41117 "
        "43008 43009 43039 43040 45123 50018 50046 50047 25205 25206 25654 25655",
    ),
    (Refused, False, "price out of range, as one library reads it; in no table", "22046"),
    (
        Refused,
        True,
        "step or precision",
        "01002 22038 40787 40925 43028 43124 43125 45035 45115 50063 25244 25606 25607 25608 25609 25610",
    ),
    (
        Refused,
        True,
        "trigger, take-profit or stop-loss price or setting",
        "31004 31005 31008 31012 31013 31014 31015 31045 31053 40407 40735 40736 40737 40738 40739 40740 40741 40742 "
        "40829 40830 40831 40832 40833 40834 40835 40836 40837 40891 40896 40915 40917 43013 43014 43015 43016 43023 "
        "43024 43030 43031 43032 43034 43035 45060 45061 45062 45064 45065 45066 45067 45068 45122 45127 45128 25579 "
        "25580 25581 25582 25583 25584 25585 25586 25587 25588 25589 25590 25591 25592 25593 25594 25595 25596 25598 "
        "25600 25601 25602 25603 25604 25605 25612 25650 25651 25652",
    ),
    (Refused, True, "order may not be modified so", "22003 25568 25569"),
    # Requests.
    (
        Refused,
        True,
        "parameter missing, malformed or out of range",
        "00171 00172 400172 01001 01003 12001 20002 22012 31002 31003 31028 31030 31051 40007 40017 40019 40020 40053 "
        "40054 40057 40058 40059 40064 40404 40408 40409 40724 40811 40812 40813 40857 40902 40913 40924 41002 41101 "
        "41103 43011 43048 43058 43060 43061 43111 43123 45082 48001 48002 49009 49024 49025 49026 50011 50061 "
        "59026 70001 70002 70006 70007 70008 70101 70102 70103 70104 80001 25200 25238 95011",
    ),
    (Refused, True, "ids: too long, wrong format, too many in a batch", "40304 40305 40306 40402 40912"),
    (Refused, True, "time window or amount of rows", "00001 20001 40303 40704 40705 40707 42072 43067 43130"),
    # The window is the caller's own deadline for one order, so this is no ClockSkewed: signing anew would break it.
    (Refused, True, "outside receiveWindow, or receiveWindow too long", "40078 40079"),
    (Refused, True, "malformed request or subscription on the socket", "30001 30002 30003 30016 50033"),
    (Refused, True, "retired V1 endpoint; met, in no table", "30032"),
    (Refused, True, "unsupported operation or coin", "40805 40806 40841 40847 40401 40919 41104 25002 25240"),
    # Other business lines: refused by their rules.
    (
        Refused,
        True,
        "positions, leverage and margin modes",
        "22002 22005 22011 22020 22042 40172 40709 40713 40714 40716 40726 40727 40729 40730 40746 40747 40755 "
        "40757 40758 40771 40773 40774 40775 40778 40779 40796 40797 40801 40802 40803 40814 40827 40828 40838 40839 "
        "40867 40871 40872 40873 40874 40875 40881 40883 40884 40885 40886 40914 40920 40929 40931 40939 43043 43049 "
        "43050 43075 45003 45005 45006 45007 45018 45020 45021 45025 45026 45044 45045 45047 45054 45097 45099 45100 "
        "45101 45102 45109 45116 45117 45119 25009 25010 25105 25107 25110 25217 25223 25225 25226 25227 25229 25232 "
        "25236 25237 25570 25574 25622 95005 95008 95009 95012 95013",
    ),
    (
        Refused,
        True,
        "trial coupons of futures",
        "22014 22015 22016 22017 22018 22019 22021 22022 22023 22024 22025 22026 22027 22028 40897",
    ),
    (
        Refused,
        True,
        "copy trading",
        "31001 31024 31025 31026 31029 31031 31032 31034 31035 31036 31037 31038 31039 31040 31041 31042 31043 31044 "
        "31046 31047 31048 31050 31052 31057 40728 40731 40732 40848 40849 40850 40851 40852 40853 40854 40855 40860 "
        "40861 40862 40863 40864 40866 40868 40869 40870 40876 40877 40882 43017 43045 43046 43047 43052 43053 43054 "
        "43055 43056 43057 43062 43063 43069 45075 45089 45091 45098",
    ),
    (
        Refused,
        True,
        "margin and loans",
        "50001 50002 50003 50004 50014 50021 50034 50035 50037 50039 50040 50041 50042 50059 43133 80003 80004 80005 "
        "80006 80007 80008 80009 80010 80012 80013 80014 80016 80020 25559 25560 25561 25562 25563 25564 25565 25566 "
        "95002 95003 95004 95010 95014",
    ),
    (
        Refused,
        True,
        "accounts, sub-accounts, brokers",
        "40028 40029 40032 40033 40043 40045 40051 40055 40056 40060 40063 40065 40066 40069 40070 40071 40107 40108 "
        "40772 40807 40899 41001 45019 49007 49008 49010 49053 70020 70206 70207 25005",
    ),
    (
        Refused,
        True,
        "deposit, withdrawal, transfer, conversion",
        "11000 12007 12008 12009 12016 12020 12021 12022 13003 13004 13006 13212 40077 40781 40799 40936 40937 42014 "
        "42015 42017 43112 43113 43114 43116 43117 43121 43126 43127 43129 43131 43134 47001 47002 47003 50077 50078 "
        "70204 70205 70211 70212 70213 70214 70215 70216 70217 70219 70226",
    ),
    (
        Refused,
        True,
        "custody and settlement",
        "49020 49050 49060 49061 49062 49063 49065 49066 49067 49068 49070 49071 49073 49078 49079 49080 49081",
    ),
    (
        Refused,
        True,
        "savings products",
        "59001 59003 59004 59007 59008 59009 59010 59012 59015 59016 59017 59018 59019 59020 59023 59024 59025 59027 "
        "59028 59029 59030 59031 59033 59034 59035 59036 59037 59038 59039 59040 59041 59043 59045 59047 59048 59049 "
        "90001",
    ),
    (
        Refused,
        True,
        "p2p",
        "60001 60002 60003 60004 60005 60006 60007 60008 60009 60011 60012 60014 60015 60016 60017 60018 60020 60021 "
        "60022 60023 60025 60026 60027 60028 60031 60032 60033 60034 60036 60037 60038 60039 60042 60045 60046 60047 "
        "60049",
    ),
    # Nothing below proves anything about this request.
    (Refused, False, "timed out at the exchange", "40010 40910 25001 50008"),
    (Refused, False, "concurrent operation, or changed meanwhile", "40908 25003 25572 25573 25653"),
    # The vendor's FAQ names 40015, 40725, 40808 and 45001 for release windows; 40809 and what follows read like 40808.
    (
        Refused,
        False,
        "release window, server upgrade",
        f"{_RELEASE} 40809 40810 45051 45052 59013 59014",
    ),
    (Refused, False, "system, service, unknown error", "25000 25220 12018 49040 50010 50031 50038 50049 80002"),
    (Refused, False, "placing or cancelling went wrong", "45023 45024 43002 43003 70229 40776 40777"),
    (Refused, False, "try again, without a reason", "43059 31027 40842 45124"),
    (
        Refused,
        False,
        "market moved or empty, order may be tried later",
        "22045 70220 40722 40826 25209 25210 25218 45121",
    ),
    (
        Refused,
        False,
        "failed, without a rule that was broken",
        "12004 12011 12012 12013 12014 12019 13005 19000 31016 31033 40049 40067 40903 40904 40905 40906 40907 41100 "
        "42013 43022 43066 43135 25011 25224 25239 49072 49075 49077 59021 59046 60010 60019 60024 60029 60030 60035 "
        "60041 60043 60044 70209 70210 40782 40788",
    ),
    (
        Refused,
        False,
        "abnormal data or state",
        "12005 12010 12015 22013 31009 31010 31049 40400 40744 40846 40856 40858 40878 40900 43044 43064 43068",
    ),
    (
        Refused,
        False,
        "in progress, or already processed",
        "22043 22044 22067 31006 31011 31023 40733 40743 40745 40859 40865 40879 40880 40894 40909 43137 45106 49021 "
        "49069 49074 50066 70208 25576",
    ),
    (
        Refused,
        False,
        "the exchange's own matching, books and configuration",
        "40074 40720 40764 40765 40766 40767 40770 40780 40783 40784 40785 40789 40790 40791 40792 40793 40794 40822 "
        "40823 40825 40840 40843 40927 45011 45012 45013 45014 45017 49076 50029 50036 50043 50044 50050 50051 50052 "
        "50053 50054 50055 50056 50057 50058 25221 25222",
    ),
)


def classify(code: str) -> Verdict:
    """
    Say what that code means.

    Args:
        code: the exchange's code as it stands in the envelope; leading zeros matter.

    Returns:
        The verdict. A code that is not in the table gives `Refused`, not definitive: it proves nothing.
    """
    return _VERDICTS.get(code, _UNKNOWN)


def known(code: str) -> bool:
    """Whether the table lists that code."""
    return code in _VERDICTS


def asks_to_wait(code: str | None) -> bool:
    """Whether the exchange says with it that it serves nobody for a while: a release window."""
    return code is not None and code in _RELEASE.split()


def _built(rows: tuple[tuple[type[Refused], bool, str, str], ...]) -> dict[str, Verdict]:
    verdicts: dict[str, Verdict] = {}
    for error, definitive, group, codes in rows:
        verdict = Verdict(error, definitive)
        for code in codes.split():
            if code in verdicts:
                raise RuntimeError(f"code {code} of group {group!r} stands in another group too")
            verdicts[code] = verdict
    return verdicts


_VERDICTS = _built(_ROWS)
