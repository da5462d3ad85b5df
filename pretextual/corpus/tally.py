"""What was left out while reading, counted: nothing disappears silently."""

from __future__ import annotations

import dataclasses
from collections import Counter

#: What is counted, and how it is said. `{n}` is the count.
SAID = {
    "skipped_files": "files in folders skipped, not .txt, .jsonl, .txt.gz or .jsonl.gz: {n}",
    "empty_files": "empty files: {n}",
    "blank_documents": "blank documents dropped: {n}",
    "broken_lines": "lines of .jsonl that gave no text skipped: {n}",
    "cut_documents": "documents above 1 MB cut into parts: {n}",
}


@dataclasses.dataclass(frozen=True)
class Tally:
    """Counts of what was left out or cut.

    Attributes:
        skipped_files: files in folders with an unknown or hidden name.
        empty_files: files of zero bytes.
        blank_documents: documents of white space alone (blank lines between paragraphs are not counted).
        broken_lines: lines of `.jsonl` that gave no text, with `broken=skip`.
        cut_documents: documents above 1 MB that were cut into parts.
    """

    skipped_files: int = 0
    empty_files: int = 0
    blank_documents: int = 0
    broken_lines: int = 0
    cut_documents: int = 0

    @classmethod
    def of(cls, counts: Counter[str]) -> Tally:
        """From a counter whose keys are the attributes' names."""
        return cls(**counts)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            **{
                field.name: getattr(self, field.name) + getattr(other, field.name)
                for field in dataclasses.fields(self)
            }
        )

    def lines(self) -> tuple[str, ...]:
        """One sentence for every count that is not zero."""
        counts = dataclasses.asdict(self)
        return tuple(SAID[name].format(n=f"{n:,}") for name, n in counts.items() if n)
