"""A tokenizer's offsets put to the test: what a token says it covers must be what it spells."""

from __future__ import annotations

import tokenizers

from pretextual.core.errors import TokenError

#: Ordinary text, punctuation, accents, another script, white space of several kinds.
SAMPLE = (
    "The quick brown fox doesn't jump over 13 lazy dogs, Barack Obama's included.\n"
    "  Zoë's naïve café — costs $3.50;  Straße, 我爱北京。\tUnbelievably internationalisation!"
)


def verify_offsets(backend: tokenizers.Tokenizer, unknown: int | None, *, where: object) -> None:
    """Check `text[start:end]` of every token of a sample against what the token spells.

    Word starts, source bytes and annotations all rest on offsets; some tokenizers report offsets of their
    normalised text, or none at all. Unknown tokens are passed over, and those that spell white space or part
    of a character.

    Args:
        backend: the tokenizer.
        unknown: id of the unknown token, if it has one.
        where: its name, for the message.

    Raises:
        TokenError: T019 naming the first token that covers something else.
    """
    try:
        encoded = backend.encode(SAMPLE, add_special_tokens=False)
    except Exception:  # the library raises nothing narrower
        # A closed vocabulary without an unknown token cannot spell the sample, and has nothing to be tried on.
        return
    normalize = backend.normalizer.normalize_str if backend.normalizer is not None else str
    for id_, token, (start, stop) in zip(encoded.ids, encoded.tokens, encoded.offsets, strict=True):
        spelled = _bare(backend.decode([id_], skip_special_tokens=False))
        covered = _bare(normalize(SAMPLE[start:stop]))
        if (
            id_ == unknown
            or not spelled
            or "\ufffd" in spelled
            or covered in (spelled, _bare(token))
        ):
            continue
        raise TokenError.one(
            "T019",
            where=where,
            got=f"token {token!r} covers {SAMPLE[start:stop]!r}, characters {start} to {stop}",
            expected=f"what it spells: {spelled!r}",
            hint="use a tokenizer whose offsets are those of the text, such as a fast one saved by Transformers",
        )


def _bare(text: str) -> str:
    return text.removeprefix("##").replace("▁", " ").strip()
