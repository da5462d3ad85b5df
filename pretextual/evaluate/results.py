"""What fill and generate return: plain frozen values; `dataclasses.asdict` of any of them is JSON."""

from __future__ import annotations

import dataclasses

from pretextual.models.config import Head


@dataclasses.dataclass(frozen=True)
class Prediction:
    """One token that may stand in a gap, or come next.

    Attributes:
        token: its id.
        text: the token, with a leading space or `##` as the tokenizer shows it.
        word: the whole word that the model most likely spells with it: the token alone in a gap; None
            where the token continues the word before.
        probability: of the token, in 0 … 1.
        sequence: the text with the word, or the token, in its place.
    """

    token: int
    text: str
    word: str | None
    probability: float
    sequence: str


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One word that was asked about, of any number of pieces.

    Attributes:
        word: as given.
        num_pieces: number of tokens that spell it.
        log_probability: natural logarithm of its probability, see `FillResult.method`.
        share: its probability among the candidates alone; all shares of a gap add up to 1.
        sequence: the text with the word in the gap.
    """

    word: str
    num_pieces: int
    log_probability: float
    share: float
    sequence: str


@dataclasses.dataclass(frozen=True)
class Gap:
    """What the model says in one gap, most probable first.

    Attributes:
        predictions: the top tokens; empty when candidates were asked about.
        candidates: the candidates; empty when none were given.
    """

    predictions: tuple[Prediction, ...]
    candidates: tuple[Candidate, ...]


@dataclasses.dataclass(frozen=True)
class FillResult:
    """The answer of `fill`.

    Attributes:
        text: as given.
        head: what answered: `masked`, `causal`, `seq2seq`, ….
        method: how the numbers came about, in one sentence.
        gaps: one entry for every gap, in order; for a causal model, what comes next.
    """

    text: str
    head: Head
    method: str
    gaps: tuple[Gap, ...]


@dataclasses.dataclass(frozen=True)
class Generation:
    """The answer of `generate`.

    Attributes:
        prompt: as given.
        text: what the model wrote on, without the prompt.
        tokens: ids of what it wrote, an end token included.
        log_probability: natural logarithm of the probability of these tokens at temperature 1.
        stopped: why it ended: the model's `end` token, the asked `length`, or the model's `positions`.
    """

    prompt: str
    text: str
    tokens: tuple[int, ...]
    log_probability: float
    stopped: str
