"""How a generator and a discriminator share their tables of tokens, positions and types.

References:
    Clark et al. 2020, ELECTRA, section 3.2: one set of tables for both (`tied`). The official code shares the
    normalisation behind them as well; we do not, since the two widths of other architectures forbid it.
    He et al. 2021, DeBERTaV3, section 3.3: the two losses pull tied tables in opposite directions, so the
    discriminator reads E_D = stop_gradient(E_G) + E_delta, with E_delta = 0 at first (`gradient-disentangled`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional

from pretextual.core.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from pretextual.models.config import Sharing


class DisentangledEmbedding(nn.Embedding):
    """Another table's values, which it does not teach, plus a difference that it learns.

    Attributes:
        weight: the difference E_delta, `[V, E]`: what the optimiser and a checkpoint see.
    """

    def __init__(self, source: nn.Embedding, values: Tensor) -> None:
        """Read `source`, and begin with `values`, `[V, E]`."""
        difference = values.detach() - source.weight.detach()
        super().__init__(
            source.num_embeddings,
            source.embedding_dim,
            padding_idx=source.padding_idx,
            _weight=difference,
        )
        # In a tuple it is no child: the source's values have one owner and one name.
        self._source = (source,)

    def forward(self, input: Tensor) -> Tensor:
        """The rows of `input`, without ever adding whole tables."""
        known = functional.embedding(input, self._source[0].weight.detach(), self.padding_idx)
        return known + super().forward(input)

    def whole(self) -> Tensor:
        """The table that it stands for, `[V, E]`."""
        return self._source[0].weight.detach() + self.weight.detach()


def share_tables(
    generator: PreTrainedModel, discriminator: PreTrainedModel, sharing: Sharing
) -> None:
    """Let two models share the tables under their embeddings, in place.

    Args:
        generator: a masked LM. With `tied` its tables become the discriminator's, its output matrix too.
        discriminator: of the same architecture. With `gradient-disentangled` its tables keep their values, as the
            generator's plus a difference: the very same ones, and a difference of 0, where both are new.
        sharing: how.

    Raises:
        ModelError: M048 if a table of one does not fit the other.
    """
    if sharing == "none":
        return
    theirs, ours = generator.base_model.embeddings, discriminator.base_model.embeddings
    for name, table in list(ours.named_children()):
        if not isinstance(table, nn.Embedding):
            continue
        other = getattr(theirs, name)
        if other.weight.shape != table.weight.shape:
            raise _no_fit(name, other.weight, table.weight)
        if sharing == "tied":
            setattr(theirs, name, table)
        else:
            setattr(ours, name, DisentangledEmbedding(other, table.weight))
    if sharing == "tied":
        generator.get_output_embeddings().weight = ours.word_embeddings.weight


def whole_weights(model: PreTrainedModel) -> dict[str, Tensor]:
    """The state of a model as a class of Transformers knows it: disentangled tables as their sums."""
    weights: dict[str, Tensor] = model.state_dict()
    for name, module in model.named_modules():
        if isinstance(module, DisentangledEmbedding):
            weights[f"{name}.weight"] = module.whole()
    return weights


def _no_fit(name: str, generator: Tensor, discriminator: Tensor) -> ModelError:
    def size(table: Tensor) -> str:
        return " x ".join(f"{number:,}" for number in table.shape)

    return ModelError.one(
        "M048",
        where=f"model.generator.sharing, {name}",
        got=f"{size(generator)} in the generator, {size(discriminator)} in the discriminator",
        expected="tables of the same size",
        hint="model.generator.sharing=none, or parts that were made for each other",
    )
