"""Golden examples that a person can read: what each strategy does to two sentences, epoch by epoch."""

from __future__ import annotations

import numpy as np

from pretextual.core.randomness import Draw, permute, stream
from pretextual.objectives import CausalLMConfig, MaskedLMConfig
from pretextual.testing.toy import ToySplit
from pretextual.tokens.special import SpecialIds
from pretextual.windows.config import WindowsConfig
from pretextual.windows.plan import plan

SENTENCES = [
    "the quick brown fox jump ##s over the lazy dog , and un ##believ ##ab ##ly the dog sleep ##s on .",
    "every morning the old light ##house keep ##er climb ##s the stair ##s to look at the sea .",
]
NAMES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = NAMES + sorted({token for sentence in SENTENCES for token in sentence.split()})
SPECIAL = SpecialIds(pad=0, unk=1, cls=2, sep=3, mask=4, bos=2, eos=3, every=(0, 1, 2, 3, 4))


def store() -> ToySplit:
    tokens = [sentence.split() for sentence in SENTENCES]
    flat = [token for sentence in tokens for token in sentence]
    return ToySplit(
        tokens=np.array([VOCABULARY.index(token) for token in flat], dtype=np.uint16),
        word_starts=np.array([not token.startswith("##") for token in flat]),
        source_bytes=np.array([len(token.removeprefix("##")) for token in flat], dtype=np.uint8),
        document_offsets=np.cumsum([0, *(len(sentence) for sentence in tokens)]),
    )


def shown(example, row: int) -> str:
    """One row: `[MASK]` as it is, `is<was` for a random replacement, `(kept)` for a target that is shown."""
    words = []
    for token, target, counts in zip(
        example.inputs[row], example.targets[row], example.loss_mask[row], strict=True
    ):
        word = VOCABULARY[token]
        if counts and token == target:
            word = f"({word})"
        elif counts and token != SPECIAL.mask:
            word = f"{word}<{VOCABULARY[target]}"
        words.append(word)
    return " ".join(words)


def draw_of(windows, epoch) -> Draw:
    return Draw(7, windows.ids, np.full_like(windows.ids, epoch), np.zeros(windows.ids.shape))


def test_masked_examples_golden(golden):
    lines = [
        "# seed 7, rate 0.3; [MASK] hidden, new<was replaced at random, (was) hidden but shown",
        "",
    ]
    for strategy in ("random", "whole-word", "span"):
        for count in ("auto", "cut"):
            config = MaskedLMConfig.model_validate(
                {
                    "strategy": strategy,
                    "rate": 0.3,
                    "count": count,
                    "replace_per": "unit" if count == "cut" else "token",
                }
            )
            objective = config.build(SPECIAL, len(VOCABULARY))
            rows = plan(store(), WindowsConfig(tokens=24), objective.frame(SPECIAL))
            windows = rows.get(range(len(rows)))
            for epoch in (0, 1):
                example = objective.examples(windows, draw_of(windows, epoch))
                lines.append(f"{strategy}, count {count}, epoch {epoch}")
                lines += [f"  {shown(example, row)}" for row in range(len(rows))]
            lines.append("")
    golden("masked_examples.txt", "\n".join(lines))


def test_windows_and_causal_examples_golden(golden):
    lines = ["# what is shown, and below it what should be said; | begins another segment", ""]
    objective = CausalLMConfig().build(SPECIAL, len(VOCABULARY))
    for mode in ("packed", "chunked", "document"):
        rows = plan(store(), WindowsConfig(tokens=16, mode=mode), objective.frame(SPECIAL))
        windows = rows.get(range(len(rows)))
        example = objective.examples(windows, draw_of(windows, 0))
        lines.append(
            f"{mode}, {len(rows)} rows of 16, {rows.num_cut_tokens} tokens cut, fill {rows.fill:.3f}"
        )
        for row in range(len(rows)):
            pieces = [("inputs ", example.inputs), ("targets", example.targets)]
            for name, ids in pieces:
                changes = np.diff(example.segments[row], prepend=0) > 0
                words = [
                    ("| " if change else "") + VOCABULARY[token]
                    for token, change in zip(ids[row], changes, strict=True)
                ]
                lines.append(f"  {name} {' '.join(words)}")
        lines.append("")
    golden("causal_examples.txt", "\n".join(lines))


def test_permutations_of_ten_golden(golden):
    lines = ["# the order of an epoch of ten windows, by seed and epoch", ""]
    for seed in (0, 7):
        for epoch in range(3):
            order = permute(np.arange(10), 10, stream(seed, "order", epoch))
            lines.append(f"seed {seed} epoch {epoch}: {' '.join(map(str, order))}")
    golden("permutation_of_ten.txt", "\n".join(lines) + "\n")
