"""Rows with versions: whoever applies what has changed arrives at what there is."""

from __future__ import annotations

import random

import pytest

from horizon.widgets.blotter import store as blotter_store
from horizon.widgets.blotter.store import Diff, Store


def apply(known: dict[int, str], diff: Diff[str]) -> None:
    if diff.is_whole:
        known.clear()
    for number in diff.gone:
        known.pop(number, None)
    known.update(diff.rows)


def test_what_has_changed_is_told_once_and_in_its_order() -> None:
    store: Store[str] = Store()
    assert store.put(1, "a")
    assert store.put(2, "b")
    assert not store.put(1, "a")  # the same again is no change
    assert store.version == 2
    assert store.since(0, 10) == Diff(0, 2, [(1, "a"), (2, "b")], [], True)
    assert store.put(1, "c")
    store.drop(2)
    store.drop(2)
    store.drop(77)
    assert store.version == 4
    assert store.since(2, 10) == Diff(2, 4, [(1, "c")], [2], False)
    assert store.since(3, 10) == Diff(3, 4, [], [2], False)
    assert store.since(4, 10) == Diff(4, 4, [], [], False)
    assert (len(store), 1 in store, 2 in store, store.get(1), store.get(2)) == (
        *(1, True, False, "c"),
        None,
    )


def test_a_piece_has_no_more_rows_than_asked_for_and_the_next_begins_where_it_ends() -> None:
    store: Store[str] = Store()
    for number in range(5):
        store.put(number, "old")
    assert store.since(0, 2) == Diff(0, 2, [(0, "old"), (1, "old")], [], True)
    assert store.since(2, 2) == Diff(2, 4, [(2, "old"), (3, "old")], [], False)
    assert store.since(4, 2) == Diff(4, 5, [(4, "old")], [], False)
    store.drop(1)
    store.put(3, "new")
    assert store.since(5, 1) == Diff(5, 6, [], [1], False)
    assert store.since(6, 1) == Diff(6, 7, [(3, "new")], [], False)


def test_one_that_comes_back_is_not_gone() -> None:
    store: Store[str] = Store()
    store.put(1, "a")
    store.drop(1)
    store.put(1, "b")
    assert store.since(1, 10) == Diff(1, 3, [(1, "b")], [], False)


def test_rows_that_are_to_be_written_anew_count_as_changed() -> None:
    store: Store[str] = Store()
    store.put(2, "b")
    store.put(1, "a")
    store.touch()
    assert store.since(2, 10) == Diff(2, 4, [(2, "b"), (1, "a")], [], False)
    assert store.numbers() == [1, 2]


@pytest.mark.parametrize("version", [0, 999, -3, 2])
def test_whoever_is_of_no_known_version_starts_anew(
    version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blotter_store, "_GONE", 3)
    store: Store[str] = Store()
    for number in range(6):
        store.put(number, "a")
    for number in range(5):
        store.drop(number)
    # Versions 7 and 8 took 0 and 1 away, which is forgotten: before 8 nobody can be told.
    assert store.since(version, 10) == Diff(0, 11, [(5, "a")], [], True)
    assert store.since(8, 10) == Diff(8, 11, [], [2, 3, 4], False)


@pytest.mark.parametrize("seed", range(20))
def test_pages_that_listen_now_and_then_arrive_at_what_there_is(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blotter_store, "_GONE", 8)
    rng = random.Random(seed)
    store: Store[str] = Store()
    truth: dict[int, str] = {}
    pages: list[tuple[dict[int, str], int]] = [({}, 0), ({}, 0), ({}, 0)]
    for _ in range(300):
        number = rng.randrange(30)
        if rng.random() < 0.7:
            truth[number] = str(rng.random())
            store.put(number, truth[number])
        else:
            truth.pop(number, None)
            store.drop(number)
        which = rng.randrange(9)
        if which < len(pages):
            known, have = pages[which]
            diff = store.since(have, rng.choice([1, 5, 100]))
            assert len(diff.rows) + len(diff.gone) <= 100
            # A page may know more than where a piece begins: it is applied all the same.
            if diff.start <= have:
                apply(known, diff)
                pages[which] = known, diff.end
    for known, have in pages:
        while have < store.version:
            diff = store.since(have, 7)
            apply(known, diff)
            have = diff.end
        assert known == truth
