"""Texts with noise: words, white space and seeds, against plain lists of words."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pretextual
from pretextual.core.errors import ConfigError, DataError
from pretextual.corrupt.denoise import REGISTRY, Deletion
from pretextual.testing.statistics import mean_z
from pretextual.tokens.words import word_starts

TEXT = "The cat sat on the mat. It was happy, and didn't mind. Then it left!"
TEXTS = st.lists(
    st.text(st.sampled_from("ab c.é,'’\n\t我愛ばカ-\u0301\u200d１"), max_size=25), max_size=5
)
OF_WORDS = sorted(name for name, kind in REGISTRY.items() if kind.works_on == "tokens")
ORDERS = ("swapping", "shuffling", "rotation", "sentence-permutation")


def words_of(text: str) -> list[str]:
    """Words by their starts, without the white space behind them."""
    starts = [*np.flatnonzero(word_starts(text)).tolist(), len(text)]
    return [text[start:stop].rstrip() for start, stop in itertools.pairwise(starts)]


@given(texts=TEXTS, seed=st.integers(0, 20))
@pytest.mark.parametrize("name", OF_WORDS)
def test_what_comes_out_has_the_words_that_it_should(name, texts, seed):
    """Words never grow together, none is made up, and those that must stay do."""
    after = pretextual.augment(texts, name, seed=seed, mask="M")
    assert len(after) == len(texts)
    for one, two in zip(texts, after, strict=True):
        was, now = words_of(one), words_of(two)
        if not was:
            assert one == two
            continue
        assert now
        rest = list(now)
        for word in was:
            if word in rest:
                rest.remove(word)
        if name in ORDERS:
            assert sorted(was) == sorted(now)
        elif name == "deletion":
            assert not rest
        elif name == "insertion":
            assert len(now) - len(rest) == len(was) and set(now) <= set(was)
        else:
            assert set(rest) <= {"M"}


@given(texts=TEXTS, name=st.sampled_from([*OF_WORDS, "typos", "case"]))
def test_a_text_depends_on_no_other(texts, name):
    whole = pretextual.augment(texts, name, seed=1)
    assert whole == [pretextual.augment([text], name, seed=1)[0] for text in texts]
    assert pretextual.augment(reversed(texts), name, seed=1) == whole[::-1]


def test_chunks_change_nothing(monkeypatch):
    texts = [f"{TEXT} {number}" for number in range(50)]
    whole = pretextual.augment(texts, "infilling")
    monkeypatch.setattr("pretextual.augment.apply._CHUNK", 200)
    assert pretextual.augment(texts, "infilling") == whole


def test_seeds_and_ids_draw_differently_and_equal_texts_alike():
    texts = [TEXT] * 3
    one, two, three = pretextual.augment(texts, "deletion", rate=0.5)
    assert one == two == three
    assert pretextual.augment(texts, "deletion", rate=0.5, seed=1)[0] != one
    by_id = pretextual.augment(texts, "deletion", rate=0.5, ids=[5, 6, 5])
    assert by_id[0] == by_id[2] != by_id[1]
    assert pretextual.augment([TEXT, TEXT], "deletion", rate=0.5, ids=[6, 5])[1] == by_id[0]


def test_the_same_text_comes_out_in_another_process():
    code = f"import pretextual; print(pretextual.augment([{TEXT!r}], 'infilling')[0])"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == pretextual.augment([TEXT], "infilling")[0]


def test_deletion_takes_its_share_and_keeps_a_word():
    texts = [
        " ".join(f"w{place * number % 97}" for place in range(1 + number % 40))
        for number in range(3000)
    ]
    after = pretextual.augment(texts, "deletion", rate=0.6)
    counts = [(len(a.split()), len(b.split())) for a, b in zip(texts, after, strict=True)]
    assert all(left >= 1 for _, left in counts)
    gaps = [n - left - 0.6 * n for n, left in counts if n > 3]
    assert max(map(abs, gaps)) < 1 and abs(mean_z(gaps, 0.0)) < 5
    share = sum(n - left for n, left in counts) / sum(n for n, _ in counts)
    assert share == pytest.approx(0.6, abs=0.01)
    assert pretextual.augment(["one"], "deletion", rate=1.0) == ["one"]


def test_white_space_goes_with_the_word_that_it_precedes():
    """The text's own edges stay, and what comes first takes the place of what stood there."""
    found = {
        pretextual.augment(["  One two\n\nthree. "], "rotation", ids=[number])[0]
        for number in range(40)
    }
    assert found == {
        "  One two\n\nthree. ",
        "  two\n\nthree. One ",
        "  three.\n\nOne two ",
        "  .One two\n\nthree ",
    }


