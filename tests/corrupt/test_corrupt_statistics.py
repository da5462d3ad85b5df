"""Statistics count what a plain loop counts, know what chance allows, and see every kind of broken strategy."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.core.randomness import Draw, stream
from pretextual.corrupt.lengths import BINS, cut_lengths, lengths_z
from pretextual.corrupt.statistics import LAWS, NOISE, RARE, Promise, statistics, tally
from pretextual.corrupt.strategies import REGISTRY, Span
from pretextual.corrupt.units import Units
from pretextual.objectives.masked_lm import MaskedLM, MaskedLMConfig
from pretextual.testing.toy import TOY_SPECIAL, toy_windows
from pretextual.testing.toy_layers import _MAKERS
from pretextual.train.masks import promise_of

VOCABULARY = 100
PUNCTUATION = np.arange(VOCABULARY) % 7 == 0
RULES = ("auto", "at-most", "cut", "stochastic", "bernoulli")


def default_kinds():
    """Strategies that need no option and no layer that nobody can make up."""
    found = []
    for kind, strategy in REGISTRY.items():
        try:
            layers = strategy().layers
        except ValueError:
            continue
        if set(layers) <= set(_MAKERS) and strategy.__module__.startswith("pretextual."):
            found.append(kind)
    return found


def windows_of(seed=0, documents=150, longest=250, layers=(), tokens=64):
    keys = stream(seed, "lengths")
    drawn = keys.bits(keys.keys(np.arange(documents)), 1)[:, 0] % np.uint64(longest - 1)
    return toy_windows((drawn + np.uint64(1)).tolist(), tokens=tokens, seed=seed, layers=layers)


def objective_of(**config):
    return MaskedLM(MaskedLMConfig(**config), TOY_SPECIAL, VOCABULARY)


def corrupted(objective, windows, seed=0):
    rows = len(windows.ids)
    return objective.corrupt(windows, Draw(seed, windows.ids, np.zeros(rows, int), np.zeros(rows)))


def tallied(objective, made, **changes):
    promise = dataclasses.replace(promise_of(objective), **changes)
    counts = tally(made.windows, made.units, made.rate, made.example, promise, PUNCTUATION)
    return counts, promise


def measured(objective, made, **changes):
    return statistics(*tallied(objective, made, **changes))


# --- counts ---


def slow_counts(made):
    """Every number by a plain loop over positions."""
    windows, example, numbers = made.windows, made.example, made.units.numbers
    counts = dict.fromkeys(("ordinary", "targets", "windows", "untouched", "masked", "kept"), 0)
    places = {name: [0, 0] for name in ("punctuation", "rare words", "entities")}
    tokens, words = [0] * BINS, [0] * BINS
    counted, marks = windows.layers["counts"], windows.layers["entities"].dense["marks"]
    for row in range(len(windows.ids)):
        lengths, touched, hidden_units = {}, {}, set()
        word = -1
        any_ordinary = any_hidden = False
        for place in range(windows.tokens.shape[1]):
            word += bool(windows.word_starts[row, place])
            if not windows.ordinary[row, place]:
                continue
            hidden = bool(example.loss_mask[row, place])
            any_ordinary, any_hidden = True, any_hidden or hidden
            unit = int(numbers[row, place])
            lengths[unit] = lengths.get(unit, 0) + 1
            touched.setdefault(unit, set()).add(word)
            counts["ordinary"] += 1
            counts["targets"] += hidden
            if hidden:
                hidden_units.add(unit)
                counts["masked"] += int(example.inputs[row, place]) == TOY_SPECIAL.mask
                counts["kept"] += int(example.inputs[row, place]) == int(windows.tokens[row, place])
            frequency = counted.tables["frequency"][counted.dense["word_ids"][row, place]]
            for name, here in (
                ("punctuation", bool(PUNCTUATION[windows.tokens[row, place]])),
                ("rare words", frequency <= RARE),
                ("entities", marks[row, place] > 0),
            ):
                places[name][0] += bool(here and hidden)
                places[name][1] += bool(here)
        counts["windows"] += any_ordinary
        counts["untouched"] += any_ordinary and not any_hidden
        for unit in hidden_units:
            tokens[min(lengths[unit], BINS) - 1] += 1
            words[min(len(touched[unit]), BINS) - 1] += 1
    return counts, places, tokens, words


@pytest.mark.parametrize("kind", ["random", "whole-word", "span"])
def test_a_plain_loop_counts_the_same(kind):
    windows = windows_of(documents=20, layers=("counts", "entities"))
    objective = objective_of(strategy=kind, rate=0.2)
    made = corrupted(objective, windows)
    counts, _ = tallied(objective, made)
    slow, places, tokens, words = slow_counts(made)
    assert (counts.ordinary, counts.targets) == (slow["ordinary"], slow["targets"])
    assert (counts.windows, counts.untouched) == (slow["windows"], slow["untouched"])
    masked, randomised, kept = counts.fates.tolist()
    assert (masked, kept) == (slow["masked"], slow["kept"])
    assert masked + randomised + kept == slow["targets"]
    assert {name: both.tolist() for name, both in counts.places.items()} == places
    assert counts.unit_tokens.tolist() == tokens
    assert counts.unit_words.tolist() == words
    assert counts.asked == pytest.approx(0.2 * slow["ordinary"])


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(1, 9))
def test_tallies_of_parts_add_up_to_that_of_the_whole(seed, cut):
    windows = windows_of(seed, documents=12)
    objective = objective_of(strategy="span", rate=0.3)
    made = corrupted(objective, windows, seed)
    whole, _ = tallied(objective, made)
    cut = min(cut, len(windows.ids))

    def part(rows):
        some = windows.of_rows(rows)
        return tallied(objective, corrupted(objective, some, seed))[0]

    rows = np.arange(len(windows.ids))
    together = part(rows[:cut]) + part(rows[cut:])
    for field in dataclasses.fields(whole):
        one, other = getattr(whole, field.name), getattr(together, field.name)
        if field.name == "places":
            assert {k: v.tolist() for k, v in one.items()} == {
                k: v.tolist() for k, v in other.items()
            }
        else:
            np.testing.assert_allclose(one, other)


def test_windows_without_ordinary_tokens_count_nothing():
    windows = windows_of(documents=6)
    windows = dataclasses.replace(windows, ordinary=np.zeros_like(windows.ordinary))
    objective = objective_of(strategy="whole-word")
    found = measured(objective, corrupted(objective, windows))
    assert (found.windows, found.ordinary, found.surprises) == (0, 0, ())
    assert all(finding.share == 0.0 for finding in found.findings)


# --- chance ---


@pytest.mark.parametrize("kind", default_kinds())
@pytest.mark.parametrize("per", ["token", "unit"])
def test_no_strategy_of_ours_is_taken_for_a_broken_one(kind, per):
    layers = REGISTRY[kind]().layers
    windows = windows_of(1, documents=100, layers=layers)
    for rule in RULES:
        for rate in (0.15, 0.4):
            objective = objective_of(strategy=kind, rate=rate, count=rule, replace_per=per)
            found = measured(objective, corrupted(objective, windows, seed=7))
            assert found.surprises == (), (kind, rule, rate)


@pytest.mark.parametrize(
    "kind, rule",
    [
        (kind, rule)
        for kind in ("random", "whole-word", "span")
        for rule in ("cut", "stochastic", "bernoulli")
    ]
    + [("random", "at-most")],  # which promises no mean for units of several tokens
)
def test_distances_from_the_rate_are_standard_scores(kind, rule):
    windows = windows_of(documents=40)
    objective = objective_of(strategy=kind, rate=0.15, count=rule)
    scores = [
        measured(objective, corrupted(objective, windows, seed)).finding("hidden").z
        for seed in range(60)
    ]
    assert 0.7 < np.sqrt(np.mean(np.square(scores))) < 1.3
    assert abs(np.mean(scores)) < 5 / np.sqrt(60)


@pytest.mark.parametrize("per", ["token", "unit"])
def test_distances_of_the_split_are_standard_scores(per):
    windows = windows_of(documents=40)
    objective = objective_of(strategy="span", rate=0.3, replace_per=per)
    for name in ("masked", "randomised", "kept"):
        scores = [
            measured(objective, corrupted(objective, windows, seed)).finding(name).z
            for seed in range(60)
        ]
        assert 0.7 < np.sqrt(np.mean(np.square(scores))) < 1.3


def test_tokens_that_must_not_be_hidden_are_no_failure():
    """Where nothing more may be hidden, the rate asked for cannot be met, and that is as it should be."""
    windows = windows_of(documents=40)
    objective = objective_of(strategy="random", rate=0.5)
    made = corrupted(objective, windows)
    barred = np.where(windows.tokens % 4 == 0, 1.0, 0.0)
    units = Units(made.units.numbers, barred, single=True)
    from pretextual.corrupt.rewrite import rewrite
    from pretextual.corrupt.select import select

    keyed = Draw(0, windows.ids, windows.ids * 0, made.rate * 0).keyed("corrupt")
    hidden = select(units, made.rate, keyed, "at-most")
    example = rewrite(windows, hidden, units.numbers, keyed, objective.replacement)
    found = measured(objective, dataclasses.replace(made, units=units, example=example))
    assert found.finding("hidden").share < 0.4
    assert found.surprises == ()
    # With weights forgotten the same masks are far too few.
    free = dataclasses.replace(made, example=example)
    assert [one.name for one in measured(objective, free).surprises] == ["hidden"]


# --- lengths ---


@pytest.mark.parametrize("tokens", [32, 64])
def test_lengths_as_cut_follow_the_distribution_even_in_short_rows(tokens):
    span = Span(p=0.2, longest=6)
    objective = objective_of(strategy=span)
    windows = windows_of(3, documents=600, longest=60, tokens=tokens)
    found = measured(objective, corrupted(objective, windows))
    assert sum(found.cut_words) > 1000
    assert abs(found.finding("units cut to one word").z) < NOISE
    assert len(found.cut_words) <= span.longest
    # Every unit counted in, the ends of rows shorten too many.
    numbers = corrupted(objective, windows).units.numbers
    naive = np.zeros(BINS, dtype=np.int64)
    for row in range(len(numbers)):
        starts = windows.word_starts[row] & windows.ordinary[row]
        _, words = np.unique(numbers[row][starts], return_counts=True)
        naive += np.bincount(words - 1, minlength=BINS)[:BINS]
    assert lengths_z(naive, span.unit_lengths()) > NOISE


def test_other_lengths_than_promised_are_seen():
    windows = windows_of(documents=100)
    objective = objective_of(strategy=Span(p=0.35))
    found = measured(objective, corrupted(objective, windows), lengths=Span(p=0.2).unit_lengths())
    assert [one.name for one in found.surprises] == ["units cut to one word"]


def test_lengths_of_the_last_bin_count_together():
    chances = np.full(100, 0.01)
    counts = np.full(BINS, 100)
    counts[-1] = 100 * (100 - BINS + 1)
    assert lengths_z(counts, chances) < 0
    assert lengths_z(counts[::-1].copy(), chances) > NOISE
    assert lengths_z(np.zeros(BINS, dtype=np.int64), chances) is None


def test_a_length_that_has_no_chance_is_a_failure_whatever_its_count():
    windows = windows_of(documents=10)
    objective = objective_of(strategy=Span(lengths="uniform", longest=4))
    made = corrupted(objective, windows)
    found = measured(
        objective, made, lengths=Span(lengths="uniform", shortest=2, longest=4).unit_lengths()
    )
    (surprise,) = found.surprises
    assert surprise.expected == 0.0 and surprise.z is None


def test_no_lengths_are_counted_where_none_are_promised():
    windows = windows_of(documents=5)
    numbers = corrupted(objective_of(strategy="span"), windows).units.numbers
    assert cut_lengths(windows, numbers, None).sum() == 0


# --- broken strategies ---


def edited(made, **changes):
    return dataclasses.replace(made, example=dataclasses.replace(made.example, **changes))


def shown(made, hidden):
    """The same rows with other targets: inputs masked there, untouched elsewhere."""
    tokens = made.windows.tokens
    return edited(
        made,
        loss_mask=hidden,
        inputs=np.where(hidden, made.example.inputs, tokens),
        targets=np.where(hidden, tokens, 0),
    )


def hides_too_little(made):
    every_tenth = np.cumsum(made.example.loss_mask.ravel()).reshape(made.example.inputs.shape) % 10
    return shown(made, made.example.loss_mask & (every_tenth > 0))


def masks_everything(made):
    masked = np.where(made.example.loss_mask, TOY_SPECIAL.mask, made.example.inputs)
    return edited(made, inputs=masked.astype(np.int32))


def hides_a_special_token(made):
    hidden = made.example.loss_mask.copy()
    hidden[0, 0] = True
    targets = made.example.targets.copy()
    targets[0, 0] = made.windows.tokens[0, 0]
    return edited(made, loss_mask=hidden, targets=targets)


def asks_for_another_token(made):
    targets = made.example.targets.copy()
    row, place = np.argwhere(made.example.loss_mask)[3]
    targets[row, place] += 1
    return edited(made, targets=targets)


def changes_what_is_no_target(made):
    inputs = made.example.inputs.copy()
    row, place = np.argwhere(made.windows.ordinary & ~made.example.loss_mask)[3]
    inputs[row, place] = TOY_SPECIAL.mask
    return edited(made, inputs=inputs)


def splits_a_unit(made):
    hidden = made.example.loss_mask.copy()
    numbers = made.units.numbers
    pair = hidden[:, 1:] & (numbers[:, 1:] == numbers[:, :-1])
    row, place = np.argwhere(pair)[0]
    hidden[row, place + 1] = False
    return shown(made, hidden)


@pytest.mark.parametrize(
    "breaks, name",
    [
        (hides_too_little, "hidden"),
        (masks_everything, "masked"),
        (hides_a_special_token, LAWS["special"]),
        (asks_for_another_token, LAWS["wrong"]),
        (changes_what_is_no_target, LAWS["changed"]),
        (splits_a_unit, LAWS["split"]),
    ],
)
def test_a_broken_strategy_is_seen(breaks, name):
    windows = windows_of()
    objective = objective_of(strategy="whole-word", rate=0.3)
    made = corrupted(objective, windows)
    assert measured(objective, made).surprises == ()
    found = measured(objective, breaks(made))
    assert name in [finding.name for finding in found.surprises]


def test_the_rule_that_cuts_units_may_cut_them():
    windows = windows_of()
    objective = objective_of(strategy="span", rate=0.3, count="cut")
    made = corrupted(objective, windows)
    assert measured(objective, made).surprises == ()
    names = [one.name for one in measured(objective, made, count="stochastic").surprises]
    assert names == [LAWS["split"]]


def test_a_difference_that_not_even_chance_allows_has_no_standard_score():
    windows = windows_of(documents=20)
    objective = objective_of(strategy="random", rate=1.0, mask=1.0, random=0.0, keep=0.0)
    made = corrupted(objective, windows)
    assert measured(objective, made).surprises == ()
    kept = measured(objective, edited(made, inputs=windows.tokens))
    gone = {finding.name: finding.z for finding in kept.surprises}
    assert gone["masked"] is None and gone["kept"] is None
    assert isinstance(promise_of(objective), Promise)
