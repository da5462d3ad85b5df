"""A full disk is recognised whoever says so."""

import errno

import pytest

from pretextual.core.disk import is_disk_full


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_full_in_both_languages(number):
    assert is_disk_full(OSError(number, "full"))
    assert is_disk_full(
        RuntimeError(f"Error while serializing: I/O error: full (os error {number})")
    )


def test_other_troubles_are_no_full_disk():
    assert not is_disk_full(OSError(errno.EACCES, "denied (os error 28)"))
    assert not is_disk_full(RuntimeError("I/O error: denied (os error 13)"))
    assert not is_disk_full(ValueError("28"))
