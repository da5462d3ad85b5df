"""`pretextual doctor`: what is installed, what the machine has, how fast it multiplies."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from typing import Any

import click

from pretextual.cli.options import json_option
from pretextual.cli.output import result, result_json, say, table
from pretextual.core.artifacts import cache_folder

_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "pydantic")


@click.command("doctor")
@click.option("--no-measure", is_flag=True, help="Show what is known; measure nothing.")
@json_option
def command(no_measure: bool, as_json: bool) -> None:
    """Show versions, cores, memory, GPU and the measured rate of a matrix product.

    The rate is kept; `check` estimates times from it, and training shows its own speed as a share of it.
    """
    from pretextual import __version__

    facts: dict[str, Any] = {
        "pretextual": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: version_of(name) for name in _PACKAGES},
        "cache": str(cache_folder()),
        "cache_free_bytes": shutil.disk_usage(_existing(cache_folder())).free,
        "memory_bytes": memory_bytes(),
    }
    if not no_measure:
        say("measuring matrix products, about a second each")
    facts |= _machine(measure=not no_measure)
    if as_json:
        result_json(facts)
        return
    result(table([(name.replace("_", " "), _shown(name, value)) for name, value in facts.items()]))


def version_of(name: str) -> str | None:
    """The installed version, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def memory_bytes() -> int | None:
    """Physical memory, or None where the platform does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _existing(path: os.PathLike[str]) -> str:
    folder = os.path.abspath(path)  # noqa: PTH100 - Path.resolve would follow a missing cache's links
    while not os.path.isdir(folder):  # noqa: PTH112
        folder = os.path.dirname(folder)  # noqa: PTH120
    return folder


def _machine(*, measure: bool) -> dict[str, Any]:
    """Threads, GPU and rates, as torch sees them."""
    import torch

    from pretextual.core.rates import known_rates
    from pretextual.train.device import usable_cores
    from pretextual.train.machine import peak_rate

    facts: dict[str, Any] = {
        "cores": usable_cores(),
        "threads": torch.get_num_threads(),
        "gpu": None,
    }
    places = [(torch.device("cpu"), "fp32")]
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        facts |= {"gpu": properties.name, "gpu_memory_bytes": properties.total_memory}
        places += [(torch.device("cuda"), "fp32"), (torch.device("cuda"), "bf16")]
    if measure:
        for device, precision in places:
            peak_rate(device, precision, usable_cores(), fresh=True)
    facts["flops_per_second"] = known_rates()
    return facts


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "none"
    if name.endswith("_bytes"):
        return f"{value / 1e9:,.1f} GB"
    if name == "flops_per_second":
        rates = [f"{rate / 1e9:,.0f} GFLOP/s ({key})" for key, rate in value.items()]
        return "; ".join(rates) or "not measured"
    return str(value)
