"""Answers that somebody made to hurt the reader: as long as a body may be, and built of what costs most."""

from __future__ import annotations

from collections.abc import Callable

from bitget_async.endpoints import Endpoint

__all__ = ["HOSTILE", "HOSTILE_FRAMES"]

ROOM = 120


def filled(start: bytes, piece: bytes, end: bytes) -> Callable[[Endpoint], bytes]:
    """A body of one piece over and over, as long as the row allows."""

    def body(row: Endpoint) -> bytes:
        return start + piece * ((min(row.max_bytes, 1 << 20) - ROOM) // len(piece)) + end

    return body


YES = b'{"code":"00000","data":'

HOSTILE: dict[str, Callable[[Endpoint], bytes]] = {
    "records of three bytes": filled(YES + b"[", b"{},", b"{}]}"),
    "rows that do not fit": filled(YES + b"[", b'{"orderId":1,"price":[]},', b"{}]}"),
    "rows of null": filled(YES + b"[", b"null,", b"null]}"),
    "rows of lists": filled(YES + b"[", b"[],", b"[]]}"),
    "rows of short lists": filled(YES + b"[", b'["1","2"],', b"[]]}"),
    "a batch of empty rows": filled(YES + b'{"successList":[', b"{},", b"{}]}}"),
    "a batch of rows that do not fit": filled(YES + b'{"successList":[', b'{"orderId":[]},', b"{}]}}"),
    "one list in another": filled(YES, b"[", b""),
    "one object in another": filled(YES, b'{"a":', b""),
    "empty fields": filled(YES + b"{", b'"a":"",', b'"z":1}}'),
    "empty fields and no start": filled(b"", b',"a":""', b""),
    "objects that begin with an empty field": filled(b"", b'{"a":"",', b""),
    "one name": filled(b',"', b"a", b""),
    "many names": filled(b"", b',"' + b"a" * 1000, b""),
    "quotes": filled(YES, b'"', b"}"),
    "backslashes": filled(YES + b'"', b"\\", b'"}'),
    "a number": filled(YES, b"9", b"}"),
    "a number in a row": filled(YES + b'[{"orderId":', b"9", b"}]}"),
    "an amount": filled(YES + b'[{"size":"', b"9", b'"}]}'),
    "a small amount": filled(YES + b'[{"size":"0.', b"0", b'1"}]}'),
    "a time": filled(YES + b'[{"cTime":', b"9", b"}]}"),
    "a clock": filled(b'{"code":"00000","data":{},"requestTime":', b"9", b"}"),
    "a clock in a text": filled(b'{"code":"00000","data":{},"requestTime":"', b"9", b'"}'),
    "codes": filled(b'{"code":"00000","data":{},', b'"code":"00000",', b'"z":1}'),
    "codes in the data": filled(YES + b'{"a":[', b'{"code":1},', b"1]}}"),
    "a message": filled(b'{"code":"40034","msg":"', b"\\u0000", b'"}'),
    "an error's code": filled(b'{"code":"', b"\\ud83d\\ude00", b'"}'),
    "zero bytes": filled(b"", b"\0", b""),
    "bytes that are no text": filled(YES + b'"', b"\xff", b'"}'),
    "spaces": filled(YES, b" ", b"{}}"),
}


def framed(data: bytes, piece: bytes, end: bytes) -> Callable[[str, int], bytes]:
    """A push of that channel, of one piece over and over, as long as told."""

    def frame(channel: str, length: int) -> bytes:
        start = (
            b'{"action":"update","arg":{"channel":"%s","instId":"BTCUSDT"},"ts":1774423279501,"data":'
            % channel.encode()
        )
        return start + data + piece * ((length - ROOM) // len(piece)) + end + b"}"

    return frame


HOSTILE_FRAMES: dict[str, Callable[[str, int], bytes]] = {
    "rows of two bytes": framed(b"[", b"{},", b"{}]"),
    "rows that do not fit": framed(b"[", b'{"orderId":1,"newSize":[],"asks":1,"ts":[]},', b"{}]"),
    "rows with an empty field": framed(b"[", b'{"priceAvg":"","size":"1"},', b"{}]"),
    "rows of null": framed(b"[", b"null,", b"null]"),
    "rows of lists": framed(b"[", b"[],", b"[]]"),
    "rows of short lists": framed(b"[", b'["1","2"],', b"[]]"),
    "one long row": framed(b"[[", b'"1",', b'"1"]]'),
    "levels": framed(b'[{"asks":[', b'["1","1"],', b'["1","1"]]}]'),
    "levels of other prices": framed(
        b'[{"asks":[', b'["1","1"],["1.5","2.25"],["26274.123456789","0.0001"],', b"[]]}]"
    ),
    "a price of many digits": framed(b'[{"asks":[["', b"9", b'","1"]]}]'),
    "a size of many digits": framed(b'[{"bids":[["1","0.', b"0", b'1"]]}]'),
    "levels that are no numbers": framed(b'[{"asks":[', b'["1.1.1","1"],', b'["1","1"]]}]'),
    "a checksum": framed(b'[{"checksum":', b"9", b"}]"),
    "an amount": framed(b'[{"newSize":"', b"9", b'"}]'),
    "a time": framed(b'[{"uTime":', b"9", b"}]"),
    "fees": framed(b'[{"feeDetail":[', b'{"feeCoin":"B","fee":"1"},', b"{}]}]"),
    "one list in another": framed(b"", b"[", b""),
    "one object in another": framed(b"", b'{"a":', b""),
    "empty fields": framed(b"[{", b'"a":"",', b'"z":1}]'),
    "quotes": framed(b"", b'"', b""),
    "a text": framed(b'[{"status":"', b"\\u0000", b'"}]'),
    "bytes that are no text": framed(b'[{"status":"', b"\xff", b'"}]'),
    "spaces": framed(b"", b" ", b"[]"),
}
