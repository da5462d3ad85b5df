"""The catalogue of error codes: one title and one explanation each, by area.

C config · D data · T tokens · M model · R run. A code is never reused for another meaning.
"""

from __future__ import annotations

CATALOGUE: dict[str, tuple[str, str]] = {
    # code: (title shown first in the message, explanation for the reference page)
}

TITLES: dict[str, str] = {}


def _declare(code: str, title: str, explanation: str) -> None:
    if code in CATALOGUE:
        raise ValueError(f"error code {code} is declared twice")
    CATALOGUE[code] = (title, explanation)
    TITLES[code] = title


# --- config ---

# --- data ---

# --- tokens ---

# --- model ---

# --- run ---
