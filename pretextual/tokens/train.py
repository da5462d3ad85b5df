"""Train a tokenizer: a pure function of its text, byte for byte.

The `tokenizers` library is not: WordPiece's trainer numbers the continued alphabet (`##a`, `##b`, …) in the
order of a hash table, and Unigram's adds floats in such an order. So the continued alphabet is registered
first, sorted, and the model rebuilt without that crutch; Unigram's scores are rounded far above the noise
and its pieces sorted again. (A piece on the very edge of Unigram's pruning could still tip
over; none has been seen to.)

One scheme of special tokens serves encoders and decoders, so that objectives can be compared on one store.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import tokenizers
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, trainers

from pretextual.core.errors import TokenError
from pretextual.tokens.alphabet import Alphabet, find_alphabet
from pretextual.tokens.config import TokenizerConfig
from pretextual.tokens.tokenizer import Tokenizer

#: Version of what training makes of a text; part of every trained tokenizer's identity.
TRAINING_RULES = 1

ROLES = {
    "pad": "[PAD]",
    "unk": "[UNK]",
    "cls": "[CLS]",
    "sep": "[SEP]",
    "mask": "[MASK]",
    "bos": "<|endoftext|>",
    "eos": "<|endoftext|>",
}
SPECIAL = tuple(dict.fromkeys(ROLES.values()))

#: As GPT-2's, but a mark stays with its letter, which most scripts of India need.
_BYTE_WORDS = r"'(?:[sdmt]|ll|ve|re)| ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+(?!\S)|\s+"
#: A piece is part of one run of letters, digits and marks, or one other character, with the space before it.
_UNIGRAM_WORDS = r"▁?[\p{L}\p{M}\p{N}]+|▁?[^\p{L}\p{M}\p{N}▁]|▁"
#: White space of any kind and length is one space; U+2581 stands for a space inside the model.
_UNIGRAM_SPACE = r"[\s▁]+"
_SCORE_DIGITS = 4


def train_tokenizer(
    texts: Sequence[str], config: TokenizerConfig, vocabulary_size: int
) -> Tokenizer:
    """Train on `texts`; the same texts give the same bytes of `tokenizer.json` in any process.

    Args:
        texts: training documents.
        config: `kind` and `lowercase` count here.
        vocabulary_size: number of ids, special tokens included. Where the config says `auto`, fewer are taken
            when the text supports no more.

    Raises:
        TokenError: T004 fewer pieces than asked for, T005 less than the alphabet needs, T006 no text.
    """
    if not any(text.strip() for text in texts):
        raise TokenError.one("T006", hint="check the sources and `corpus.held_out`")
    backend = _TRAINERS[config.kind](texts, config, vocabulary_size)
    size = backend.get_vocab_size(with_added_tokens=True)
    if size < vocabulary_size and config.vocabulary_size != "auto":
        raise TokenError.one(
            "T004",
            where="tokenizer.vocabulary_size",
            got=f"{vocabulary_size:,} for {_num_bytes(texts):,} bytes of training text",
            expected=f"at most {size:,}",
            hint=f"set tokenizer.vocabulary_size={size}, or leave it at auto",
        )
    backend.add_special_tokens([_special_token(name, config.kind) for name in SPECIAL])
    return Tokenizer(backend, ROLES)


def _num_bytes(texts: Sequence[str]) -> int:
    return sum(len(text.encode()) for text in texts)


def _special_token(name: str, kind: str) -> AddedToken:
    # A mask takes the space before it where words carry theirs, so `the [MASK] sat` asks for ` cat`.
    lstrip = kind != "wordpiece" and name == ROLES["mask"]
    return AddedToken(name, special=True, normalized=False, lstrip=lstrip)


def _require_room(needed: int, vocabulary_size: int, alphabet: int) -> None:
    if vocabulary_size < needed:
        raise TokenError.one(
            "T005",
            where="tokenizer.vocabulary_size",
            got=f"{vocabulary_size:,}",
            expected=f"at least {needed:,}: {alphabet:,} for the alphabet and {len(SPECIAL)} special tokens",
            hint=f"set tokenizer.vocabulary_size={-(-needed // 64) * 64} or more",
        )


def _train_byte_bpe(
    texts: Sequence[str], config: TokenizerConfig, size: int
) -> tokenizers.Tokenizer:
    """GPT-2's scheme: words as bytes, frequent neighbours merged. Gives every text back exactly."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    _require_room(len(SPECIAL) + len(alphabet), size, len(alphabet))
    backend = tokenizers.Tokenizer(models.BPE())
    if config.lowercase:
        backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_BYTE_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=list(SPECIAL),
        initial_alphabet=alphabet,
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    return backend


