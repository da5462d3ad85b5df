"""Masked LM with SpanBERT's span-boundary objective: say what a span was from the two tokens around it.

    loss = masked-lm + coefficient * span-boundary
    span-boundary = sum over tokens x_i of hidden spans s … e of -ln p(x_i | x_{s-1}, x_{e+1}, p_{i-s}) / their number
    p = softmax(E y + b),   y = LayerNorm(GELU(W_2 LayerNorm(GELU(W_1 [h_{s-1}; h_{e+1}; p_{i-s}]))))

with h the last hidden states, E the embedding matrix of the model, and everything else a head of its own.

References:
    Joshi et al. 2020, SpanBERT: Improving pre-training by representing and predicting spans, section 3.2, and its code:
    neighbouring hidden spans are one, the first 15 tokens of a span are asked for, places in a span have vectors of
    width 200, one draw of 80/10/10 serves a merged span (here with `replace_per: unit`). We differ: a span whose
    neighbour lies outside its row (or outside its document, where documents are isolated) has no boundary and is left
    out; each term is a mean over its own targets in the whole batch.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pretextual.core.errors import ConfigError
from pretextual.corrupt.example import Example
from pretextual.objectives.base import BackboneLike, RichBackbone, Term
from pretextual.objectives.masked_lm import MaskedLM, MaskingConfig
from pretextual.objectives.token_loss import token_term
from pretextual.tokens.special import SpecialIds

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pretextual.objectives.batch import Batch

#: Name of the head and, in the log, of the term.
HEAD, TERM = "span_boundary", "span-boundary"
#: Width of the vector that stands for a place in a span.
_PLACE_WIDTH = 200
#: Deviation of fresh matrices, BERT's.
_DEVIATION = 0.02


class SpanBoundaryConfig(MaskingConfig):
    """Masked LM with the span-boundary objective."""

    kind: Literal["masked-lm-span-boundary"] = "masked-lm-span-boundary"

    span_boundary_coefficient: float = Field(default=1.0, gt=0.0)
    """Factor of the span-boundary objective in the loss."""

    longest_span: int = Field(default=15, ge=1)
    """Tokens of a span that its boundary is asked for: the first so many."""

    def build(self, special: SpecialIds, vocabulary_size: int) -> SpanBoundary:
        """See `ObjectiveConfig.build`; raises T060, T061 or T062."""
        return SpanBoundary(
            self, special, vocabulary_size, self.span_boundary_coefficient, self.longest_span
        )


@dataclasses.dataclass(frozen=True)
class Boundaries:
    """Where N hidden tokens stand in their spans.

    Attributes:
        left: flat index of the last position before the span, `[N]`.
        right: flat index of the first position behind it, `[N]`.
        places: number of the token within its span, from 0, `[N]`.
        asked: True where both neighbours exist and the place is below the longest, `[N]`.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    places: NDArray[np.int64]
    asked: NDArray[np.bool_]


def find_boundaries(
    positions: NDArray[np.int64],
    width: int,
    longest: int,
    segments: NDArray[np.integer] | None = None,
) -> Boundaries:
    """Find the spans of hidden tokens: longest runs of neighbouring hidden positions of a row.

    Args:
        positions: flat indices of the hidden positions in `B * T`, rising, `[N]`.
        width: T.
        longest: tokens asked for in a span.
        segments: part numbers, `[B, T]`, where parts must not see each other: a run ends with its part, and both
            neighbours must belong to it.
    """
    new = np.ones(positions.size, dtype=np.bool_)
    new[1:] = (np.diff(positions) != 1) | (positions[1:] % width == 0)
    parts = None if segments is None else segments.ravel()
    if parts is not None:
        new[1:] |= np.diff(parts[positions]) != 0
    # A run ends before the next begins; the first position begins one, so rolled round it ends the last.
    first, last = positions[new], positions[np.roll(new, -1)]
    whole = (first % width > 0) & (last % width < width - 1)
    if parts is not None:
        own = parts[first]
        whole &= (parts[first - 1] == own) & (parts[(last + 1) % parts.size] == own)
    spans = np.cumsum(new) - 1
    places = positions - first[spans]
    return Boundaries(first[spans] - 1, last[spans] + 1, places, whole[spans] & (places < longest))


