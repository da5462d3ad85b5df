"""What stands in the place of a hidden token: the mask token, a random one, or itself."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import Keyed, to_unit
from pretextual.corrupt.example import Example
from pretextual.windows.window import Windows


@dataclasses.dataclass(frozen=True, eq=False)
class Replacement:
    """How hidden tokens are rewritten; the shares of mask, random and keep sum to 1.

    Attributes:
        mask_id: the mask token.
        ordinary_ids: ids that random replacements are drawn from, all equally likely, `[K]`; no special ones.
        mask: share of hidden tokens that become the mask token.
        random: share that becomes a random ordinary token, which by chance may be the same one.
        keep: share that stays as it is.
        per: whether each `token` or each `unit` as a whole becomes mask, random or itself; random ids are
            drawn for each token in both cases.
    """

    mask_id: int
    ordinary_ids: NDArray[np.int32]
    mask: float
    random: float
    keep: float
    per: Literal["token", "unit"]


def ordinary_ids(vocabulary_size: int, special: tuple[int, ...]) -> NDArray[np.int32]:
    """All ids below `vocabulary_size` that are not special, rising."""
    return np.setdiff1d(np.arange(vocabulary_size), np.array(special, dtype=int)).astype(np.int32)


def rewrite(
    windows: Windows,
    hidden: NDArray[np.bool_],
    units: NDArray[np.int32],
    keyed: Keyed,
    replacement: Replacement,
) -> Example:
    """Make examples: hidden tokens rewritten in the inputs, wanted in the targets.

    Numbers are drawn for hidden positions alone, by position (ids, and fate per token) or by unit number.

    Args:
        windows: B windows of T positions, in the aligned layout.
        hidden: True where the loss will count, `[B, T]`.
        units: unit number of every position, `[B, T]`; read when `replacement.per` is `unit`.
        keyed: one key per window.
        replacement: the shares and the ids.

    References:
        Devlin et al. 2019, BERT: 80/10/10 per token; its random ids include special tokens, ours do not.
        SpanBERT decides per span, fairseq per word: `per="unit"`.
    """
    places = np.flatnonzero(hidden)
    rows, columns = np.divmod(places, hidden.shape[1])
    original = windows.tokens.ravel()[places]
    owners = columns if replacement.per == "token" else units.ravel()[places]
    fate = to_unit(keyed.child("fate").at(rows, owners))
    shown = np.where(fate < replacement.mask, np.int32(replacement.mask_id), original)
    drawn = np.flatnonzero((fate >= replacement.mask) & (fate < 1.0 - replacement.keep))
    if drawn.size:
        bits = keyed.child("replace").at(rows[drawn], columns[drawn]) >> np.uint64(32)
        choice = (bits * np.uint64(replacement.ordinary_ids.size)) >> np.uint64(32)
        shown[drawn] = replacement.ordinary_ids[choice.astype(np.int64)]
    inputs = windows.tokens.copy()
    inputs.ravel()[places] = shown
    targets = np.zeros_like(inputs)
    targets.ravel()[places] = original
    return Example(
        layout="aligned",
        ids=windows.ids,
        inputs=inputs,
        targets=targets,
        loss_mask=hidden,
        segments=windows.segments,
        target_bytes=windows.source_bytes,
        isolated=windows.isolated,
        types=windows.types,
    )


def rebuild(example: Example) -> NDArray[np.int32]:
    """The original tokens: what corruption did, undone; `[B, T]`.

    In the causal layout what is asked for at a position stands at the next one of the same segment.
    """
    if example.layout == "causal":
        original = example.inputs.copy()
        hidden = example.loss_mask[:, :-1] & (example.segments[:, 1:] == example.segments[:, :-1])
        original[:, 1:][hidden] = example.targets[:, :-1][hidden]
        return original
    return np.where(example.loss_mask, example.targets, example.inputs)
