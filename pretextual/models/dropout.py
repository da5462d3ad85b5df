"""Dropout as a value of the recipe, under whatever names an architecture's config has for it."""

from __future__ import annotations

from transformers import PreTrainedConfig

from pretextual.core.errors import ModelError

_HIDDEN = (
    "hidden_dropout_prob",
    "hidden_dropout",
    "dropout",
    "dropout_rate",
    "activation_dropout",
    "resid_pdrop",
    "embd_pdrop",
    "embedding_dropout",
    "mlp_dropout",
    "classifier_dropout_prob",  # ALBERT's, on the summary of the row: a part of sentence-order prediction
)
_ATTENTION = ("attention_probs_dropout_prob", "attn_pdrop", "attention_dropout")


def set_dropout(config: PreTrainedConfig, hidden: float | None, attention: float | None) -> None:
    """Set every dropout that pre-training meets, in place; those of other classification heads are left alone.

    T5 has one value for all, attention weights included, so `attention` is refused there.

    Args:
        config: of any architecture.
        hidden: share of hidden activations dropped in training; None changes nothing.
        attention: share of attention weights dropped in training; None changes nothing.

    Raises:
        ModelError: M011 if a dropout above 0 is asked of an architecture that has none of its kind.
    """
    for key, names, value in (
        ("dropout", _HIDDEN, hidden),
        ("attention_dropout", _ATTENTION, attention),
    ):
        if value is None:
            continue
        found = [name for name in names if hasattr(config, name)]
        for name in found:
            setattr(config, name, value)
        if value and not found:
            raise ModelError.one(
                "M011",
                where=f"model.{key}",
                got=value,
                expected=f"0: {config.model_type} has no dropout there",
                hint=f"model.{key}=0, or another model.architecture",
            )
