"""A Transformers model as a backbone: logits where there is a target, and nowhere else.

The vocabulary's matrix is most of a small model's arithmetic, and a masked language model needs it
at 15 % of the positions. A forward hook on the base model hands only those rows to the
architecture's own head, so the same lines serve every architecture, and what is trained is exactly
what `from_pretrained` loads.
"""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from pretextual.core.artifacts import atomic_folder
from pretextual.models.config import Head
from pretextual.models.isolation import (
    check_isolation,
    isolated_mask,
    isolation_refusal,
    position_offset,
)
from pretextual.models.packing import restarted_positions, see_both_ways
from pretextual.models.quiet import quiet
from pretextual.models.vocabulary import before_vocabulary
from pretextual.objectives.base import Outputs
from pretextual.objectives.batch import Batch
from pretextual.objectives.sampled_loss import BeforeVocabulary

if TYPE_CHECKING:
    from pretextual.tokens.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True)
class ParameterGroups:
    """The parameters that learn, by what weight decay does to them.

    Attributes:
        matrices: two dimensions or more, embeddings included (a tied one is the output matrix):
            decayed.
        vectors: biases and the gains of normalisations: never decayed.
    """

    matrices: tuple[nn.Parameter, ...]
    vectors: tuple[nn.Parameter, ...]


#: What a saved tokenizer puts around a text for each head.
_PURPOSES: dict[Head, Literal["masked", "causal"] | None] = {
    "masked": "masked",
    "pairs": "masked",
    "replaced": "masked",
    "causal": "causal",
    "seq2seq": None,
}
#: Name under which an objective's own heads hang in the model, and of the file that holds them.
OWN_HEADS = "pretextual_heads"
#: Names under which classes of Transformers give logits over the vocabulary, and about the row.
_LOGITS = ("logits", "prediction_logits")
_ROW_LOGITS = ("seq_relationship_logits", "sop_logits")


