"""The recipe: everything that decides what is computed, in one strict, frozen value."""

from __future__ import annotations

from typing import Annotated, Any, Final

from annotated_types import Ge, Lt

from pretextual.core.artifacts import fingerprint
from pretextual.core.config import Config, Texts
from pretextual.corpus.config import CorpusConfig
from pretextual.models.config import ModelConfig
from pretextual.objectives import AnyObjectiveConfig, MaskedLMConfig
from pretextual.recipes.train_config import TrainConfig
from pretextual.tokens.config import TokenizerConfig
from pretextual.windows.config import WindowsConfig

#: What says where and how fast, never what is computed. Of sources and checkpoints the content counts, which
#: the fingerprints of store and tokenizer stand for, not the path.
WHERE: Final = (
    "name",
    "description",
    "paper",
    "best_for",
    "code",
    "corpus.sources",
    "tokenizer.load",
    "model.init",
    "train.device",
    "train.threads",
    "train.workers",
    "train.micro_batch_rows",
    "train.keep_checkpoints",
    "train.log_every_steps",
    "train.tensorboard",
)

#: Of each of these groups, what a stronger layer says displaces what weaker ones say of the others.
ALTERNATIVES: Final = (
    ("train.batch_rows", "train.batch_tokens"),
    ("train.steps", "train.tokens", "train.epochs", "train.time"),
)


class Recipe(Config):
    """A whole pre-training, from text to model."""

    name: str = ""
    """What the recipe is called; by default the name of its file."""

    description: str = ""
    """One line for `pretextual recipes`."""

    paper: str = ""
    """Whose method it is: authors and year, for `pretextual recipes`."""

    best_for: str = ""
    """What one would choose it for, in a few words, for `pretextual recipes`."""

    seed: Annotated[int, Ge(0), Lt(1 << 63)] = 0
    """Everything random follows from it."""

    code: Texts = ()
    """Python files with strategies of one's own, here or beside the recipe; a run keeps copies."""

    code_hash: str = ""
    """Stands for the content of those files; filled in when the recipe is read."""

    corpus: CorpusConfig = CorpusConfig()
    """What is read and what is held out."""

    tokenizer: TokenizerConfig = TokenizerConfig()
    """How text becomes tokens."""

    windows: WindowsConfig = WindowsConfig()
    """How documents become rows."""

    objective: AnyObjectiveConfig = MaskedLMConfig()
    """The pretext task, by `kind`."""

    model: ModelConfig = ModelConfig()
    """What is trained."""

    train: TrainConfig = TrainConfig()
    """How it is trained."""

    @property
    def hash(self) -> str:
        """32 hexadecimal digits over what is computed: equal work has an equal hash on any machine."""
        tree = self.model_dump(mode="json")
        for path in WHERE:
            group, _, name = path.rpartition(".")
            target: dict[str, Any] = tree[group] if group else tree
            del target[name]
        return fingerprint(tree)
