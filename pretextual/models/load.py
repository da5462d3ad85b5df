"""A model from a folder, a run or the Hub: any architecture with a head that an objective trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel

from pretextual.core.errors import ModelError
from pretextual.core.hub import hub_answers
from pretextual.core.randomness import stream
from pretextual.models.backbone import Backbone
from pretextual.models.config import Head
from pretextual.models.dropout import set_dropout
from pretextual.models.factories import factory_of, served_heads
from pretextual.models.locate import locate, nearest_folder
from pretextual.models.quiet import quiet
from pretextual.models.replaced import GENERATOR, pair_up
from pretextual.models.shape import PURPOSES
from pretextual.tokens.tokenizer import Tokenizer


def load(
    model: str | Path,
    head: Head | None = None,
    *,
    dropout: float | None = None,
    attention_dropout: float | None = None,
) -> tuple[Backbone, Tokenizer]:
    """Load a model and the tokenizer that lies beside it; with a discriminator the generator beside it, if any.

    Args:
        model: a Transformers folder, a run or a Hub name.
        head: the head that is needed; None takes the one that the model was saved with. One that the checkpoint
            lacks is drawn at random, and `Backbone.fresh` names it.
        dropout: dropout of hidden states to train with; None leaves the checkpoint's, as for use.
        attention_dropout: dropout of attention weights, likewise.

    Returns:
        The backbone in evaluation mode, on the CPU, in 32-bit floats, and the tokenizer.

    Raises:
        ModelError: M002 a head that it cannot bear, M003 no model, M004 Hub, M005 more tokens than rows in the
            embedding, M006 unsupported kind, M009 damaged weights, M011 a dropout that it does not
            have, M048 a generator of another vocabulary.
    """
    place = locate(model)
    config = _read_config(place)
    heads = served_heads(config)
    if not heads:
        raise _unsupported(config, place)
    if head is not None and head not in heads:
        raise _wrong_head(config, place, head, heads)
    chosen = head or heads[0]
    set_dropout(config, dropout, attention_dropout)
    loaded, fresh = _read_weights(config, place, chosen)
    backbone = Backbone(loaded.eval(), chosen, fresh)
    tokenizer = Tokenizer.load(place)
    if tokenizer.size > backbone.vocabulary_size:
        raise ModelError.one(
            "M005",
            where=place,
            got=f"a tokenizer of {tokenizer.size:,} tokens",
            expected=f"at most {backbone.vocabulary_size:,}, the rows of the model's embedding",
            hint="put the tokenizer's files beside the model that belong to it",
        )
    if chosen == "replaced" and isinstance(place, Path) and (place / GENERATOR).is_dir():
        generator, _ = load(
            place / GENERATOR, "masked", dropout=dropout, attention_dropout=attention_dropout
        )
        backbone = pair_up(generator, backbone, "none")
    return backbone, tokenizer


def _read_config(place: Path | str) -> PreTrainedConfig:
    try:
        with quiet():
            config: PreTrainedConfig = AutoConfig.from_pretrained(
                place, local_files_only=_only_here(place)
            )
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(place, error) from error
    return config


def _only_here(place: Path | str) -> bool:
    """Whether to look among local files alone: folders, and names while the Hub cannot be reached."""
    return isinstance(place, Path) or not hub_answers()


def _unsupported(config: PreTrainedConfig, place: Path | str) -> ModelError:
    return ModelError.one(
        "M006",
        where=place,
        got=f"{config.model_type}, which has no language-model head in Transformers",
        expected="an encoder with a masked head, a decoder with a causal one, or an encoder-decoder",
        hint="choose a checkpoint such as a BERT, RoBERTa, ModernBERT, GPT-2, Llama, Qwen, T5 or BART",
    )


def _wrong_head(
    config: PreTrainedConfig, place: Path | str, head: Head, heads: tuple[Head, ...]
) -> ModelError:
    kind = {"causal": "a decoder", "seq2seq": "an encoder-decoder"}.get(heads[0], "an encoder")
    return ModelError.one(
        "M002",
        where=place,
        got=f"{config.model_type}, {kind}, for {PURPOSES[head]}",
        expected=f"an objective that {kind} serves: {' or '.join(PURPOSES[one] for one in heads)}",
        hint="another checkpoint, or another objective.kind",
    )


def _read_weights(
    config: PreTrainedConfig, place: Path | str, head: Head
) -> tuple[PreTrainedModel, tuple[str, ...]]:
    report: dict[str, Any]
    try:
        # What the checkpoint does not hold is drawn at random: the same each time, and nobody's
        # generator moves.
        with torch.random.fork_rng(devices=[]), quiet():
            torch.manual_seed(stream(0, "fresh weights").key)
            model, report = factory_of(head, config.model_type).from_pretrained(
                place,
                config=config,
                dtype=torch.float32,
                output_loading_info=True,
                local_files_only=_only_here(place),
            )
    except Exception as error:  # safetensors, zip, pickle and shape errors share no base
        raise _unreadable(place, error) from error
    missing = sorted(report["missing_keys"])
    prefix = f"{model.base_model_prefix}."
    # The summary of the row belongs to the head for pairs, whatever its place in the model.
    body = [n for n in missing if n.startswith(prefix) and not n.startswith(f"{prefix}pooler.")]
    if body:
        raise ModelError.one(
            "M009",
            where=place,
            got=f"{len(body)} weights missing, the first {body[0]}",
            expected=f"all weights of {type(model).__name__}",
            hint="download or export the checkpoint again",
        )
    return model, tuple(missing)


def _unreadable(place: Path | str, error: Exception) -> ModelError:
    """What Transformers said, sorted: the Hub, an unknown kind, or damage."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    said = f"{type(error).__name__}: {first}"
    if any(sign in str(error) for sign in ("model_type", "model type", "remote_code")):
        return ModelError.one(
            "M006", where=place, got=said, expected="a model type that Transformers knows itself"
        )
    if isinstance(place, str):
        near = nearest_folder(Path(place))
        return ModelError.one(
            "M004",
            where=place,
            got=f"no folder of this name here, and from the Hub: {said}",
            expected="a folder, or a public model that the Hub can be asked for",
            hint=f"did you mean the folder {near}?"
            if near
            else "give the path of a downloaded model",
        )
    return ModelError.one(
        "M009",
        where=place,
        got=said,
        expected="config.json with model.safetensors that fits it",
        hint="download or export the checkpoint again",
    )
