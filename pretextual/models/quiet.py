"""Transformers and its Hub client without their bars, reports and retries: what matters of them we say ourselves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from huggingface_hub.utils import logging as hub_logging
from transformers.utils import logging


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Only errors are logged, and no bars are drawn, inside the block."""
    # The Hub's client would tell of every one of its attempts to reach it.
    hub_verbosity = hub_logging.get_verbosity()
    hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        hub_logging.set_verbosity(hub_verbosity)
        if bars:
            logging.enable_progress_bar()
