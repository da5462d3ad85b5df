"""Cuts partition the bytes, split no character, and take the best border."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretextual.corpus.cut import block_starts, cut_point, num_blocks, parts

TEXTS = st.text(alphabet=st.sampled_from("ab. \n。é漢😀"), min_size=1, max_size=400)


@given(TEXTS, st.integers(8, 64))
def test_parts_joined_are_the_document(text: str, largest: int) -> None:
    data = text.encode()
    found = list(parts(data, largest))
    assert b"".join(found) == data
    assert all(len(part) <= largest for part in found)
    assert all(len(part) >= largest // 2 for part in found[:-1])
    for part in found:
        part.decode()


@given(TEXTS, st.integers(32, 128))
def test_blocks_partition_the_document(text: str, block_bytes: int) -> None:
    data = text.encode()
    starts = block_starts(data, block_bytes)
    assert len(starts) == num_blocks(len(data), block_bytes)
    assert starts[0] == 0
    assert all(a < b for a, b in zip(starts, [*starts[1:], len(data)], strict=True))
    for a, b in zip(starts, [*starts[1:], len(data)], strict=True):
        data[a:b].decode()


def test_blocks_stay_near_their_size() -> None:
    data = ("Some words make a sentence. " * 4000).encode()
    starts = [*block_starts(data, 4096), len(data)]
    sizes = [b - a for a, b in pairwise(starts)]
    assert max(sizes) <= 4096 * 1.25
    assert min(sizes) >= 4096 * 0.7


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("aaaa bbbb\n\ncc. dd\nee ff", "aaaa bbbb\n\n"),
        ("aaaa bbbb. cc\ndd ee ff gg", "aaaa bbbb. cc\n"),
        ("aaaa bbbb. cc dd eee ff gg", "aaaa bbbb. "),
        ("aaaa bbbb ccccc dddddddddd", "aaaa bbbb ccccc "),
        ("aaaabbbbcccccccccccccccccc", "aaaabbbbcccccccccc"),
        ("漢漢漢漢漢漢漢漢漢", "漢漢漢漢漢漢"),
        ("文が終わる。次の文", "文が終わる。"),
    ],
)
def test_best_border_wins(text: str, first: str) -> None:
    data = text.encode()
    assert data[: cut_point(data, 5, 18)].decode() == first
