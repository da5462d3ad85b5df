"""The special tokens of a tokenizer, by role."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class SpecialIds:
    """Ids of special tokens; None where the tokenizer has none for the role.

    Attributes:
        pad: fills positions that hold nothing.
        unk: stands for what the vocabulary cannot spell.
        cls: begins a row of an encoder.
        sep: ends a document for an encoder.
        mask: hides a token.
        bos: begins a document of a decoder.
        eos: ends a document of a decoder; may be the same token as `bos`.
        every: all ids that are special, whatever their role: never drawn as replacements, never targets.
        named: ids of further special tokens by name, such as the sentinels `<extra_id_0>`.
    """

    pad: int | None
    unk: int | None
    cls: int | None
    sep: int | None
    mask: int | None
    bos: int | None
    eos: int | None
    every: tuple[int, ...]
    named: Mapping[str, int] = dataclasses.field(default_factory=dict)
