"""Whether the Hub can be reached, asked before its client tries for half a minute."""

from __future__ import annotations

import functools
import os
import socket
import urllib.parse

_PATIENCE_SECONDS = 3.0


@functools.cache
def hub_answers() -> bool:
    """Whether something answers at the Hub's address; where a proxy stands between, it is taken to.

    Where it does not, names are looked for among the files kept from earlier: pass `local_files_only`.
    """
    from huggingface_hub import constants

    proxies = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    if any(os.environ.get(name) for name in proxies):
        return True
    address = urllib.parse.urlsplit(constants.ENDPOINT)
    port = address.port or (80 if address.scheme == "http" else 443)
    try:
        socket.create_connection((address.hostname or "", port), _PATIENCE_SECONDS).close()
    except OSError:
        return False
    return True
