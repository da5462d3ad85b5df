"""Added words begin as the mean of their pieces, and a run starts with what fits it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pretextual.core.errors import ModelError
from pretextual.models.backbone import Backbone
from pretextual.models.config import ModelConfig
from pretextual.models.factories import FACTORIES
from pretextual.models.grow import grow
from pretextual.models.load import load
from pretextual.models.shape import SERVES
from pretextual.models.start import start
from pretextual.objectives.batch import Batch
from pretextual.tokens.tokenizer import Tokenizer

Maker = Callable[..., Backbone]
Rows = Callable[..., Batch]


def randomise_bias(backbone: Backbone) -> None:
    """Give the output bias, 0 at the start, values that tell tokens apart."""
    bias = getattr(backbone.model.get_output_embeddings(), "bias", None)
    if bias is not None:
        with torch.no_grad():
            bias.copy_(torch.linspace(-1, 1, bias.numel()))


@pytest.mark.parametrize("architecture", SERVES)
def test_new_rows_are_means_and_old_rows_keep_their_bits(
    architecture: str, make: Maker, rows: Rows, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    backbone = make(architecture)
    randomise_bias(backbone)
    size = tokenizer.size
    batch = rows(backbone.head, [[20]])
    before = backbone.logits(batch).detach()
    table = backbone.model.get_input_embeddings().weight.detach().clone()
    state = torch.random.get_rng_state()
    grow(backbone, [(size, [10, 11, 12]), (size + 1, [40])])
    assert torch.equal(state, torch.random.get_rng_state())
    grown = backbone.model.get_input_embeddings().weight
    assert torch.equal(grown[:size], table)
    assert torch.allclose(grown[size], table[10:13].mean(dim=0), atol=1e-7)
    assert torch.equal(grown[size + 1], table[40])
    after = backbone.logits(batch).detach()
    assert torch.allclose(after[:, :size], before, atol=1e-6)
    # Output rows and biases are means, so logits are too: a new token takes no more than its pieces
    # did.
    assert torch.allclose(after[:, size], before[:, 10:13].mean(dim=1), atol=1e-5)
    assert torch.allclose(after[:, size + 1], before[:, 40], atol=1e-6)
    assert backbone.model.config.vocab_size == backbone.vocabulary_size == size + 2
    tied = backbone.model.get_output_embeddings().weight is grown
    assert tied == backbone.model.config.tie_word_embeddings
    # What is saved is what was grown.
    backbone.model.save_pretrained(tmp_path)
    again = Backbone(FACTORIES[backbone.head].from_pretrained(tmp_path), backbone.head)
    assert torch.allclose(again.logits(batch), after, atol=1e-6)


def test_a_token_without_pieces_is_the_mean_of_all(make: Maker, tokenizer: Tokenizer) -> None:
    backbone = make("bert")
    table = backbone.model.get_input_embeddings().weight.detach().clone()
    grow(backbone, [(tokenizer.size, [])])
    grown = backbone.model.get_input_embeddings().weight
    assert torch.allclose(grown[tokenizer.size], table.mean(dim=0), atol=1e-7)
    grow(backbone, [])
    assert backbone.vocabulary_size == tokenizer.size + 1


@pytest.fixture
def checkpoint(make: Maker, tokenizer: Tokenizer, tmp_path: Path) -> Path:
    make("bert", window=64).save(tmp_path / "checkpoint", tokenizer)
    return tmp_path / "checkpoint"


def config(checkpoint: Path, dropout: float = 0.0) -> ModelConfig:
    return ModelConfig(init=str(checkpoint), dropout=dropout)


def test_a_run_starts_where_the_checkpoint_stands(checkpoint: Path, tokenizer: Tokenizer) -> None:
    begun = start(config(checkpoint), "masked", tokenizer, 64, seed=1)
    stands, _ = load(checkpoint)
    weights = stands.model.state_dict()
    assert all(torch.equal(w, weights[n]) for n, w in begun.model.state_dict().items())
    assert begun.model.training


def test_without_a_checkpoint_a_run_starts_from_its_seed(make: Maker, tokenizer: Tokenizer) -> None:
    shape = ModelConfig(architecture="gpt2", layers=3, hidden=64, heads=2)
    begun = start(shape, "causal", tokenizer, 96, seed=7)
    built = make("gpt2", seed=7).model.state_dict()
    assert all(torch.equal(w, built[n]) for n, w in begun.model.state_dict().items())


def test_added_words_grow_the_model(checkpoint: Path, tokenizer: Tokenizer, tmp_path: Path) -> None:
    more = tokenizer.with_words(["badekilo", "riko"])
    begun = start(config(checkpoint), "masked", more, 64, seed=1)
    table = begun.model.get_input_embeddings().weight
    assert begun.vocabulary_size == more.size == tokenizer.size + 2
    for index, word in enumerate(["badekilo", "riko"]):
        pieces = tokenizer.encode(word)
        assert len(pieces) > 1
        assert more.encode(word) == [tokenizer.size + index]
        assert torch.allclose(table[tokenizer.size + index], table[pieces].mean(dim=0), atol=1e-7)
    # The grown model is a checkpoint like any other, and can be grown again.
    begun.save(tmp_path / "grown", more)
    again = start(config(tmp_path / "grown"), "masked", more.with_words(["loloso"]), 64, seed=1)
    assert torch.equal(again.model.get_input_embeddings().weight[: more.size], table)
    assert again.vocabulary_size == more.size + 1


def test_another_tokenizer_is_refused(checkpoint: Path, other: Tokenizer, fewer: Tokenizer) -> None:
    for wrong in (other, fewer):
        with pytest.raises(ModelError, match="M005"):
            start(config(checkpoint), "masked", wrong, 64, seed=1)


def test_windows_longer_than_the_positions_are_refused(
    checkpoint: Path, tokenizer: Tokenizer
) -> None:
    with pytest.raises(ModelError, match=r"M007(.|\n)*64"):
        start(config(checkpoint), "masked", tokenizer, 65, seed=1)
