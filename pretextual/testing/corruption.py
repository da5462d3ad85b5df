"""Conformance of corruption: laws that every objective and masking strategy obeys, ours and anyone's.

from pretextual.testing import check_corruption
check_corruption(MyStrategy())
"""

from __future__ import annotations

import dataclasses

import numpy as np

from pretextual.core.randomness import Draw
from pretextual.corrupt.digest import row_digests
from pretextual.corrupt.example import Example
from pretextual.corrupt.rewrite import rebuild
from pretextual.corrupt.strategies import Strategy
from pretextual.objectives import MaskedLM, MaskedLMConfig, Objective
from pretextual.testing.rows import Rows, alike, arrays_of, padded, rows_of
from pretextual.testing.second_row import check_second_row
from pretextual.testing.statistics import mean_z
from pretextual.testing.strategy import check_units
from pretextual.testing.toy import TOY_SPECIAL, toy_windows
from pretextual.tokens.special import SpecialIds
from pretextual.windows.window import Windows

_DOCUMENTS = [62, 30, 30, 5, 55, 1, 40, 20, 90, 62, 17, 43]


def check_corruption(
    subject: Objective | Strategy,
    *,
    windows: Windows | None = None,
    special: SpecialIds = TOY_SPECIAL,
    vocabulary_size: int = 100,
    rate: float | None = None,
    dynamic: bool = True,
    num_ids: int = 20_000,
) -> None:
    """Check that an objective (or a strategy, inside a masked LM with defaults) makes lawful examples.

    The laws: pure; one row's result depends neither on other rows nor on padding; inserted tokens and
    padding stay as they are and are never targets of an aligned layout; `rebuild` gives the original back;
    hidden tokens are never shown as special ones but the mask; the mean rate; epochs, seeds and ids draw
    differently. Of a strategy also those of `check_units`; of examples with a second row, instead of those about
    content, the laws of `testing.second_row`.

    Args:
        subject: what is checked.
        windows: windows to corrupt, of the objective's layout; None: made-up ones, with made-up annotations
            of the names that our own annotators have.
        special: the special tokens of `windows`.
        vocabulary_size: ids of `windows` lie below it.
        rate: expected mean share of ordinary tokens that are targets; None: not checked.
        dynamic: whether epochs must differ (False for static masks and for objectives that draw nothing).
        num_ids: how many ids are tried for shared streams.

    Raises:
        AssertionError: a law is broken; the message says which and where.
    """
    strategy = subject if isinstance(subject, Strategy) else None
    if isinstance(subject, Strategy):
        config = MaskedLMConfig(strategy=subject)
        subject = MaskedLM(config, special, vocabulary_size)
        rate = config.rate if rate is None and isinstance(config.rate, float) else rate
    if windows is None:
        windows = toy_windows(
            _DOCUMENTS,
            layout=subject.layout,
            vocabulary_size=vocabulary_size,
            layers=subject.layers,
        )
    if strategy is not None:
        check_units(strategy, windows)
    _check_pure(subject, windows)
    _check_rows_alone(subject, windows)
    _check_content(subject, windows, special)
    if rate is not None:
        _check_rate(subject, windows, rate)
    if dynamic:
        _check_streams(subject, windows, num_ids)


def _draw(windows: Windows, epoch: int = 0, seed: int = 0) -> Draw:
    """As in a run that visits the windows in their own order."""
    shape = windows.ids.shape
    return Draw(
        seed, windows.ids, np.full(shape, epoch, np.int64), np.full(shape, 0.5), windows.ids
    )


def _examples(objective: Objective, windows: Windows, epoch: int = 0, seed: int = 0) -> Example:
    return objective.examples(windows, _draw(windows, epoch, seed))


def _assert_equal(one: Example, two: Example, what: str) -> None:
    for name, array in arrays_of(one).items():
        other = arrays_of(two)[name]
        differ = np.argwhere(array != other) if array.shape == other.shape else [["shape"]]
        assert not len(differ), f"{what}: `{name}` differs, first at {list(differ[0])}"


def _check_pure(objective: Objective, windows: Windows) -> None:
    before = {name: array.copy() for name, array in arrays_of(windows).items()}
    first, second = _examples(objective, windows), _examples(objective, windows)
    _assert_equal(first, second, "the same windows, epoch and seed gave two results")
    for name, array in arrays_of(windows).items():
        assert np.array_equal(array, before[name]), f"corruption wrote into its input `{name}`"


