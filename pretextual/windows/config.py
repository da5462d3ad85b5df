"""How documents become rows of fixed length."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pretextual.core.config import Config


class WindowsConfig(Config):
    """The plan of the windows."""

    tokens: int = Field(default=128, ge=4, le=1 << 20)
    """Positions in a row, inserted tokens included."""

    mode: Literal["packed", "chunked", "document", "pairs"] = "packed"
    """`packed`: whole documents placed together where they fit best, longer ones cut; `chunked`: all
    documents as one stream cut at every row; `document`: one row each, cut at the row's end; `pairs`: two
    neighbouring texts of a document in a row, for next-sentence prediction and sentence order."""

    isolate: bool = False
    """Whether documents that share a row must not see each other."""
