"""A real Trainer: masks change with the epoch, and neither the run nor its workers change them."""

from __future__ import annotations

import math

import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    PrinterCallback,
    Trainer,
    TrainerState,
    TrainingArguments,
)

import pretextual
from pretextual.core.errors import DataError


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Models this small only wait for each other's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Watched(Trainer):
    """Keeps what every training step was given."""

    def training_step(self, model, inputs, *arguments, **keywords):
        self.given.append({name: values.clone() for name, values in inputs.items()})
        return super().training_step(model, inputs, *arguments, **keywords)


def trainer_of(tokenizer, data, folder, *, seed=1, workers=0, wrapped=True, tell=True, **options):
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=16,
        max_position_embeddings=128,
    )
    arguments = {
        "num_train_epochs": 2,
        "per_device_train_batch_size": 8,
        "remove_unused_columns": False,
        "dataloader_num_workers": workers,
        "dataloader_persistent_workers": workers > 0,
        "seed": seed,
        "report_to": [],
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "use_cpu": True,
        "dataloader_pin_memory": False,
    }
    trainer = Watched(
        model=BertForMaskedLM(config),
        args=TrainingArguments(output_dir=str(folder), **(arguments | options)),
        train_dataset=pretextual.dataset(data) if wrapped else data,
        eval_dataset=pretextual.dataset(data[:16], seed=1, fixed=True),
        data_collator=pretextual.collator("whole-word", 5, tokenizer=tokenizer, rate=0.3),
        callbacks=[pretextual.TrainerCallback()] if tell else [],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.given = []
    return trainer


def epochs_of(trainer, num_epochs=2):
    """For every epoch: original row → what the model got."""
    steps = len(trainer.given) // num_epochs
    epochs = []
    for epoch in range(num_epochs):
        found = {}
        for batch in trainer.given[epoch * steps : (epoch + 1) * steps]:
            for inputs, attention, labels in zip(
                batch["input_ids"], batch["attention_mask"], batch["labels"], strict=True
            ):
                real = attention == 1
                shown, asked = inputs[real], labels[real]
                original = torch.where(asked == -100, shown, asked)
                found[tuple(original.tolist())] = (*shown.tolist(), *asked.tolist())
        epochs.append(found)
    return epochs


@pytest.fixture(scope="module")
def plain(_one_thread, tokenizer, examples, tmp_path_factory):
    trainer = trainer_of(tokenizer, examples, tmp_path_factory.mktemp("plain"))
    trainer.train()
    return trainer


def test_masks_change_with_the_epoch(plain, examples):
    first, second = epochs_of(plain)
    assert set(first) == set(second) == {tuple(e["input_ids"]) for e in examples}
    assert sum(first[row] != second[row] for row in first) > 0.8 * len(first)
    assert math.isfinite(plain.state.log_history[-1]["train_loss"])


def test_another_order_and_two_workers_give_the_same_masks(plain, tokenizer, examples, tmp_path):
    trainer = trainer_of(
        tokenizer, examples, tmp_path, seed=2, workers=2, per_device_train_batch_size=4
    )
    trainer.train()
    assert epochs_of(trainer) == epochs_of(plain)


def test_evaluation_is_asked_the_same_every_time(plain):
    one = plain.evaluate()["eval_loss"]
    assert plain.train_dataset.epoch == 1, "an evaluation moved the training data's epoch"
    assert plain.evaluate()["eval_loss"] == one


def test_a_resumed_training_goes_on_in_its_epoch(plain, tokenizer, examples, tmp_path):
    begun = trainer_of(
        tokenizer, examples, tmp_path, save_strategy="steps", save_steps=10, max_steps=10
    )
    begun.train()
    resumed = trainer_of(tokenizer, examples, tmp_path)
    resumed.train(resume_from_checkpoint=True)
    whole = [*begun.given, *resumed.given]
    assert len(whole) == len(plain.given) == 16
    for one, two in zip(whole, plain.given, strict=True):
        assert torch.equal(one["input_ids"], two["input_ids"])


@pytest.mark.parametrize(
    ("done", "epoch"), [(None, 0), (0, 0), (0.99, 0), (1 - 1e-12, 1), (1.0, 1), (2.5, 2)]
)
def test_the_epoch_is_the_whole_part_of_what_is_done(plain, done, epoch):
    state = TrainerState(epoch=done)
    plain.callback_handler.on_epoch_begin(plain.args, state, plain.control)
    assert plain.train_dataset.epoch == epoch


def test_a_trainer_that_drops_the_ids_is_stopped_before_its_first_step(
    tokenizer, examples, tmp_path
):
    trainer = trainer_of(tokenizer, examples, tmp_path, remove_unused_columns=True)
    with pytest.raises(DataError, match=r"M034[\s\S]*remove_unused_columns=False"):
        trainer.train()
    untold = trainer_of(tokenizer, examples, tmp_path, remove_unused_columns=True, tell=False)
    with pytest.raises(DataError, match=r"M032[\s\S]*remove_unused_columns=False"):
        untold.train()
    assert not trainer.given and not untold.given


def test_training_data_without_ids_is_stopped_before_its_first_step(tokenizer, examples, tmp_path):
    trainer = trainer_of(tokenizer, examples, tmp_path, wrapped=False)
    with pytest.raises(DataError, match=r"M034[\s\S]*pretextual.dataset"):
        trainer.train()
    assert not trainer.given
