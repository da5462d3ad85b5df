"""A MODEL, opened for use: loaded once, in evaluation mode, with its tokenizer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from pretextual.core.errors import ModelError
from pretextual.models.backbone import Backbone
from pretextual.models.load import load
from pretextual.models.replaced import GENERATOR, ReplacedBackbone
from pretextual.objectives.batch import Batch
from pretextual.tokens.tokenizer import Tokenizer

_MOST_ROWS = 64


@dataclasses.dataclass(frozen=True)
class OpenModel:
    """What the verbs that ask a model need.

    Attributes:
        backbone: in evaluation mode.
        tokenizer: its own.
    """

    backbone: Backbone
    tokenizer: Tokenizer

    @property
    def is_causal(self) -> bool:
        """Whether it reads from left to right alone."""
        return self.backbone.head == "causal"

    def require_room(self, num_tokens: int, where: str) -> None:
        """Raise M007 where a row is longer than the model's positions."""
        limit = self.backbone.max_tokens
        if limit is not None and num_tokens > limit:
            raise ModelError.one(
                "M007",
                where=where,
                got=f"{num_tokens} tokens, special tokens included",
                expected=f"at most {limit}, the model's positions",
                hint="shorten the text",
            )

    def log_probabilities(
        self, rows: Sequence[Sequence[int]], places: Sequence[tuple[int, int]]
    ) -> Tensor:
        """What the model says at some positions.

        Args:
            rows: token ids of R rows of one length.
            places: N pairs of row and position within it, in order.

        Returns:
            Natural logarithms of probabilities, `[N, V]` float32.
        """
        found = []
        for begin in range(0, len(rows), _MOST_ROWS):
            some = torch.tensor(rows[begin : begin + _MOST_ROWS], device=self.backbone.device)
            height, width = some.shape
            flat = [(r - begin) * width + t for r, t in places if begin <= r < begin + height]
            with torch.no_grad():
                logits = self.backbone.logits(_batch(some, flat))
            found.append(logits.float().log_softmax(dim=-1))
        return torch.cat(found)

    def log_probability(self, row: Sequence[int], start: int = 1) -> float:
        """The chain rule of a causal model: natural logarithm of P(row[start:] | row[:start])."""
        if len(row) <= start:
            return 0.0
        scores = self.log_probabilities([row], [(0, t) for t in range(start - 1, len(row) - 1)])
        wanted = torch.tensor(row[start:], device=scores.device)
        return float(scores.gather(1, wanted[:, None]).double().sum())


def open_model(model: str | Path | OpenModel) -> OpenModel:
    """Load a folder, a run or a Hub name; what is open already is returned as it is.

    Raises:
        ModelError: as `pretextual.models.load.load`; M047 for a discriminator without its generator.
    """
    if isinstance(model, OpenModel):
        return model
    backbone, tokenizer = load(model)
    if backbone.head == "replaced" and not isinstance(backbone, ReplacedBackbone):
        raise ModelError.one(
            "M047",
            where=str(model),
            got="a discriminator alone",
            expected=f"the folder {GENERATOR} beside it, or a model that says words",
            hint="give the generator itself, where you have it",
        )
    return OpenModel(backbone, tokenizer)


def _batch(inputs: Tensor, places: list[int]) -> Batch:
    positions = torch.tensor(places, dtype=torch.int64, device=inputs.device)
    return Batch(
        layout="aligned",
        inputs=inputs,
        segments=None,
        isolated=False,
        positions=positions,
        targets=torch.zeros_like(positions),
        weights=torch.ones(len(places), device=inputs.device),
        num_targets=len(places),
        num_tokens=inputs.numel(),
        target_bytes=0,
    )
