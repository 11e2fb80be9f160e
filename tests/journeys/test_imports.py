"""The journey knows the application only from outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]


def imported_by(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever it stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import hides what it names"
            module = str(node.module)
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def files_behind(path: Path) -> Iterator[Path]:
    """The file and the files of ``tests`` that it imports, directly or not."""
    todo, seen = [path], set()
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        yield here
        for name in imported_by(here):
            if name.split(".")[0] == "tests":
                file = ROOT.joinpath(*name.split(".")).with_suffix(".py")
                if file.exists():
                    todo.append(file)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.name)
def test_the_journey_imports_nothing_of_govern(path: Path) -> None:
    for file in files_behind(path):
        guilty = {name for name in imported_by(file) if name.split(".")[0] == "govern"}
        assert not guilty, f"{file.relative_to(ROOT)} imports {guilty}"