def test_words_never_grow_together():
    after = {pretextual.augment(["don't"], "deletion", rate=1 / 3, ids=[n])[0] for n in range(30)}
    assert after == {"don'", "don t", "'t"}
    # Chinese characters stand side by side anyhow.
    swapped = {pretextual.augment(["我愛你"], "swapping", rate=0.7, ids=[n])[0] for n in range(30)}
    assert swapped == {"愛我你", "我你愛"}


def test_masks_and_further_words_are_written_as_given():
    after = pretextual.augment([TEXT], "infilling", rate=0.5, mask="<gap 1>")[0]
    assert "<gap 1>" in after
    more = pretextual.augment([TEXT], "insertion", rate=0.3, words=["New York", "?!"])[0]
    assert "New York" in more or "?!" in more
    kept = more.replace("New York", " ").replace("?!", " ")
    assert words_of(kept) == words_of(TEXT)


def test_lists_are_done_in_order_and_a_mask_is_one_word():
    steps = [{"kind": "masking", "rate": 1.0}, {"kind": "deletion", "rate": 0.5}]
    after = pretextual.augment([TEXT], steps, mask="<gap 1>")[0]
    masks, left = after.count("<gap 1>"), len(words_of(TEXT)) / 2
    assert masks * len("<gap 1>") + after.count(" ") - masks == len(after) and abs(masks - left) < 1
    mixed = ["case", Deletion(rate=0.2), {"kind": "typos", "rate": 0.5}]
    assert pretextual.augment([TEXT], mixed) == pretextual.augment([TEXT], list(mixed))
    assert pretextual.augment([TEXT], mixed) != pretextual.augment([TEXT], mixed[:2])


def test_nothing_and_empty_texts():
    assert pretextual.augment([], "deletion") == []
    assert pretextual.augment(["", " \n", "\u200d"], ["rotation", "typos"]) == ["", " \n", "\u200d"]
    assert pretextual.augment([TEXT], []) == [TEXT]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: pretextual.augment([TEXT], "delete"), r"C032(?s:.)*augment\(texts, 'deletion'\)"),
        (lambda: pretextual.augment([TEXT], "deletion", rates=0.1), "did you mean rate"),
        (lambda: pretextual.augment([TEXT], "deletion", rate=1.5), "C032(?s:.)*deletion"),
        (lambda: pretextual.augment([TEXT], ["deletion"], rate=0.1), "options inside"),
        (lambda: pretextual.augment([TEXT], {"rate": 0.1}), "C032"),
    ],
)
def test_unknown_rewrites_and_options_are_one_clear_error_each(call, says):
    with pytest.raises(ConfigError, match=says):
        call()


@pytest.mark.parametrize(
    ("texts", "options", "says"),
    [
        (TEXT, {}, "a list of texts"),
        ([TEXT, 3], {}, r"text 1(?s:.)*int"),
        ([TEXT, "\ud800"], {}, r"text 1(?s:.)*surrogate"),
        ([TEXT], {"ids": [1, 2]}, "2 ids for 1 texts"),
        ([TEXT, "\ud800"], {"ids": [1, 2]}, r"text 1(?s:.)*surrogate"),
        ([TEXT], {"words": []}, "words to draw from"),
        ([TEXT], {"words": ["a", ""]}, "words to draw from"),
    ],
)
def test_what_cannot_be_augmented_is_named(texts, options, says):
    with pytest.raises(DataError, match=says):
        pretextual.augment(texts, "deletion", **options)


def test_every_rewrite_stands_on_the_page():
    page = (Path(__file__).parents[2] / "docs/how-to/augment.md").read_text(encoding="utf-8")
    for name, kind in REGISTRY.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` ")]
        options = [field for field in kind.model_fields if field != "kind"]
        assert all(f"`{option}`" in row for option in options)


def test_the_page_prints_what_it_says(capsys):
    page = (Path(__file__).parents[2] / "docs/how-to/augment.md").read_text(encoding="utf-8")
    code, printed = re.findall(r"^```(?:python runnable|text output)\n(.*?)^```", page, re.M | re.S)
    exec(compile(code, "augment.md", "exec"), {})
    assert capsys.readouterr().out == printed


def test_nothing_of_it_loads_torch():
    code = f"import sys, pretextual; pretextual.augment([{TEXT!r}], 'typos'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
