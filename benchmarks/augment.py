"""Augmentation throughput: MB of English a second on one core, every rewrite beside a loop over words.

    python benchmarks/augment.py                # about a minute
    python benchmarks/augment.py --only typos --rounds 9

One process, one thread, processor time; sides take turns, a side's figure is the median of its rounds. The text is
made up: sentences of 4 to 20 words with punctuation, texts of 3 to 12 sentences. Two loops:

    split   what one writes first: `random.Random(number)` per text, `str.split`, a list, `" ".join`; no exact counts,
            marks are parts of their words, white space is lost, and a text's noise depends on its place in the list
    words   deletion that does what ours does: words and marks by a regular expression, exact counts, white space kept,
            a generator seeded from the text's hash

Where a rewrite has no short loop (runs, sentences, keyboards), that for deletion stands beside it.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy looks

import argparse  # noqa: E402
import hashlib  # noqa: E402
import random  # noqa: E402, TID251
import re  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402

import numpy as np  # noqa: E402

import pretextual  # noqa: E402
from pretextual.core.randomness import stream  # noqa: E402
from pretextual.corrupt.denoise import REGISTRY  # noqa: E402

SYLLABLES = ("ba", "de", "ki", "lo", "mu", "na", "po", "ri", "su", "ta", "ve", "zo", "st", "en")


def made_up(num_texts: int) -> list[str]:
    """Texts of invented words, the same every time."""
    bits = stream(0, "texts").bits(np.arange(num_texts, dtype=np.uint64), 400) >> np.uint64(33)
    texts = []
    for row in bits.tolist():
        numbers = iter(row)
        sentences = []
        for _ in range(3 + next(numbers) % 10):
            words = [
                "".join(SYLLABLES[(number >> 4 * k) % 14] for k in range(1 + number % 3))
                for number, _ in zip(numbers, range(4 + row[0] % 17), strict=False)
            ]
            sentences.append(" ".join(words).capitalize() + ".")
        texts.append(" ".join(sentences))
    return texts


def loop_deletion(texts: list[str]) -> list[str]:
    done = []
    for number, text in enumerate(texts):
        rng = random.Random(number)
        words = text.split()
        done.append(" ".join([w for w in words if rng.random() > 0.15] or words[:1]))
    return done


_PIECES = re.compile(r"\s*(?:\w+|[^\w\s])")


def loop_words(texts: list[str]) -> list[str]:
    done = []
    for text in texts:
        rng = random.Random(hashlib.blake2b(text.encode(), digest_size=8).digest())
        pieces = _PIECES.findall(text)
        count = min(int(0.15 * len(pieces) + rng.random()), len(pieces) - 1)
        gone = set(rng.sample(range(len(pieces)), count))
        done.append("".join(p for place, p in enumerate(pieces) if place not in gone))
    return done


def loop_masking(texts: list[str]) -> list[str]:
    done = []
    for number, text in enumerate(texts):
        rng = random.Random(number)
        done.append(" ".join("[MASK]" if rng.random() < 0.15 else w for w in text.split()))
    return done


def loop_insertion(texts: list[str]) -> list[str]:
    done = []
    for number, text in enumerate(texts):
        rng = random.Random(number)
        words = text.split()
        for _ in range(int(0.1 * len(words))):
            words.insert(rng.randrange(len(words) + 1), rng.choice(words))
        done.append(" ".join(words))
    return done


def loop_swapping(texts: list[str]) -> list[str]:
    done = []
    for number, text in enumerate(texts):
        rng = random.Random(number)
        words = text.split()
        for _ in range(int(0.05 * len(words))):
            place = rng.randrange(len(words) - 1)
            words[place], words[place + 1] = words[place + 1], words[place]
        done.append(" ".join(words))
    return done


def loop_shuffling(texts: list[str]) -> list[str]:
    done = []
    for number, text in enumerate(texts):
        rng = random.Random(number)
        words = text.split()
        order = sorted(
            range(len(words)), key=[i + 4 * rng.random() for i in range(len(words))].__getitem__
        )
        done.append(" ".join([words[place] for place in order]))
    return done


def loop_case(texts: list[str]) -> list[str]:
    done = []
    for number, text in enumerate(texts):
        rng = random.Random(number)
        done.append("".join(c.swapcase() if rng.random() < 0.05 else c for c in text))
    return done


LOOPS: dict[str, Callable[[list[str]], list[str]]] = {
    "deletion": loop_deletion,
    "masking": loop_masking,
    "insertion": loop_insertion,
    "swapping": loop_swapping,
    "shuffling": loop_shuffling,
    "case": loop_case,
    "typos": loop_case,
}


def seconds(call: Callable[[], object]) -> float:
    begin = time.process_time()
    call()
    return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=sorted(REGISTRY))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=4000)
    options = parser.parse_args()
    texts = made_up(options.texts)
    size = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts):,} texts, {size:.2f} MB, one thread, median of {options.rounds} rounds")
    print(f"{'rewrite':22}{'ours MB/s':>10}{'split MB/s':>12}{'words MB/s':>12}  split loop")
    for name in [options.only] if options.only else sorted(REGISTRY):
        loop = LOOPS.get(name, loop_deletion)
        pretextual.augment(texts[:10], name)
        sides = [
            lambda name=name: pretextual.augment(texts, name),
            lambda loop=loop: loop(texts),
            lambda: loop_words(texts),
        ]
        rounds = [[seconds(side) for side in sides] for _ in range(options.rounds)]
        ours, split, words = (
            size / statistics.median(times) for times in zip(*rounds, strict=True)
        )
        print(f"{name:22}{ours:10.1f}{split:12.1f}{words:12.1f}  {loop.__name__}")


if __name__ == "__main__":
    main()