class Backbone:
    """One Transformers model with the head that an objective asks for; never called with `labels=`.

    Attributes:
        model: the Transformers model; move it, train it and freeze it as any module.
        head: what stands on it, see `models.config.Head`.
        fresh: names of parameters that the checkpoint did not hold and that are random.
    """

    def __init__(self, model: PreTrainedModel, head: Head, fresh: tuple[str, ...] = ()) -> None:
        self.model = model
        self.head: Head = head
        self.fresh = fresh
        accepted = inspect.signature(model.forward).parameters
        self._takes_positions = "position_ids" in accepted
        self._takes_types = "token_type_ids" in accepted
        # A cache would be filled and thrown away, and switches off the kernel for causal attention.
        self._fixed: dict[str, Any] = {"use_cache": False} if "use_cache" in accepted else {}
        self._isolation_checked = False
        self.vocabulary_checked = False
        self._gather: Tensor | None = None
        self._states: list[Tensor] | None = None
        # In an encoder-decoder the vocabulary stands on the decoder; the base model may be the whole.
        bearer = model.get_decoder() if head == "seq2seq" else model.base_model
        bearer.register_forward_hook(self._gather_rows)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        device: torch.device = self.model.device
        return device

    @property
    def vocabulary_size(self) -> int:
        """Columns V of the logits; above the tokenizer's size where a checkpoint pads its table."""
        return int(self.model.get_input_embeddings().num_embeddings)

    @property
    def embedding(self) -> Tensor:
        """The vectors of the tokens that it reads, `[V, D]`; of most models also those that it answers with."""
        table: Tensor = self.model.get_input_embeddings().weight
        return table

    @property
    def num_parameters(self) -> int:
        """Parameters, tied ones once."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def max_tokens(self) -> int | None:
        """The longest row that the model takes, special tokens included; None without a limit."""
        capacity = getattr(self.model.config, "max_position_embeddings", None)
        return None if capacity is None else int(capacity) - position_offset(self.model)

    def logits(self, batch: Batch) -> Tensor:
        """Logits at the batch's slots.

        Args:
            batch: B rows of T tokens with N slots.

        Returns:
            `[N, V]`; equal to the dense `[B * T, V]` at `batch.positions`.

        Raises:
            ModelError: M008 if isolated parts cannot be kept apart in this architecture.
        """
        return self.outputs(batch).logits

    def outputs(self, batch: Batch, *, states: bool = False) -> Outputs:
        """Everything that one forward pass gives.

        Args:
            batch: B rows of T tokens with N slots.
            states: whether hidden states at all positions are wanted too.

        Raises:
            ModelError: M008 if isolated parts cannot be kept apart in this architecture.
        """
        inputs = self._inputs(batch)
        asked = batch.inputs if batch.decoder_inputs is None else batch.decoder_inputs
        # When every position is a target, collate lists them in order and there is nothing to
        # gather.
        self._gather = None if batch.num_targets == asked.numel() else batch.positions
        self._states = [] if states else None
        try:
            found = self.model(**inputs)
            seen = self._states[0] if self._states else None
        finally:
            self._gather, self._states = None, None
        logits = next(found[name] for name in _LOGITS if name in found)
        rows = next((found[name] for name in _ROW_LOGITS if name in found), None)
        return Outputs(logits.flatten(0, 1), rows, seen)

    def before_vocabulary(self, batch: Batch) -> BeforeVocabulary:
        """What the logits at the batch's slots are made from, without the product with the vocabulary's matrix.

        Raises:
            ConfigError: C039 if this model makes its logits in another way.
        """
        return before_vocabulary(self, batch)

    def attach(self, heads: dict[str, nn.Module]) -> None:
        """Hang an objective's own heads into the model, so that they learn and are kept in checkpoints."""
        if heads:
            self.model.add_module(OWN_HEADS, nn.ModuleDict(heads).to(self.device))

    def head_named(self, name: str) -> nn.Module:
        """One of the heads that `attach` hung in."""
        heads: nn.ModuleDict = getattr(self.model, OWN_HEADS)
        return heads[name]

    def hidden(self, batch: Batch) -> Tensor:
        """Hidden states of the last layer at every position, `[B, T, D]`; the encoder's where there are two."""
        inputs = self._inputs(batch)
        reader = self.model.base_model
        if self.head == "seq2seq":
            reader = self.model.get_encoder()
            inputs = {n: v for n, v in inputs.items() if n in ("input_ids", "attention_mask")}
        states: Tensor = reader(**inputs).last_hidden_state
        return states

    def parameter_groups(self) -> ParameterGroups:
        """The parameters that learn, each once (tied ones too)."""
        learning = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        return ParameterGroups(
            matrices=tuple(parameter for parameter in learning if parameter.ndim >= 2),
            vectors=tuple(parameter for parameter in learning if parameter.ndim < 2),
        )

    def save(self, folder: Path, tokenizer: Tokenizer) -> None:
        """Write a plain Transformers folder, whole or not at all; decoders get generation defaults.

        Args:
            folder: written under a temporary name and renamed; what stood there is replaced.
            tokenizer: saved beside the weights, told the longest row that the model takes.
        """
        with atomic_folder(folder) as partial:
            self.write_into(partial, tokenizer, self.model.state_dict())

    def write_into(self, folder: Path, tokenizer: Tokenizer, weights: dict[str, Tensor]) -> None:
        """Put a plain Transformers folder's files into one that is there."""
        own = {name: weights.pop(name) for name in list(weights) if name.startswith(OWN_HEADS)}
        with quiet():
            self.model.save_pretrained(folder, state_dict=weights)
        if own:
            # What no class of Transformers knows lies beside what it loads.
            tensors = {name: tensor.contiguous() for name, tensor in own.items()}
            save_file(tensors, folder / f"{OWN_HEADS}.safetensors")
        tokenizer.save(folder, purpose=_PURPOSES[self.head], model_max_length=self.max_tokens)

    def _inputs(self, batch: Batch) -> dict[str, Any]:
        inputs: dict[str, Any] = {"input_ids": batch.inputs, **self._fixed}
        if batch.decoder_inputs is not None:
            inputs["decoder_input_ids"] = batch.decoder_inputs
        if batch.types is not None and self._takes_types:
            inputs["token_type_ids"] = batch.types
        if batch.both_ways is not None:
            inputs["attention_mask"] = see_both_ways(batch)
            if batch.isolated and batch.segments is not None and self._takes_positions:
                inputs["position_ids"] = restarted_positions(batch.segments)
            return inputs
        if batch.segments is None:
            return inputs
        if not batch.isolated:
            inputs["attention_mask"] = batch.segments >= 0
            return inputs
        if self.head == "seq2seq":
            # The decoder's row has no parts of its own to which those of the encoder's would belong.
            raise isolation_refusal(self, "its decoder sees the whole of the encoder's row")
        if not self._isolation_checked:
            self._isolation_checked = True
            check_isolation(self)
        inputs["attention_mask"] = isolated_mask(
            self.model, batch.segments, causal=self.head == "causal"
        )
        if self._takes_positions:
            inputs["position_ids"] = restarted_positions(batch.segments) + position_offset(
                self.model
            )
        return inputs

    def _gather_rows(self, module: nn.Module, args: Any, output: Any) -> Any:
        if self._states is not None:
            self._states.append(output.last_hidden_state)
        if self._gather is not None:
            states = output.last_hidden_state  # [B, T, D]
            rows = states.flatten(0, 1).index_select(0, self._gather)
            output.last_hidden_state = rows[None]  # [1, N, D]
        return output
