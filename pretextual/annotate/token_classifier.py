"""Mentions that a Transformers checkpoint for token classification finds."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pretextual.annotate.folder_fingerprint import folder_fingerprint
from pretextual.annotate.mentions import Mention
from pretextual.annotate.reading import Reading
from pretextual.core.errors import TokenError

#: Windows of a forward pass, and the longest window.
BATCH = 16
MOST_TOKENS = 512
#: Positions that a window leaves free: RoBERTa's begin behind its pad token.
_SPARE = 2


@dataclasses.dataclass(frozen=True, eq=False)
class Classifier:
    """A checkpoint ready for use.

    Attributes:
        model: the Transformers model, for evaluation.
        tokenizer: its tokenizer, one that knows offsets.
        labels: label of every output.
        window: most tokens of a window, CLS and SEP included.
    """

    model: Any
    tokenizer: Any
    labels: Sequence[str]
    window: int


@functools.lru_cache(maxsize=1)
def load_classifier(name: str) -> Classifier:
    """A checkpoint by folder or Hub name.

    Raises:
        TokenError: T028 where it cannot be loaded or does not label tokens in the IOB way.
    """
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer
    from transformers.utils import logging

    config = _config(name)
    if not any("TokenClassification" in kind for kind in config.architectures or ()):
        raise _unusable(
            name, f"a model of another kind: {', '.join(config.architectures or ['?'])}"
        )
    labels = [config.id2label[number] for number in range(config.num_labels)]
    if "O" not in labels:
        raise _unusable(
            name, f"the labels {', '.join(labels[:8])}, without O for what names nothing"
        )
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        model = AutoModelForTokenClassification.from_pretrained(name, dtype=torch.float32).eval()
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, KeyError) as error:
        raise _unusable(name, str(error).splitlines()[0]) from error
    finally:
        if bars:
            logging.enable_progress_bar()
    if not tokenizer.is_fast:
        raise _unusable(name, "a tokenizer that does not know where its tokens stand in the text")
    positions = getattr(config, "max_position_embeddings", None) or MOST_TOKENS + _SPARE
    window = min(MOST_TOKENS, tokenizer.model_max_length, positions - _SPARE)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Classifier(model.to(device), tokenizer, labels, int(window))


def classifier_fingerprint(name: str) -> str:
    """Stands for the checkpoint: its files, or the commit on the Hub."""
    if Path(name).is_dir():
        return folder_fingerprint(Path(name))
    return str(getattr(_config(name), "_commit_hash", None) or name)


def find_with_classifier(classifier: Classifier, reading: Reading) -> Iterator[Mention]:
    """Entities of every document, read in windows of whole sentences; a longer sentence is cut."""
    windows = list(_windows(classifier, reading))
    for first in range(0, len(windows), BATCH):
        yield from _read(classifier, reading.text, windows[first : first + BATCH])


def _windows(classifier: Classifier, reading: Reading) -> Iterator[tuple[int, int]]:
    room = classifier.window - classifier.tokenizer.num_special_tokens_to_add()
    for sentences in reading.sentences():
        texts = [reading.text[start:stop] for start, stop in sentences]
        encoded = classifier.tokenizer(texts, add_special_tokens=False, verbose=False)
        begin = end = sentences[0][0]
        held = 0
        for (_, stop), ids in zip(sentences, encoded["input_ids"], strict=True):
            if held + len(ids) > room and end > begin:
                yield begin, end
                begin, held = end, 0
            held += len(ids)
            end = stop
        yield begin, end


def _read(
    classifier: Classifier, text: str, windows: Sequence[tuple[int, int]]
) -> Iterator[Mention]:
    import torch

    encoded = classifier.tokenizer(
        [text[start:stop] for start, stop in windows],
        truncation=True,
        max_length=classifier.window,
        padding=True,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        return_tensors="pt",
    )
    names = [name for name in classifier.tokenizer.model_input_names if name in encoded]
    rows = encoded["input_ids"].shape[0]
    predicted = []
    with torch.inference_mode():
        # A sentence that is cut gives more rows than windows.
        for first in range(0, rows, BATCH):
            batch = {name: encoded[name][first : first + BATCH] for name in names}
            batch = {name: tensor.to(classifier.model.device) for name, tensor in batch.items()}
            predicted += classifier.model(**batch).logits.argmax(-1).tolist()
    for row in range(rows):
        start = windows[int(encoded["overflow_to_sample_mapping"][row])][0]
        found = [
            (classifier.labels[label], low, high)
            for label, (low, high), special in zip(
                predicted[row],
                encoded["offset_mapping"][row].tolist(),
                encoded["special_tokens_mask"][row].tolist(),
                strict=True,
            )
            if not special
        ]
        for kind, low, high in spans_of(found):
            yield Mention(start + low, start + high, kind)


def spans_of(labelled: Sequence[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
    """From labelled tokens to labelled runs: a run ends before `O`, another type, and every `B-`.

    Args:
        labelled: label, first character and end of every token. A label without `B-` or `I-` counts as `I-`.

    Yields:
        Type, first character and end of every run.
    """
    parts = []
    number = 0
    before = "O"
    for label, low, high in labelled:
        kind = label[2:] if label[:2] in ("B-", "I-") else label
        number += label.startswith("B-") or kind != before
        before = kind
        if label != "O" and high > low:
            parts.append((number, kind, low, high))
    for _, run in itertools.groupby(parts, key=lambda part: part[0]):
        whole = list(run)
        yield whole[0][1], whole[0][2], whole[-1][3]


def _config(name: str) -> Any:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(name)
    except (OSError, ValueError, KeyError) as error:
        raise _unusable(name, str(error).splitlines()[0]) from error


def _unusable(name: str, got: str) -> TokenError:
    return TokenError.one(
        "T028",
        where=name,
        got=got,
        expected="a Transformers checkpoint with a token-classification head and labels such as O, B-PER, I-PER",
        hint="give the folder or the Hub name of one: checkpoint=PATH",
    )
