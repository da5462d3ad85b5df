"""What masking needs of a tokenizer, whoever made it."""

from __future__ import annotations

import dataclasses
import weakref
from typing import Any

import tokenizers

from pretextual.core.errors import ModelError
from pretextual.integrate.surfaces import Surfaces, surfaces_of
from pretextual.tokens.roles import ROLES
from pretextual.tokens.special import SpecialIds
from pretextual.tokens.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True, eq=False)
class Vocabulary:
    """The part of a tokenizer that travels to loader workers.

    Attributes:
        special: ids of its special tokens.
        size: number of ids.
        surfaces: the text of every id, for strategies on words; None where no strategy asked.
    """

    special: SpecialIds
    size: int
    surfaces: Surfaces | None


@dataclasses.dataclass
class _Known:
    """What was found out about a tokenizer, and what it looked like then; by whether words were asked for."""

    looks: object
    tokenizer: Tokenizer
    vocabularies: dict[bool, Vocabulary]


#: Reading a vocabulary takes a moment, and `mask_tokens` gets the same tokenizer at every call.
_KNOWN: weakref.WeakKeyDictionary[Any, _Known] = weakref.WeakKeyDictionary()


def vocabulary_of(tokenizer: Any, *, words: bool) -> Vocabulary:
    """Special ids, size and, where `words` are needed, the text of every id.

    Args:
        tokenizer: pretextual's `Tokenizer`, or one of Transformers on the `tokenizers` library.
        words: whether word starts will be asked for.

    Raises:
        ModelError: M030 if it is no such tokenizer, or its tokens do not tell where words begin.
    """
    looks = _looks(tokenizer)
    known = _KNOWN.get(tokenizer)
    if known is None or known.looks != looks:
        known = _KNOWN[tokenizer] = _Known(looks, _as_ours(tokenizer), {})
    if words not in known.vocabularies:
        ours = known.tokenizer
        surfaces = surfaces_of(ours) if words else None
        known.vocabularies[words] = Vocabulary(ours.special, ours.size, surfaces)
    return known.vocabularies[words]


def _looks(tokenizer: Any) -> object:
    """What changes when someone adds tokens to a tokenizer of Transformers or renames its special ones."""
    if isinstance(tokenizer, Tokenizer):
        return None
    if not hasattr(tokenizer, "backend_tokenizer"):
        raise ModelError.one(
            "M030",
            got=f"a {type(tokenizer).__name__}",
            expected="pretextual's Tokenizer, or a tokenizer of Transformers on the tokenizers library",
            hint="load it with transformers.AutoTokenizer or with pretextual.tokens.tokenizer.Tokenizer.load",
        )
    return len(tokenizer), tuple(tokenizer.all_special_ids), tokenizer.mask_token_id


def _as_ours(tokenizer: Any) -> Tokenizer:
    """The same ids and special tokens in our own class."""
    if isinstance(tokenizer, Tokenizer):
        return tokenizer
    backend = tokenizers.Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_truncation()
    backend.no_padding()
    roles = {role: getattr(tokenizer, f"{role}_token", None) for role in ROLES}
    return Tokenizer(backend, {role: str(token) for role, token in roles.items() if token})