@dataclasses.dataclass(frozen=True, eq=False)
class SpanBoundary(MaskedLM):
    """Masked LM and span boundaries from one forward pass; terms `masked-lm` and `span-boundary`.

    Attributes:
        coefficient: factor of `span-boundary` in the loss; masked LM has 1.
        longest: tokens asked for in a span.
    """

    coefficient: float = 1.0
    longest: int = 15

    def owners(self, numbers: NDArray[np.int32], hidden: NDArray[np.bool_]) -> NDArray[np.int32]:
        """See `MaskedLM.owners`: hidden units that touch are one, named by the position that it begins at."""
        begins = hidden.copy()
        begins[:, 1:] &= ~hidden[:, :-1]
        columns = np.arange(hidden.shape[1], dtype=np.int32)
        merged: NDArray[np.int32] = np.maximum.accumulate(np.where(begins, columns, 0), axis=1)
        return merged.astype(np.int32)

    def weights(self, example: Example) -> dict[str, float]:
        """The number of hidden positions, and of those that a boundary is asked for."""
        found = find_boundaries(
            np.flatnonzero(example.loss_mask),
            example.loss_mask.shape[1],
            self.longest,
            example.segments if example.isolated else None,
        )
        return {**super().weights(example), TERM: float(np.count_nonzero(found.asked))}

    def own_heads(self, hidden: int, vocabulary_size: int) -> dict[str, nn.Module]:
        """The two layers, the vectors of places, and a bias for every token."""
        import torch
        from torch import nn

        first = nn.Linear(2 * hidden + _PLACE_WIDTH, hidden)
        second = nn.Linear(hidden, hidden)
        places = nn.Embedding(self.longest, _PLACE_WIDTH)
        for matrix in (first.weight, second.weight, places.weight):
            nn.init.normal_(matrix, std=_DEVIATION)
        for bias in (first.bias, second.bias):
            nn.init.zeros_(bias)
        layers = nn.Sequential(
            first, nn.GELU(), nn.LayerNorm(hidden), second, nn.GELU(), nn.LayerNorm(hidden)
        )
        head = nn.ModuleDict({"places": places, "layers": layers})
        head.register_parameter("bias", nn.Parameter(torch.zeros(vocabulary_size)))
        return {HEAD: head}

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """Cross entropy at the hidden positions, from their own states and from the boundaries of their spans.

        Raises:
            ConfigError: C037 if the model's token vectors are not as wide as its states.
        """
        rich = cast(RichBackbone, backbone)
        segments = (
            batch.segments.cpu().numpy() if batch.isolated and batch.segments is not None else None
        )
        # Spans are found on the host, before the forward pass: the number of targets is known without waiting for it.
        positions = batch.positions[: batch.num_targets].cpu().numpy()
        found = find_boundaries(positions, batch.inputs.shape[1], self.longest, segments)
        outputs = rich.outputs(batch, states=True)
        return [
            token_term(self.name, outputs.logits, batch),
            self._boundary_term(rich, outputs.states, batch, found),
        ]

    def _boundary_term(
        self, backbone: RichBackbone, states: Tensor | None, batch: Batch, found: Boundaries
    ) -> Term:
        import torch
        from torch.nn import functional

        assert states is not None
        head = cast("nn.ModuleDict", backbone.head_named(HEAD))
        table = backbone.embedding
        if table.shape[1] != states.shape[-1]:
            raise ConfigError.one(
                "C037",
                where="objective.kind",
                got=f"token vectors of width {table.shape[1]}, states of width {states.shape[-1]}",
                expected="one width, since the head answers with token vectors",
                hint="model.architecture=bert, roberta, modernbert or deberta-v2; or objective.kind=masked-lm",
            )
        chosen = np.flatnonzero(found.asked)

        def place(array: NDArray[np.int64]) -> Tensor:
            return torch.from_numpy(array).to(states.device, non_blocking=True)

        flat = states.flatten(0, 1)
        left, right = (
            flat.index_select(0, place(side[chosen])) for side in (found.left, found.right)
        )
        places = head["places"](place(found.places[chosen]))
        answers = head["layers"](torch.cat([left, right, places], dim=-1))
        logits = functional.linear(answers, table, head.get_parameter("bias"))
        targets = batch.targets.index_select(0, place(chosen))
        asked = dataclasses.replace(
            batch, targets=targets, weights=torch.ones_like(logits[:, 0]), num_targets=chosen.size
        )
        return token_term(TERM, logits, asked, self.coefficient)

    def chance_loss(self, vocabulary_size: int) -> float:
        """All tokens equally likely in both questions: (1 + `coefficient`) ln V."""
        return (1.0 + self.coefficient) * super().chance_loss(vocabulary_size)

    def term_chances(self, vocabulary_size: int) -> dict[str, float]:
        """All tokens equally likely: ln V twice."""
        return dict.fromkeys((self.name, TERM), super().chance_loss(vocabulary_size))
