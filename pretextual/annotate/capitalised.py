"""Runs of capitalised words: names, as far as spelling tells.

Inside a sentence a capital is a sign of a name; at its start it is not. So the first word of a sentence (and one
behind an opening quotation mark, bracket or colon) counts

* if the training text, inside sentences, writes it with a capital more often than without;
* if it never stands there, and another capitalised word follows or it has a further capital (`NASA`).

"When Obama came" gives Obama, "Barack Obama came" both words, and "The" is no name anywhere it opens a sentence.

A run goes on over one space (no line end), over hyphens and apostrophes within a word (`Jean-Paul`, `O'Brien`),
over `&`, and over the full stop of an initial (`J. K. Rowling`); never into the next sentence. Runs of more than ten
words are headlines and single letters (`I`) are no names.

References:
    Lita et al. 2003, tRuEcasIng: the more frequent case inside sentences. We differ: no context is looked at.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretextual.annotate.mentions import Mention
from pretextual.annotate.reading import Reading
from pretextual.annotate.text_lists import pack, unpack

Bools = NDArray[np.bool_]

LONGEST = 10

_OPENING = np.array([ord(mark) for mark in '"“„«‘([{:•*'], dtype=np.uint32)
_HYPHENS = np.array([ord(mark) for mark in "-‐‑'’"], dtype=np.uint32)
_SPACES = np.array([0x20, 0xA0], dtype=np.uint32)


def case_counts(reading: Reading) -> Counter[str]:
    """How often every word stands inside a sentence, as it is written."""
    letters, _, initial = _shape(reading)
    inside = letters & ~initial
    return Counter(
        word for word, counts in zip(reading.words, inside.tolist(), strict=True) if counts
    )


def case_tables(counts: Mapping[str, int]) -> dict[str, NDArray[Any]]:
    """Which words are written with a capital more often than not, and which are not, in small letters."""
    lead: Counter[str] = Counter()
    for word, count in counts.items():
        lead[word.lower()] += count if _is_capital(word[0]) else -count
    return {
        "capitalised_words": pack(sorted(word for word, count in lead.items() if count > 0)),
        "small_words": pack(sorted(word for word, count in lead.items() if count <= 0)),
    }


def find_capitalised(reading: Reading, tables: Mapping[str, NDArray[Any]]) -> Iterator[Mention]:
    """Runs of capitalised words; `tables` as from `case_tables`."""
    if not reading.words:
        return
    letters, capital, initial = _shape(reading)
    joined = _joined(reading, capital, initial)
    known = _case_by_word(tables["capitalised_words"].tobytes(), tables["small_words"].tobytes())
    words = reading.words
    for place in np.flatnonzero(capital & initial).tolist():
        case = known.get(words[place].lower())
        further = any(_is_capital(letter) for letter in words[place][1:])
        if case is True or (case is None and (joined[place] or further)):
            continue
        capital[place] = False
        # What joined the word to the next is a mark between them, or nothing.
        joined[place] = False
        if place + 1 < len(words) and not letters[place + 1]:
            joined[place + 1] = False
    starts = np.flatnonzero(capital & ~np.append(False, joined[:-1]))
    open_ends = np.flatnonzero(~joined)
    lasts = open_ends[np.searchsorted(open_ends, starts)]
    sizes = reading.word_stops[lasts] - reading.word_starts[starts]
    kept = (lasts - starts < LONGEST) & (sizes > 1)
    begins, ends = reading.word_starts[starts[kept]], reading.word_stops[lasts[kept]]
    for start, stop in zip(begins.tolist(), ends.tolist(), strict=True):
        yield Mention(start, stop, "name")


def _shape(reading: Reading) -> tuple[Bools, Bools, Bools]:
    """Which words begin with a letter, which of these with a capital, which open a sentence: `[W]` each."""
    firsts = reading.points[reading.word_starts]
    kinds, which = np.unique(firsts, return_inverse=True)
    letter = np.array([chr(point).isalpha() for point in kinds.tolist()], dtype=bool)[which]
    capital = np.array([_is_capital(chr(point)) for point in kinds.tolist()], dtype=bool)[which]
    sentences = np.searchsorted(reading.sentence_begins, reading.word_starts, side="right")
    initial = np.zeros(firsts.size, dtype=bool)
    worded = np.flatnonzero(letter)
    initial[worded[np.diff(sentences[worded], prepend=-1) > 0]] = True
    initial[1:] |= np.isin(firsts[:-1], _OPENING)
    return letter, capital & letter, initial


def _joined(reading: Reading, capital: Bools, initial: Bools) -> Bools:
    """Which words go on in the next, `[W]`: capitalised ones, and the marks between them."""
    firsts = reading.points[reading.word_starts]
    sizes = reading.word_stops - reading.word_starts
    count = firsts.size
    gaps = np.append(reading.word_starts[1:] - reading.word_stops[:-1], 9)
    behind = reading.points[np.minimum(reading.word_stops, reading.points.size - 1)]
    # Tabs and line ends stand between cells and lines of lists more often than inside a name.
    near = (gaps == 0) | ((gaps == 1) & np.isin(behind, _SPACES))
    follows = np.append((capital & ~initial)[1:], False)
    joined: Bools = capital & near & follows
    mark = np.isin(firsts, _HYPHENS) & (gaps == 0)
    mark = _ahead(mark) & (gaps == 0)
    ampersand = _ahead((firsts == ord("&")) & near) & near
    initials = _ahead((firsts == ord(".")) & near) & (gaps == 0) & (sizes == 1)
    over = capital & (mark | ampersand | initials) & _ahead(follows)
    joined |= over
    joined[1:] |= over[: count - 1]
    return joined


def _ahead(values: Bools) -> Bools:
    """The value of the next word at every word; False at the last."""
    ahead: Bools = np.append(values[1:], False)
    return ahead


def _is_capital(letter: str) -> bool:
    return letter.isupper() or letter.istitle()


@functools.lru_cache(maxsize=2)
def _case_by_word(capitalised: bytes, small: bytes) -> dict[str, bool]:
    """True for words that are capitalised inside sentences, False for those that are not."""
    of = dict.fromkeys(unpack(np.frombuffer(small, np.uint8)), False)
    return of | dict.fromkeys(unpack(np.frombuffer(capitalised, np.uint8)), True)
