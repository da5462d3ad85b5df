"""The wheel holds what an installation needs, and its command runs from nowhere near the sources."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_lock_satisfies_the_ranges():
    from importlib.metadata import version

    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    asked = [Requirement(text) for text in project["dependencies"]]
    for extra in ("test", "dev", "track"):
        found = [Requirement(text) for text in project["optional-dependencies"][extra]]
        asked += [one for one in found if one.name != "pretextual"]
    for requirement in asked:
        pin = pins[requirement.name.lower().replace("_", "-")]
        assert pin in requirement.specifier, requirement
        assert version(requirement.name).split("+")[0] in requirement.specifier
    assert not any("+" in pin or "nvidia" in name for name, pin in pins.items())


@pytest.mark.slow
def test_a_wheel_works_away_from_the_sources(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    (source / "pretextual").symlink_to(ROOT / "pretextual")
    subprocess.run([*build, "-w", str(tmp_path), str(source)], check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for recipe in (ROOT / "pretextual" / "recipes").glob("*.yaml"):
        assert f"pretextual/recipes/{recipe.name}" in names
    for data in (ROOT / "pretextual").rglob("*"):
        inside = data.relative_to(ROOT).as_posix()
        if data.is_file() and "__pycache__" not in inside:
            assert inside in names, f"{inside} is missing in the wheel"
    site = tmp_path / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(site),
    ]
    subprocess.run([*install, str(wheel)], check=True, timeout=300)
    script = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "import pretextual; assert 'site' in pretextual.__file__, pretextual.__file__\n"
        "from pretextual.cli.main import run\n"
        "sys.exit(run(['recipes', 'bert']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "architecture: bert" in done.stdout
