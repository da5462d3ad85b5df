"""Several objectives in one run: plans, parts of a batch, one denominator, held-out columns, resume and replay."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from numpy.typing import ArrayLike, NDArray
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForCausalLM

from pretextual.cli.group import root
from pretextual.core.errors import Interrupted
from pretextual.corrupt.digest import digest
from pretextual.models.backbone import Backbone
from pretextual.models.start import start
from pretextual.objectives.batch import collate
from pretextual.recipes.load import Resolved
from pretextual.train.data import Data, open_data, prepare_store
from pretextual.train.device import Place
from pretextual.train.examples import DIGEST_SEED, ExampleSource, GlobalBatch, rows_of
from pretextual.train.held_out import evaluate_held_out
from pretextual.train.metrics import read_metrics
from pretextual.train.peek import Wanted, peek_store
from pretextual.train.pretrain import pretrain, resume
from pretextual.train.replay import replay
from pretextual.train.reporter import Reporter
from pretextual.train.shown import has_gaps, positions
from pretextual.train.step import accumulate_gradients
from pretextual.windows.order import visit

Tiny = Callable[..., Resolved]
HERE = Place(torch.device("cpu"), "fp32", 1)
#: Groups of three rows in batches of eight: batches cut groups, and hold both objectives.
MEMBERS = (
    "objective.group_rows=3",
    "objective.members=[{objective: causal-lm, coefficient: 0.5}, "
    "{objective: masked-next-token, weight: 2}]",
)


@dataclasses.dataclass(frozen=True)
class Case:
    data: Data
    source: ExampleSource
    backbone: Backbone


def halfway(samples: ArrayLike) -> NDArray[np.float64]:
    return np.full(np.shape(samples), 0.5)


@pytest.fixture(scope="module")
def case(make_tiny: Tiny) -> Case:
    """A small hybrid in double precision."""
    torch.set_num_threads(1)
    recipe = make_tiny("gpt-bert", *MEMBERS, "model.layers=2", "windows.mode=document").recipe
    data = open_data(recipe, prepare_store(recipe))
    source = ExampleSource(data.train, data.objective, 0, halfway, plans=data.plans)
    backbone = start(recipe.model, data.objective.head, data.tokenizer, 32, 0)
    backbone.model.double()
    return Case(data, source, backbone)


def gradient(case: Case, batch: GlobalBatch, rows: int) -> tuple[float, Tensor]:
    model = case.backbone.model
    model.zero_grad(set_to_none=True)
    result = accumulate_gradients(
        case.backbone, case.data.objective, batch, HERE, seed=0, step=0, micro_batch_rows=rows
    )
    return float(result.loss), flat(case.backbone)


def flat(backbone: Backbone) -> Tensor:
    grads = [p.grad for p in backbone.model.parameters() if p.grad is not None]
    return torch.cat([grad.flatten() for grad in grads]).clone()


def mixed(case: Case, rows: int) -> GlobalBatch:
    """The first batch of so many rows in which both objectives have some, cutting a group."""
    batches = (case.source.batch(first, rows) for first in range(1, 100, 3))
    return next(batch for batch in batches if len(batch.parts) == 2)


def test_members_read_their_own_plan_at_the_global_position(case: Case) -> None:
    batch = case.source.batch(5, 20)
    positions = np.arange(5, 25)
    chosen = case.data.objective.member_at(positions, halfway, 0)
    assert [part.member for part in batch.parts] == ["causal-lm", "masked-next-token"]
    for number, part in enumerate(batch.parts):
        plan = case.data.plans[part.member]
        expected = visit(positions[chosen == number], len(plan), 0).indices
        assert np.array_equal(part.example.ids, expected)
    assert batch.num_rows == 20
    total = sum(digest(part.example, DIGEST_SEED) for part in batch.parts)
    assert batch.digest == total % (1 << 64)


@pytest.mark.parametrize("size", [1, 3, 7])
def test_batches_of_any_size_hold_the_same_rows(case: Case, size: int) -> None:
    whole = case.source.batch(0, 21)
    parts = [case.source.batch(first, size) for first in range(0, 21, size)]
    assert sum(part.digest for part in parts) % (1 << 64) == whole.digest
    for name in case.data.plans:
        (expected,) = (part.example.ids for part in whole.parts if part.member == name)
        found = [part.example.ids for one in parts for part in one.parts if part.member == name]
        assert np.array_equal(np.concatenate(found), expected)


def test_the_gradient_is_the_sum_of_the_members_over_one_denominator(case: Case) -> None:
    batch = mixed(case, 9)
    loss, found = gradient(case, batch, 9)
    targets = sum(part.targets for part in batch.parts)
    assert len({part.targets for part in batch.parts}) == 2
    case.backbone.model.zero_grad(set_to_none=True)
    total = 0.0
    for part in batch.parts:
        member = case.data.objective.members[part.member]
        (term,) = member.terms(case.backbone, collate(part.example))
        share = {"causal-lm": 0.5, "masked-next-token": 1.0}[part.member] * term.sum / targets
        share.backward()  # type: ignore[no-untyped-call]
        total += float(share.detach())
    assert loss == pytest.approx(total, rel=1e-6)  # the step's loss is summed in single precision
    expected = flat(case.backbone)
    assert float((found - expected).norm()) <= 1e-12 * float(expected.norm())


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_micro_batches_change_nothing_and_mix_no_members(case: Case, rows: int) -> None:
    batch = mixed(case, 9)
    _, whole = gradient(case, batch, 9)
    _, found = gradient(case, batch, rows)
    assert float((found - whole).norm()) <= 1e-12 * float(whole.norm())


def test_other_terms_keep_their_proportion_to_the_main_one(case: Case) -> None:
    one, two = mixed(case, 9).parts
    parts = (
        dataclasses.replace(one, weights={"a": 30.0, "b": 4.0}, coefficient=1.0),
        dataclasses.replace(two, weights={"c": 10.0}, coefficient=3.0),
    )
    batch = GlobalBatch(0, parts, 0)
    assert batch.denominators(parts[0]) == {"a": 40.0, "b": pytest.approx(4.0 * 40 / 30)}
    assert batch.denominators(parts[1]) == {"c": pytest.approx(40.0 / 3)}
    alone = GlobalBatch(0, parts[:1], 0)
    assert alone.denominators(parts[0]) == {"a": 30.0, "b": 4.0}
    nothing = dataclasses.replace(two, weights={"c": 0.0})
    assert GlobalBatch(0, (nothing,), 0).denominators(nothing) == {"c": pytest.approx(1 / 1.0)}
    silent = GlobalBatch(0, (parts[0], nothing), 0).denominators(nothing)
    assert silent == {"c": float("inf")}


def test_causal_rows_see_nothing_behind_them_and_masked_rows_see_everything(case: Case) -> None:
    case.backbone.model.eval()
    for part in mixed(case, 9).parts:
        example = rows_of(part.example, 0, 1)
        example = dataclasses.replace(example, loss_mask=example.segments >= 0)
        last = (example.segments >= 0).sum(axis=1) - 1
        changed = example.inputs.copy()
        changed[[0], last] = np.where(changed[[0], last] == 9, 10, 9)
        other = dataclasses.replace(example, inputs=changed)
        with torch.no_grad():
            before, after = (case.backbone.logits(collate(one)) for one in (example, other))
        rows, columns = np.nonzero(example.loss_mask)
        earlier = torch.from_numpy(columns < last[rows])
        moved = (before - after)[: rows.size][earlier].abs().amax(dim=1)
        if part.member == "causal-lm":
            assert float(moved.max()) == 0.0
        else:
            assert float(moved.min()) > 0.0
    case.backbone.model.train()


def test_an_isolated_text_is_what_it_is_alone(make_tiny: Tiny, lines: Path) -> None:
    """Masked rows of a decoder with a table of positions: the second text of a row, and the same text by itself."""
    parts = ("corpus.documents=lines", "windows.isolate=true", "model.architecture=gpt2")
    recipe = make_tiny("gpt-bert", *parts, text=lines).recipe
    data = open_data(recipe, prepare_store(recipe)).members["masked-next-token"]
    source = ExampleSource(data.train, data.objective, 0, halfway)
    example = source.batch(0, len(data.train)).example
    second = (example.segments[:, 1:] == 1) & example.loss_mask[:, 1:]
    row = int(np.flatnonzero(second.any(axis=1))[0])
    whole = rows_of(example, row, row + 1)
    place = whole.segments[0] == 1
    columns: dict[str, Any] = {
        field.name: value[:, place]
        for field in dataclasses.fields(whole)
        if isinstance(value := getattr(whole, field.name), np.ndarray) and value.ndim == 2
    }
    alone = dataclasses.replace(whole, **columns)
    alone = dataclasses.replace(alone, segments=np.zeros_like(alone.segments))
    backbone = start(recipe.model, "causal", data.tokenizer, 32, 0)
    backbone.model.double().eval()
    asked = place[np.flatnonzero(whole.loss_mask[0])]
    assert asked.any()
    with torch.no_grad():
        found = backbone.logits(collate(whole))[: asked.size][torch.from_numpy(asked)]
        expected = backbone.logits(collate(alone))[: int(asked.sum())]
    assert float((found - expected).abs().max()) < 1e-9


def test_peek_shows_each_member_on_its_own_rows(case: Case, make_tiny: Tiny) -> None:
    recipe = make_tiny("gpt-bert", *MEMBERS, "windows.mode=document").recipe
    found = peek_store([recipe], case.data.store, Wanted(windows=3, counted=0))
    assert found.apart
    assert [view.name for view in found.views] == ["causal-lm", "masked-next-token"]
    assert [has_gaps(view.example) for view in found.views] == [False, True]
    for view in found.views:
        windows = case.data.plans[view.name].get(view.example.ids)
        for row in range(3):
            shown = positions(view.example, row, found.tokenizer)
            text = [found.tokenizer.token(i) for i in windows.tokens[row][: len(shown)]]
            assert [one.original for one in shown] == text
    hidden = [one for one in shown if one.kind in ("masked", "randomised", "kept")]
    assert len(hidden) == sum(one.target for one in shown) == view.example.loss_mask[2].sum()


class StopAt(Reporter):
    """Asks for a stop after a step, as a signal would."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    def status(self, **fields: object) -> None:
        import signal

        if fields["step"] == self._step:
            signal.raise_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def run(make_tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alternate") / "run"
    pretrain(make_tiny("gpt-bert", *MEMBERS, *SETTINGS), folder)
    return folder


SETTINGS = ("train.steps=8", "train.checkpoint_every_steps=3", "train.evaluate_every_steps=4")


def test_a_stopped_and_resumed_run_equals_the_uninterrupted_one(
    run: Path, make_tiny: Tiny, tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        pretrain(make_tiny("gpt-bert", *MEMBERS, *SETTINGS), tmp_path / "run", reporter=StopAt(5))
    resume(tmp_path / "run")
    one, two = (
        load_file(folder / "model" / "model.safetensors") for folder in (run, tmp_path / "run")
    )
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    curves = [
        [
            (row["loss"], row["examples_digest"])
            for row in read_metrics(f / "metrics.jsonl", "train")
        ]
        for f in (run, tmp_path / "run")
    ]
    assert curves[0] == curves[1]


def test_tasks_are_logged_apart_and_measured_apart(
    run: Path, data_of: Callable[[Path], Data]
) -> None:
    rows = list(read_metrics(run / "metrics.jsonl", "train"))
    assert any({"loss_causal-lm", "loss_masked-next-token"} <= row.keys() for row in rows)
    for row in rows:
        apart = [row[name] for name in row if name.startswith("loss_")] or [row["loss"]]
        assert min(apart) - 1e-9 <= row["loss"] <= max(apart) + 1e-9
    last = list(read_metrics(run / "metrics.jsonl", "held_out"))[-1]
    assert last["loss"] == last["loss_causal-lm"]
    assert last["bits_per_byte"] == last["bits_per_byte_causal-lm"]
    assert last["bits_per_masked_byte_masked-next-token"] > 0
    data = data_of(run)
    for name, member in data.members.items():
        backbone = Backbone(AutoModelForCausalLM.from_pretrained(run / "model"), "causal")
        assert member.held_out is not None
        found = evaluate_held_out(backbone, member.objective, member.held_out, HERE, rows=4)
        assert found.loss == pytest.approx(last[f"loss_{name}"], rel=1e-5)


def test_the_page_tells_how_to_ask_for_a_gap(run: Path, data_of: Callable[[Path], Data]) -> None:
    """Plain Transformers with a mask that looks both ways gives our logits one position before the gap."""
    card = (run / "model" / "README.md").read_text(encoding="utf-8")
    assert "attention both ways" in card
    assert "AutoModelForCausalLM" in card
    data = data_of(run).members["masked-next-token"]
    model = AutoModelForCausalLM.from_pretrained(run / "model").eval()
    windows = data.train.get([0])
    example = data.objective.examples(
        windows, ExampleSource(data.train, data.objective, 0, halfway).draw(0, 1)
    )
    real = int((example.segments[0] >= 0).sum())
    row = torch.from_numpy(example.inputs[:1, :real].astype(np.int64))
    everything = torch.ones(1, 1, real, real, dtype=torch.bool)
    gaps = np.flatnonzero(example.loss_mask[0]) + 1
    assert gaps.size
    with torch.no_grad():
        theirs = model(row, attention_mask=everything).logits[0, gaps - 1]
        ours = Backbone(model, "causal").logits(collate(example))[: gaps.size]
    assert float((theirs - ours).abs().max()) < 1e-5


def test_replay_says_whose_rows_they_are(run: Path) -> None:
    row = next(iter(read_metrics(run / "metrics.jsonl", "train")))
    steps = [replay(run, step) for step in range(1, row["step"] + 1)]
    total = sum(int(step.examples_digest, 16) for step in steps) % (1 << 64)
    assert f"{total:016x}" == row["examples_digest"]
    assert any(len(step.parts) == 2 for step in steps)
    assert sum(e.ids.size for step in steps for e in step.parts.values()) == row["samples"]
    both = next(step.step for step in steps if len(step.parts) == 2)
    said = CliRunner().invoke(root, ["replay", str(run), "--step", str(both), "--json"])
    found = [one["objective"] for one in json.loads(said.stdout)["rows"]]
    assert set(found) == {"causal-lm", "masked-next-token"}
    assert len(found) == 8


def test_masks_that_follow_losses_keep_to_their_member(make_tiny: Tiny, tmp_path: Path) -> None:
    """Losses by word come from the member that asks for them, shifted as its targets are."""
    adaptive = (
        "objective={kind: alternate, group_rows: 3, members: [causal-lm, {objective: {kind: masked-next-token, "
        "rate: 0.3, strategy: {kind: adaptive, every_steps: 3}}, weight: 3}]}"
    )
    resolved = make_tiny("gpt", adaptive, "train.steps=14")
    pretrain(resolved, tmp_path / "run")
    records = sorted((tmp_path / "run" / "controls").glob("adaptive-*.npy"))
    assert records
    data = open_data(resolved.recipe, prepare_store(resolved.recipe))
    source = ExampleSource(data.train, data.objective, 0, halfway, plans=data.plans)
    (part,) = (p for p in source.batch(0, 12).parts if p.member == "masked-next-token")
    windows = data.plans[part.member].get(part.example.ids)
    words = windows.layers["counts"].dense["word_ids"]
    rows, columns = np.nonzero(part.example.loss_mask)
    assert part.word_ids is not None
    assert part.word_ids.tolist() == [words[r, c + 1] for r, c in zip(rows, columns, strict=True)]
    assert part.word_ids.all()
