"""Rewrites of rows: exact counts, inverses, and results that depend on a row and its key alone."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.core.randomness import Keyed, stream
from pretextual.corrupt.denoise import (
    REGISTRY,
    Deletion,
    Infilling,
    Insertion,
    Masking,
    Ragged,
    Rotation,
    SentencePermutation,
    Shuffling,
    Supply,
    Swapping,
    rewrite_all,
    room_after,
    undo,
)
from pretextual.corrupt.denoise.choose import budget, lowest, place_runs
from pretextual.corrupt.denoise.infilling import hidden_words, poisson, run_lengths
from pretextual.testing.statistics import chi_square_z, mean_z

MASK = 1_000_000
SUPPLY = Supply(MASK, np.arange(2_000_000, 2_000_100, dtype=np.int32))
OF_TOKENS = [kind for kind in REGISTRY.values() if kind.works_on == "tokens"]
SIZES = st.lists(st.integers(0, 40), min_size=1, max_size=6)
every = pytest.mark.parametrize("kind", OF_TOKENS, ids=lambda kind: kind.__name__)


def keyed(count: int, seed: int = 0) -> Keyed:
    drawing = stream(seed, "test")
    return Keyed(drawing.keys(np.arange(count)), drawing)


def ragged(sizes, word: int = 2, sentence: int = 5, document: int = 15) -> Ragged:
    """Rows of the given sizes; all tokens differ; words, sentences and documents of the given lengths."""
    columns = np.concatenate([np.arange(size) for size in sizes]).astype(np.int64)
    rows = np.repeat(np.arange(len(sizes)), sizes) * 1000
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    numbers = [rows + columns // length for length in (word, sentence, document)]
    return Ragged(np.arange(columns.size, dtype=np.int32), offsets, *numbers)


def lists(rows: Ragged) -> list[list[int]]:
    pairs = itertools.pairwise(rows.offsets)
    return [rows.tokens[start:stop].tolist() for start, stop in pairs]


@every
@given(sizes=SIZES, seed=st.integers(0, 99), static=st.booleans())
def test_every_token_comes_from_its_origin_or_is_new(kind, sizes, seed, static):
    rows = ragged(sizes)
    supply = Supply(MASK, SUPPLY.ordinary, static)
    change = kind().apply(rows, keyed(len(sizes), seed), supply)
    after, origin = change.rows, change.origin
    assert after.offsets[-1] == after.tokens.size == origin.size == after.words.size
    moved = origin >= 0
    assert np.array_equal(after.rows[moved], rows.rows[origin[moved]]), "a token changed its row"
    assert np.unique(origin[moved]).size == np.count_nonzero(moved), "a token came twice"
    new = ~moved | (after.tokens != rows.tokens[origin])
    assert ((after.tokens[new] == MASK) | (after.tokens[new] >= 2_000_000)).all()
    for size, longer in zip(rows.sizes, after.sizes, strict=True):
        assert not static or longer <= size + kind().growth(int(size))
        assert (longer > 0) == (size > 0)
    if kind.lossy:
        return
    assert np.array_equal(undo(change, rows.tokens.size), rows.tokens)


@every
def test_a_row_is_a_function_of_itself_and_its_key(kind):
    rows, keys = ragged([30, 0, 17, 1, 40]), keyed(5)
    whole = lists(
        kind(**({"rate": 0.5} if "rate" in kind.model_fields else {}))
        .apply(rows, keys, SUPPLY)
        .rows
    )
    for number in range(5):
        part = slice(rows.offsets[number], rows.offsets[number + 1])
        alone = Ragged(
            rows.tokens[part],
            np.array([0, rows.sizes[number]]),
            rows.words[part],
            rows.sentences[part],
            rows.documents[part],
        )
        rewrite = kind(**({"rate": 0.5} if "rate" in kind.model_fields else {}))
        found = rewrite.apply(alone, Keyed(keys.keys[[number]], keys.stream), SUPPLY)
        assert lists(found.rows) == [whole[number]]


def test_a_lossy_rewrite_is_not_undone_from_what_is_left():
    rows = ragged([20])
    with pytest.raises(ValueError, match="loses tokens"):
        undo(Deletion(rate=0.5).apply(rows, keyed(1), SUPPLY), 20)


@given(
    sizes=SIZES,
    names=st.lists(
        st.sampled_from([kind.model_fields["kind"].default for kind in OF_TOKENS]), max_size=4
    ),
)
def test_a_chain_keeps_origins_and_promised_lengths(sizes, names):
    rows = ragged(sizes)
    rewrites = tuple(REGISTRY[name]() for name in names)
    change = rewrite_all(
        rewrites, rows, keyed(len(sizes)), Supply(MASK, SUPPLY.ordinary, static=True)
    )
    kept = change.rows.tokens < MASK
    assert np.array_equal(change.rows.tokens[kept], rows.tokens[change.origin[kept]])
    for size, longer in zip(rows.sizes, change.rows.sizes, strict=True):
        assert longer <= room_after(rewrites, int(size))
    if all(not rewrite.lossy for rewrite in rewrites):
        assert np.array_equal(undo(change, rows.tokens.size), rows.tokens)


def test_one_rewrite_twice_draws_twice():
    rows, keys = ragged([40]), keyed(1)
    once = rewrite_all((Rotation(),), rows, keys, SUPPLY)
    twice = rewrite_all((Rotation(), Rotation()), rows, keys, SUPPLY)
    shift = [int(change.origin[0]) for change in (once, twice)]
    assert shift[1] != (2 * shift[0]) % 15


@pytest.mark.parametrize("rate", [0.0, 0.15, 0.6, 1.0])
def test_counts_are_the_floor_or_the_next_and_right_in_the_mean(rate):
    sizes = np.array([0, 1, 2, 7, 33] * 2000)
    rows, keys = ragged(sizes), keyed(sizes.size)
    counts = budget(rate, sizes, keys)
    assert (np.abs(counts - rate * sizes) < 1).all()
    assert abs(mean_z(counts[sizes > 0] - rate * sizes[sizes > 0], 0.0)) < 5 or rate in (0.0, 1.0)
    masked = Masking(rate=rate).apply(rows, keys, SUPPLY).rows
    found = np.bincount(masked.rows[masked.tokens == MASK], minlength=sizes.size)
    assert np.array_equal(found, counts)
    deleted = Deletion(rate=rate).apply(rows, keys, SUPPLY).rows
    assert np.array_equal(sizes - deleted.sizes, np.minimum(counts, np.maximum(sizes - 1, 0)))
    inserted = Insertion(rate=rate).apply(rows, keys, SUPPLY).rows
    assert np.array_equal(inserted.sizes - sizes, counts)


def test_tsdae_deletes_sixty_per_cent_and_keeps_a_word():
    rows = ragged(np.full(4000, 25))
    after = Deletion(rate=0.6).apply(rows, keyed(4000), SUPPLY).rows
    assert (after.sizes == 10).all()
    alone = Deletion(rate=1.0).apply(ragged(np.ones(50, dtype=int)), keyed(50), SUPPLY).rows
    assert (alone.sizes == 1).all()


def test_every_place_is_as_likely():
    """Masks, gaps and random tokens are uniform."""
    count = 12_000
    rows, keys = ragged(np.full(count, 6)), keyed(count)
    masked = Masking(rate=1 / 3).apply(rows, keys, SUPPLY).rows
    assert abs(chi_square_z(np.bincount(masked.columns[masked.tokens == MASK]), np.ones(6))) < 5
    inserted = Insertion(rate=1 / 6).apply(rows, keys, SUPPLY).rows
    new = inserted.tokens >= 2_000_000
    assert abs(chi_square_z(np.bincount(inserted.columns[new]), np.ones(7))) < 5
    assert abs(chi_square_z(np.bincount(inserted.tokens[new] - 2_000_000), np.ones(100))) < 5
    turned = Rotation().apply(rows, keys, SUPPLY)
    first = turned.origin[turned.rows.offsets[:-1]] % 6
    assert abs(chi_square_z(np.bincount(first), np.ones(6))) < 5


def test_all_orders_of_sentences_are_as_likely_and_sentences_stay_whole():
    rows = ragged(np.full(6000, 9), sentence=3)
    found = lists(SentencePermutation().apply(rows, keyed(6000), SUPPLY).rows)
    orders = [tuple(token % 9 // 3 for token in row[::3]) for row in found]
    for row in found[:50]:
        assert all(b == a + 1 for a, b in zip(row[0::3], row[1::3], strict=True))
    counts = [orders.count(order) for order in itertools.permutations(range(3))]
    assert abs(chi_square_z(counts, np.ones(6))) < 5


def test_sentences_and_turns_stay_in_their_document():
    rows = ragged([45, 20, 1])
    for rewrite in (SentencePermutation(), Rotation()):
        after = rewrite.apply(rows, keyed(3), SUPPLY).rows
        assert np.array_equal(after.documents, rows.documents)
    without_ends = ragged([12], sentence=100)
    assert lists(SentencePermutation().apply(without_ends, keyed(1), SUPPLY).rows) == [
        list(range(12))
    ]


@given(size=st.integers(0, 60), distance=st.integers(1, 10), seed=st.integers(0, 50))
def test_no_token_is_shuffled_further_than_its_distance(size, distance, seed):
    change = Shuffling(distance=distance).apply(ragged([size]), keyed(1, seed), SUPPLY)
    assert (np.abs(change.origin - np.arange(size)) <= distance).all()


def test_shuffling_reaches_its_distance_and_swapping_moves_its_share():
    rows = ragged(np.full(2000, 40))
    moved = Shuffling(distance=3).apply(rows, keyed(2000), SUPPLY).origin - np.arange(80_000)
    assert moved.max() == 3 and moved.min() == -3
    swapped = Swapping(rate=0.2).apply(rows, keyed(2000), SUPPLY).origin - np.arange(80_000)
    assert set(swapped.tolist()) == {-1, 0, 1}
    per_row = np.count_nonzero(swapped.reshape(2000, 40), axis=1)
    assert (per_row == 8).all()
    first = np.flatnonzero(swapped == 1)
    assert (swapped[first + 1] == -1).all(), "neighbours change places"


def test_all_arrangements_of_runs_are_as_likely():
    """Runs of 2 and 1 in 5 things: 4 slots, 12 arrangements."""
    count = 12_000
    slots = place_runs(
        np.full(count, 5), np.full(count, 2), np.tile([2, 1], count), keyed(count).child("x")
    )
    per_row = slots.per_row
    assert (per_row == 4).all()
    found: dict[tuple, int] = {}
    chosen, lengths = slots.chosen.reshape(count, 4), slots.lengths.reshape(count, 4)
    for row, wide in zip(chosen.tolist(), lengths.tolist(), strict=True):
        assert sum(wide) == 5 and sorted(w for c, w in zip(row, wide, strict=True) if c) == [1, 2]
        key = (*row, *wide)
        found[key] = found.get(key, 0) + 1
    assert len(found) == 12
    assert abs(chi_square_z(list(found.values()), np.ones(12))) < 5


@given(sizes=SIZES, share=st.floats(0, 1), seed=st.integers(0, 99))
def test_the_lowest_are_those_of_a_full_sort(sizes, share, seed):
    keys, counts = keyed(len(sizes), seed), [int(share * size) for size in sizes]
    places, order = lowest(np.array(counts), np.array(sizes), keys)
    wanted = []
    for row, (size, count) in enumerate(zip(sizes, counts, strict=True)):
        bits = keys.at(np.full(size, row), np.arange(size)).tolist()
        ranked = sorted(range(size), key=lambda place, bits=bits: bits[place] >> 24)
        wanted += [(sum(sizes[:row]) + place, rank) for rank, place in enumerate(ranked[:count])]
    assert sorted(zip(places.tolist(), order.tolist(), strict=True)) == sorted(wanted)


def test_a_row_whose_low_keys_are_rare_is_sorted_whole():
    """With 50,000 rows the guess of which keys can be among the lowest fails for a few."""
    count = 50_000
    keys = keyed(count)
    places, _ = lowest(np.ones(count, dtype=np.int64), np.full(count, 40), keys)
    assert np.array_equal(places % 40, (keys.bits(40) >> np.uint64(24)).argmin(axis=1))
    assert np.array_equal(places // 40, np.arange(count))


# Infilling.


def test_poisson_table_is_the_published_one():
    table = poisson(3.0)
    published = [0.0498, 0.1494, 0.2240, 0.2240, 0.1680, 0.1008, 0.0504, 0.0216]
    assert np.allclose(table[:8], published, atol=5e-5)
    exact = [math.exp(-3) * 3**k / math.factorial(k) for k in range(table.size)]
    assert exact[-1] < 1e-7 <= exact[-2] and table.sum() == pytest.approx(1)
    assert table @ np.arange(table.size) == pytest.approx(3.0, abs=1e-5)


@pytest.mark.parametrize("mean", [3.0, 3.5, 0.5])
def test_lengths_as_drawn_follow_the_table(mean):
    # Of 400 words 120 are hidden: the first ten lengths are never the trimmed one.
    lengths = run_lengths(0.3, mean, np.full(4000, 400), keyed(4000))[:, :10]
    table = poisson(mean)
    counts = np.bincount(lengths.ravel(), minlength=table.size)
    common = table * lengths.size >= 5
    tail = [counts[~common].sum(), *counts[common]]
    chances = [table[~common].sum(), *table[common]]
    assert abs(chi_square_z(tail, chances)) < 5


@given(words=st.lists(st.integers(0, 60), min_size=1, max_size=5), seed=st.integers(0, 50))
def test_lengths_are_cut_as_in_a_loop(words, seed):
    keys = keyed(len(words), seed)
    found = run_lengths(0.3, 3.0, np.array(words), keys)
    raw = run_lengths(1.0, 3.0, np.full(len(words), 1000), keys)
    for row, number in enumerate(words):
        left, wanted = math.ceil(number * 3 / 10), []
        for length in raw[row].tolist():
            if left <= 0:
                break
            wanted.append(min(length, left))
            left -= wanted[-1]
        assert found[row][found[row] >= 0].tolist() == wanted


@given(
    sizes=SIZES,
    word=st.integers(1, 4),
    rate=st.sampled_from([0.0, 0.1, 0.3, 0.35, 0.7, 1.0]),
    mean=st.sampled_from([0.5, 3.0, 8.0]),
)
def test_infilling_hides_exactly_the_count_of_words_one_mask_a_run(sizes, word, rate, mean):
    rows, keys = ragged(sizes, word=word), keyed(len(sizes))
    change = Infilling(rate=rate, mean=mean).apply(rows, keys, SUPPLY)
    kept = change.rows.tokens != MASK
    assert (np.diff(change.origin[kept]) > 0).all(), "the order changed"
    words = [math.ceil(size / word) for size in sizes]
    lengths = run_lengths(rate, mean, np.array(words), keys.child("lengths"))
    for row, number in enumerate(words):
        here = change.rows.rows == row
        seen = {int(token) for token in rows.words[change.origin[here & kept]]}
        hidden = number - len(seen)
        assert (
            hidden == hidden_words(rate, np.array([number]))[0] == math.ceil(number * rate - 1e-9)
        )
        complete = sum(int((rows.words == token).sum()) for token in seen)
        assert complete == np.count_nonzero(here & kept), "a word was cut"
        runs = lengths[row][lengths[row] >= 0].tolist()
        masks = np.count_nonzero(here & ~kept)
        assert masks == len(runs)
        inserted = np.count_nonzero(change.origin[here & ~kept] < 0)
        assert inserted == runs.count(0)


def test_infilling_keeps_static_rows_within_their_length():
    rows, keys = ragged(np.full(3000, 3), word=1), keyed(3000)
    free = Infilling(rate=0.3, mean=0.5).apply(rows, keys, Supply(MASK)).rows.sizes
    kept = Infilling(rate=0.3, mean=0.5).apply(rows, keys, Supply(MASK, static=True)).rows.sizes
    assert free.max() > 3 and np.array_equal(kept, np.minimum(free, 3))


def test_inserted_tokens_are_words_of_their_own():
    rows = ragged([30])
    once = Infilling(rate=0.5, mean=1.0).apply(rows, keyed(1), SUPPLY).rows
    again = Insertion(rate=0.5).apply(once, keyed(1, 1), SUPPLY).rows
    new = np.flatnonzero(again.tokens >= MASK)
    assert np.unique(again.words[new]).size == new.size
    kept = np.setdiff1d(np.arange(again.tokens.size), new)
    assert not np.isin(again.words[new], again.words[kept]).any()
    assert np.isin(again.documents, rows.documents).all()
