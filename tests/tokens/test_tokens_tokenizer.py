from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretextual.core.errors import TokenError
from pretextual.tokens.tokenizer import Tokenizer

ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)


@settings(max_examples=100, deadline=None)
@given(text=ANY_TEXT)
def test_byte_bpe_gives_every_text_back(tokenizers_by_kind, text):
    tokenizer = tokenizers_by_kind["byte-bpe"]
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_wordpiece_gives_words_back(tokenizers_by_kind, texts):
    tokenizer = tokenizers_by_kind["wordpiece"]
    text = "the grey Heron's feathers, careful (steps)! naïve"
    expected = "the grey heron ' s feathers , careful ( steps ) ! naive"
    assert tokenizer.decode(tokenizer.encode(text)) == expected
    assert tokenizer.decode(tokenizer.encode(expected)) == expected


def test_unigram_gives_text_back_up_to_white_space(tokenizers_by_kind, texts):
    tokenizer = tokenizers_by_kind["unigram"]
    for text in [*texts[:30], "  heron \t walks\u3000on ", "(heron)"]:
        expected = re.sub(r"\s+", " ", text).removeprefix(" ")
        assert tokenizer.decode(tokenizer.encode(text)) == expected


def test_special_tokens_in_a_text_are_text(tokenizer):
    text = "a [MASK] b [PAD]<|endoftext|>[UNK] [CLS]"
    specials = set(tokenizer.special.every)
    ids = tokenizer.encode(text)
    assert specials.isdisjoint(set(ids) - {tokenizer.special.unk})
    assert ids == tokenizer.segment([text]).ids.tolist()
    marked = tokenizer.encode(text, special=True)
    assert specials - set(marked) == {tokenizer.special.sep}


def test_mask_between_spaces_asks_for_a_word_with_its_space(tokenizer):
    before, after = tokenizer.encode("the heron"), tokenizer.encode_word("walks")
    whole = tokenizer.encode("the heron [MASK] walks", special=True)
    assert whole == [*before, tokenizer.special.mask, *after]
    assert tokenizer.decode([*before, *after]) == "the heron walks"


def test_one_scheme_of_special_tokens_serves_both_directions(tokenizer):
    special = tokenizer.special
    assert special.every == (0, 1, 2, 3, 4, 5)
    assert (special.pad, special.unk, special.cls, special.sep, special.mask) == (0, 1, 2, 3, 4)
    assert special.bos == special.eos == 5 != special.pad
    table = tokenizer.is_special(np.arange(tokenizer.size))
    assert table.sum() == 6
    assert table[:6].all()


def test_hash_covers_what_ids_depend_on_and_nothing_else(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "masked", purpose="masked", model_max_length=77)
    tokenizer.save(tmp_path / "causal", purpose="causal")
    masked, causal = Tokenizer.load(tmp_path / "masked"), Tokenizer.load(tmp_path / "causal")
    assert masked.hash == causal.hash == tokenizer.hash
    assert masked.special == tokenizer.special
    description = json.loads((tmp_path / "causal" / "tokenizer.json").read_text(encoding="utf-8"))
    if tokenizer.kind == "wordpiece":
        description["normalizer"]["lowercase"] = False
    elif tokenizer.kind == "byte-bpe":
        description["model"]["merges"].pop()
    else:
        description["model"]["vocab"][-1][1] -= 1.0
    (tmp_path / "causal" / "tokenizer.json").write_text(json.dumps(description), encoding="utf-8")
    assert Tokenizer.load(tmp_path / "causal").hash != tokenizer.hash


def test_tokens_are_shown_as_they_read(tokenizers_by_kind):
    for kind, name, shown in (
        ("wordpiece", "the", "the"),
        ("wordpiece", "##s", "##s"),
        ("byte-bpe", "Ġthe", " the"),
        ("unigram", "▁be", " be"),
    ):
        tokenizer = tokenizers_by_kind[kind]
        assert tokenizer.token(tokenizer.id(name)) == shown
        assert tokenizer.token(tokenizer.special.mask) == "[MASK]"
        assert tokenizer.token(tokenizer.size + 3) == f"<{tokenizer.size + 3}>"


