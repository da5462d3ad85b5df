"""From names, files, options and overrides to values, each with its origin."""

import pytest

from pretextual.core.errors import ConfigError
from pretextual.recipes.foreign import ALIASES, EXPLAINED, SYNONYMS
from pretextual.recipes.load import load_recipe, read_resolved, recipe_names
from pretextual.recipes.recipe import WHERE, Recipe
from pretextual.recipes.request import OPTIONS, request
from pretextual.recipes.schema import all_paths, values


def write(tmp_path, text, name="my.yaml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", recipe_names())
def test_every_built_in_recipe_resolves_and_describes_itself(name):
    recipe = load_recipe(name).recipe
    assert recipe.name == name
    assert recipe.description.endswith((".", "`."))


def test_the_stronger_wins_and_says_where_it_comes_from(tmp_path):
    base = write(
        tmp_path, "train: {steps: 1, warmup: 0.1, learning_rate: 1e-3, beta1: 0.8}\n", "base.yaml"
    )
    path = write(
        tmp_path, "extends: base.yaml\ntrain:\n  warmup: 0.2\n  learning_rate: 2e-3\n  beta1: 0.7\n"
    )
    options = {
        "train.learning_rate": ("--learning-rate 3e-3", 3e-3),
        "train.beta1": ("--beta1 0.6", 0.6),
    }
    found = load_recipe(path, ["train.beta1=0.5", "train.beta1=0.4"], options=options)
    train = found.recipe.train
    assert (train.steps, train.warmup, train.learning_rate, train.beta1) == (1, 0.2, 3e-3, 0.4)
    assert found.origin("train.steps") == f"{base}:1:9"
    assert found.origin("train.warmup") == f"{path}:3:3"
    assert found.origin("train.learning_rate") == "--learning-rate 3e-3"
    assert found.origin("train.beta1") == "override train.beta1=0.4"
    assert found.origin("train.beta2") == "default"


def test_a_file_extends_a_built_in_recipe_and_is_called_by_its_own_name(tmp_path):
    found = load_recipe(write(tmp_path, "extends: bert\n", "mine.yaml"))
    assert found.recipe.model.architecture == "bert"
    assert found.origin("model.architecture").startswith("recipe bert, line ")
    assert (found.recipe.name, found.recipe.description) == ("mine", "")


def test_recipes_that_extend_each_other_are_refused(tmp_path):
    write(tmp_path, "extends: b.yaml\n", "a.yaml")
    write(tmp_path, "extends: a.yaml\n", "b.yaml")
    with pytest.raises(ConfigError, match="C010"):
        load_recipe(tmp_path / "a.yaml")


def test_an_unknown_recipe_gets_the_nearest_name():
    with pytest.raises(ConfigError) as caught:
        load_recipe("modrnbert")
    assert caught.value.problems[0].hint == "did you mean modernbert?"


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("train.checkpoint_every_steps=10_000", "train.checkpoint_every_steps", 10_000),
        ("train.steps=1e4", "train.steps", 10_000),
        ("train.learning_rate=1e-5", "train.learning_rate", 1e-5),
        ("train.time=1h30m", "train.time", 5400.0),
        ("train.time=90", "train.time", 90.0),
        ("corpus.sample=500", "corpus.sample", "500"),
        ("corpus.sample=1%", "corpus.sample", "1%"),
        ("corpus.held_out=0", "corpus.held_out", 0.0),
        ("name=2024", "name", "2024"),
        ("train.gradient_clip=null", "train.gradient_clip", None),
        ("corpus.sources=[a.txt, b=c.txt]", "corpus.sources", ("a.txt", "b=c.txt")),
        ("train.samples=['The [MASK] sat.', 7]", "train.samples", ("The [MASK] sat.", "7")),
        ("train.tensorboard=true", "train.tensorboard", True),
        ("model.init=owner/name: odd", "model.init", "owner/name: odd"),
    ],
)
def test_overrides_are_read_as_the_key_wants_them(override, path, value):
    found = dict(values(load_recipe("bert", [override]).recipe))[path]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "override",
    [
        'train.steps="5"',
        "train.steps=5.5",
        "train.tensorboard=yes",
        "train.tensorboard=1",
        "train.learning_rate=.nan",
        "train.learning_rate=0",
        "train.keep_checkpoints=0",
        "corpus.held_out=0.5",
        "corpus.sources=a.txt",
        "objective.rate=1.5",
        "objective.rate={start: 0.1, end: 0.2}",
        "train.time=soon",
    ],
)
def test_wrong_values_are_refused_at_their_key(override):
    with pytest.raises(ConfigError) as caught:
        load_recipe("bert", [override])
    assert [problem.code for problem in caught.value.problems] == ["C005"]
    assert caught.value.problems[0].where.startswith(override.partition("=")[0])


