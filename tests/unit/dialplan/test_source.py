"""What is not plain YAML of a modest size is refused at once, with its place and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.dialplan.source import MAX_BYTES, read_yaml
from callcenter.errors import DialplanError

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
GROWING = "".join(
    ["a0: &a0 [" + ", ".join(["x"] * 900) + "]\n", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 10))]
)


def refused(tmp_path: Path, text: str) -> tuple[str, str]:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(DialplanError) as caught:
        read_yaml(path)
    assert caught.value.where is not None
    assert caught.value.mend
    return caught.value.where.removeprefix(f"{path}:"), caught.value.message


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ('dialplan: !!python/object/apply:os.system ["id"]\n', "1:11", "a tag: tag:yaml.org,2002:python/object/apply"),
        ("a: !own x\n", "1:4", "a tag: !own"),
        ("a: " + "[" * 5000 + "\n", "1:33", "nested more than 30 deep"),
        ("a: " + "[" * 5000 + "]" * 5000 + "\n", "1:33", "nested more than 30 deep"),
        ("".join("  " * n + f"k{n}:\n" for n in range(500)), "31:61", "nested more than 30 deep"),
        (BOMB, "4:", "too many aliases (*name)"),
        (GROWING, "", "too many values"),
        ("a: &a [*a]\n", "1:8", "'*a' stands within itself"),
        ("a: &a\n  b: *a\n", "2:6", "'*a' stands within itself"),
        ("a" * (MAX_BYTES + 1), "1:1", "is larger than 256 KB"),
        ("a: \x00\n", "1:1", ""),
        ("a: 1\n%YAML 9.9\n---\na: 1\n", "2:1", "a YAML version"),
        ("? [a, b]\n: x\n", "1:3", "a key that is no word"),
        ("a: {b: [], {c: d}: x}\n", "1:12", "a key that is no word"),
        ("a: &a [x]\n*a : x\n", "2:1", "a key that is no word"),
    ],
)
def test_refused(tmp_path: Path, text: str, where: str, message: str) -> None:
    place, told = refused(tmp_path, text)
    assert place.startswith(where)
    assert told.startswith(message)


def test_an_alias_or_two_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("base: &base {kind: repair}\none: *base\ntwo:\n  <<: *base\n  urgency: normal\n")
    document = read_yaml(path)
    assert document.value["one"] == {"kind": "repair"}
    assert document.value["two"] == {"kind": "repair", "urgency": "normal"}
    assert document.position(("two", "urgency")) == (5, 12)
    assert document.position(("two", "kind"))[0] >= 3
