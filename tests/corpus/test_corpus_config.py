"""Values out of range are refused, with the range in the message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pretextual.corpus.config import CorpusConfig, parse_sample


@pytest.mark.parametrize("sample", ["0", "0%", "101%", "-3", "1.5", "ten", "%", "5 documents", ""])
def test_a_sample_out_of_range_is_refused(sample: str) -> None:
    with pytest.raises(ValidationError, match="share of the documents such as 1%"):
        CorpusConfig(sample=sample)


@pytest.mark.parametrize("share", [-0.01, 0.06, 1, 5])
def test_a_held_out_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(ValidationError, match=r"from 0 \(off\) to 0.05"):
        CorpusConfig(held_out=share)


@pytest.mark.parametrize("encoding", ["utf-9", "base64", "rot13"])
def test_what_is_no_text_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(ValidationError, match=f"unknown encoding {encoding}"):
        CorpusConfig(encoding=encoding)


def test_numbers_in_yaml_mean_what_they_say() -> None:
    assert CorpusConfig(sample=500).sample == "500"  # type: ignore[arg-type]
    assert CorpusConfig(held_out=0).held_out == 0.0
    assert CorpusConfig(sources=["a", "b"]).sources == ("a", "b")  # type: ignore[arg-type]


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.floats(0.001, 100))
def test_a_sample_is_at_least_one_and_at_most_all(total: int, wanted: int, percent: float) -> None:
    assert parse_sample(str(wanted), total) == min(wanted, total)
    share = parse_sample(f"{percent:.3f}%", total)
    assert 1 <= share <= total
    assert share == 1 or abs(share - total * float(f"{percent:.3f}") / 100) <= 0.5
