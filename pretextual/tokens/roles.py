"""Which token plays which special role, read from the files that lie beside a `tokenizer.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tokenizers

from pretextual.tokens.special import SpecialIds

ROLES = ("pad", "unk", "cls", "sep", "mask", "bos", "eos")

#: Tokens by which a role is known where no file names it, most telling first.
_USUAL: dict[str, tuple[str, ...]] = {
    "pad": ("[PAD]", "<pad>", "<|pad|>", "<|endoftext|>"),
    "unk": ("[UNK]", "<unk>"),
    "cls": ("[CLS]", "<cls>"),
    "sep": ("[SEP]", "<sep>"),
    "mask": ("[MASK]", "<mask>", "<|mask|>"),
    "bos": ("[BOS]", "<s>", "<|begin_of_text|>", "<|startoftext|>", "<|endoftext|>"),
    "eos": ("[EOS]", "</s>", "<|end_of_text|>", "<|endoftext|>"),
}


def read_roles(folder: Path) -> dict[str, str]:
    """Role → token, as `special_tokens_map.json` and, with the last word, `tokenizer_config.json` say."""
    roles: dict[str, str] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        for role, token in roles_of_settings(read_settings(folder / name)).items():
            roles[role] = token
    return roles


def read_settings(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty where the file is missing."""
    if not path.is_file():
        return {}
    settings = json.loads(path.read_text(encoding="utf-8"))
    return settings if isinstance(settings, dict) else {}


def roles_of_settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """Role → token from keys such as `mask_token`, whose values are texts or objects with a `content`."""
    roles: dict[str, str] = {}
    for role in ROLES:
        value = settings.get(f"{role}_token")
        if isinstance(value, Mapping):
            value = value.get("content")
        if isinstance(value, str) and value:
            roles[role] = value
    return roles


def guess_roles(backend: tokenizers.Tokenizer, description: Mapping[str, Any]) -> dict[str, str]:
    """Role → token where no file says: from the post-processor, the model, and the usual names.

    Args:
        backend: the tokenizer.
        description: its `tokenizer.json` as an object.
    """
    roles: dict[str, str] = {}
    after = description.get("post_processor") or {}
    for role in ("cls", "sep"):
        if isinstance(after.get(role), list) and after[role]:
            roles[role] = str(after[role][0])
    unknown = description["model"].get("unk_token")
    if isinstance(unknown, str):
        roles["unk"] = unknown
    added = {
        token["content"] for token in description.get("added_tokens", ()) if token.get("special")
    }
    for role, names in _USUAL.items():
        known = next(
            (name for name in names if name in added and backend.token_to_id(name) is not None),
            None,
        )
        if role not in roles and known is not None:
            roles[role] = known
    return roles


def special_ids(
    backend: tokenizers.Tokenizer, roles: Mapping[str, str], description: Mapping[str, Any]
) -> SpecialIds:
    """The ids of the roles, and of every token that is flagged special; roles of unknown tokens are None."""
    ids = {role: backend.token_to_id(roles[role]) if role in roles else None for role in ROLES}
    flagged = {
        str(token["content"]): int(token["id"])
        for token in description.get("added_tokens", ())
        if token.get("special")
    }
    in_roles = {found for found in ids.values() if found is not None}
    named = {name: found for name, found in flagged.items() if found not in in_roles}
    every = tuple(sorted({*flagged.values(), *in_roles}))
    return SpecialIds(**ids, every=every, named=named)
