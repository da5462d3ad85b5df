from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.tokens import segment as segment_module
from pretextual.tokens.segment import cuts
from pretextual.tokens.sentences import split_sentences
from pretextual.tokens.words import word_starts

ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


def slow(tokenizer, text):
    """Ids, word starts and source bytes of one text, token by token from its offsets."""
    encoding = tokenizer._text.encode(text, add_special_tokens=False)
    is_start = word_starts(text)
    starts, sizes, end = [], [], 0
    begun = None
    for number, (begin, stop) in enumerate(encoding.offsets):
        place = next((p for p in range(begin, len(text)) if not text[p].isspace()), len(text))
        between = text[begin:place]
        # White space alone belongs to what follows on its line; with a line break, or at the end, to nothing.
        alone = place >= stop and (place == len(text) or "\n" in between or "\r" in between)
        fresh = begin >= end and (alone or (bool(is_start[place]) and place != begun))
        starts.append(number == 0 or fresh)
        begun = None if alone or place < stop else place
        until = len(text) if number + 1 == len(encoding) else max(stop, end)
        sizes.append(len(text[end:until].encode()))
        end = until
    return encoding.ids, starts, sizes


def test_batches_equal_documents_read_token_by_token(tokenizer, texts):
    found = tokenizer.segment(texts[:40])
    for number, text in enumerate(texts[:40]):
        here = slice(*found.document_offsets[number : number + 2])
        ids, starts, sizes = slow(tokenizer, text)
        assert found.ids[here].tolist() == ids == tokenizer.encode(text)
        assert found.word_starts[here].tolist() == starts
        assert found.source_bytes[here].tolist() == sizes


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=4))
def test_bytes_sum_to_the_text(tokenizers_by_kind, texts):
    for tokenizer in tokenizers_by_kind.values():
        found = tokenizer.segment(texts)
        assert found.document_bytes.tolist() == [len(text.encode()) for text in texts]
        for number in range(len(texts)):
            here = slice(*found.document_offsets[number : number + 2])
            if here.stop > here.start:
                assert found.source_bytes[here].sum() == found.document_bytes[number]
                assert found.word_starts[here.start]
        assert (found.source_bytes >= 0).all()


def pieces(tokenizer, text):
    """A text as its words, each a list of tokens for showing."""
    found = tokenizer.segment([text])
    words = []
    for number, starts in zip(found.ids.tolist(), found.word_starts.tolist(), strict=True):
        if starts:
            words.append([])
        words[-1].append(tokenizer.token(number))
    return ["".join(word).replace("##", "").strip() for word in words]


def test_words_are_whole_next_to_punctuation(tokenizer):
    found = [
        word
        for word in pieces(tokenizer, "The heron (walks) quietly-slowly, don't. Feathers!")
        if word
    ]
    joined = "".join(found).lower()
    assert joined == "theheron(walks)quietly-slowly,don't.feathers!"
    for word in ("heron", "walks", "quietly", "slowly", "feathers"):
        assert word in [one.lower() for one in found]
    # A token of several signs is one word; letters never share a word with what stands before them.
    assert not any(one[0] in "(-,." and one[-1].isalpha() for one in found)


def test_white_space_of_its_own_belongs_to_the_word_behind_it(tokenizers_by_kind):
    for tokenizer in tokenizers_by_kind.values():
        words = pieces(tokenizer, "a grey   heron\n\nQqzx xqz  walks")
        assert "" not in words[:2], "between words of a line no word is blank"
        assert sum(word == "" for word in words) <= 2, "line breaks alone are words"
    unigram = tokenizers_by_kind["unigram"]
    # What the vocabulary cannot spell with its space before it is spelled with a space of its own.
    assert pieces(unigram, "zz zz zz").count("") == 0


def test_every_ideograph_begins_a_word_unless_inside_a_token(tokenizer):
    text = "北爱河我。鸟世走你，"
    found = tokenizer.segment([text])
    spans = tokenizer._text.encode(text, add_special_tokens=False).offsets
    reached = 0
    for (begin, stop), starts in zip(spans, found.word_starts.tolist(), strict=True):
        assert starts == (begin >= reached)
        reached = max(reached, stop)
    assert found.word_starts.sum() >= 8


def test_continuation_bytes_never_begin_a_word(tokenizers_by_kind):
    # 龘 is in no training text, so byte-level BPE spells it in several tokens.
    found = tokenizers_by_kind["byte-bpe"].segment(["龘龘 龘"])
    assert found.ids.size > 6
    words = np.add.reduceat(found.source_bytes, np.flatnonzero(found.word_starts))
    assert words.tolist() == [3, 3, 4]


def test_sentences_are_carried_over_by_offsets(tokenizer, texts):
    found = tokenizer.segment(texts)
    assert found.sentence_offsets[0] == 0
    assert found.sentence_offsets[-1] == found.ids.size
    assert (np.diff(found.sentence_offsets) > 0).all()
    bounds = found.sentence_offsets[found.document_sentences]
    assert bounds.tolist() == found.document_offsets.tolist()
    for number, text in enumerate(texts[:30]):
        first, last = found.document_sentences[number : number + 2]
        sums = np.cumsum(np.append(0, found.source_bytes))
        sizes = np.diff(sums[found.sentence_offsets[first : last + 1]])
        expected = [len(part.encode()) for part in _sentences(text)]
        # WordPiece drops white space: what follows the last token of a sentence counts for the next one.
        assert len(sizes) == len(expected)
        assert sizes.sum() == sum(expected)
        if tokenizer.kind == "byte-bpe":
            assert sizes.tolist() == expected


def _sentences(text):
    ends = [0, *split_sentences(text).tolist()]
    return [text[a:b] for a, b in itertools.pairwise(ends)]


def test_sentence_end_inside_a_token_moves_to_its_end(tokenizers_by_kind, monkeypatch):
    monkeypatch.setattr(segment_module, "split_sentences", lambda text: np.array([2, len(text)]))
    tokenizer = tokenizers_by_kind["byte-bpe"]
    found = tokenizer.segment(["heron walks"])
    size = int(found.source_bytes[: found.sentence_offsets[1]].sum())
    assert size >= 2
    assert size == next(end for end in np.cumsum(found.source_bytes) if end >= 2)


def test_documents_without_tokens_keep_their_place(tokenizers_by_kind):
    found = tokenizers_by_kind["wordpiece"].segment(["\u200b", "heron", "\u200b\u200b"])
    assert np.diff(found.document_offsets).tolist()[0::2] == [0, 0]
    assert found.document_bytes.tolist() == [3, 5, 6]
    assert np.diff(found.document_sentences).tolist() == [0, 1, 0]


@pytest.mark.parametrize("separator", ["\n\n", "\n", " ", "x"])
def test_long_documents_are_cut_before_white_space(tokenizers_by_kind, monkeypatch, separator):
    text = separator.join(["heron walks"] * 30)
    whole = [tokenizer.segment([text]) for tokenizer in tokenizers_by_kind.values()]
    monkeypatch.setattr(segment_module, "MOST_CHARACTERS", 64)
    places = cuts(text)
    assert len(places) > 4
    assert np.diff(places).max() <= 64
    for tokenizer, expected in zip(tokenizers_by_kind.values(), whole, strict=True):
        found = tokenizer.segment([text])
        assert found.source_bytes.sum() == len(text)
        assert found.document_offsets.tolist() == [0, found.ids.size]
        if separator != "x":
            assert text[places[1]].isspace()
            assert found.ids.tolist() == expected.ids.tolist()
            assert found.sentence_offsets.tolist() == expected.sentence_offsets.tolist()
