"""Which special token plays which part in a row, and what to say when the tokenizer has none for it."""

from __future__ import annotations

from pretextual.core.errors import TokenError
from pretextual.tokens.special import SpecialIds
from pretextual.windows.window import Frame, Layout

_STARTS = {"aligned": ("cls", "bos", "sep", "eos"), "causal": ("bos", "eos", "cls", "sep")}
_ENDS = {"aligned": ("sep", "eos", "cls", "bos"), "causal": ("eos", "sep", "bos", "cls")}


def frame_of(special: SpecialIds, layout: Layout) -> Frame:
    """The inserted tokens of a layout: the role's own token, else the nearest that serves.

    An encoder's row is `cls … sep`, a decoder's document `bos … eos`; GPT-2 has `eos` for both. A tokenizer
    without a pad token pads with its end token: padding is known by its segment number, never by its id.

    Raises:
        TokenError: T061 if the tokenizer has no such token at all.
    """
    start = _first(special, _STARTS[layout])
    end = _first(special, _ENDS[layout])
    if start is None or end is None:
        raise TokenError.one(
            "T061",
            got="a tokenizer with none of cls, sep, bos and eos",
            expected="cls and sep" if layout == "aligned" else "bos and eos",
            hint="train a tokenizer with pretextual, or add such a token to this one",
        )
    return Frame(
        layout=layout, start=start, end=end, pad=end if special.pad is None else special.pad
    )


def mask_of(special: SpecialIds) -> int:
    """The id of the mask token.

    Raises:
        TokenError: T060 if the tokenizer has none.
    """
    if special.mask is None:
        raise TokenError.one(
            "T060",
            got="a tokenizer without a mask token",
            expected="one with a mask token, such as [MASK] or <mask>",
            hint="train a tokenizer with pretextual or load an encoder's; or --recipe gpt, which needs none",
        )
    return special.mask


def decoder_edges(special: SpecialIds) -> tuple[int, int]:
    """What an encoder-decoder's second row is begun with, and what ends it.

    As in T5, the pad token begins it (it is never a target, so nothing is said twice); without one, the end
    token does, as in BART. The end is the encoder's.

    Raises:
        TokenError: T061 if the tokenizer has no such token at all.
    """
    frame = frame_of(special, "aligned")
    return frame.pad, frame.end


def _first(special: SpecialIds, roles: tuple[str, ...]) -> int | None:
    """The id of the first role that the tokenizer fills."""
    for role in roles:
        found: int | None = getattr(special, role)
        if found is not None:
            return found
    return None
