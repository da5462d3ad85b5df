"""What Transformers reads from our folders, and what we read from its files."""

from __future__ import annotations

import json

import pytest

from pretextual.core.errors import TokenError
from pretextual.tokens.tokenizer import Tokenizer

TEXT = "The heron walks, don't it? 我爱 naïve river banks [MASK] counted 1999!"


@pytest.mark.parametrize(
    "model_type", [None, "bert", "roberta", "modernbert", "gpt2", "llama", "qwen3"]
)
def test_auto_tokenizer_gives_our_ids_and_offsets(tokenizer, tmp_path, model_type):
    from transformers import AutoTokenizer

    tokenizer.save(tmp_path, purpose="masked", model_max_length=77)
    if model_type is not None:
        (tmp_path / "config.json").write_text(
            json.dumps({"model_type": model_type}), encoding="utf-8"
        )
    auto = AutoTokenizer.from_pretrained(tmp_path)
    assert auto.is_fast
    assert auto.model_max_length == 77
    ours = tokenizer._marked.encode(TEXT, add_special_tokens=False)
    bare = auto(TEXT, add_special_tokens=False, return_offsets_mapping=True)
    assert bare["input_ids"] == tokenizer.encode(TEXT, special=True) == ours.ids
    assert [tuple(one) for one in bare["offset_mapping"]] == ours.offsets
    special = tokenizer.special
    assert auto(TEXT)["input_ids"] == [special.cls, *ours.ids, special.sep]
    assert set(auto(TEXT)) == {"input_ids", "attention_mask"}
    assert (auto.mask_token_id, auto.pad_token_id, auto.unk_token_id) == (4, 0, 1)
    assert (auto.cls_token_id, auto.sep_token_id) == (2, 3)
    assert auto.bos_token_id == auto.eos_token_id == 5


def test_a_causal_folder_puts_nothing_around_a_text(tokenizer, tmp_path):
    from transformers import AutoTokenizer

    tokenizer.save(tmp_path / "masked", purpose="masked")
    # What an encoder's folder put around a text goes when a decoder takes the tokenizer over.
    Tokenizer.load(tmp_path / "masked").save(tmp_path / "causal", purpose="causal")
    auto = AutoTokenizer.from_pretrained(tmp_path / "causal")
    assert auto("the heron")["input_ids"] == tokenizer.encode("the heron")
    text = "the heron walks"
    assert auto.decode(auto(text)["input_ids"]) == text


def test_transformers_own_folders_load_with_the_same_ids(tokenizer, tmp_path):
    from transformers import AutoTokenizer

    tokenizer.save(tmp_path / "ours", purpose="masked")
    AutoTokenizer.from_pretrained(tmp_path / "ours").save_pretrained(tmp_path / "theirs")
    again = Tokenizer.load(tmp_path / "theirs")
    assert again.encode(TEXT) == tokenizer.encode(TEXT)
    assert again.special == tokenizer.special


def test_bert_vocabulary_gives_the_ids_of_transformers(shared_data):
    from transformers import BertTokenizer

    path = shared_data / "bert_vocab" / "vocab.txt"
    if not path.is_file():
        pytest.skip(f"no {path}")
    names = path.read_text(encoding="utf-8").splitlines()
    theirs = BertTokenizer(vocab={name: number for number, name in enumerate(names)})
    ours = Tokenizer.load(path.parent)
    assert ours.size == len(names) == 30_522
    special = ours.special
    assert [special.pad, special.unk, special.cls, special.sep, special.mask] == [
        0,
        100,
        101,
        102,
        103,
    ]
    for text in (
        TEXT,
        "Unaffable Élan—vital; [MASK]s of the U.S.A. cost €5,000.00\tor\n£3\u00a0(approx).",
        "Ｆｕｌｌｗｉｄｔｈ ＆ 日本語 한국어 हिन्दी \u200bzero\ufffd \x07bell",
        "x" * 150,
    ):
        assert (
            ours.encode(text, special=True) == theirs(text, add_special_tokens=False)["input_ids"]
        )


def test_cased_vocabulary_keeps_case(tmp_path):
    (tmp_path / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "The", "the", "é", "##e"]) + "\n",
        encoding="utf-8",
    )
    lower = Tokenizer.load(tmp_path)
    assert lower.encode("The thee é") == [6, 6, 8, 1]
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false}', encoding="utf-8")
    cased = Tokenizer.load(tmp_path)
    assert cased.encode("The thee é") == [5, 6, 8, 7]
    assert cased.special == lower.special
    assert cased.hash != lower.hash


def test_a_slow_byte_bpe_folder_goes_through_transformers(tokenizers_by_kind, tmp_path):
    model = tokenizers_by_kind["byte-bpe"].description["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
    merges = "\n".join(["#version: 0.2", *(" ".join(pair) for pair in model["merges"])])
    (tmp_path / "merges.txt").write_text(merges + "\n", encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}', encoding="utf-8")
    loaded = Tokenizer.load(tmp_path)
    assert loaded.kind == "byte-bpe"
    text = "the heron walks along quiet river banks."
    assert loaded.encode(text) == tokenizers_by_kind["byte-bpe"].encode(text)
    assert loaded.special.eos == loaded.id("<|endoftext|>") == 5


def test_a_folder_without_vocabulary_is_refused_not_guessed(tmp_path):
    # Transformers makes a tokenizer of five special tokens from this.
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(TokenError, match="T003"):
        Tokenizer.load(tmp_path)
