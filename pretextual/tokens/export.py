"""A tokenizer as a folder that the whole ecosystem loads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import tokenizers

from pretextual.core.artifacts import write_atomic, write_json
from pretextual.tokens.files import ADDED_WORDS_FILE, TOKENIZER_FILE, encoder_template


def export(
    backend: tokenizers.Tokenizer,
    roles: Mapping[str, str],
    folder: Path,
    *,
    purpose: Literal["masked", "causal"] | None,
    model_max_length: int | None,
    added_words: Sequence[Sequence[Any]],
) -> None:
    """Write the folder; arguments as in `Tokenizer.save`."""
    copy = tokenizers.Tokenizer.from_str(backend.to_str())
    if purpose == "masked":
        _surround(copy, roles)
    elif purpose == "causal":
        _unsurround(copy, roles)
    named = {f"{role}_token": token for role, token in sorted(roles.items())}
    settings: dict[str, Any] = {
        # The class that takes tokenizer.json as it is; model-specific ones rebuild it from the vocabulary.
        "tokenizer_class": "PreTrainedTokenizerFast",
        # No token types: half of the architectures refuse them, and the others fill in zeros.
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
        **named,
    }
    if model_max_length is not None:
        settings["model_max_length"] = model_max_length
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / TOKENIZER_FILE, copy.to_str(pretty=True) + "\n")
    write_json(folder / "tokenizer_config.json", settings)
    write_json(folder / "special_tokens_map.json", named)
    if added_words:
        write_json(folder / ADDED_WORDS_FILE, {"words": [list(word) for word in added_words]})


def _surround(backend: tokenizers.Tokenizer, roles: Mapping[str, str]) -> None:
    """Put CLS and SEP around a text, unless the tokenizer already puts something there."""
    if backend.num_special_tokens_to_add(False) or not {"cls", "sep"} <= roles.keys():
        return
    backend.post_processor = encoder_template(roles["cls"], roles["sep"], backend.get_vocab())


def _unsurround(backend: tokenizers.Tokenizer, roles: Mapping[str, str]) -> None:
    """Take away what an encoder puts around a text; a decoder's own begin and end stay."""
    kept = {roles.get("bos"), roles.get("eos")}
    if set(backend.encode("").tokens) <= kept:
        return
    description = json.loads(backend.to_str())
    description["post_processor"] = None
    bare = tokenizers.Tokenizer.from_str(json.dumps(description))
    backend.post_processor = bare.post_processor
