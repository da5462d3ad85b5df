"""Words by part of speech, and phrases: maximal disjoint subtrees that stand whole in a window, by brute force."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tokenizers import normalizers, pre_tokenizers

from pretextual.annotate import annotate_stretch
from pretextual.annotate.conllu import read_sentences
from pretextual.annotate.grammar import PARTS_OF_SPEECH, RELATIONS
from pretextual.annotate.syntax import Syntax as SyntaxAnnotator
from pretextual.annotate.treebank import Treebank
from pretextual.annotate.trees import joins
from pretextual.core.errors import ConfigError
from pretextual.core.randomness import Draw
from pretextual.corrupt.moment import Moment
from pretextual.corrupt.select import select
from pretextual.corrupt.strategies import Syntax, WholeWord
from pretextual.objectives import MaskedLMConfig
from pretextual.recipes.load import load_recipe
from pretextual.testing import check_corruption
from pretextual.testing.toy import toy_split, toy_windows
from pretextual.tokens.layers import Layer
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.windows.config import WindowsConfig
from pretextual.windows.layers import WindowLayer
from pretextual.windows.plan import plan
from pretextual.windows.window import Frame

PAGE = Path(__file__).parents[2] / "docs" / "strategies" / "syntax.md"
NOUN, DET, PUNCT = (PARTS_OF_SPEECH.index(name) for name in ("NOUN", "DET", "PUNCT"))


def moment_of(windows, epoch=0):
    zeros = np.zeros(len(windows.ids))
    return Moment.of(Draw(0, windows.ids, zeros.astype(np.int64) + epoch, zeros), "corrupt")


@pytest.mark.parametrize(
    "strategy",
    [
        Syntax(),
        Syntax(unit="phrases"),
        Syntax(unit="phrases", longest=12, parts_of_speech=("PUNCT=0",), relations=("det=0.5",)),
    ],
    ids=["words", "phrases", "weighted"],
)
def test_the_laws_of_corruption_hold(strategy):
    check_corruption(strategy, num_ids=4000)


def forest_windows(draw_heads, lengths, tokens, seed, isolate):
    """Windows over random trees; the layer says the number of every word, from 1, too."""
    split = toy_split(lengths, seed=seed)
    words = int(split.word_starts.sum())
    document = np.searchsorted(
        split.document_offsets, np.flatnonzero(split.word_starts), side="right"
    )
    heads = np.arange(words)
    for word in range(words):
        back, turned = draw_heads[word % len(draw_heads)]
        above = word - back
        if above < 0 or document[above] != document[word]:
            continue
        # A word hangs on one before it, or that one, if it is a root, on this one: heads on both sides.
        if turned and heads[above] == above and not climbs_to(heads, word, above):
            heads[above] = word
        elif not climbs_to(heads, above, word):
            heads[word] = above
    before = joins(heads)
    word = np.cumsum(split.word_starts) - 1
    of_words = {
        "word": np.arange(1, words + 1, dtype=np.int32),
        "joins": before,
        "joins_next": np.append(before, np.uint8(0))[1:],
        "part_of_speech": (np.arange(words) % len(PARTS_OF_SPEECH)).astype(np.uint8),
        "relation": (np.arange(words) % len(RELATIONS)).astype(np.uint8),
    }
    layer = Layer({name: values[word] for name, values in of_words.items()}, None, {})
    frame = Frame(layout="aligned", start=2, end=3, pad=0)
    rows = plan(split, WindowsConfig(tokens=tokens, isolate=isolate), frame, {"syntax": layer})
    return rows.get(range(rows.num_windows)), heads


def climbs_to(heads, word, goal):
    while heads[word] != word and word != goal:
        word = heads[word]
    return word == goal


def phrases_by_hand(heads, visible, longest):
    """Maximal subtrees that stand whole among the visible words, as units; other words alone."""
    everywhere = [
        {w for w in range(len(heads)) if climbs_to(heads, w, word)} for word in range(len(heads))
    ]
    runs = [
        run for run in everywhere if max(run) - min(run) + 1 == len(run) and len(run) <= longest
    ]
    maximal = [run for run in runs if not any(run < other for other in runs)]
    units = [run for run in maximal if len(run) > 1 and run <= set(visible)]
    covered = set().union(*units)
    return sorted(map(sorted, [*units, *({word} for word in visible if word not in covered)]))


@settings(deadline=None, max_examples=50)
@given(
    heads=st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=3, max_size=40),
    lengths=st.lists(st.integers(1, 24), min_size=1, max_size=3),
    tokens=st.integers(6, 24),
    longest=st.integers(1, 9),
    isolate=st.booleans(),
)
def test_phrases_are_the_maximal_subtrees_that_a_window_holds(
    heads, lengths, tokens, longest, isolate
):
    windows, tree = forest_windows(heads, lengths, tokens, seed=len(heads), isolate=isolate)
    strategy = Syntax(unit="phrases", longest=longest)
    units = strategy.units(windows, moment_of(windows))
    assert np.array_equal(units.numbers >= 0, windows.ordinary)
    named = windows.layers["syntax"].dense["word"] - 1
    parts, relations = (windows.layers["syntax"].dense[n] for n in ("part_of_speech", "relation"))
    for row in range(len(named)):
        found, expected = [], []
        for segment in range(windows.segments[row].max() + 1):
            here = np.flatnonzero(windows.ordinary[row] & (windows.segments[row] == segment))
            visible = list(dict.fromkeys(named[row, here].tolist()))
            expected += phrases_by_hand(tree, visible, longest)
            numbers = units.numbers[row, here]
            assert (np.diff(numbers) >= 0).all() and (np.diff(numbers) <= 1).all()
            for number in dict.fromkeys(numbers.tolist()):
                at = here[numbers == number]
                found.append(list(dict.fromkeys(named[row, at].tolist())))
                # The weight is the mean over words, each that of part of speech times relation.
                first = [at[named[row, at] == word][0] for word in found[-1]]
                mean = np.mean(
                    [
                        strategy.weights[int(parts[row, t]) * 64 + int(relations[row, t])]
                        for t in first
                    ]
                )
                assert units.weights[row, number] == pytest.approx(mean)
        assert found == expected


def sure_weight(part, relation, **options):
    place = PARTS_OF_SPEECH.index(part) * 64 + RELATIONS.index(relation)
    return Syntax(**options).weights[place]


def test_weights_are_those_of_the_page():
    assert sure_weight("NOUN", "obj") == sure_weight("VERB", "root") == 1
    assert sure_weight("DET", "det") == sure_weight("AUX", "cop") == 0.25
    assert sure_weight("PUNCT", "punct") == sure_weight("SPACE", "none") == 0.1
    assert sure_weight("none", "none") == sure_weight("X", "dep") == 0.5
    named = {"parts_of_speech": ("NOUN=3", "none=0"), "relations": ("obj=2", "det = 0.5")}
    assert sure_weight("NOUN", "obj", **named) == 6
    assert sure_weight("NOUN", "nsubj", **named) == 3
    assert sure_weight("DET", "det", **named) == 0.125
    assert sure_weight("none", "none", **named) == 0


@pytest.mark.parametrize(
    ("field", "entry", "message"),
    [
        ("parts_of_speech", "PUNKT=2", "no PUNKT: did you mean PUNCT"),
        ("parts_of_speech", "NOUN", "no NAME=WEIGHT"),
        ("parts_of_speech", "NOUN=-1", "at least 0"),
        ("parts_of_speech", "NOUN=inf", "at least 0"),
        ("relations", "nsubjs=2", "did you mean nsubj"),
        ("relations", "q=2", "one of none, acl"),
    ],
)
def test_what_is_no_weight_is_refused(field, entry, message):
    with pytest.raises(ValidationError, match=message):
        Syntax(**{field: (entry,)})


def test_the_recipe_takes_weights_by_name():
    recipe = load_recipe("syntax", ["objective.strategy.parts_of_speech=[NOUN=2, PUNCT=0]"]).recipe
    strategy = recipe.objective.strategy
    assert strategy == Syntax(parts_of_speech=("NOUN=2", "PUNCT=0"))
    assert strategy.layers == ("syntax",)
    with pytest.raises(ConfigError, match="did you mean PUNCT"):
        load_recipe("syntax", ["objective.strategy.parts_of_speech=[PUNKT=2]"])


def many_of(parts, rows):
    """Rows of one-token words of these parts of speech, without relations."""
    windows = toy_windows([len(parts)], tokens=len(parts) + 2, layers=("syntax",))
    wide = {
        name: np.broadcast_to(getattr(windows, name), (rows, len(parts) + 2))
        for name in ("tokens", "ordinary", "segments", "source_bytes")
    }
    codes = np.zeros((rows, len(parts) + 2), dtype=np.uint8)
    codes[:, 1:-1] = parts
    dense = {name: np.zeros_like(codes) for name in ("relation", "joins", "joins_next")}
    return dataclasses.replace(
        windows,
        ids=np.arange(rows),
        word_starts=np.ones(codes.shape, dtype=bool),
        layers={"syntax": WindowLayer({"part_of_speech": codes, **dense}, {})},
        **wide,
    )


@pytest.mark.parametrize("unit", ["words", "phrases"])
def test_heavier_words_are_hidden_more_often(unit):
    parts = [PUNCT, DET, NOUN, 0] * 8
    windows = many_of(parts, 4000)
    moment = moment_of(windows)
    hidden = select(
        Syntax(unit=unit).units(windows, moment), np.full(4000, 0.15), moment.keyed, "stochastic"
    )
    share = hidden[:, 1:-1].reshape(4000, 8, 4).mean(axis=(0, 1))
    punctuation, determiners, nouns, unknown = share
    assert punctuation * 1.5 < determiners < unknown / 1.5 < nouns / 1.5 / 1.3
    assert hidden.mean() * 34 == pytest.approx(0.15 * 32, rel=0.02)
    # The first word that is drawn is drawn in proportion to the weights.
    first = select(
        Syntax(unit=unit).units(windows, moment), np.full(4000, 1 / 32), moment.keyed, "stochastic"
    )
    counts = first[:, 1:-1].reshape(4000, 8, 4).sum(axis=(0, 1))
    weights = np.array([0.1, 0.25, 1.0, 0.5])
    expected = counts.sum() * weights / weights.sum()
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()


def test_words_of_weight_zero_are_never_hidden():
    windows = many_of([PUNCT, NOUN] * 8, 50)
    strategy = Syntax(parts_of_speech=("PUNCT=0",))
    moment = moment_of(windows)
    hidden = select(strategy.units(windows, moment), np.full(50, 1.0), moment.keyed, "stochastic")
    assert (hidden[:, 1:-1] == ([False, True] * 8)).all()


@pytest.mark.parametrize("unit", ["words", "phrases"])
def test_edges(unit):
    strategy = Syntax(unit=unit, longest=254)
    windows = toy_windows([1], tokens=4, layers=("syntax",))
    units = strategy.units(windows, moment_of(windows))
    assert units.numbers[windows.ordinary].size == 1
    # Nothing but inserted tokens and padding.
    empty = dataclasses.replace(windows, ordinary=np.zeros_like(windows.ordinary))
    units = strategy.units(empty, moment_of(empty))
    assert (units.numbers == -1).all()
    assert not select(units, np.ones(1), moment_of(empty).keyed, "stochastic").any()
    # No parse at all: words.
    windows = toy_windows([60, 9], tokens=40, layers=("syntax",))
    nothing = {name: np.zeros_like(a) for name, a in windows.layers["syntax"].dense.items()}
    bare = dataclasses.replace(windows, layers={"syntax": WindowLayer(nothing, {})})
    numbers = strategy.units(bare, moment_of(bare)).numbers
    words = WholeWord().units(bare, moment_of(bare)).numbers
    inside = windows.ordinary[:, 1:] & windows.ordinary[:, :-1]
    assert ((np.diff(numbers) > 0) == (np.diff(words) > 0))[inside].all()


def test_a_phrase_longer_than_the_budget_is_hidden_whole_or_not_at_all():
    heads = [(1, False)] * 3
    windows, _ = forest_windows(heads, [40], 42, seed=3, isolate=False)
    rows = 4000
    many = dataclasses.replace(
        windows,
        ids=np.arange(rows),
        layers={
            "syntax": WindowLayer(
                {n: np.repeat(a, rows, 0) for n, a in windows.layers["syntax"].dense.items()}, {}
            )
        },
        **{
            name: np.repeat(getattr(windows, name), rows, axis=0)
            for name in ("tokens", "ordinary", "segments", "source_bytes", "word_starts")
        },
    )
    moment = moment_of(many)
    units = Syntax(unit="phrases", longest=254).units(many, moment)
    assert units.numbers.max() == 0, "a chain is one phrase"
    hidden = select(units, np.full(rows, 0.15), moment.keyed, "stochastic").sum(axis=1)
    assert set(hidden.tolist()) == {0, 40}
    assert abs(hidden.mean() - 6) < 5 * 40 * np.sqrt(0.15 * 0.85 / rows)


SENTENCE = "The quick brown fox jumps over the lazy dog."
PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] The quick brown fox jump ##s over the la ##zy dog ."
ROLES = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
PARSE = """The DET 4 det,quick ADJ 4 amod,brown ADJ 4 amod,fox NOUN 5 nsubj,jumps VERB 0 root,over ADP 9 case,
the DET 9 det,lazy ADJ 9 amod,dog NOUN 5 obl,. PUNCT 5 punct"""


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    """The textbook sentence as windows with a parse, and its tokenizer."""
    vocabulary = {piece: number for number, piece in enumerate(PIECES.split())}
    backend = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=False)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.add_special_tokens(PIECES.split()[:5])
    tokenizer = Tokenizer(backend, ROLES)
    path = tmp_path_factory.mktemp("textbook") / "fox.conllu"
    rows = (row.split() for row in PARSE.split(","))
    path.write_text(
        "".join(
            f"{n}\t{form}\t_\t{part}\t_\t_\t{head}\t{relation}\t_\t_\n"
            for n, (form, part, head, relation) in enumerate(rows, start=1)
        )
    )
    stretch = Stretch.of_texts(tokenizer.segment([SENTENCE]), [SENTENCE])
    tables = Treebank.of([read_sentences(path)]).tables()
    layer = annotate_stretch(SyntaxAnnotator(files=(str(path),)), stretch, tokenizer, tables)
    frame = Frame(layout="aligned", start=2, end=3, pad=0)
    return plan(stretch, WindowsConfig(tokens=16), frame, {"syntax": layer}).get([0]), tokenizer


def test_phrases_of_the_textbook_sentence(parsed):
    windows, _ = parsed
    numbers = Syntax(unit="phrases").units(windows, moment_of(windows)).numbers[0, 1:13]
    assert numbers.tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 3]
    shorter = Syntax(unit="phrases", longest=3).units(windows, moment_of(windows)).numbers
    assert shorter[0, 1:13].tolist() == [0, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9]


def shown(parsed, unit, epoch):
    windows, tokenizer = parsed
    choice = {"strategy": {"kind": "syntax", "unit": unit}, "rate": 0.3, "mask": 1.0, "random": 0.0}
    objective = MaskedLMConfig.model_validate(choice | {"keep": 0.0}).build(
        tokenizer.special, tokenizer.size
    )
    example = objective.examples(windows, Draw(0, windows.ids, np.array([epoch]), np.zeros(1)))
    return " ".join(tokenizer.token(int(id)) for id in example.inputs[0, 1:13])


def test_the_page_shows_what_the_engine_gives(parsed):
    lines = re.findall(r"^```text\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)[0]
    named = re.findall(r"^(\w+), epoch (\d+) ", lines, re.M)
    assert len(named) == 4
    found = [
        f"{unit}, epoch {epoch}".ljust(20) + shown(parsed, unit, int(epoch))
        for unit, epoch in named
    ]
    assert lines == "\n".join(found) + "\n"
