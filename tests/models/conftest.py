"""Small real models and a small real tokenizer, made here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tokenizers

from pretextual.core.randomness import stream
from pretextual.corrupt.example import Example, ExampleLayout
from pretextual.models.backbone import Backbone
from pretextual.models.build import build
from pretextual.models.config import Architecture, Head, ModelConfig
from pretextual.models.shape import SERVES
from pretextual.objectives.batch import Batch, collate
from pretextual.tokens.tokenizer import Tokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SYLLABLES = ["ba", "de", "ki", "lo", "mu", "na", "po", "ri", "su", "ta", "ve", "zo"]


def write_tokenizer(folder: Path, replace: str | None = None, drop: int = 0) -> Path:
    """A WordPiece tokenizer of made-up words: letters, syllables and words of two syllables."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = [*SPECIAL, ".", *letters, *(f"##{letter}" for letter in letters)]
    pieces += [*SYLLABLES, *(f"##{syllable}" for syllable in SYLLABLES)]
    pieces += [first + second for first in SYLLABLES for second in SYLLABLES]
    pieces = pieces[: len(pieces) - drop]
    pieces[-1] = replace or pieces[-1]
    model = tokenizers.models.WordPiece(
        {piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]"
    )
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.Lowercase()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = tokenizers.decoders.WordPiece()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens(SPECIAL)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    roles = zip(("pad", "unk", "cls", "sep", "mask"), SPECIAL, strict=True)
    settings = {f"{role}_token": token for role, token in roles}
    settings |= {"bos_token": "[CLS]", "eos_token": "[SEP]"}
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.load(write_tokenizer(tmp_path_factory.mktemp("tokenizer")))


LAYOUTS: dict[str, ExampleLayout] = {"causal": "causal", "seq2seq": "seq2seq"}


def usual(architecture: Architecture) -> Head:
    """Masked where it is served, else the only one."""
    heads = SERVES[architecture]
    return "masked" if "masked" in heads else heads[0]


Maker = Callable[..., Backbone]


@pytest.fixture(scope="session")
def make(tokenizer: Tokenizer) -> Maker:
    """`make(architecture)`: three layers of 64, so that ModernBERT has local layers too."""

    def maker(
        architecture: Architecture,
        head: Head | None = None,
        *,
        window: int = 96,
        seed: int = 7,
        **changes: object,
    ) -> Backbone:
        values = {"layers": 3, "hidden": 64, "heads": 2, **changes}
        config = ModelConfig(architecture=architecture, **values)  # type: ignore[arg-type]
        return build(config, head or usual(architecture), tokenizer, window, seed)

    return maker


@pytest.fixture(scope="session")
def rows(tokenizer: Tokenizer) -> Callable[..., Batch]:
    """`rows(head, [[5, 3], [4, 2, 1]])`: a batch whose rows hold parts of these lengths."""

    def maker(
        head: str,
        lengths: list[list[int]],
        *,
        isolated: bool = False,
        share: float = 0.3,
        seed: int = 0,
        width: int | None = None,
    ) -> Batch:
        shape = (len(lengths), width or max(map(sum, lengths)))
        streams = [stream(seed, name) for name in ("inputs", "targets", "mask")]
        draws = [one.uniform(one.keys(np.arange(shape[0])), shape[1]) for one in streams]
        inputs, targets = (
            (5 + np.floor(draw * (tokenizer.size - 5))).astype(np.int32) for draw in draws[:2]
        )
        segments = np.full(shape, -1, dtype=np.int32)
        for row, parts in enumerate(lengths):
            segments[row, : sum(parts)] = np.repeat(np.arange(len(parts)), parts)
        inputs[segments < 0] = 0
        mask = (segments >= 0) & (True if head == "causal" else draws[2] < share)
        more: dict[str, np.ndarray] = {}
        if head == "seq2seq":
            # A second row, of another length: what is asked for there is every position but the last few.
            more["decoder_inputs"] = inputs[:, ::-1][:, : shape[1] - 3].copy()
            mask, targets = (segments >= 0)[:, 3:], targets[:, 3:]
        if head == "pairs":
            more["types"] = (np.arange(shape[1]) >= shape[1] // 2) * np.ones(shape, dtype=np.int8)
            more["labels"] = np.arange(shape[0]) % 2
        example = Example(
            layout=LAYOUTS.get(head, "aligned"),
            ids=np.arange(shape[0]),
            inputs=inputs,
            targets=targets,
            loss_mask=mask,
            segments=segments,
            target_bytes=np.ones(mask.shape, dtype=np.int32),
            isolated=isolated,
            **more,
        )
        return collate(example, slot_multiple=8)

    return maker


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """A tokenizer of the same size whose last token is another."""
    return Tokenizer.load(write_tokenizer(tmp_path_factory.mktemp("other"), replace="xyz"))


@pytest.fixture(scope="session")
def fewer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """The tokenizer without its last token."""
    return Tokenizer.load(write_tokenizer(tmp_path_factory.mktemp("fewer"), drop=1))