def _train_wordpiece(
    texts: Sequence[str], config: TokenizerConfig, size: int
) -> tokenizers.Tokenizer:
    """BERT's scheme: words and punctuation apart, then the longest known pieces, `##` where words go on."""
    backend = tokenizers.Tokenizer(models.WordPiece({}, unk_token=ROLES["unk"]))
    backend.normalizer = normalizers.BertNormalizer(lowercase=config.lowercase)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    alphabet = find_alphabet(backend, texts, limit=_alphabet_limit(size))
    continued = [f"##{character}" for character in alphabet.continuing]
    count = len(alphabet.characters) + len(continued)
    _require_room(len(SPECIAL) + count, size, count)
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=[*SPECIAL, *continued],
        initial_alphabet=list(alphabet.characters),
        limit_alphabet=len(alphabet.characters),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    vocabulary = json.loads(backend.to_str())["model"]["vocab"]
    rebuilt = tokenizers.Tokenizer(models.WordPiece(vocabulary, unk_token=ROLES["unk"]))
    rebuilt.normalizer = backend.normalizer
    rebuilt.pre_tokenizer = backend.pre_tokenizer
    rebuilt.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    return rebuilt


def _train_unigram(
    texts: Sequence[str], config: TokenizerConfig, size: int
) -> tokenizers.Tokenizer:
    """SentencePiece's scheme: the most probable pieces. White space comes back as single spaces.

    The library's trainer takes as candidates what occurs in two different words: on small texts a frequent
    word without relatives stays in pieces.
    """
    backend = tokenizers.Tokenizer(models.Unigram())
    space = normalizers.Replace(Regex(_UNIGRAM_SPACE), " ")
    backend.normalizer = (
        normalizers.Sequence([normalizers.Lowercase(), space]) if config.lowercase else space
    )
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first"),
            pre_tokenizers.Split(Regex(_UNIGRAM_WORDS), behavior="isolated"),
        ]
    )
    backend.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="first")
    alphabet = find_alphabet(backend, texts, limit=_alphabet_limit(size))
    # The space's sign counts too, and the trainer wants room for one piece beyond the alphabet.
    count = len(alphabet.characters) + 1
    _require_room(len(SPECIAL) + count + 1, size, count)
    trainer = trainers.UnigramTrainer(
        vocab_size=size, special_tokens=list(SPECIAL), unk_token=ROLES["unk"], show_progress=False
    )
    backend.train_from_iterator(_without_rare(texts, alphabet), trainer)
    pieces = json.loads(backend.to_str())["model"]["vocab"][len(SPECIAL) :]
    ranked = _settle(pieces)
    backend.model = models.Unigram(
        [(name, 0.0) for name in SPECIAL] + ranked,
        unk_id=SPECIAL.index(ROLES["unk"]),
    )
    return backend


def _settle(pieces: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Take the trainer's noise out of Unigram's scores and order the pieces by what is left.

    Sums of floats differ by some 1e-11. Characters that no likely segmentation uses are given the lowest
    score plus 0.0001 each in the order of a hash table: those get the lowest score.
    """
    lowest = min(score for _, score in pieces)
    band = lowest + 1e-4 * sum(len(piece) == 1 for piece, _ in pieces) + 1e-6
    settled = (
        (piece, round(lowest if len(piece) == 1 and score < band else score, _SCORE_DIGITS))
        for piece, score in pieces
    )
    return sorted(settled, key=lambda one: (-one[1], one[0]))


def _alphabet_limit(size: int) -> int:
    """Rarer characters than this many are unknown, so that pieces of words keep most of the vocabulary."""
    return max(128, size // 4)


def _without_rare(texts: Sequence[str], alphabet: Alphabet) -> Sequence[str]:
    if not alphabet.rare:
        return texts
    table = dict.fromkeys(map(ord, alphabet.rare), " ")
    return [text.translate(table) for text in texts]


_TRAINERS = {"byte-bpe": _train_byte_bpe, "wordpiece": _train_wordpiece, "unigram": _train_unigram}
