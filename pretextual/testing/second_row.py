"""Conformance of examples with a second row: what a decoder is shown, shapes as promised, the original rebuilt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pretextual.corrupt.example import Example
from pretextual.objectives.base import Objective
from pretextual.tokens.special import SpecialIds
from pretextual.windows.config import WindowsConfig
from pretextual.windows.window import Windows


def check_second_row(
    objective: Objective, windows: Windows, epochs: Sequence[Example], special: SpecialIds
) -> None:
    """Check the examples of the same windows in several epochs.

    The laws: all epochs have the same shapes; rows fit the length that the windows were made for; a decoder sees its
    start and then each target after it was asked for it; special tokens stand for no bytes of text; padding is no
    target; `Objective.rebuild` gives the windows' tokens back. Of bare windows also: targets end with END.

    Args:
        objective: what made the examples.
        windows: what they were made from, `[B, W]`.
        epochs: the examples.
        special: the tokenizer's special tokens.

    Raises:
        AssertionError: a law is broken; the message says which.
    """
    frame = objective.frame(special)
    shapes = {(one.inputs.shape, one.targets.shape) for one in epochs}
    assert len(shapes) == 1, f"shapes change from epoch to epoch: {sorted(shapes)}"
    for example in epochs:
        _check_decoder(example, frame.start)
        named = np.isin(example.targets, special.every) & example.loss_mask
        assert not example.target_bytes[named].any(), "a special token stands for bytes of text"
        if example.decoder_inputs is None:
            assert not (example.loss_mask & (example.segments < 0)).any(), "padding is a target"
        if objective.layout == "bare":
            asked = example.loss_mask.any(axis=1)
            last = example.loss_mask.shape[1] - 1 - example.loss_mask[:, ::-1].argmax(axis=1)
            ends = example.targets[np.arange(last.size), last][asked]
            assert (ends == frame.end).all(), "targets do not end with END"
        _check_rebuilt(objective, example, windows)
    _check_promise(objective, windows.tokens.shape[1], epochs[0])


def _check_decoder(example: Example, start: int) -> None:
    shown = example.inputs if example.decoder_inputs is None else example.decoder_inputs
    mask = example.loss_mask
    follows = mask[:, 1:] & mask[:, :-1]
    assert np.array_equal(shown[:, 1:][follows], example.targets[:, :-1][follows]), (
        "a decoder is not shown the target before"
    )
    first = mask.copy()
    first[:, 1:] &= ~mask[:, :-1]
    assert (first.sum(axis=1) <= 1).all(), "targets of a row do not follow each other"
    assert (shown[first] == start).all(), "the first target is not asked for by the start token"


def _check_rebuilt(objective: Objective, example: Example, windows: Windows) -> None:
    found = objective.rebuild(example)
    for row, real in enumerate(windows.segments >= 0):
        original = windows.tokens[row][real]
        same = found.shape[1] >= original.size and np.array_equal(
            found[row][: original.size], original
        )
        assert same, f"`rebuild` does not give the original of row {row}"


def _check_promise(objective: Objective, width: int, example: Example) -> None:
    """The least `windows.tokens` for which windows are this wide is no less than what the rows take."""
    wanted = width
    while objective.windows(WindowsConfig(tokens=wanted, mode="document")).tokens < width:
        wanted += 1
    while objective.windows(WindowsConfig(tokens=wanted - 1, mode="document")).tokens >= width:
        wanted -= 1
    assert example.inputs.shape[1] <= wanted and example.targets.shape[1] <= wanted, (
        f"rows of {example.inputs.shape[1]} and {example.targets.shape[1]} positions where "
        f"{wanted} were promised"
    )