@pytest.mark.parametrize(("foreign", "ours"), ALIASES.items())
def test_every_foreign_name_is_accepted_with_a_notice(foreign, ours):
    value = {"train.schedule": "cosine", "model.architecture": "gpt2"}.get(ours, "8")
    if ours in (
        "train.weight_decay",
        "train.beta1",
        "train.beta2",
        "train.warmup",
        "objective.rate",
    ):
        value = "0.5"
    if ours in ("model.dropout", "model.attention_dropout"):
        value = "0.5"
    found = load_recipe("bert", [f"{foreign}={value}"])
    direct = load_recipe("bert", [f"{ours}={value}"])
    assert found.recipe == direct.recipe
    assert len(found.notices) == 1 and ours in found.notices[0]
    assert found.recipe != load_recipe("bert").recipe or ours == "tokenizer.load"


def test_foreign_names_inside_groups_are_accepted_too(tmp_path):
    path = write(tmp_path, "train:\n  num_train_epochs: 3\nmodel:\n  hidden_size: 64\n")
    recipe = load_recipe(path).recipe
    assert (recipe.train.epochs, recipe.model.hidden) == (3.0, 64)


@pytest.mark.parametrize("name", EXPLAINED)
def test_what_is_done_another_way_is_explained(name):
    with pytest.raises(ConfigError) as caught:
        load_recipe("bert", [f"{name}=4"])
    assert caught.value.problems[0].code == "C012"
    assert caught.value.problems[0].expected == EXPLAINED[name]


def test_one_value_under_two_names_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="C009"):
        load_recipe(write(tmp_path, "train:\n  epochs: 2\n  num_train_epochs: 3\n"))


def test_tables_of_names_point_at_keys_that_exist():
    known = set(all_paths(Recipe))
    for table in (ALIASES, SYNONYMS, OPTIONS):
        assert set(table.values()) <= known
    assert set(WHERE) <= known
    assert not (set(ALIASES) & set(EXPLAINED)) and not (set(ALIASES) & set(SYNONYMS))


def test_rows_asked_for_displace_the_tokens_of_a_weaker_layer(tmp_path):
    path = write(tmp_path, "train: {batch_tokens: 2048, time: 45s}\n")
    recipe = load_recipe(path, ["train.batch_rows=16", "train.epochs=2"]).recipe
    assert (recipe.train.batch_rows, recipe.train.batch_tokens) == (16, None)
    assert (recipe.train.epochs, recipe.train.time) == (2.0, None)


def test_budgets_of_one_rank_stand_together_and_two_batch_sizes_do_not(tmp_path):
    recipe = load_recipe("capitals", ["train.epochs=2", "train.steps=9"]).recipe
    assert (recipe.train.epochs, recipe.train.steps, recipe.train.time) == (2.0, 9, None)
    with pytest.raises(ConfigError) as caught:
        load_recipe(write(tmp_path, "train: {batch_rows: 3, batch_tokens: 4}\n"))
    (problem,) = caught.value.problems
    assert problem.code == "C006"
    assert "my.yaml:1:9" in problem.where and "my.yaml:1:24" in problem.where


def test_a_plain_name_stands_for_a_strategy_and_its_options_can_be_added():
    objective = load_recipe(
        "bert", ["objective.strategy.p=0.5", "objective.strategy=span"]
    ).recipe.objective
    assert (objective.strategy.kind, objective.strategy.p) == ("span", 0.5)


def test_another_kind_forgets_what_was_said_of_the_first():
    objective = load_recipe("bert", ["objective.kind=causal-lm"]).recipe.objective
    assert objective.kind == "causal-lm"


def test_a_key_of_another_kind_is_named_as_such():
    with pytest.raises(ConfigError) as caught:
        load_recipe("gpt", ["objective.rate=0.2"])
    assert caught.value.problems[0].expected == "a key of objective.kind=causal-lm"


def test_schedules_of_the_rate_are_checked_inside():
    recipe = load_recipe("bert", ["objective.rate={kind: linear, start: 0.4, end: 0.15}"]).recipe
    assert (recipe.objective.rate.start, recipe.objective.rate.end) == (0.4, 0.15)
    with pytest.raises(ConfigError) as caught:
        load_recipe("bert", ["objective.rate={kind: linear, start: 0.4}"])
    assert caught.value.problems[0].where.startswith("objective.rate.end")


def test_a_run_can_be_read_without_anything_else(tmp_path):
    resolved = load_recipe("bert", ["train.steps=7"])
    path = write(tmp_path, resolved.dump())
    assert read_resolved(path).recipe == resolved.recipe


def test_choosing_a_value_changes_it_alone_and_says_why():
    before = load_recipe("bert", ["train.steps=7"])
    after = before.choose("tokenizer.vocabulary_size", 2048, "it fits 2 MB of text")
    assert after.origin("tokenizer.vocabulary_size") == "chosen because it fits 2 MB of text"
    changed = {p for p, v in values(after.recipe) if dict(values(before.recipe))[p] != v}
    assert changed == {"tokenizer.vocabulary_size"}


def test_a_request_needs_text_unless_told_otherwise():
    with pytest.raises(ConfigError, match="C014"):
        request([])
    assert request([], needs_text=False).recipe.name == "modernbert"
    assert request(["capitals:without=France"]).recipe.name == "capitals"
    assert request(["my.txt"], size="tiny", time="2m").recipe.train.time == 120.0
    with pytest.raises(TypeError, match="no option sise"):
        request(["my.txt"], sise="tiny")