def _check_rows_alone(objective: Objective, windows: Windows) -> None:
    whole = _examples(objective, windows, epoch=3)
    rows = np.arange(len(windows.ids))
    orders = [rows[::-1], rows[: len(rows) // 2], *rows[:5, None]]
    for order in orders:
        part = _examples(objective, rows_of(windows, order), epoch=3)
        _assert_equal(
            part, rows_of(whole, order), f"rows {order.tolist()} alone differ from the batch"
        )
    for columns in (1, 13):
        wider = _examples(objective, padded(windows, columns), epoch=3)
        # A second row, and a first one with spans cut out, grow by columns of their own number.
        one, two = (
            alike(wider, whole) if _second(objective, whole) else (wider, padded(whole, columns))
        )
        _assert_equal(one, two, f"{columns} more padding columns changed a row")


def _second(objective: Objective, example: Example) -> bool:
    """Whether a second row is written, by a decoder behind an encoder or behind the first row."""
    return example.layout == "seq2seq" or objective.layout == "bare"


def _check_content(objective: Objective, windows: Windows, special: SpecialIds) -> None:
    example = _examples(objective, windows, epoch=1)
    if _second(objective, example):
        epochs = [_examples(objective, windows, epoch) for epoch in range(5)]
        check_second_row(objective, windows, epochs, special)
        return
    windows = objective.arrange(windows, _draw(windows, epoch=1))
    assert np.array_equal(rebuild(example), windows.tokens), "`rebuild` does not give the original"
    padding = windows.segments < 0
    assert not (example.loss_mask & padding).any(), "padding is a target"
    inserted = ~windows.ordinary
    assert np.array_equal(example.inputs[inserted], windows.tokens[inserted]), (
        "an inserted token or padding was rewritten"
    )
    asked = example.loss_mask
    if example.layout == "causal":
        # Asked for one position earlier, the end of a text too.
        asked = np.zeros_like(asked)
        asked[:, 1:] = example.loss_mask[:, :-1]
    else:
        assert not (asked & inserted).any(), "an inserted token is a target"
    changed = example.inputs != windows.tokens
    assert not (changed & ~asked).any(), "a token that is no target was rewritten"
    barred = set(special.every) - {special.mask}
    shown = barred & set(example.inputs[changed].tolist())
    assert not shown, f"hidden tokens are shown as the special ids {sorted(shown)}"


def _check_rate(objective: Objective, windows: Windows, rate: float) -> None:
    ordinary = windows.ordinary.sum(axis=1)
    gaps = [
        _examples(objective, windows, epoch).loss_mask.sum(axis=1) - rate * ordinary
        for epoch in range(100)
    ]
    score = mean_z(gaps, 0.0)
    found = rate + float(np.mean(gaps)) / float(ordinary.mean())
    assert abs(score) < 5, (
        f"the mean rate is {found:.4f}, not {rate:.4f} ({score:+.1f} standard errors)"
    )


def _check_streams(objective: Objective, windows: Windows, num_ids: int) -> None:
    for change, other in (("epoch", {"epoch": 1}), ("seed", {"seed": 1})):
        one, two = _examples(objective, windows), _examples(objective, windows, **other)
        same = np.array_equal(one.inputs, two.inputs) and np.array_equal(
            one.loss_mask, two.loss_mask
        )
        assert not same, f"another {change} gave the same examples"
    # The longest window under many ids, twice. Between the two epochs examples meet by chance alone; within
    # one they must not meet more often.
    row = int(windows.ordinary.sum(axis=1).argmax())
    many = _numbered(rows_of(windows, np.full(num_ids, row)))
    contents = [row_digests(_numbered(_examples(objective, many, epoch), 0), 0) for epoch in (0, 1)]
    values, which = np.unique(np.concatenate(contents), return_inverse=True)
    counts = [np.bincount(part, minlength=values.size) for part in np.split(which, 2)]
    within = sum(float((count * (count - 1.0)).sum()) / 2 for count in counts) / 2
    by_chance = float((counts[0] * counts[1].astype(float)).sum()) / 2
    assert within <= 1.2 * by_chance + 20, (
        f"{within:.0f} pairs of {num_ids} ids got the same example, {by_chance:.0f} would by chance"
    )


def _numbered(rows: Rows, factor: int = 1) -> Rows:
    return dataclasses.replace(rows, ids=np.arange(len(rows.ids)) * factor)
