"""The verb: rewrites of one's choice on texts, each a function of the seed and the text alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pydantic

from pretextual.augment.characters import rewrite_characters
from pretextual.augment.words import rewrite_words
from pretextual.core.errors import ConfigError, DataError, nearest
from pretextual.core.randomness import Keyed, hash_bytes, stream
from pretextual.corrupt.denoise import REGISTRY, Rewrite

#: Characters worked on at once: arrays of a few megabytes.
_CHUNK: Final = 1 << 19


def augment(
    texts: Iterable[str],
    rewrites: str | Mapping[str, Any] | Rewrite | Sequence[str | Mapping[str, Any] | Rewrite],
    *,
    seed: int = 0,
    ids: Iterable[int] | None = None,
    mask: str = "[MASK]",
    words: Sequence[str] | None = None,
    **options: Any,
) -> list[str]:
    """Spoil texts in chosen ways.

    `deletion`, `swapping`, `shuffling`, `insertion`, `masking`, `infilling`, `sentence-permutation` and `rotation`
    work on words (runs of letters and digits; every punctuation mark and every Chinese character is one) and leave
    white space with the word that it precedes; `typos` and `case` work on characters. A text without words stays as
    it is.

    Args:
        texts: any texts; other texts in the list change nothing about one.
        rewrites: a name, a mapping with `kind` and options, or a list of these, done one after the other. Typing
            errors after masks also hit the letters of the mask.
        seed: another number, other noise.
        ids: a whole number for each text, with which its noise is drawn; None: drawn by content, so that equal texts
            come out alike.
        mask: what stands for hidden words.
        words: what `insertion` draws from; None: the words of the text itself.
        options: of the rewrite, where one name is given: `rate=0.1`.

    Returns:
        The texts in their order.

    Raises:
        ConfigError: C032 for unknown rewrites and options.
        DataError: D081 if there are not as many ids as texts, or a text has no UTF-8.

    References:
        Wei and Zou 2019, EDA; Lewis et al. 2020, BART; Wang et al. 2021, TSDAE (`"deletion", rate=0.6`).
    """
    chosen = _rewrites(rewrites, options)
    items = _texts(texts)
    if words is not None and not (words and all(words)):
        raise DataError.one(
            "D081", where="words", got="no word, or an empty one", expected="words to draw from"
        )
    keyed = _keys(items, seed, ids)
    steps = [list(group) for _, group in itertools.groupby(chosen, lambda r: r.works_on)]
    done: list[str] = []
    for start, stop in _chunks(items):
        part = items[start:stop]
        keys = Keyed(keyed.keys[start:stop], keyed.stream)
        for number, step in enumerate(steps):
            if step[0].works_on == "characters":
                part = rewrite_characters(part, step, keys.child(number))
            else:
                part = rewrite_words(part, step, keys.child(number), mask=mask, words=words)
        done += part
    return done


def _rewrites(given: Any, options: Mapping[str, Any]) -> tuple[Rewrite, ...]:
    """The rewrites that are meant."""
    single = isinstance(given, str | Mapping | Rewrite)
    if options and not isinstance(given, str):
        raise ConfigError.one(
            "C032",
            got=f"{', '.join(options)} beside {'a rewrite with options' if single else 'a list'}",
            expected="options inside, as {'kind': 'deletion', 'rate': 0.1}",
            hint="options stand beside a single name alone: augment(texts, 'deletion', rate=0.1)",
        )
    if isinstance(given, str):
        return (_rewrite({"kind": given, **options}),)
    return tuple(_rewrite(item) for item in ([given] if single else given))


def _rewrite(given: Any) -> Rewrite:
    if isinstance(given, Rewrite):
        return given
    fields = {"kind": given} if isinstance(given, str) else dict(given)
    kind = str(fields.get("kind"))
    if kind not in REGISTRY:
        near = nearest(kind, REGISTRY)
        raise ConfigError.one(
            "C032",
            got=kind,
            expected=", ".join(sorted(REGISTRY)),
            hint=f"augment(texts, {near!r})" if near else "see docs/how-to/augment.md",
        )
    try:
        return REGISTRY[kind].model_validate(fields)
    except pydantic.ValidationError as error:
        found = error.errors()[0]
        name = ".".join(map(str, found["loc"]))
        known = [field for field in REGISTRY[kind].model_fields if field != "kind"]
        near = nearest(name, known)
        raise ConfigError.one(
            "C032",
            where=kind,
            got=f"{name}={found['input']!r}: {found['msg']}",
            expected=f"options: {', '.join(known) or 'none'}",
            hint=f"did you mean {near}?" if near and near != name else "",
        ) from None


def _texts(texts: Iterable[str]) -> list[str]:
    if isinstance(texts, str):
        raise DataError.one(
            "D081",
            got="one text",
            expected="a list of texts",
            hint="augment([text], …)[0]",
        )
    items = list(texts)
    for number, item in enumerate(items):
        if not isinstance(item, str):
            raise DataError.one(
                "D081", where=f"text {number}", got=type(item).__name__, expected="str"
            )
    return items


def _keys(items: Sequence[str], seed: int, ids: Iterable[int] | None) -> Keyed:
    """One key for every text."""
    contents = (_utf8(number, item) for number, item in enumerate(items))
    drawing = stream(seed, "augment")
    numbers = np.array([hash_bytes(each, person="augment") for each in contents], dtype=np.uint64)
    if ids is not None:
        numbers = np.array([int(number) for number in ids], dtype=np.int64).astype(np.uint64)
    if numbers.size != len(items):
        raise DataError.one(
            "D081",
            where="ids",
            got=f"{numbers.size} ids for {len(items)} texts",
            expected="one for each text",
            hint="leave ids out to draw by content",
        )
    return Keyed(drawing.keys(numbers), drawing)


def _utf8(number: int, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise DataError.one(
            "D081",
            where=f"text {number}",
            got="half of a surrogate pair",
            expected="text that can be written as UTF-8",
            hint='text.encode("utf-8", "replace").decode("utf-8")',
        ) from None


def _chunks(items: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Runs of texts of about as many characters; a longer text is a run of its own."""
    start = size = 0
    for number, item in enumerate(items):
        if size and size + len(item) > _CHUNK:
            yield start, number
            start, size = number, 0
        size += len(item) + 1
    if start < len(items):
        yield start, len(items)
