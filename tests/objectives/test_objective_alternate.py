"""Several objectives: groups keep one member, members come in the shares asked for, at their moment."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pretextual.core.errors import ConfigError
from pretextual.corrupt.schedule import Linear, Steps
from pretextual.objectives import Alternate, AlternateConfig, CausalLM, MaskedLM, MaskedNextToken
from pretextual.testing import TOY_SPECIAL
from pretextual.testing.statistics import chi_square_z, share_z

PAGE = Path(__file__).parents[2] / "docs" / "objectives" / "alternate.md"
HYBRID = ("causal-lm", {"objective": "masked-next-token", "weight": 15})


def build(*members, **options) -> Alternate:
    config = AlternateConfig.model_validate({"members": list(members), **options})
    return config.build(TOY_SPECIAL, 100)


def at(share: float):
    return lambda samples: np.full(np.shape(samples), share)


def halfway(end: int):
    return lambda samples: np.asarray(samples) / end


@given(
    group_rows=st.integers(1, 20),
    seed=st.integers(0, 9),
    cuts=st.lists(st.integers(1, 30), min_size=1, max_size=8),
)
def test_a_group_has_one_member_however_it_is_cut_into_batches(group_rows, seed, cuts):
    falling = {"objective": "causal-lm", "weight": Linear(start=1.0, end=0.2)}
    objective = build(falling, "masked-next-token", group_rows=group_rows)
    end = sum(cuts)
    samples = np.arange(end)
    whole = objective.member_at(samples, halfway(end), seed)
    for group in np.split(whole, range(group_rows, end, group_rows)):
        assert len(set(group.tolist())) <= 1
    parts = np.split(samples, np.cumsum(cuts)[:-1])
    assert np.array_equal(
        np.concatenate([objective.member_at(part, halfway(end), seed) for part in parts]), whole
    )


def test_members_come_in_the_shares_asked_for():
    objective = build("causal-lm", {"objective": "masked-next-token", "weight": 5}, "causal-lm")
    chosen = objective.member_at(np.arange(16 * 20_000), at(0.3), 0)[::16]
    assert abs(chi_square_z(np.bincount(chosen, minlength=3), [1, 5, 1])) < 5
    other = objective.member_at(np.arange(16 * 20_000), at(0.3), 1)[::16]
    assert (chosen != other).any()
    # Neighbours know nothing of each other: pairs come in the product of the shares.
    pairs = np.bincount(3 * chosen[:-1:2] + chosen[1::2], minlength=9)
    assert abs(chi_square_z(pairs, np.outer([1, 5, 1], [1, 5, 1]).ravel())) < 5


def test_shares_follow_a_schedule():
    objective = build(
        {"objective": "causal-lm", "weight": Linear(start=0.0, end=1.0)},
        {"objective": "masked-next-token", "weight": Steps(values=(1.0, 0.25), after=(0.5,))},
        group_rows=4,
    )
    samples = np.arange(0, 4 * 10_000, 4)
    for share, expected in ((0.0, 1.0), (0.25, 0.8), (0.75, 0.25), (1.0, 0.2)):
        masked = int(objective.member_at(samples, at(share), 3).sum())
        assert abs(share_z(masked, samples.size, expected)) < 5


def test_members_have_names_and_what_each_needs():
    objective = build("masked-lm", {"objective": {"kind": "masked-lm", "rate": 0.4}}, "masked-lm")
    assert list(objective.members) == ["masked-lm", "masked-lm-2", "masked-lm-3"]
    assert objective.members["masked-lm-2"].config.rate == 0.4
    hybrid = build(*HYBRID)
    assert [type(member) for member in hybrid.members.values()] == [CausalLM, MaskedNextToken]
    assert (hybrid.head, hybrid.layout) == ("causal", "causal")
    assert dict(hybrid.coefficients) == {"causal-lm": 1.0, "masked-next-token": 1.0}
    counted = build("masked-lm", {"objective": {"kind": "masked-lm", "strategy": "frequency"}})
    assert counted.layers == ("counts",)
    assert isinstance(counted.held_out(), MaskedLM)
    marks = AlternateConfig.model_validate({"members": ["causal-lm", "fill-in-the-middle"]}).tokens
    assert marks == ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")


def test_one_class_must_serve_all():
    assert build("masked-lm", "next-sentence").head == "pairs"
    with pytest.raises(ConfigError, match="C025") as caught:
        build("masked-lm", "causal-lm")
    assert "masked-next-token" in str(caught.value)
    slow = {"kind": "adaptive", "every_steps": 7}
    asking = [
        {"kind": "masked-lm", "strategy": "adaptive"},
        {"kind": "masked-lm", "strategy": slow},
    ]
    first, second = ({"objective": one} for one in asking)
    assert build("masked-lm", first).feedback == build(first, first).feedback
    with pytest.raises(ConfigError, match="C026"):
        build(first, second)


def test_what_cannot_be_mixed_is_refused():
    never = {"objective": "causal-lm", "weight": Steps(values=(1.0, 0.0), after=(0.5,))}
    for members, said in (
        ([], "at least one"),
        ([{"objective": {"kind": "alternate", "members": ["causal-lm"]}}], "no alternate"),
        ([never], "above 0"),
        (["causal"], "kind"),
    ):
        with pytest.raises(ValidationError, match=said):
            AlternateConfig.model_validate({"members": members})


def lines() -> str:
    """Groups of a training, by their member."""
    objective = build(
        {"objective": "causal-lm", "weight": Linear(start=0.0, end=1.0)},
        {"objective": "masked-next-token", "weight": Linear(start=1.0, end=0.0)},
    )
    chosen = objective.member_at(np.arange(40 * 16), halfway(40 * 16), 0)[::16]
    return f"groups   {''.join('cm'[number] for number in chosen)}\n"


def test_the_page_shows_what_the_engine_gives():
    shown = re.search(r"^```text\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert shown is not None
    assert shown[1] == lines()