def test_added_words_are_whole_tokens(tokenizer, tmp_path):
    text = "An electrocardiogram, Electrocardiograms and the heron."
    known = next(word for word in ("the", "be") if len(tokenizer.encode_word(word)) == 1)
    added = tokenizer.with_words(["electrocardiogram", known, "electrocardiogram"])
    (word,) = added.added_words
    assert word.word == "electrocardiogram"
    assert word.id == tokenizer.size
    assert list(word.pieces) == list(tokenizer.encode_word("electrocardiogram"))
    assert len(word.pieces) > 1
    # Matched as a word: not inside the plural.
    assert added.encode(text).count(word.id) == 1
    assert added.segment([text]).source_bytes.sum() == len(text)
    assert added.decode(added.encode(text)) == tokenizer.decode(tokenizer.encode(text))
    assert added.hash != tokenizer.hash
    added.save(tmp_path)
    again = Tokenizer.load(tmp_path)
    assert (again.added_words, again.hash) == (added.added_words, added.hash)
    assert tokenizer.with_words([known]) is tokenizer


def test_a_run_and_a_file_name_their_tokenizer(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "run" / "model")
    assert Tokenizer.load(tmp_path / "run").hash == tokenizer.hash
    assert Tokenizer.load(tmp_path / "run" / "model" / "tokenizer.json").hash == tokenizer.hash


def test_roles_are_found_without_their_files(tokenizer, tmp_path):
    tokenizer.save(tmp_path, purpose="masked")
    (tmp_path / "tokenizer_config.json").unlink()
    (tmp_path / "special_tokens_map.json").unlink()
    assert Tokenizer.load(tmp_path).special == tokenizer.special


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
            {"bos": 0, "pad": 1, "eos": 2, "unk": 3, "mask": 4},
        ),
        (["<|endoftext|>"], {"bos": 0, "eos": 0, "pad": 0}),
        (["<pad>", "</s>", "<unk>"], {"pad": 0, "eos": 1, "unk": 2}),
        (["<|begin_of_text|>", "<|end_of_text|>"], {"bos": 0, "eos": 1}),
    ],
)
def test_usual_names_tell_the_roles_of_bare_files(tmp_path, names, expected):
    import tokenizers
    from tokenizers import models

    vocabulary = {name: number for number, name in enumerate([*names, "word"])}
    backend = tokenizers.Tokenizer(models.WordLevel(vocabulary))
    backend.add_special_tokens(names)
    backend.save(str(tmp_path / "tokenizer.json"))
    special = Tokenizer.load(tmp_path).special
    for role in ("pad", "unk", "cls", "sep", "mask", "bos", "eos"):
        assert getattr(special, role) == expected.get(role), role
    assert special.every == tuple(range(len(names)))


def test_named_roles_win_over_usual_names(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    settings_ = json.loads(path.read_text(encoding="utf-8"))
    settings_ |= {"sep_token": {"content": "<|endoftext|>"}, "mask_token": None}
    path.write_text(json.dumps(settings_), encoding="utf-8")
    special_map = tmp_path / "special_tokens_map.json"
    special_map.unlink()
    special = Tokenizer.load(tmp_path).special
    assert (special.sep, special.mask) == (5, None)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda folder: shutil.rmtree(folder), "T001"),
        (lambda folder: (folder / "notes.md").write_text("x"), "T001"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "T002"),
        (lambda folder: (folder / "vocab.txt").write_text("a\nb\n"), "T002"),
    ],
)
def test_what_is_no_tokenizer_is_refused(tmp_path, make, code):
    folder = tmp_path / "folder"
    folder.mkdir()
    make(folder)
    with pytest.raises(TokenError) as caught:
        Tokenizer.load(str(folder))
    assert [problem.code for problem in caught.value.problems] == [code]


def test_neither_torch_nor_transformers_is_loaded(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "import pretextual.tokens.prepare\n"
        "from pretextual.tokens.tokenizer import Tokenizer\n"
        f"Tokenizer.load({str(tmp_path)!r}).segment(['heron'])\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n",
        encoding="utf-8",
    )
    subprocess.run([sys.executable, str(script)], check=True)


def test_special_tokens_added_at_the_end_leave_ordinary_text_alone(tokenizer, texts, tmp_path):
    names = ["<extra_id_0>", "<extra_id_1>"]
    more = tokenizer.with_special(names)
    assert more.size == tokenizer.size + 2
    assert [more.special.named[name] for name in names] == [tokenizer.size, tokenizer.size + 1]
    assert more.encode(texts[0]) == tokenizer.encode(texts[0])
    assert set(tokenizer.special.every) < set(more.special.every)
    # Spelled in a text they are text, unless asked otherwise.
    assert more.special.named[names[0]] not in more.encode(names[0])
    assert more.encode(names[0], special=True)[-1:] == [more.special.named[names[0]]]
    assert more.with_special(names) is more
    more.save(tmp_path / "saved")
    assert Tokenizer.load(tmp_path / "saved").special == more.special
