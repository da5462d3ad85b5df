"""The classic walk-through, typed as it stands: BERT continued on a small book."""

import json

import pytest

from pretextual.cli.main import run

OPTIONS = [
    "corpus.documents=lines",
    "corpus.held_out=0",
    "windows.mode=document",
    "windows.tokens=512",
    "train.batch_rows=16",
    "train.learning_rate=1e-5",
    "train.epochs=2",
    "objective.rate=0.15",
    "train.checkpoint_every_steps=10_000",
    "train.keep_checkpoints=2",
]


@pytest.fixture(scope="module")
def checkpoint(shared_data, tmp_path_factory):
    """A BERT with its published vocabulary, small and untrained."""
    from transformers import BertConfig, BertForMaskedLM, BertTokenizer

    folder = tmp_path_factory.mktemp("checkpoint")
    vocabulary = next((shared_data / "bert_vocab").glob("vocab.txt"))
    BertTokenizer(str(vocabulary)).save_pretrained(folder)
    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    model = BertForMaskedLM(BertConfig(vocab_size=30522, **sizes))
    model.save_pretrained(folder)
    return folder, model.num_parameters()


def test_check_counts_what_the_walk_through_counts(checkpoint, shared_data, capsys):
    folder, num_parameters = checkpoint
    text = str(shared_data / "meditations" / "clean.txt")
    assert run(["check", text, "--init", str(folder), *OPTIONS, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    cost = found["estimate"]
    assert (cost["windows"], cost["batches_per_epoch"], cost["steps"]) == (507, 32, 64)
    assert cost["fill"] == pytest.approx(0.207, abs=5e-4)
    assert cost["vocabulary_size"] == 30522
    assert cost["parameters"] == num_parameters
    assert found["recipe"]["train"]["checkpoint_every_steps"] == 10_000
