from __future__ import annotations

import pytest

from pretextual.tokens.vocabulary import auto_vocabulary_size, vocabulary_size_of_text


@pytest.mark.parametrize(
    ("parameters", "hidden", "expected"),
    [
        (33_000_000, 96, 32_768),
        (3_200_000, 256, 2048),
        (12_600_000, 512, 2752),
        (85_000_000, 768, 9024),
    ],
)
def test_size_follows_the_published_law(parameters, hidden, expected):
    # 3,145,728 = 32,768 · 96: at 33 million parameters of width 96 the law gives 32,768.
    assert auto_vocabulary_size(1 << 34, parameters, hidden).value == expected


def test_text_bounds_the_size_from_above():
    assert auto_vocabulary_size(500_000, 85_000_000, 768).value == 500_000 // 96 // 64 * 64
    assert vocabulary_size_of_text(1 << 34).value == 8192
    assert vocabulary_size_of_text(10).value == 1024


@pytest.mark.parametrize("num_bytes", [0, 10**5, 10**6, 10**8, 10**11])
@pytest.mark.parametrize("parameters", [10**4, 10**7, 10**10])
def test_size_is_a_multiple_of_64_within_limits(num_bytes, parameters):
    size = auto_vocabulary_size(num_bytes, parameters, 512).value
    assert size % 64 == 0
    assert 1024 <= size <= 65_408
