"""Lists of values as typed, what may be varied, and names of what comes out."""

from __future__ import annotations

import pytest

from pretextual.compare.setup import Asked, check, require_same_head, seed_jobs, sweep_jobs
from pretextual.compare.vary import candidates, parse_values, parse_varied
from pretextual.core.errors import ConfigError, RunError
from tests.compare.conftest import TINY


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b=x,y", ("x", "y")),
        ("a.b= x , y ", ("x", "y")),
        ("a.b={kind: span, p: 0.3},random", ("{kind: span, p: 0.3}", "random")),
        ('a.b=[1, 2],"x,y"', ("[1, 2]", '"x,y"')),
        ("a.b=1e-3", ("1e-3",)),
    ],
)
def test_values_are_parted_at_commas_outside_brackets(text, values):
    assert parse_values(text, "--vary") == ("a.b", values)


@pytest.mark.parametrize("text", ["a.b", "a.b=", "=x,y", "a.b=x,,y"])
def test_what_is_no_list_is_said(text):
    with pytest.raises(ConfigError, match="R020"):
        parse_values(text, "--vary")


def test_a_key_comes_once():
    assert parse_varied(["a=1,2", "b=3,4"]) == {"a": ("1", "2"), "b": ("3", "4")}
    with pytest.raises(ConfigError, match="a second time"):
        parse_varied(["a=1,2", "a=3"])


def test_every_combination_once_the_first_is_the_baseline():
    found = candidates({"objective.strategy": ["random", "span"], "objective.rate": [0.15, 0.3]})
    assert [one.overrides for one in found] == [
        ("objective.strategy=random", "objective.rate=0.15"),
        ("objective.strategy=random", "objective.rate=0.3"),
        ("objective.strategy=span", "objective.rate=0.15"),
        ("objective.strategy=span", "objective.rate=0.3"),
    ]
    assert found[1].label == "strategy random, rate 0.3"
    assert found[1].slug == "strategy-random-rate-0.3"
    assert candidates({"objective.strategy": ["random", "whole-word"]})[1].label == "whole-word"


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("{kind: span, p: 0.3, longest: 5}", "span (p 0.3, longest 5)"),
        ("{kind: span}", "span"),
        ("{p: 0.3}", "{p: 0.3}"),
        ("whole-word", "whole-word"),
    ],
)
def test_strategies_with_options_have_short_labels(value, label):
    assert candidates({"objective.strategy": ["random", value]})[1].label == label


def test_folders_of_different_values_never_meet():
    found = candidates({"objective.strategy": ["span (a)", "span [a]", "span {a}"]})
    assert len({one.slug for one in found}) == 3
    assert all(one.slug.startswith("span-a") for one in found)


@pytest.mark.parametrize("values", [["random"], ["random", "span", "random"], []])
def test_fewer_than_two_different_values_are_nothing_to_compare(values):
    with pytest.raises(ConfigError, match="R020"):
        candidates({"objective.strategy": values})


@pytest.mark.parametrize(
    "key", ["corpus.sources", "windows.tokens", "tokenizer.kind", "seed", "train.steps", "windows"]
)
def test_what_must_stay_the_same_cannot_be_varied(key):
    with pytest.raises(ConfigError, match="R021"):
        candidates({key: ["1", "2"], "objective.rate": ["0.1", "0.2"]})


def asked(*overrides, vary=("random", "span"), seeds=3, sweep=None, calibrate=0):
    return Asked(
        candidates({"objective.strategy": vary}),
        ("text.txt",),
        "bert",
        overrides,
        {},
        seeds,
        sweep,
        calibrate,
    )


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"overrides": ("train.time=5m",)}, "R022"),
        ({"overrides": ("train.time=5m", "train.steps=4")}, "R022"),
        ({"overrides": ()}, "R022"),
        ({"overrides": ("train.steps=4", "train.early_stopping=2")}, "R022"),
        ({"overrides": TINY, "seeds": 1}, "R020"),
        ({"overrides": TINY, "calibrate": 5}, "R020"),
        ({"overrides": TINY, "vary": ("random", "spam")}, "C005"),
        ({"overrides": TINY, "sweep": ("train.learning_rat", ("1", "2"))}, "C004"),
    ],
)
def test_what_cannot_be_compared_is_said_before_any_work(changed, code):
    overrides = changed.pop("overrides")
    with pytest.raises(ConfigError, match=code):
        check(asked(*overrides, **changed))


def test_all_mistakes_of_all_values_come_at_once():
    with pytest.raises(ConfigError) as found:
        check(asked(*TINY, vary=("random", "spam", "{kind: span, q: 1}")))
    assert {problem.code for problem in found.value.problems} == {"C004", "C005"}


@pytest.mark.parametrize("budget", ["train.tokens=9999", "train.epochs=2", "train.steps=7"])
def test_budgets_that_are_the_same_for_all_are_fine(budget):
    assert len(check(asked(budget))) == 2


def test_jobs_are_balanced_and_the_sweep_has_a_seed_of_its_own():
    sweep = ("train.learning_rate", ("1e-3", "2e-3"))
    setup = asked(*TINY, sweep=sweep, calibrate=8)
    tries = sweep_jobs(setup, 5)
    assert [(job.name, job.candidate) for job in tries] == [
        ("random-sweep-1e-3", 0),
        ("random-sweep-2e-3", 0),
        ("span-sweep-1e-3", 1),
        ("span-sweep-2e-3", 1),
    ]
    jobs = seed_jobs(setup, 5, [("train.learning_rate=1e-3",), ("train.learning_rate=2e-3",)])
    assert [job.name for job in jobs[:4]] == [
        "random-seed5",
        "span-seed5",
        "random-seed6",
        "span-seed6",
    ]
    assert [job.seed for job in jobs if job.role == "calibration"] == [8, 9, 10, 11, 12]
    assert {job.chosen for job in jobs if job.candidate == 0} == {("train.learning_rate=1e-3",)}
    seeds = {job.seed for job in tries}
    assert len(seeds) == 1 and not seeds & {job.seed for job in jobs}
    assert sweep_jobs(asked(*TINY), 5) == []


def test_models_of_two_kinds_cannot_be_asked_the_same():
    require_same_head(["masked", "masked"])
    with pytest.raises(RunError, match="R026"):
        require_same_head(["masked", "causal"])
