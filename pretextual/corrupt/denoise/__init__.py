"""Rewrites that change lengths and orders, one file each, for denoising objectives and for texts."""

from __future__ import annotations

from pretextual.corrupt.denoise.base import REGISTRY, Rewrite, Supply
from pretextual.corrupt.denoise.chain import rewrite_all, room_after
from pretextual.corrupt.denoise.choice import RewriteConfig
from pretextual.corrupt.denoise.deletion import Deletion
from pretextual.corrupt.denoise.infilling import Infilling
from pretextual.corrupt.denoise.insertion import Insertion
from pretextual.corrupt.denoise.letter_case import LetterCase
from pretextual.corrupt.denoise.masking import Masking
from pretextual.corrupt.denoise.ragged import Change, Ragged, undo
from pretextual.corrupt.denoise.rotation import Rotation
from pretextual.corrupt.denoise.sentence_permutation import SentencePermutation
from pretextual.corrupt.denoise.shuffling import Shuffling
from pretextual.corrupt.denoise.swapping import Swapping
from pretextual.corrupt.denoise.typos import Typos

__all__ = [
    "REGISTRY",
    "Change",
    "Deletion",
    "Infilling",
    "Insertion",
    "LetterCase",
    "Masking",
    "Ragged",
    "Rewrite",
    "RewriteConfig",
    "Rotation",
    "SentencePermutation",
    "Shuffling",
    "Supply",
    "Swapping",
    "Typos",
    "rewrite_all",
    "room_after",
    "undo",
]
