"""Errors that teach: what is wrong, where, what was got, what was expected, and the next step.

    PretextualError
    ├── UserError          exit 2: the user can mend it; one clear message, no traceback
    │   ├── ConfigError    C…  recipes, overrides, options
    │   ├── DataError      D…  files, encodings, documents, splits
    │   ├── TokenError     T…  tokenizers, token stores
    │   ├── ModelError     M…  architectures, checkpoints to continue
    │   └── RunError       R…  run directories, training, resume, disk
    └── Interrupted        exit 75: asked to stop, everything saved

Every code stands in `pretextual.core.error_codes`, from which the reference page is made.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Sequence
from typing import Self

from pretextual.core.error_codes import TITLES


@dataclasses.dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Args:
        code: a key of `error_codes.TITLES`, such as `"C014"`.
        where: the place: a config key, `file:line:column`, a path.
        got: what was found there.
        expected: what should have been there.
        hint: the next step, as something the user can type or change.
    """

    code: str
    where: str = ""
    got: str = ""
    expected: str = ""
    hint: str = ""

    def __str__(self) -> str:
        first = f"{self.code} {TITLES[self.code]}"
        lines = [f"{first}   {self.where}" if self.where else first]
        for label, text in (
            ("got", self.got),
            ("expected", self.expected),
            ("next", self.hint),
        ):
            if text:
                lines.append(f"  {label:<10}" + text.replace("\n", "\n" + " " * 12))
        return "\n".join(lines)


class PretextualError(Exception):
    """Base of everything that pretextual raises on purpose."""

    exit_code = 1


class UserError(PretextualError):
    """Something that the user can mend; holds one or more problems, all found at once."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        if not problems:
            raise ValueError("an error needs at least one problem")
        self.problems = tuple(problems)
        super().__init__(str(self))

    @classmethod
    def one(
        cls,
        code: str,
        *,
        where: object = "",
        got: object = "",
        expected: object = "",
        hint: object = "",
    ) -> Self:
        """The common case of one problem; arguments as in `Problem`, turned into text."""
        return cls(
            [
                Problem(
                    code=code,
                    where=str(where),
                    got=str(got),
                    expected=str(expected),
                    hint=str(hint),
                )
            ]
        )

    def __reduce__(self) -> tuple[type[UserError], tuple[Sequence[Problem]]]:
        # The default would re-create the error from its message; workers send errors between processes.
        return (type(self), (self.problems,))

    def __str__(self) -> str:
        text = "\n".join(str(problem) for problem in self.problems)
        codes = ", ".join(sorted({problem.code for problem in self.problems}))
        return f"{text}\n  docs      docs/reference/errors.md ({codes})"


class ConfigError(UserError):
    """A recipe, an override or an option is wrong."""


class DataError(UserError):
    """The text that came in cannot be used as it is."""


class TokenError(UserError):
    """A tokenizer or a token store is wrong or does not fit."""


class ModelError(UserError):
    """An architecture or a checkpoint is wrong or does not fit."""


class RunError(UserError):
    """A run directory, its disk or its training cannot go on."""


class Interrupted(PretextualError):
    """The run was asked to stop; what it had is saved and `resume` continues it."""

    exit_code = 75


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None when nothing is close."""
    candidates = list(known)
    lowered = {candidate.lower(): candidate for candidate in reversed(candidates)}
    found = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return lowered[found[0]] if found else None
