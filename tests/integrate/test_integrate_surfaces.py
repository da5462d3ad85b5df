"""Word starts read from ids alone are those that the text's own segmentation has."""

from __future__ import annotations

import numpy as np
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from pretextual.core.errors import ModelError
from pretextual.integrate.surfaces import surfaces_of
from pretextual.integrate.vocabulary import vocabulary_of

KINDS = ("wordpiece", "byte-bpe", "unigram")
#: Letters, digits, marks, scripts without spaces, symbols, and white space of every width.
_WORDS = (
    "the heron river café don't 1999 x2 . , ; ! - ' ( ) © € é e\u0301 漢字 ひら カタ コーヒー 😀 ß"
)
PIECES = st.sampled_from([*_WORDS.split(" "), " ", " ", " ", "  ", "\n", "\n\n", "\t"])


def comparable(tokenizer, ids):
    """Unknown tokens have no text, and Unigram may put a space of its own before the text."""
    special = tokenizer.is_special(ids)
    return ~special & ~np.append(True, special[:-1]) & (np.arange(ids.size) > 1)


@pytest.mark.parametrize("kind", KINDS)
@given(pieces=st.lists(PIECES, min_size=1, max_size=40))
def test_word_starts_are_those_of_the_text(ours, kind, pieces):
    tokenizer = ours[kind]
    # Unigram writes a line break as a space, and ids do not tell.
    text = "".join(pieces).replace("\n", " " if kind == "unigram" else "\n")
    real = tokenizer.segment([text])
    ids = real.ids.astype(np.int64)
    found = surfaces_of(tokenizer).word_starts(ids[None])[0]
    counted = comparable(tokenizer, ids)
    assert np.array_equal(found[counted], real.word_starts[counted])


@pytest.mark.parametrize("kind", KINDS)
@given(width=st.integers(1, 9))
def test_a_row_is_read_by_itself(ours, texts, kind, width):
    """Wherever rows are cut, inside a character too, others read the same; a row's first token begins a word."""
    tokenizer = ours[kind]
    surfaces = surfaces_of(tokenizer)
    ids = tokenizer.segment([" ".join(texts[:3]) + "漢字 😀 é"]).ids.astype(np.int64)
    rows = ids[: ids.size // width * width].reshape(-1, width)
    together = surfaces.word_starts(rows)
    alone = np.concatenate([surfaces.word_starts(row[None]) for row in rows])
    assert np.array_equal(together, alone)
    assert together[:, 0].all()


def bpe(pre_tokenizer, decoder=None, **options):
    """A BPE tokenizer whose merges spell `the` and `fox` whole."""
    letters = sorted(set("ThequickbrownfxsjmpvlazydgTtsBéaci1234567890'-,().=;!%_▁ "))
    suffix = options.get("end_of_word_suffix", "")
    names = ["[UNK]", "[MASK]", *letters, *([one + suffix for one in letters] if suffix else [])]
    vocabulary = {name: number for number, name in enumerate(dict.fromkeys(names))}
    backend = tokenizers.Tokenizer(models.BPE(vocabulary, [], unk_token="[UNK]", **options))
    backend.pre_tokenizer = pre_tokenizer
    if decoder:
        backend.decoder = decoder
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", mask_token="[MASK]")


def test_bpe_that_marks_the_ends_or_spaces_of_words_is_read():
    marked = [
        bpe(pre_tokenizers.WhitespaceSplit(), end_of_word_suffix="</w>"),
        bpe(pre_tokenizers.Metaspace(), decoders.Metaspace()),
    ]
    for tokenizer in marked:
        assert vocabulary_of(tokenizer, words=True).surfaces is not None


def test_bpe_that_marks_nothing_is_refused_and_serves_strategies_on_tokens():
    tokenizer = bpe(pre_tokenizers.WhitespaceSplit())
    with pytest.raises(ModelError, match="M030"):
        vocabulary_of(tokenizer, words=True)
    assert vocabulary_of(tokenizer, words=False).surfaces is None
