"""What writing to a full disk looks like."""

from __future__ import annotations

import errno
import re
from typing import Final

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_disk_full(error: BaseException) -> bool:
    """Whether an exception says that the disk, or the user's share of it, is full.

    Libraries written in Rust (safetensors, tokenizers) raise errors of their own, which name the number in words.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL
    said = re.search(r"\(os error (\d+)\)", str(error))
    return said is not None and int(said[1]) in _FULL
