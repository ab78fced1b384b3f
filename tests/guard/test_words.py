"""What bot and guard say: anything that is not exactly a beat is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitget_async.guard.words import MOST_BYTES, Answer, Beat, Word

SESSION = "0123456789abcdef"
BEAT = {"v": 1, "name": "bot", "session": SESSION, "n": 3, "every_s": 1.0}
ANSWER = {"v": 1, "word": "armed", "session": SESSION, "n": 3, "after_s": 10.0, "rehearsal": False}


@pytest.mark.parametrize("beat", [Beat("bot", SESSION, 0, 0.5), Beat("a.B_9-", SESSION * 4, 2**40, 3600.0, True)])
def test_a_beat_survives_the_way(beat: Beat) -> None:
    """Both ends are of this package, and may be of two versions of it."""
    assert Beat.decode(beat.encode()) == beat


@pytest.mark.parametrize("word", Word)
def test_an_answer_survives_the_way(word: Word) -> None:
    """Every word that the guard may say."""
    for rehearsal in (False, True):
        answer = Answer(word, SESSION, 7, 10.0, rehearsal)
        assert Answer.decode(answer.encode()) == answer


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": None},
        {"name": ""},
        {"name": "a b"},
        {"name": "a\nb"},
        {"name": "x" * 65},
        {"name": 7},
        {"session": "0123"},
        {"session": SESSION.upper()},
        {"session": None},
        {"n": -1},
        {"n": True},
        {"n": 1.0},
        {"n": "1"},
        {"every_s": 0},
        {"every_s": -1},
        {"every_s": 3601},
        {"every_s": "1"},
        {"every_s": None},
        {"goodbye": 1},
        {"goodbye": "no"},
    ],
)
def test_what_is_not_exactly_a_beat_is_none(change: dict[str, Any]) -> None:
    """A sign of life is not to be guessed."""
    assert Beat.decode(json.dumps(BEAT).encode()) == Beat("bot", SESSION, 3, 1.0)
    assert Beat.decode(json.dumps(BEAT | change).encode()) is None


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"word": "fine"}, {"word": ["armed"]}, {"session": 3}, {"n": None}, {"after_s": 0}, {"after_s": "10"}],
)
def test_an_answer_that_is_none_guards_nobody(change: dict[str, Any]) -> None:
    """A word of a later version counts as no answer."""
    assert Answer.decode(json.dumps(ANSWER).encode()) == Answer(Word.ARMED, SESSION, 3, 10.0)
    assert Answer.decode(json.dumps(ANSWER | change).encode()) is None


def test_an_answer_that_does_not_deny_a_rehearsal_is_one() -> None:
    """Nobody may take himself for guarded by mistake."""
    answer = Answer.decode(json.dumps({k: v for k, v in ANSWER.items() if k != "rehearsal"}).encode())
    assert answer is not None
    assert answer.rehearsal is True


def test_a_guard_that_waits_for_less_than_a_second_is_one() -> None:
    """In a rehearsal."""
    answer = Answer.decode(json.dumps(ANSWER | {"after_s": 0.5}).encode())
    assert answer is not None
    assert answer.after_s == 0.5


def test_the_words_are_those_of_other_versions() -> None:
    """A bot and a guard of two versions must understand each other."""
    words = ["armed", "disarmed", "stopping", "fired", "superseded", "stranger"]
    assert [word.value for word in Word] == words


def test_a_beat_that_is_too_long_is_not_read() -> None:
    """The socket takes lines of that length only."""
    assert MOST_BYTES == 1024
    whole = json.dumps(BEAT).encode()
    assert Beat.decode(whole + b" " * (MOST_BYTES - len(whole))) is not None
    assert Beat.decode(whole + b" " * (MOST_BYTES - len(whole) + 1)) is None


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=50).map(lambda text: json.dumps(text).encode())))
def test_noise_is_no_beat(noise: bytes) -> None:
    """Whatever comes over the socket, the guard goes on."""
    assert Beat.decode(noise) is None
    assert Answer.decode(noise) is None
