"""What to read, how it becomes documents, and what is held out."""

from __future__ import annotations

import codecs
import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, field_validator

from pretextual.core.config import Config, Texts

#: How `.txt` becomes documents.
DocumentRule = Literal["files", "paragraphs", "lines"]

#: The largest share of the bytes that may be held out.
LARGEST_HELD_OUT = 0.05


def _text_of_number(value: object) -> object:
    """`sample: 500` in YAML is a number and means the same as "500"."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _auto_or_share(value: object) -> object:
    """Check the share before the union does, so that the message speaks of the range, not of types."""
    if value == "auto" or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if not 0 <= value <= LARGEST_HELD_OUT:
        raise ValueError(
            f"held_out is a share of the bytes from 0 (off) to {LARGEST_HELD_OUT}, or auto; got {value}"
        )
    return float(value)


def parse_sample(sample: str, num_documents: int) -> int:
    """How many documents `"1%"` or `"500"` means among `num_documents`; at least 1, at most all.

    Raises:
        ValueError: if it is neither a share above 0 % and up to 100 % nor a number from 1.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(\s*%)?", sample.strip())
    number = float(match[1]) if match else 0.0
    if match and match[2] and 0 < number <= 100:
        return min(num_documents, max(1, round(num_documents * number / 100)))
    if match and not match[2] and number >= 1 and number.is_integer():
        return min(num_documents, int(number))
    raise ValueError(
        "a sample is a share of the documents such as 1% (above 0%, up to 100%) or a number of "
        f"documents such as 500 (from 1); got {sample}"
    )


class CorpusConfig(Config):
    """Text that goes in: sources, their reading, a sample of them, and the held-out part."""

    sources: Texts = ()
    """Paths, globs, folders, `-` (standard input), `python-docs[:package,…]`, `capitals[:without=…]`."""

    documents: DocumentRule = "files"
    """How `.txt` becomes documents: whole files, paragraphs (at blank lines) or lines."""

    text_key: str = "text"
    """Key of the text in `.jsonl`."""

    encoding: str = "utf-8"
    """Encoding of the files."""

    broken: Literal["refuse", "skip"] = "refuse"
    """What to do with lines of `.jsonl` that give no text: refuse the corpus, or skip and count them."""

    sample: Annotated[str | None, BeforeValidator(_text_of_number)] = None
    """Train on a share of the documents (`1%`) or a number (`500`); small samples lie in larger ones."""

    held_out: Annotated[float | Literal["auto"], BeforeValidator(_auto_or_share)] = "auto"
    """Share of the bytes held out, up to 0.05; 0: none; `auto`: 64 KB, or 5 % where that is less."""

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            codecs.lookup(value)
            "".encode(value)  # refuses codecs that are no text encoding, such as base64
        except (LookupError, UnicodeError):
            raise ValueError(
                f"unknown encoding {value}; known are utf-8, utf-16, cp1252, …"
            ) from None
        return value

    @field_validator("sample")
    @classmethod
    def _sample_in_range(cls, value: str | None) -> str | None:
        if value is not None:
            parse_sample(value, 1)
        return value
