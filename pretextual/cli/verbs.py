"""The verbs, in the order of a first visit; each lies in the module of its name and loads when called."""

from __future__ import annotations

from typing import Final

VERBS: Final[dict[str, str]] = {
    "demo": "From a built-in corpus to a small model, in a few minutes.",
    "prepare": "Turn text into a token store.",
    "annotate": "Say something about the tokens of a store, for strategies that read it.",
    "peek": "Show what the model will see: original and corrupted.",
    "check": "Explain a recipe and what it will cost; train nothing.",
    "recipes": "List the built-in recipes, or print one.",
    "pretrain": "Pre-train a model on text.",
    "resume": "Go on with a run.",
    "replay": "Show what the model saw at a step of a run.",
    "fill": "Fill the gaps of a sentence.",
    "generate": "Continue a text.",
    "score": "Say how likely a text is, or that one text follows another.",
    "evaluate": "Measure a model on a text.",
    "compare": "Train the same under several values, and tell differences from chance.",
    "report": "Draw a run as one HTML page.",
    "doctor": "Show versions, cores, memory, GPU and measured speed.",
}
