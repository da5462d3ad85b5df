"""Text that belongs to no store: where its tokenizer and its statistics come from, and its annotations."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pretextual.annotate.make import annotate_stretch, annotator_of, tables_for
from pretextual.core.errors import ConfigError, TokenError
from pretextual.corpus.config import CorpusConfig
from pretextual.corpus.shards import open_shards, read_shard
from pretextual.recipes.recipe import Recipe
from pretextual.tokens.layers import Layer, LayerFolder
from pretextual.tokens.store import TokenStore, require_same_tokenizer
from pretextual.tokens.stretch import Stretch
from pretextual.tokens.tokenizer import Tokenizer
from pretextual.train.data import OnProgress, prepare_store
from pretextual.train.run import Run

STANDARD_INPUT: Final = "-"
#: Lends tokenizer and statistics where the user names nothing else.
BUILT_IN: Final = "python-docs"


@dataclasses.dataclass(frozen=True)
class TextHome:
    """Where loose text takes its tokenizer and, for strategies that need any, its statistics from.

    Attributes:
        tokenizer: what encodes the text.
        said: where it comes from.
        ready: the store with the statistics, where one is open already.
        recipe: prepares that store otherwise.
    """

    tokenizer: Tokenizer
    said: str
    ready: TokenStore | None
    recipe: Recipe

    @property
    def is_at_hand(self) -> bool:
        """Whether its store is open already."""
        return self.ready is not None

    def store(self, on_progress: OnProgress | None) -> TokenStore:
        """The store whose layers' tables annotate the text; prepared if it must be."""
        store = self.ready or prepare_store(self.recipe, on_progress=on_progress)
        require_same_tokenizer(store, self.tokenizer, where="the text's model")
        return store

    @property
    def said_with_statistics(self) -> str:
        """Where tokenizer and statistics come from."""
        if self.ready is not None:
            return self.said
        return f"{self.said}; statistics of {_sources(self.recipe)}"


def text_home(
    recipe: Recipe,
    *,
    store: Path | None = None,
    model: str | None = None,
    on_progress: OnProgress | None = None,
) -> TextHome:
    """Find the home of loose text: a store, a model, else the recipe's corpus or the built-in one.

    Args:
        recipe: of which the corpus and the tokenizer count, where nothing else is named.
        store: a token store.
        model: a model's folder, run or Hub name; a run lends the statistics of its store too.
        on_progress: called with stage, done, total and unit.

    Raises:
        UserError: there is no such store or model.
    """
    if store is not None:
        found = TokenStore.open(store)
        return TextHome(found.tokenizer, f"tokenizer and statistics of {store}", found, recipe)
    if not recipe.corpus.sources:
        corpus = recipe.corpus.model_copy(update={"sources": (BUILT_IN,)})
        recipe = recipe.model_copy(update={"corpus": corpus})
    if model is not None:
        mine = store_of_model(Path(model))
        if mine is not None:
            return TextHome(mine.tokenizer, f"tokenizer and statistics of {model}", mine, recipe)
        config = recipe.tokenizer.model_copy(update={"load": model})
        recipe = recipe.model_copy(update={"tokenizer": config})
        return TextHome(Tokenizer.load(model), f"tokenizer of {model}", None, recipe)
    found = prepare_store(recipe, on_progress=on_progress)
    said = f"tokenizer and statistics of {_sources(recipe)}, prepared by recipe {recipe.name}"
    return TextHome(found.tokenizer, said, found, recipe)


def run_of_model(model: Path) -> Run | None:
    """The run that a folder is, or that it is the model of."""
    for folder in (model, model.parent):
        run = Run(folder)
        if run.recipe.is_file() and run.machine.is_file():
            return run
    return None


def store_of_model(model: Path) -> TokenStore | None:
    """The store that a run was trained on, where it is still what it was."""
    run = run_of_model(model)
    known = run.read_machine() if run is not None else {}
    if "store_folder" not in known:
        return None
    try:
        store = TokenStore.open(known["store_folder"])
    except TokenError:
        return None
    return store if store.fingerprint == known["store"] else None


def _sources(recipe: Recipe) -> str:
    return ", ".join(recipe.corpus.sources)


def read_standard_input(config: CorpusConfig) -> list[str]:
    """The documents of standard input, by the rules of the corpus: encoding, files, paragraphs or lines."""
    config = config.model_copy(update={"sources": (STANDARD_INPUT,)})
    with tempfile.TemporaryDirectory(prefix="pretextual-") as spool:
        shards = open_shards(config, Path(spool))
        return [document.text for shard in shards for document in read_shard(shard, config)]


def stretch_of(tokenizer: Tokenizer, texts: Sequence[str]) -> Stretch:
    """Texts as tokens, each a document.

    Raises:
        ConfigError: C021 if no text has a token.
    """
    stretch = Stretch.of_texts(tokenizer.segment(texts), texts)
    if not stretch.tokens.size:
        raise ConfigError.one(
            "C021",
            where="the text",
            got="nothing but blanks" if any(texts) else "nothing",
            expected="at least one word",
            hint='echo "The quick brown fox jumps over the lazy dog." | pretextual peek -',
        )
    return stretch


def annotated(
    store: TokenStore,
    folders: Mapping[str, LayerFolder],
    stretch: Stretch,
    *,
    needed: Sequence[str],
) -> dict[str, Layer]:
    """The store's layers over other text, by the very functions that annotated the store.

    Layers that nobody needs are left out where they would ask an outside model.
    """
    found = {}
    for name, folder in folders.items():
        annotator = annotator_of(folder)
        if name in needed or annotator.needs_only_store:
            tables = tables_for(store, folder)
            found[name] = annotate_stretch(annotator, stretch, store.tokenizer, tables)
    return found
