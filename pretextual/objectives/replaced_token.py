"""Replaced-token detection: a generator fills gaps with likely tokens, a discriminator finds what is not original.

    x' = x, but at hidden t a token drawn from p_G(. | masked row)
    loss = mean over hidden t of -ln p_G(x_t | masked row)
         + coefficient * mean over ordinary t of -ln p_D(is x'_t = x_t ? | x')

References:
    Clark et al. 2020, ELECTRA: Pre-training text encoders as discriminators rather than generators; masks 85 % mask
    token, 15 % original, no random ones, as in the official code. Not adversarial: no gradient passes the sampling.
    We differ: the discriminator is asked about ordinary tokens alone, where the official code also asks about the
    row's CLS and SEP, which are never replaced and teach nothing; positions are drawn without replacement; the rate
    is 0.15 at all sizes (the large model's was 0.25); a sample comes from one keyed uniform number per target, by
    inverting the distribution function, so that it belongs to the example and not to the order of training.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pretextual.core.randomness import Draw, to_unit
from pretextual.corrupt.example import Example
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.rewrite import rebuild
from pretextual.corrupt.schedule import Share
from pretextual.objectives.base import BackboneLike, HeadName, Term
from pretextual.objectives.masked_lm import Corruption, MaskedLM, MaskingConfig, among
from pretextual.objectives.token_loss import token_term
from pretextual.tokens.special import SpecialIds
from pretextual.windows.window import Windows

if TYPE_CHECKING:
    from torch import Tensor

    from pretextual.objectives.batch import Batch

#: Slots that are sampled at a time: the distribution function of a slot takes 8 V bytes.
_SLOTS = 512


class ReplacedTokenConfig(MaskingConfig):
    """Replaced-token detection."""

    kind: Literal["replaced-token-detection"] = "replaced-token-detection"

    mask: Share = 0.85
    """Share of hidden tokens that the generator sees as the mask token."""

    random: Share = 0.0
    """Share of hidden tokens that the generator sees as a random ordinary token."""

    keep: Share = 0.15
    """Share of hidden tokens that the generator sees as they are."""

    coefficient: float = Field(default=50.0, gt=0.0)
    """Factor of the discriminator's loss; the generator's has 1."""

    def build(self, special: SpecialIds, vocabulary_size: int) -> ReplacedTokenDetection:
        """See `ObjectiveConfig.build`; raises T060, T061 or T062."""
        return ReplacedTokenDetection(self, special, vocabulary_size)


class PairedBackbone(BackboneLike, Protocol):
    """What replaced-token detection needs of a model; its logits are the generator's."""

    def judge(self, batch: Batch, inputs: Tensor) -> Tensor:
        """Logits of "this token was replaced" for `inputs` in the batch's place, both `[B, T]`."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class ReplacedTokenDetection(MaskedLM):
    """Replaced-token detection for one tokenizer; terms `masked-lm` (generator) and `replaced-token`."""

    config: ReplacedTokenConfig

    head: ClassVar[HeadName] = "replaced"
    detection: ClassVar[str] = "replaced-token"

    def corrupt(self, windows: Windows, draw: Draw) -> Corruption:
        """Masks for the generator, and one uniform number for each token that it will draw."""
        made = super().corrupt(windows, draw)
        keyed = Moment.of(draw, "corrupt", self.config.copies).keyed.child("sample")
        rows, columns = np.nonzero(made.example.loss_mask)
        draws = np.zeros(made.example.inputs.shape)
        draws[rows, columns] = to_unit(keyed.at(rows, columns))
        return dataclasses.replace(made, example=dataclasses.replace(made.example, draws=draws))

    def weights(self, example: Example) -> dict[str, float]:
        """The number of hidden positions, and of ordinary ones."""
        asked = float(np.count_nonzero(self._ordinary(example)))
        return {**super().weights(example), self.detection: asked}

    def _ordinary(self, example: Example) -> NDArray[np.bool_]:
        return (example.segments >= 0) & ~among(rebuild(example), self.special.every)

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """Cross entropy of the generator at the hidden positions, of the discriminator at the ordinary ones."""
        assert batch.draws is not None
        logits = backbone.logits(batch)
        sampled = sample(logits.detach(), batch.draws)
        original, shown = put(batch, batch.targets), put(batch, sampled)
        verdicts = cast(PairedBackbone, backbone).judge(batch, shown)
        return [
            token_term(self.name, logits, batch),
            self._detection_term(verdicts, shown != original, self._asked(batch, original)),
        ]

    def _asked(self, batch: Batch, original: Tensor) -> Tensor:
        """Where a token is ordinary, `[B, T]`."""
        import torch

        special = torch.tensor(self.special.every, device=original.device)
        ordinary = ~torch.isin(original, special)
        return ordinary if batch.segments is None else ordinary & (batch.segments >= 0)

    def _detection_term(self, verdicts: Tensor, replaced: Tensor, asked: Tensor) -> Term:
        import torch
        from torch.nn import functional

        verdicts = verdicts.to(torch.promote_types(verdicts.dtype, torch.float32))
        losses = functional.binary_cross_entropy_with_logits(
            verdicts, replaced.to(verdicts.dtype), reduction="none"
        )
        total = torch.where(asked, losses, torch.zeros_like(losses)).sum()
        with torch.no_grad():
            correct = (((verdicts > 0) == replaced) & asked).sum()
            truths = torch.where(asked, replaced.long(), -1)
        return Term(
            self.detection,
            total,
            float(asked.sum()),
            self.config.coefficient,
            correct,
            verdicts=(verdicts.detach().flatten(), truths.flatten()),
        )

    def held_out(self) -> ReplacedTokenDetection:
        """The gaps that masked LM is asked on held-out text, and always the same numbers to draw by.

        The first term, the generator's loss, is comparable with any masked LM's. The discriminator's is not: the
        better the generator, the harder its question.
        """
        config = ReplacedTokenConfig(
            mask=0.8, random=0.1, keep=0.1, copies=1, coefficient=self.config.coefficient
        )
        return dataclasses.replace(self, config=config)

    def term_chances(self, vocabulary_size: int) -> dict[str, float]:
        """All tokens equally likely, ln V; replaced or not equally likely, ln 2."""
        return {self.name: math.log(vocabulary_size), self.detection: math.log(2.0)}

    def chance_loss(self, vocabulary_size: int) -> float:
        """Ln V, and `coefficient` times ln 2."""
        return math.log(vocabulary_size) + self.config.coefficient * math.log(2.0)


def sample(logits: Tensor, draws: Tensor) -> Tensor:
    """Draw a token from every slot's distribution, at temperature 1, by inverting its distribution function.

    Of tokens 0, 1, … the first at which the summed probability exceeds the slot's number; computed in float64, so
    that in practice neither the batch around a slot nor the order of sums decides. A token of probability 0 is
    never drawn.

    Args:
        logits: `[N, V]`.
        draws: uniform numbers in (0, 1), `[N]` float64.

    Returns:
        Token ids, `[N]` int64, without gradient.
    """
    import torch

    with torch.no_grad():
        found = []
        for start in range(0, len(logits), _SLOTS):
            some, numbers = logits[start : start + _SLOTS], draws[start : start + _SLOTS]
            summed = some.double().softmax(dim=-1).cumsum(dim=-1)
            # Rounding leaves a total near 1, which no number may reach.
            total = summed[:, -1:]
            wanted = torch.minimum(numbers[:, None] * total, total * (1.0 - 2.0**-52))
            found.append(torch.searchsorted(summed, wanted, right=True)[:, 0])
        return torch.cat(found)


def put(batch: Batch, tokens: Tensor) -> Tensor:
    """The batch's inputs with the slots' tokens in their places; unused slots write nothing.

    Args:
        batch: B rows of T positions with N slots.
        tokens: `[N]`.

    Returns:
        `[B, T]`.
    """
    import torch

    flat = batch.inputs.flatten()
    # Unused slots write behind the end, so no slot needs to be left out, whose number a device would have to tell.
    nowhere = torch.full_like(batch.positions, flat.numel())
    places = torch.where(batch.weights > 0, batch.positions, nowhere)
    written = torch.cat([flat, flat.new_zeros(1)]).scatter(0, places, tokens)
    return written[:-1].view(batch.inputs.shape)
