"""The first model card: facts that the run itself recorded, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pretextual.models.backbone import Backbone
from pretextual.recipes.recipe import Recipe
from pretextual.tokens.store import TokenStore
from pretextual.train.card_use import KINDS, PIPELINES, use_lines
from pretextual.train.metrics import read_metrics
from pretextual.train.run import Run


def model_card(run: Run, recipe: Recipe, store: TokenStore, backbone: Backbone) -> str:
    """The text of `README.md` of the exported model.

    Args:
        run: read for metrics and machine.
        recipe: what was asked for.
        store: what it was trained on.
        backbone: the model itself: a checkpoint that was continued need not be what the recipe names.
    """
    kind = str(backbone.model.config.model_type)
    head, mask = backbone.head, store.tokenizer.special.mask
    mask_token = None if head == "causal" or mask is None else store.tokenizer.token(mask)
    evaluations = list(read_metrics(run.metrics, "held_out"))
    best = min(evaluations, key=lambda row: row["loss"], default=None)
    rows = list(read_metrics(run.metrics, "train"))
    front = ["---", "library_name: transformers"]
    if head in PIPELINES:
        front.append(f"pipeline_tag: {PIPELINES[head]}")
    if mask_token:
        front.append(f"mask_token: {json.dumps(mask_token)}")
    front += ["tags:", "- pretextual", "---"]
    facts = [
        *front,
        "",
        f"# {run.folder.resolve().name}",
        "",
        f"{'An' if kind[0] in 'aeiou' else 'A'} {kind} {KINDS[head]} with "
        f"{backbone.num_parameters:,} parameters, pre-trained with pretextual (recipe `{recipe.name}`).",
        "",
        "## What it read",
        "",
        *_data_lines(recipe, store),
        "",
        "## How it was trained",
        "",
        *_training_lines(recipe, rows, run),
        "",
        "## How good it is",
        "",
        *_quality_lines(best, store, head),
        "",
        "## Use",
        "",
        *use_lines(head, mask_token, kind),
        *(line for said in recipe.objective.use for line in ("", said)),
        "",
    ]
    return "\n".join(facts)


def _data_lines(recipe: Recipe, store: TokenStore) -> list[str]:
    train = store.split("train")
    init = recipe.model.init
    # Of a folder of this machine only its name may leave it; a name on the Hub is said in full.
    origin = Path(init).name if init is not None and Path(init).exists() else init
    continued = [f"- continued from: `{origin}`"] if origin else []
    return [
        f"- sources: {', '.join(f'`{Path(name).name}`' for name in recipe.corpus.sources)}",
        f"- {train.num_documents:,} documents, {train.num_bytes:,} bytes, {train.num_tokens:,} tokens",
        f"- token store `{store.fingerprint}`, tokenizer `{store.tokenizer_hash[:16]}`",
        *continued,
    ]


def _training_lines(recipe: Recipe, rows: list[dict[str, Any]], run: Run) -> list[str]:
    if not rows:
        return ["- not at all: no step was logged"]
    last = rows[-1]
    machine = run.read_machine()
    return [
        f"- objective `{recipe.objective.kind}`, windows of {recipe.windows.tokens} tokens, "
        f"seed {recipe.seed}",
        f"- {last['step']:,} steps, {last['tokens']:,} tokens ({last['epoch']:.1f} epochs), "
        f"{last['seconds']:,.0f} s",
        f"- {machine.get('device', 'unknown device')}, {machine.get('precision', '')}, "
        f"{machine.get('threads', '?')} threads, torch {machine.get('torch', '?')}, "
        f"transformers {machine.get('transformers', '?')}",
    ]


def _quality_lines(best: dict[str, Any] | None, store: TokenStore, head: str) -> list[str]:
    if best is None:
        return ["Nothing was held out, so nothing was measured."]
    bits = "bits_per_byte" if "bits_per_byte" in best else "bits_per_masked_byte"
    lines = [
        f"On {store.split('held_out').num_bytes:,} bytes of held-out text, {best['targets']:,} targets, step "
        f"{best['step']:,}:",
        "",
        f"- loss {best['loss']:.4f} ± {best['loss_standard_error']:.4f} nats per target (standard error)",
        f"- accuracy {best['accuracy']:.1%}, {bits.replace('_', ' ')} {best[bits]:.4f}",
    ]
    if "unigram_loss" in best:
        unigram = best["unigram_loss"]
        lines.append(
            f"- the unigram model of the training text loses {unigram:.4f} on the same targets"
        )
    if head == "replaced":
        lines.append("- these are the generator's; the model is its discriminator:")
    for name in (key.removeprefix("accuracy_") for key in best if key.startswith("accuracy_")):
        area = f", area under the curve {best[f'auc_{name}']:.4f}" if f"auc_{name}" in best else ""
        lines.append(
            f"- {name}: loss {best[f'loss_{name}']:.4f}, accuracy {best[f'accuracy_{name}']:.1%}{area}"
        )
    if head in ("masked", "pairs", "replaced"):
        lines.append(
            "- the gaps are 15 % of tokens at random, the same for every run: a loss per gap, "
            "not a likelihood of text"
        )
    return lines
