"""The result is a plain Transformers folder that gives our own numbers, with a card of recorded facts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoTokenizer,
    pipeline,
)

from pretextual.recipes.load import Resolved, read_resolved
from pretextual.train.data import Data
from pretextual.train.held_out import held_out_examples
from pretextual.train.metrics import read_metrics
from pretextual.train.pretrain import Pretrained, pretrain

Tiny = Callable[..., Resolved]
Reader = Callable[[Path], Data]


@pytest.fixture(scope="module", params=["bert", "modernbert", "gpt"])
def done(
    request: pytest.FixtureRequest, make_tiny: Tiny, tmp_path_factory: pytest.TempPathFactory
) -> Pretrained:
    run = tmp_path_factory.mktemp(request.param) / "my-run"
    rows = ("windows.mode=document", "windows.tokens=192", "train.batch_rows=4")
    settings = ("train.steps=12", "train.evaluate_every_steps=4", *rows)
    return pretrain(make_tiny(request.param, *settings), run)


def recipe_name(done: Pretrained) -> str:
    return read_resolved(done.run / "recipe.yaml").recipe.name


def load(done: Pretrained) -> Any:
    factory = AutoModelForCausalLM if recipe_name(done) == "gpt" else AutoModelForMaskedLM
    model, report = factory.from_pretrained(done.model, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    return model.eval()


@torch.no_grad()
def test_plain_transformers_gives_our_own_held_out_loss(done: Pretrained, data_of: Reader) -> None:
    data = data_of(done.run)
    assert data.held_out is not None
    model = load(done)
    total, right, count = 0.0, 0, 0
    assert 0.3 < data.held_out.fill < 0.95  # rows are padded, and Transformers is told where
    for example in held_out_examples(data.objective, data.held_out, 5):
        real = torch.from_numpy(example.segments >= 0)
        asked = torch.from_numpy(example.loss_mask)
        inputs = torch.from_numpy(example.inputs).long()
        logits = model(input_ids=inputs, attention_mask=real.long()).logits[asked].double()
        targets = torch.from_numpy(example.targets).long()[asked]
        total += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
        right += int((logits.argmax(-1) == targets).sum())
        count += int(asked.sum())
    rows = {row["step"]: row for row in read_metrics(done.run / "metrics.jsonl", "held_out")}
    recorded = rows[done.best_step]
    assert recorded == done.held_out and count == recorded["targets"]
    assert total / count == pytest.approx(recorded["loss"], rel=1e-5)
    assert right / count == pytest.approx(recorded["accuracy"], abs=1.5 / count)
    assert recorded["loss"] == min(row["loss"] for row in rows.values())


def test_every_way_to_load_it_works(done: Pretrained) -> None:
    tokenizer = AutoTokenizer.from_pretrained(done.model)
    base, report = AutoModel.from_pretrained(done.model, output_loading_info=True)
    extra = {name for name in report["missing_keys"] if not name.startswith("pooler.")}
    assert not extra
    rows = tokenizer(
        ["The old king sees a red boat.", "My sister."], padding=True, return_tensors="pt"
    )
    assert base(**rows).last_hidden_state.shape == (*rows["input_ids"].shape, 64)
    if recipe_name(done) == "gpt":
        write = pipeline("text-generation", model=str(done.model))
        settings = {"max_new_tokens": 4, "do_sample": False}
        (answer,) = write("The old king", **settings)
        assert answer["generated_text"].startswith("The old king")
    else:
        fill = pipeline("fill-mask", model=str(done.model))
        answers = fill(f"The old king sees a red {tokenizer.mask_token}.", top_k=3)
        assert len(answers) == 3 and all(0 < one["score"] < 1 for one in answers)


def test_the_tokenizer_beside_it_gives_the_ids_that_were_trained_on(
    done: Pretrained, data_of: Reader
) -> None:
    store = data_of(done.run).store
    split = store.split("train")
    tokenizer = AutoTokenizer.from_pretrained(done.model)
    bounds = zip(split.document_offsets[:-1], split.document_offsets[1:], strict=True)
    trained_on = {tuple(split.tokens[start:stop].tolist()) for start, stop in bounds}
    (source,) = read_resolved(done.run / "recipe.yaml").recipe.corpus.sources
    texts = (path.read_text(encoding="utf-8") for path in Path(source).glob("*.txt"))
    ours = {tuple(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts}
    assert trained_on and trained_on <= ours


def test_the_card_says_what_the_run_recorded(done: Pretrained, data_of: Reader) -> None:
    card = (done.model / "README.md").read_text(encoding="utf-8")
    _, front, body = card.split("---\n", 2)
    facts = yaml.safe_load(front)
    causal = recipe_name(done) == "gpt"
    assert facts["pipeline_tag"] == ("text-generation" if causal else "fill-mask")
    assert facts["library_name"] == "transformers"
    assert facts.get("mask_token") == (None if causal else "[MASK]")
    config = json.loads((done.model / "config.json").read_text())
    assert done.held_out is not None
    last = list(read_metrics(done.run / "metrics.jsonl", "train"))[-1]
    train = data_of(done.run).store.split("train")
    parameters = sum(p.numel() for p in load(done).parameters())
    for said in (
        f"A {config['model_type']} {'decoder' if causal else 'encoder'} with {parameters:,} parameters",
        f"{train.num_documents:,} documents, {train.num_bytes:,} bytes, {train.num_tokens:,} tokens",
        f"{last['step']:,} steps, {last['tokens']:,} tokens",
        f"loss {done.held_out['loss']:.4f} ± {done.held_out['loss_standard_error']:.4f}",
        f"accuracy {done.held_out['accuracy']:.1%}",
        f"{done.held_out['targets']:,} targets, step {done.best_step:,}",
        f"{done.held_out['unigram_loss']:.4f}",
        f"torch {torch.__version__}",
    ):
        assert said in body
    assert str(done.run.parent) not in card


def test_the_card_of_a_model_that_nothing_measured_says_so(tiny: Tiny, tmp_path: Path) -> None:
    result = pretrain(tiny("bert", "train.steps=2", "corpus.held_out=0"), tmp_path / "run")
    assert result.held_out is None and result.best_step == 2
    card = (result.model / "README.md").read_text(encoding="utf-8")
    assert "Nothing was held out, so nothing was measured." in card
    assert not re.search(r"\bloss [\d.]+", card)
