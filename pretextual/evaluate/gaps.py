"""Gaps in a text that a person typed, and words put into them."""

from __future__ import annotations

import re

_USUAL = (r"\[MASK\]", "<mask>")


def split_gaps(text: str, mask: str | None) -> list[str]:
    """The parts of a text between its gaps: one more than there are gaps.

    Args:
        text: with `[MASK]` or `<mask>`, in any case, or the tokenizer's own name for a gap.
        mask: that name, or None where the tokenizer has none.
    """
    names = [*_USUAL, *([re.escape(mask)] if mask else [])]
    return re.split("|".join(names), text, flags=re.IGNORECASE)


def splice(parts: list[str], gap: int, token: str, *, shown: str) -> str:
    """The text with one gap filled and the others shown.

    Args:
        parts: from `split_gaps`.
        gap: which gap is filled, from 0.
        token: what fills it, as the tokenizer shows it: ` cat` begins a word, `##s` continues one.
        shown: what stands in the other gaps.
    """
    before, after = shown.join(parts[: gap + 1]), shown.join(parts[gap + 1 :])
    if token.startswith("##"):
        return before.rstrip() + token[2:] + after
    if token.startswith(" "):
        return (f"{before.rstrip()}{token}" if before.strip() else token.lstrip()) + after
    return before + token + after
