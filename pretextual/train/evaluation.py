"""What a run measures as it goes: held-out loss beside its baselines, and fixed sentences."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.corpus.config import CorpusConfig
from pretextual.models.backbone import Backbone
from pretextual.objectives.base import Objective
from pretextual.recipes.recipe import Recipe
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.prepare import prepare
from pretextual.tokens.store import StoreSplit
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.train.data import Data
from pretextual.train.device import Place
from pretextual.train.held_out import HeldOutResult, evaluate_held_out, fixed_examples, unigram_loss
from pretextual.train.samples import Sample, fill_samples, held_out_samples, user_samples
from pretextual.windows.plan import Plan, plan

#: General text is the built-in corpus: always there, the same everywhere, and no domain's own.
GENERAL_SOURCE = "python-docs"
_GENERAL_DOCUMENTS = "300"
_COUNTED_TOKENS = 1 << 26


def target_counts(
    split: StoreSplit, objective: Objective, tokenizer: Tokenizer
) -> NDArray[np.int64]:
    """How often each id is asked for in a split (in its first 67 million tokens, which settles frequencies).

    A causal model is asked for the end of every document too, which the store does not hold: without it the
    unigram model would lose so much at ends that a comparison with it flatters.
    """
    tokens = np.asarray(split.tokens[:_COUNTED_TOKENS])
    counts = np.bincount(tokens, minlength=tokenizer.size).astype(np.int64)
    if objective.layout == "causal":
        ends = np.searchsorted(split.document_offsets[1:], tokens.size, side="right")
        counts[objective.frame(tokenizer.special).end] += ends
    return counts


def asked_counts(objective: Objective, windows: Plan, tokenizer: Tokenizer) -> NDArray[np.int64]:
    """How often each id is a target of the held-out question on training windows (2,048 of them at most).

    For objectives that write a second row: sentinels and ends are targets there, and no token of the store.
    """
    counts = np.zeros(tokenizer.size, dtype=np.int64)
    for example in itertools.islice(fixed_examples(objective.held_out(), windows, 64), 32):
        counts += np.bincount(example.targets[example.loss_mask], minlength=tokenizer.size)
    return counts


@dataclasses.dataclass
class Evaluator:
    """Measures a model on held-out text at every evaluation."""

    recipe: Recipe
    data: Data
    backbone: Backbone
    place: Place
    rows: int

    def __post_init__(self) -> None:
        self._causal = self.data.objective.head == "causal"
        self._baseline = self._unigram()
        self._samples = self._choose_samples()

    def _unigram(self) -> float | None:
        if self.data.held_out is None:
            return None
        store, objective = self.data.store, self.data.objective
        if objective.layout == "bare":
            counts = asked_counts(objective, self.data.train, self.data.tokenizer)
        else:
            counts = target_counts(store.split("train"), objective, self.data.tokenizer)
        return unigram_loss(objective, self.data.held_out, counts)

    def _choose_samples(self) -> list[Sample]:
        tokenizer = self.data.tokenizer
        if self.backbone.head == "seq2seq":
            return []  # it has no gaps of one token and does not go on; `pretextual fill` writes for sentinels
        if self.recipe.train.samples:
            return user_samples(self.recipe.train.samples, tokenizer, causal=self._causal)
        if self.data.held_out is None:
            return []
        return held_out_samples(self.data.store.split("held_out"), tokenizer, causal=self._causal)

    def __call__(self, step: int) -> dict[str, Any] | None:
        """Columns of a metrics row, or None when nothing is held out."""
        if self.data.held_out is None:
            return None
        result = self._measure(self.data)
        samples = fill_samples(
            self._samples,
            self.backbone,
            self.data.tokenizer,
            self.place,
            causal=self._causal,
        )
        return {
            "split": "held_out",
            **result.row(),
            **self._members(result),
            "unigram_loss": self._baseline,
            **self._chances(),
            "filled": samples,
        }

    def _chances(self) -> dict[str, float]:
        """Chance of the main held-out loss, and of further terms where there are any."""
        objective, size = self.data.objective.held_out(), self.data.tokenizer.size
        main, *further = objective.term_chances(size).items() or [("", objective.chance_loss(size))]
        return {"chance_loss": main[1]} | {f"chance_loss_{name}": loss for name, loss in further}

    def _members(self, first: HeldOutResult) -> dict[str, float | int]:
        """Columns `loss_NAME` and so on of every member, where there are several; the first is measured already."""
        columns: dict[str, float | int] = {}
        for number, (name, member) in enumerate(self.data.members.items()):
            found = first if number == 0 else self._measure(member)
            columns |= {f"{column}_{name}": value for column, value in found.row().items()}
        return columns

    def _measure(self, data: Data) -> HeldOutResult:
        assert data.held_out is not None
        return evaluate_held_out(
            self.backbone, data.objective, data.held_out, self.place, rows=self.rows
        )

    def general(self) -> HeldOutResult:
        """Loss on general text, the same few hundred documents of the built-in corpus for every model."""
        store = prepare(
            CorpusConfig(sources=(GENERAL_SOURCE,), sample=_GENERAL_DOCUMENTS, held_out=0.0),
            TokenizerConfig(load=str(self.data.store.folder / "tokenizer")),
        )
        # The fixed question, which needs no annotation of that text.
        asked = self.data.objective.held_out()
        frame = asked.frame(store.tokenizer.special)
        windows = plan(store.split("train"), asked.windows(self.recipe.windows), frame)
        return evaluate_held_out(self.backbone, asked, windows, self.place, rows=self.rows)
