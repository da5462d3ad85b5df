"""Continuing what others made: folders, runs, other architectures, and what can be wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import (
    AlbertConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    BertConfig,
    BertForPreTraining,
    BertLMHeadModel,
    BertModel,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    GPTNeoXConfig,
    PreTrainedConfig,
    PreTrainedModel,
    ViTConfig,
)

from pretextual.core.errors import ModelError
from pretextual.models.backbone import Backbone
from pretextual.models.load import load
from pretextual.models.locate import locate
from pretextual.models.shape import SERVES
from pretextual.objectives.batch import Batch
from pretextual.tokens.tokenizer import Tokenizer

Maker = Callable[..., Backbone]
Rows = Callable[..., Batch]
SMALL = {
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "hidden_size": 32,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
}


def foreign(kind: str, vocab_size: int) -> PreTrainedConfig:
    """Configs of architectures that we do not build ourselves."""
    if kind == "distilbert":
        return DistilBertConfig(vocab_size=vocab_size, dim=32, hidden_dim=64, n_layers=2, n_heads=2)
    if kind == "albert":
        return AlbertConfig(vocab_size=vocab_size, embedding_size=16, **SMALL)
    if kind == "electra":
        return ElectraConfig(vocab_size=vocab_size, embedding_size=16, **SMALL)
    if kind == "gpt_neox":
        return GPTNeoXConfig(vocab_size=vocab_size, **SMALL)
    return DebertaV2Config(
        vocab_size=vocab_size, relative_attention=True, pos_att_type=["p2c", "c2p"], **SMALL
    )


def put(model: PreTrainedModel, tokenizer: Tokenizer, folder: Path) -> Path:
    """A folder as Transformers writes it, with our tokenizer beside."""
    model.save_pretrained(folder)
    tokenizer.save(folder)
    return folder


@pytest.fixture
def saved(make: Maker, tokenizer: Tokenizer, tmp_path: Path) -> Path:
    make("bert").save(tmp_path / "saved", tokenizer)
    return tmp_path / "saved"


@pytest.mark.parametrize("architecture", SERVES)
def test_loading_is_the_inverse_of_saving(
    architecture: str, make: Maker, rows: Rows, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    backbone = make(architecture)
    backbone.save(tmp_path / "run" / "model", tokenizer)
    for place in (tmp_path / "run", str(tmp_path / "run" / "model")):
        again, theirs = load(place)
        assert (again.head, again.fresh, again.max_tokens) == (
            backbone.head,
            (),
            backbone.max_tokens,
        )
        assert theirs.hash == tokenizer.hash
        weights = again.model.state_dict()
        assert all(torch.equal(w, weights[n]) for n, w in backbone.model.state_dict().items())
        batch = rows(backbone.head, [[30], [20]])
        assert torch.equal(backbone.logits(batch), again.logits(batch))
        assert not again.model.training


@pytest.mark.parametrize("kind", ["distilbert", "albert", "electra", "deberta-v2", "gpt_neox"])
def test_any_architecture_with_a_head_loads_and_gives_its_dense_logits(
    kind: str, rows: Rows, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    causal = kind == "gpt_neox"
    factory = AutoModelForCausalLM if causal else AutoModelForMaskedLM
    model = factory.from_config(foreign(kind, tokenizer.size)).eval()
    backbone, _ = load(put(model, tokenizer, tmp_path / "model"), "causal" if causal else "masked")
    batch = rows(backbone.head, [[30], [20]])
    with torch.no_grad():
        assert batch.segments is not None
        mask = (batch.segments >= 0).long()
        dense = model(batch.inputs, attention_mask=mask).logits.flatten(0, 1)[batch.positions]
        assert float((backbone.logits(batch) - dense).abs().max()) <= 1e-6
    assert backbone.fresh == ()


def test_the_recipes_dropout_replaces_the_checkpoints(
    rows: Rows, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    config = BertConfig(vocab_size=tokenizer.size, **SMALL)
    folder = put(AutoModelForMaskedLM.from_config(config), tokenizer, tmp_path / "model")
    batch = rows("masked", [[20]])
    as_saved, _ = load(folder)
    without, _ = load(folder, dropout=0.0, attention_dropout=0.0)
    outputs = []
    for backbone in (as_saved, without):
        backbone.model.train()
        outputs.append((backbone.hidden(batch), backbone.hidden(batch)))
    assert not torch.equal(*outputs[0])
    assert torch.equal(*outputs[1])


def test_pairs_heads_and_poolers_are_left_behind(tokenizer: Tokenizer, tmp_path: Path) -> None:
    model = BertForPreTraining(BertConfig(vocab_size=tokenizer.size, **SMALL))
    backbone, _ = load(put(model, tokenizer, tmp_path / "model"))
    assert backbone.fresh == ()
    weight = model.cls.predictions.transform.dense.weight
    assert torch.equal(
        backbone.model.state_dict()["cls.predictions.transform.dense.weight"], weight
    )


def test_a_missing_head_is_drawn_alike_each_time_and_named(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    folder = put(
        BertModel(BertConfig(vocab_size=tokenizer.size, **SMALL)), tokenizer, tmp_path / "m"
    )
    before = torch.random.get_rng_state()
    one, _ = load(folder)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.rand(3)
    two, _ = load(folder)
    assert "cls.predictions.transform.dense.weight" in one.fresh
    assert all(name.startswith("cls.") for name in one.fresh)
    for name in one.fresh:
        assert torch.equal(one.model.state_dict()[name], two.model.state_dict()[name])


def test_a_head_that_the_architecture_cannot_serve_is_refused(
    saved: Path, make: Maker, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"M002(.|\n)*an encoder"):
        load(saved, "causal")
    make("gpt2").save(tmp_path / "gpt", tokenizer)
    with pytest.raises(ModelError, match=r"M002(.|\n)*a decoder"):
        load(tmp_path / "gpt", "masked")


def test_an_encoder_made_into_a_decoder_is_one(tokenizer: Tokenizer, tmp_path: Path) -> None:
    config = BertConfig(vocab_size=tokenizer.size, is_decoder=True, **SMALL)
    backbone, _ = load(put(BertLMHeadModel(config), tokenizer, tmp_path / "model"))
    assert backbone.head == "causal"


def test_image_models_are_refused(tmp_path: Path) -> None:
    ViTConfig().save_pretrained(tmp_path / "vit")
    with pytest.raises(ModelError, match=r"M006(.|\n)*vit"):
        load(tmp_path / "vit")


def test_an_unknown_kind_is_named(saved: Path) -> None:
    config = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps({**config, "model_type": "bertt"}))
    with pytest.raises(ModelError, match=r"M006(.|\n)*bertt"):
        load(saved)


def test_a_larger_tokenizer_is_refused(tokenizer: Tokenizer, tmp_path: Path) -> None:
    model = AutoModelForMaskedLM.from_config(BertConfig(vocab_size=tokenizer.size - 1, **SMALL))
    with pytest.raises(ModelError, match="M005"):
        load(put(model, tokenizer, tmp_path / "model"))


def test_a_padded_embedding_is_fine(rows: Rows, tokenizer: Tokenizer, tmp_path: Path) -> None:
    model = AutoModelForMaskedLM.from_config(BertConfig(vocab_size=tokenizer.size + 9, **SMALL))
    backbone, _ = load(put(model, tokenizer, tmp_path / "model"))
    assert backbone.logits(rows("masked", [[20]])).shape[1] == tokenizer.size + 9


def test_damage_is_said_plainly(saved: Path) -> None:
    weights = saved / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="M009"):
        load(saved)
    weights.unlink()
    with pytest.raises(ModelError, match="M009"):
        load(saved)
    weights.write_bytes(whole)
    config = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps({**config, "hidden_size": 32}))
    with pytest.raises(ModelError, match="M009"):
        load(saved)
    (saved / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 4}))
    with pytest.raises(ModelError, match=r"M009(.|\n)*weights missing"):
        load(saved)
    (saved / "config.json").write_text("{")
    with pytest.raises(ModelError, match="M009"):
        load(saved)


def test_places_that_hold_no_model(saved: Path, tmp_path: Path) -> None:
    def refusal(place: Path | str) -> str:
        with pytest.raises(ModelError, match="M003") as caught:
            locate(place)
        return str(caught.value)

    assert f"did you mean {saved}" in refusal(tmp_path)
    assert f"did you mean {saved}" in refusal(str(tmp_path / "savd"))
    assert f"give {saved}" in refusal(saved / "config.json")
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    assert f"pretextual resume {tmp_path / 'run'}" in refusal(tmp_path / "run")
    for name in ("./nothing", "a/b/c", "-x", "owner/name/", "white space"):
        assert "no such folder" in refusal(name)


def test_what_exists_here_wins_over_the_hub(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate("owner/name") == "owner/name"
    shutil.copytree(saved, tmp_path / "owner" / "name")
    assert locate("owner/name") == Path("owner/name")


def test_without_a_network_a_hub_name_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="M004") as caught:
        load("nobody/no-such-model")
    assert "nobody/no-such-model" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 6


def test_a_mistyped_run_is_found_beside_what_the_hub_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-run").mkdir()
    with pytest.raises(ModelError, match="did you mean the folder my-run"):
        load("my-runn")
