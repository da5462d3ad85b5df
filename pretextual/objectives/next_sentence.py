"""Next-sentence prediction: does the second text follow the first in its document, or come from another?

Label 0: B is the true next text. Label 1: B comes from another document.

References:
    Devlin et al. 2019, BERT, section 3.1, and its `create_pretraining_data.py`. We differ: exactly half of the rows
    of an epoch are random, where BERT's builder makes s + (1 - s) / 2 so (s: the share of runs of one sentence, which
    have no next text); a random text comes from the pairs of another document by one keyed permutation for each
    epoch, so every text is shown once an epoch, where BERT's builder draws one of ten copies beforehand and gives
    random texts a start of their own; documents of one sentence give no pair, where BERT's pair them at random.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pretextual.core.randomness import Draw
from pretextual.objectives.config import ObjectiveConfig
from pretextual.objectives.pair_question import PairQuestion, pairs_of
from pretextual.tokens.special import SpecialIds
from pretextual.windows.window import Windows


class NextSentenceConfig(ObjectiveConfig):
    """Next-sentence prediction alone; it has no options. With masked LM: `bert-pretraining`."""

    kind: Literal["next-sentence"] = "next-sentence"

    def build(self, special: SpecialIds, vocabulary_size: int) -> NextSentence:
        """See `ObjectiveConfig.build`; raises T061."""
        return NextSentence(special)


@dataclasses.dataclass(frozen=True, eq=False)
class NextSentence(PairQuestion):
    """Next-sentence prediction for one tokenizer."""

    name: ClassVar[str] = "next-sentence"

    def ask(self, windows: Windows, draw: Draw) -> tuple[Windows, NDArray[np.int64]]:
        """Half of the rows get the second text of a row of another document; see `windows.exchange`.

        Raises:
            DataError: D071 if there is no other document.
        """
        pairs = pairs_of(windows)
        givers = pairs.partners(windows.ids, draw.seed, draw.epochs)
        return pairs.exchanged(windows, givers), (givers != windows.ids).astype(np.int64)
