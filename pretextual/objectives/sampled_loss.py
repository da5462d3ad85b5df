"""Losses that look at a sample of a large vocabulary: sampled softmax and noise-contrastive estimation.

With s_i the logit of token i, t the target, S the sample and pi_i the chance of i to be in it (see `noise`):

    softmax           ln sum over all i of exp(s_i)  - s_t
    sampled-softmax   ln [exp(s_t) + sum over i in S, i != t of exp(s_i) / pi_i]  - s_t
    nce               -ln sigma(d_t) - sum over i in S of ln sigma(-d_i),    d_i = s_i - ln V - ln pi_i

The bracket estimates the softmax's sum without bias and is that sum when S is the vocabulary. NCE learns to tell the
target from noise; its optimum is s_i - ln V = ln p(i), whatever the noise, so it needs no sum at all.

Only the sampled rows of the output matrix are read. A sample is shared by 16 rows that follow each other in training
and drawn by a keyed number of theirs, so the size of batches and micro-batches changes nothing. Held-out text is
always measured with the full softmax.

References:
    Bengio and Senecal 2008, Adaptive importance sampling; Jean et al. 2015, On using very large target vocabulary: the
    correction by the probability of the noise. Here it is exact, and the target, which is always there, has none.
    Gutmann and Hyvarinen 2010; Mnih and Teh 2012, A fast and simple algorithm for training neural probabilistic
    language models: the normaliser is fixed. Here it is fixed at V instead of 1, so that training starts from all
    tokens alike, and noise is a set, so that `pi_i` stands where k times the noise distribution does.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pretextual.core.errors import ConfigError
from pretextual.core.randomness import Draw, stream
from pretextual.corrupt.example import Example
from pretextual.objectives.base import BackboneLike, Objective, Term
from pretextual.objectives.config import ObjectiveConfig
from pretextual.objectives.noise import NoiseTable, count_tokens, noise_table
from pretextual.windows.split import TokenSplit
from pretextual.windows.window import Windows

if TYPE_CHECKING:
    from torch import Tensor

    from pretextual.objectives.batch import Batch

#: Rows that follow each other in training and share a sample.
GROUP_ROWS = 16
#: Size of a sample where none is given: a share of the vocabulary, but at most so many.
_SHARE, _MOST = 8, 2048


class SampledLossConfig(ObjectiveConfig):
    """How the loss of a token is computed."""

    loss: Literal["softmax", "sampled-softmax", "nce"] = "softmax"
    """`softmax` looks at the whole vocabulary, the others at a sample of it: for very large vocabularies."""

    noise_samples: int | None = Field(default=None, ge=1)
    """Tokens in a sample; none: an eighth of the vocabulary, at most 2,048."""

    @model_validator(mode="after")
    def _sampled(self) -> Self:
        if self.loss == "softmax" and self.noise_samples is not None:
            raise ValueError("noise_samples is for loss: sampled-softmax and nce; leave it out")
        return self


@dataclasses.dataclass(frozen=True)
class BeforeVocabulary:
    """What logits are made from: `states @ weight.T + bias`.

    Attributes:
        states: what the head gives to its last matrix, at the batch's slots, `[N, D]`.
        weight: that matrix, `[V, D]`; of most models the embedding.
        bias: `[V]`, or None.
    """

    states: Tensor
    weight: Tensor
    bias: Tensor | None


class SamplingBackbone(BackboneLike, Protocol):
    """What a sampled loss needs of a model."""

    def before_vocabulary(self, batch: Batch) -> BeforeVocabulary:
        """Everything but the product with the vocabulary's matrix."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class SampledObjective(Objective):
    """What makes an objective of one term use a sampled loss; named before that objective among the bases.

    Attributes:
        counts: how often each token is asked for in the training text, `[V]`; from `prepare`.
    """

    counts: NDArray[np.int64] | None = None

    def prepare(self, split: TokenSplit) -> Self:
        """See `Objective.prepare`: count the tokens of the training text."""
        task = cast(Any, self)
        end = self.frame(task.special).end if self.layout == "causal" else None
        return dataclasses.replace(self, counts=count_tokens(split, task.vocabulary_size, end))

    @property
    def options(self) -> SampledLossConfig:
        """The recipe's part."""
        return cast(SampledLossConfig, cast(Any, self).config)

    def examples(self, windows: Windows, draw: Draw) -> Example:
        """Those of the objective, with a number by which the sample of each target is drawn."""
        example = super().examples(windows, draw)  # type: ignore[safe-super]
        samples = draw.samples if draw.samples is not None else np.arange(draw.ids.size)
        groups = stream(draw.seed, "group", "noise")
        numbers = groups.uniform(groups.keys(samples // GROUP_ROWS), 1)
        return dataclasses.replace(example, draws=np.where(example.loss_mask, numbers, 0.0))

    def table(self, vocabulary_size: int) -> NoiseTable:
        """The noise for a model with this many tokens; those that the tokenizer does not have count as never seen.

        Raises:
            ConfigError: C038 if the sample would be the vocabulary.
        """
        if self.counts is None:
            raise ValueError("a sampled loss needs counts: objective.prepare(store.split('train'))")
        if vocabulary_size not in self._tables:
            counts = np.pad(self.counts, (0, vocabulary_size - self.counts.size))
            size = num_samples(self.options, self.counts.size)
            self._tables[vocabulary_size] = noise_table(counts, size)
        return self._tables[vocabulary_size]

    @functools.cached_property
    def _tables(self) -> dict[int, NoiseTable]:
        return {}

    def terms(self, backbone: BackboneLike, batch: Batch) -> list[Term]:
        """The sampled loss at the targets, under the objective's name.

        The term's `correct` counts targets ahead of their sample, which is more than are ahead of the vocabulary.
        """
        import torch

        assert batch.draws is not None
        used = batch.num_targets
        found = cast(SamplingBackbone, backbone).before_vocabulary(batch)
        table = self.table(found.weight.shape[0])
        values, owners = np.unique(batch.draws[:used].cpu().numpy(), return_inverse=True)
        own, others = _logits(found, batch.targets[:used], table.draw(values), owners)
        contrastive = self.options.loss == "nce"
        offset = math.log(table.inclusion.size) if contrastive else 0.0
        chances = torch.from_numpy(np.log(table.inclusion) + offset).to(own.device, own.dtype)
        losses = torch.zeros_like(own)
        correct = torch.zeros((), dtype=torch.int64, device=own.device)
        for some, noise, logits in others:
            targets = batch.targets[some]
            same = targets[:, None] == noise
            if contrastive:
                part = nce(own[some] - chances[targets], logits - chances[noise])
            else:
                part = sampled_softmax(own[some], logits - chances[noise], same)
            losses = losses.index_copy(0, some, part)
            best = logits.detach().masked_fill(same, -math.inf).amax(dim=1)
            correct += (own[some].detach() > best).sum()
        name = cast(Any, self).name
        # Nothing of a batch without targets, but with a gradient of zero for everything.
        total = losses.sum() + 0.0 * own.sum()
        return [Term(name, total, float(used), 1.0, correct, losses.detach())]

    def chance_loss(self, vocabulary_size: int) -> float:
        """All tokens equally likely: ln V, but for noise-contrastive estimation its own loss there."""
        if self.options.loss != "nce" or self.counts is None:
            return super().chance_loss(vocabulary_size)  # type: ignore[safe-super]
        expected = vocabulary_size * self.table(vocabulary_size).inclusion
        shares = np.pad(self.counts / self.counts.sum(), (0, vocabulary_size - self.counts.size))
        noise = expected * np.log1p(1.0 / expected) / vocabulary_size
        return float((shares * np.log1p(expected)).sum() + noise.sum())


def num_samples(options: SampledLossConfig, vocabulary_size: int) -> int:
    """Tokens in a sample.

    Raises:
        ConfigError: C038 if these are not fewer than there are.
    """
    wanted = options.noise_samples or max(1, min(vocabulary_size // _SHARE, _MOST))
    if wanted > vocabulary_size:
        raise ConfigError.one(
            "C038",
            where="objective.noise_samples",
            got=f"{wanted:,} of {vocabulary_size:,} tokens",
            expected="fewer than the vocabulary has",
            hint=f"objective.noise_samples={max(1, vocabulary_size // _SHARE)}, or objective.loss=softmax",
        )
    return wanted


def _logits(
    found: BeforeVocabulary,
    targets: Tensor,
    noise: NDArray[np.int64],
    owners: NDArray[np.intp],
) -> tuple[Tensor, list[tuple[Tensor, Tensor, Tensor]]]:
    """Logits of all targets, `[n]`, and for each sample: whose it is `[m]`, its ids `[K]`, their logits `[m, K]`.

    All rows of the matrix are read at once: the gradient of each reading is as large as the matrix.
    """
    import torch
    from torch.nn import functional

    device, count = targets.device, targets.numel()
    ids = torch.from_numpy(noise).to(device)
    rows = torch.cat([targets, ids.flatten()])
    vectors = functional.embedding(rows, found.weight)
    biases = None if found.bias is None else found.bias[rows]
    states = found.states[:count]
    own = (states * vectors[:count]).sum(dim=-1)
    own = own if biases is None else own + biases[:count]
    single = torch.promote_types(own.dtype, torch.float32)
    others = []
    for number in range(len(noise)):
        some = torch.from_numpy(np.flatnonzero(owners == number)).to(device)
        begin = count + number * ids.shape[1]
        part = slice(begin, begin + ids.shape[1])
        logits = functional.linear(
            states.index_select(0, some), vectors[part], None if biases is None else biases[part]
        )
        others.append((some, ids[number], logits.to(single)))
    return own.to(single), others


def sampled_softmax(own: Tensor, others: Tensor, same: Tensor) -> Tensor:
    """Losses of m targets against a sample of K.

    Args:
        own: logits of the targets, `[m]`.
        others: logits of the sample, less the logarithms of their chances, `[m, K]`.
        same: True where one of the sample is the target, which then counts once, `[m, K]`.
    """
    import torch

    others = others.masked_fill(same, -math.inf)
    return torch.logsumexp(torch.cat([own[:, None], others], dim=1), dim=1) - own


def nce(own: Tensor, others: Tensor) -> Tensor:
    """Losses of m targets against a sample of K.

    Args:
        own: logits of the targets, less the logarithms of V times their chances, `[m]`.
        others: the same of the sample, `[m, K]`; one that is the target is noise all the same.
    """
    from torch.nn import functional

    return functional.softplus(-own) + functional.softplus(others).sum(dim=1)
