"""Hashing: right, wrong, nobody's, stale, and never too many at once."""

import threading

import pytest

from skileez.accounts import passwords
from skileez.accounts.passwords import Passwords
from skileez.errors import Refused


@pytest.fixture
def cheap() -> Passwords:
    return Passwords(time_cost=1, memory_kib=8)


def test_a_password_fits_its_own_hash_only(cheap: Passwords) -> None:
    hashed = cheap.hash("correct horse")
    assert cheap.fits(hashed, "correct horse")
    assert not cheap.fits(hashed, "correct horsf")
    assert "correct" not in hashed


def test_two_hashes_of_one_password_differ(cheap: Passwords) -> None:
    assert cheap.hash("correct horse") != cheap.hash("correct horse")


def test_nobodys_password_is_checked_at_the_same_cost_and_never_fits(
    cheap: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    verify = cheap._argon.verify
    monkeypatch.setattr(
        type(cheap._argon),
        "verify",
        lambda self, hashed, word: checked.append(hashed) or verify(hashed, word),
    )
    assert not cheap.fits(None, "anything")
    assert [one.split("$")[1:4] for one in checked] == [["argon2id", "v=19", "m=8,t=1,p=1"]]


def test_the_same_letters_from_another_keyboard_fit(cheap: Passwords) -> None:
    assert cheap.fits(cheap.hash("cafe\u0301 au lait"), "caf\u00e9 au lait")


def test_a_hash_that_is_none_fits_nothing(cheap: Passwords) -> None:
    assert not cheap.fits("not a hash", "not a hash")


def test_a_hash_of_other_parameters_is_stale(cheap: Passwords) -> None:
    hashed = cheap.hash("correct horse")
    assert not cheap.is_stale(hashed)
    assert Passwords(time_cost=2, memory_kib=8).is_stale(hashed)


def test_too_many_at_once_are_sent_away_with_a_sentence(
    cheap: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "LONGEST_WAIT_SECONDS", 0)
    one = Passwords(time_cost=1, memory_kib=8, at_once=1)
    with one._turn(), pytest.raises(Refused) as refused:
        one.hash("correct horse")
    assert refused.value.code == "too_many_at_once"
    assert one.hash("correct horse")


def test_no_more_than_allowed_hash_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()
    pause = threading.Event()

    class Slow:
        def hash(self, word: bytes) -> str:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            pause.wait(0.02)
            with lock:
                running -= 1
            return "hashed"

    hasher = Passwords(time_cost=1, memory_kib=8, at_once=2)
    hasher._argon = Slow()  # type: ignore[assignment]
    threads = [threading.Thread(target=hasher.hash, args=("word",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
