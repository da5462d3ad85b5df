"""The noun of the first stage: one text with an id that depends on its source and its bytes alone."""

from __future__ import annotations

import dataclasses
import hashlib
import unicodedata


@dataclasses.dataclass(frozen=True)
class Document:
    """One text.

    Attributes:
        text: the text, decoded; never empty or blank.
        source: name of the source it came from (`python-docs`, or the given path's last part).
        place: where exactly, for messages and lineage: `file.jsonl:17`, `os.path.join`.
        split: a split that the source itself demands (`train`, `held_out`), or None for the general rule.
    """

    text: str
    source: str
    place: str
    split: str | None = None

    @property
    def id(self) -> str:
        """32 hexadecimal digits: a hash of source and bytes. Equal documents of a source are one document."""
        digest = hashlib.blake2b(digest_size=16, person=b"pretextual.docid")
        digest.update(f"{len(self.source)}:{self.source}".encode())
        digest.update(self.text.encode())
        return digest.hexdigest()


def split_key(text: str) -> int:
    """64 bits that decide the split: a hash of the normalised content alone.

    Case, Unicode form and white space do not count, so twins in different sources fall on one side.
    """
    normal = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    digest = hashlib.blake2b(normal.encode(), digest_size=8, person=b"pretextual.split")
    return int.from_bytes(digest.digest(), "big")
