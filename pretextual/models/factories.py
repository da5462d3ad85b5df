"""Which class of Transformers bears a head, and which heads a kind of model can bear."""

from __future__ import annotations

from typing import Any, Final

from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    AutoModelForSeq2SeqLM,
    AutoModelForTokenClassification,
    PreTrainedConfig,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
)

from pretextual.models.config import Head

#: The family of classes of every head; of `replaced`, ELECTRA's discriminator.
FACTORIES: Final[dict[Head, Any]] = {
    "masked": AutoModelForMaskedLM,
    "causal": AutoModelForCausalLM,
    "pairs": AutoModelForPreTraining,
    "seq2seq": AutoModelForSeq2SeqLM,
    "replaced": AutoModelForPreTraining,
}
#: Kinds whose class for pre-training answers for the vocabulary and about the row. (For most others that
#: family holds a mere language model.)
_PAIRS: Final = frozenset(
    {"albert", "bert", "big_bird", "ernie", "fnet", "megatron-bert", "mobilebert"}
)
#: Kinds whose class for pre-training tells real tokens from replaced ones.
_REPLACED: Final = frozenset({"electra", "funnel"})
#: Kinds without such a class; one that calls every token by one label serves as well.
_LABELLED: Final = frozenset({"deberta-v2"})


def factory_of(head: Head, kind: str) -> Any:
    """The family of classes that bears a head on a kind of model."""
    if head == "replaced" and kind in _LABELLED:
        return AutoModelForTokenClassification
    return FACTORIES[head]


def served_heads(config: PreTrainedConfig) -> tuple[Head, ...]:
    """The heads that Transformers has for a model of this kind, the one that it was saved with first."""
    kind = config.model_type
    if getattr(config, "is_encoder_decoder", False):
        return ("seq2seq",) if kind in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES else ()
    decodes = kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    if getattr(config, "is_decoder", False) and decodes:
        return ("causal",)
    if kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        return ("causal",) if decodes else ()
    more: tuple[Head, ...] = ()
    if kind in _PAIRS:
        more = ("pairs",)
    elif kind in _REPLACED | _LABELLED:
        more = ("replaced",)
    saved = next(iter(getattr(config, "architectures", None) or ()), "")
    labelled = kind in _LABELLED and saved.endswith("ForTokenClassification")
    first = saved.endswith("ForPreTraining") or (labelled and config.num_labels == 1)
    return (*more, "masked") if first else ("masked", *more)
