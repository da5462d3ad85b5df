"""YAML as people mean it."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pretextual.core.errors import ConfigError
from pretextual.core.yaml_source import Mapping, Scalar, plain, read_yaml, write_inline


def value_of(text: str):
    return plain(read_yaml(f"v: {text}", "x.yaml"))["v"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1e6", 1e6),
        ("1.0e6", 1e6),
        ("1E+3", 1e3),
        (".5", 0.5),
        ("5.", 5.0),
        ("-0.25", -0.25),
        ("10_000", 10000),
        ("1_0.5", 10.5),
        ("012", 12),
        ("-7", -7),
        ("0x1F", 31),
        ("0o17", 15),
        ("1:30", "1:30"),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("30m", "30m"),
        ("2024-01-01", "2024-01-01"),
        ("1__0", "1__0"),
        ('"1e-4"', "1e-4"),
        ("'no'", "no"),
    ],
)
def test_scalars_are_read_as_documented(text, value):
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


def test_special_floats_are_numbers_that_configs_refuse():
    assert value_of(".inf") == math.inf
    assert math.isnan(value_of(".nan"))


def test_every_key_and_value_knows_its_place():
    root = read_yaml("a: 1\nb:\n  c: [x, y]\n", "dir/my.yaml")
    assert isinstance(root, Mapping)
    inner = root.entries[1].value
    assert isinstance(inner, Mapping)
    assert str(inner.entries[0].place) == "dir/my.yaml:3:3"
    assert str(inner.entries[0].value.items[1].place) == "dir/my.yaml:3:10"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: 1\nb: 2\na: 3\n", "C002", "f.yaml:3:1"),
        ("a: {b: 1, b: 2}\n", "C002", "f.yaml:1:11"),
        ("a: !!int 3\n", "C003", "f.yaml:1:4"),
        ("a: !!python/object/apply:os.system [ls]\n", "C003", "f.yaml:1:4"),
        ("? [x]\n: 1\n", "C003", "f.yaml:1:3"),
        ("&x a: &y [*y]\n", "C003", "f.yaml:1:7"),
        ("a: 1\n---\nb: 2\n", "C003", "f.yaml:2:1"),
        ("a: [1\n", "C001", "f.yaml:2:1"),
        ("a: b: c\n", "C001", "f.yaml:1:5"),
        ("a:\n\tb: 1\n", "C001", "f.yaml:2:1"),
    ],
)
def test_what_is_refused_names_its_place(text, code, place):
    with pytest.raises(ConfigError) as caught:
        read_yaml(text, "f.yaml")
    assert (caught.value.problems[0].code, caught.value.problems[0].where) == (code, place)


def test_all_duplicate_keys_are_found_at_once():
    with pytest.raises(ConfigError) as caught:
        read_yaml("a: 1\na: 2\nb: {c: 1, c: 2}\n", "f.yaml")
    assert [problem.where for problem in caught.value.problems] == ["f.yaml:2:1", "f.yaml:3:11"]


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
)


@given(value=scalars | st.lists(scalars, max_size=5))
@example(value="a\u2028b")
@example(value="\x85")
def test_what_is_written_reads_back_equal(value):
    line = f"v: {write_inline(value)}  # why"
    assert "\n" not in line
    found = plain(read_yaml(line, "x"))["v"]
    assert found == value
    assert type(found) is type(value)


@given(text=st.text("0123456789.eE+-_:~xobn", max_size=8))
def test_a_text_is_never_written_as_something_else(text):
    assert value_of(write_inline(text)) == text


@given(text=st.text("0123456789.eE+-", min_size=1, max_size=8))
def test_numbers_agree_with_python(text):
    """Whatever Python reads as a float is the same number here (Python reads nothing more than we do)."""
    node = read_yaml(f"v: [{text}]", "x") if not text.startswith(("-", ".")) else None
    if node is None:
        return
    found = plain(node)["v"][0]
    try:
        wanted = float(text)
    except ValueError:
        assert isinstance(found, str)
        return
    assert found == wanted or (math.isinf(wanted) and math.isinf(found))


def test_quoted_scalars_are_texts():
    root = read_yaml('a: "5"\nb: 5\n', "x")
    assert isinstance(root, Mapping)
    quoted, bare = (entry.value for entry in root.entries)
    assert isinstance(quoted, Scalar) and quoted.quoted and quoted.value == "5"
    assert isinstance(bare, Scalar) and not bare.quoted and bare.value == 5
