"""How likely a model finds whole sentences: pseudo-log-likelihoods of encoders, log-likelihoods of decoders.

References:
    Salazar et al. 2020, Masked language model scoring: the sum of the log probabilities of all tokens, each
    masked alone. Kauf and Ivanova 2023, A better way to do masked language model scoring: with a token, the later
    tokens of its word are masked too (`PLL-word-l2r`), since a piece that sees the rest of its word is
    no surprise and words of many pieces come out too likely. We differ in nothing but the words: they are the
    tokenizer's own word starts, so a punctuation mark is a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pretextual.core.errors import ModelError
from pretextual.evaluate.model import OpenModel
from pretextual.objectives.batch import Batch
from pretextual.objectives.roles import frame_of

#: Positions in one forward pass: where small models on a CPU are fastest.
_POSITIONS = {"cpu": 4096, "cuda": 65536}


def log_likelihoods(model: OpenModel, sentences: Sequence[str]) -> NDArray[np.float64]:
    """How likely a model finds every sentence, in nats, at temperature 1.

    An encoder's are pseudo-log-likelihoods by word from left to right; a decoder's follow from the chain rule, the
    first token's from the token that begins documents. Sentences of the same tokens get the very same number.

    Args:
        model: encoder or decoder.
        sentences: S texts, each at least one token long.

    Returns:
        `[S]`, at most 0.

    Raises:
        ModelError: M007 if a sentence is longer than the model's positions, M010 if an encoder has no mask token.
    """
    return np.array([said.sum() for said in token_log_likelihoods(model, sentences)])


def token_log_likelihoods(model: OpenModel, sentences: Sequence[str]) -> list[NDArray[np.float64]]:
    """The same token by token: each token's log probability as it enters the sum, `[tokens]` for every sentence."""
    if not sentences:
        return []
    encode = _causal_rows if model.is_causal else _masked_rows
    tokens, starts = _tokens(model, sentences)
    index: dict[tuple[int, ...], int] = {}
    numbers = [index.setdefault(tuple(ids.tolist()), len(index)) for ids in tokens]
    first = {number: place for place, number in reversed(list(enumerate(numbers)))}
    model.require_room(max(ids.size for ids in tokens) + 2, "the longest sentence")
    by_length: dict[int, list[int]] = {}
    for number, place in first.items():
        by_length.setdefault(tokens[place].size, []).append(number)
    found: dict[int, NDArray[np.float64]] = {}
    for length, group in sorted(by_length.items()):
        asked = [encode(model, tokens[first[number]], starts[first[number]]) for number in group]
        rows, places, wanted = (np.concatenate(parts) for parts in zip(*asked, strict=True))
        said = [part.ravel() for part in _log_probabilities(model, rows, places, wanted)]
        found |= zip(group, np.concatenate(said).reshape(-1, length), strict=True)
    return [found[number] for number in numbers]


def _tokens(
    model: OpenModel, sentences: Sequence[str]
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.bool_]]]:
    """Ids and word starts of every sentence."""
    segmented = model.tokenizer.segment(list(sentences))
    borders = segmented.document_offsets[1:-1]
    ids = np.split(segmented.ids.astype(np.int64), borders)
    return ids, np.split(segmented.word_starts, borders)


Rows = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _masked_rows(model: OpenModel, tokens: NDArray[np.int64], starts: NDArray[np.bool_]) -> Rows:
    """One row for every token, with it and what follows it in its word masked.

    Returns:
        Rows `[n, n + 2]`, the place asked about in each `[n, 1]`, and the token wanted there `[n, 1]`.
    """
    mask = model.tokenizer.special.mask
    if mask is None:
        raise ModelError.one(
            "M010",
            where="tokenizer",
            got="no mask token",
            expected="a tokenizer made for an encoder",
        )
    frame = frame_of(model.tokenizer.special, "aligned")
    places = np.arange(tokens.size)
    words = np.cumsum(starts)
    hidden = (words[:, None] == words[None, :]) & (places[None, :] >= places[:, None])
    rows = np.empty((tokens.size, tokens.size + 2), dtype=np.int64)
    rows[:, 0], rows[:, -1] = frame.start, frame.end
    rows[:, 1:-1] = np.where(hidden, mask, tokens)
    return rows, places[:, None] + 1, tokens[:, None]


def _causal_rows(model: OpenModel, tokens: NDArray[np.int64], starts: NDArray[np.bool_]) -> Rows:
    """One row: every token is asked for at the place before it. Shapes `[1, n + 1]`, `[1, n]`, `[1, n]`."""
    frame = frame_of(model.tokenizer.special, "causal")
    row = np.concatenate(([frame.start], tokens))
    return row[None], np.arange(tokens.size)[None], tokens[None]


def _log_probabilities(
    model: OpenModel, rows: NDArray[np.int64], places: NDArray[np.int64], wanted: NDArray[np.int64]
) -> Iterator[NDArray[np.float64]]:
    """Log probabilities `[rows, places]` of the tokens wanted, some rows at a time.

    Args:
        model: in evaluation mode.
        rows: `[R, T]`, no padding, since all are of one length.
        places: k places of every row, `[R, k]`.
        wanted: the tokens there, `[R, k]`.
    """
    device = model.backbone.device
    height = max(1, _POSITIONS.get(device.type, _POSITIONS["cuda"]) // rows.shape[1])
    for begin in range(0, len(rows), height):
        chunk = slice(begin, begin + height)
        some, count = torch.from_numpy(rows[chunk]).to(device), wanted[chunk].size
        flat = places[chunk] + rows.shape[1] * np.arange(len(some))[:, None]
        batch = Batch(
            layout="causal" if model.is_causal else "aligned",
            inputs=some,
            segments=None,
            isolated=False,
            positions=torch.from_numpy(flat.ravel()).to(device),
            targets=torch.from_numpy(wanted[chunk].ravel()).to(device),
            weights=torch.ones(count, device=device),
            num_targets=count,
            num_tokens=some.numel(),
            target_bytes=0,
        )
        with torch.no_grad():
            logits = model.backbone.logits(batch).float()
            losses = torch.nn.functional.cross_entropy(logits, batch.targets, reduction="none")
        yield -losses.double().cpu().numpy().reshape(wanted[chunk].shape)
