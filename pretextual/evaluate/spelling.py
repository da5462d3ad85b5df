"""How tokens join to words, for every kind of tokenizer."""

from __future__ import annotations

from collections.abc import Sequence

from pretextual.tokens.tokenizer import Tokenizer

#: Kinds whose tokens do not hold the space before them.
_BARE = ("wordpiece", "wordlevel")


def begins_word(tokenizer: Tokenizer, token: int) -> bool:
    """Whether a token inside a text begins a word or is none: a mark, a special token."""
    text = tokenizer.token(token)
    if tokenizer.kind in _BARE:
        return not text.startswith("##")
    return bool(tokenizer.special_table[token]) or not text[:1].isalnum()


def text_of(tokenizer: Tokenizer, pieces: Sequence[int]) -> str:
    """The text of the tokens of one word: a leading space where they begin it, `##` where not."""
    if tokenizer.kind == "byte-bpe":
        return tokenizer.decode(pieces)
    text = "".join(
        tokenizer.token(piece) if index == 0 else tokenizer.token(piece).removeprefix("##")
        for index, piece in enumerate(pieces)
    )
    spaced = tokenizer.kind in _BARE and text[:1].isalnum()
    return f" {text}" if spaced else text
