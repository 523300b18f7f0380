"""The floors of the house: a module imports from its own folder or from folders below it, never up, never round."""

import ast
from functools import cache
from pathlib import Path

import pytest

import minidurnn

HOUSE = Path(minidurnn.__file__).parent
FLOORS = (                                                    # from the roof down; one line is one floor
    "__main__", "command_line", "manual", "course", "__init__", "exercises", "plots", "bench", "experiments", "records",
    "training", "analysis", "gradcheck", "optim", "tasks", "networks", "cells", "scans", "kernels", "arrays",
)
CEILING = 250                                                 # lines of a module, which is one sitting


def floor(module):
    """The floor on which a module of the package stands, by its dotted name below minidurnn."""
    return module.partition(".")[0] or "__init__"


def modules(house=HOUSE):
    """Every module of the house by its dotted name below the package  ->  {name: path}."""
    named = {}
    for path in sorted(house.rglob("*.py")):
        parts = path.relative_to(house).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return named


@cache
def imported(text):
    """The imports in a module, whichever copy of the house it stands in."""
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Import, ast.ImportFrom))]


def imports(name, path, known):
    """The modules of the house that a module imports, wherever in it the import stands."""
    package = name.split(".") if path.name == "__init__.py" and name != "__init__" else name.split(".")[:-1]
    for node in imported(path.read_text(encoding="utf-8")):
        if isinstance(node, ast.Import):
            yield from (
                alias.name.partition(".")[2] or "__init__"
                for alias in node.names if alias.name.partition(".")[0] == "minidurnn"
            )
        elif isinstance(node, ast.ImportFrom):
            if not node.level and not (node.module or "").startswith("minidurnn"):
                continue
            stem = package[:len(package) - node.level + 1] if node.level else []
            words = (node.module or "").split(".") if node.level else node.module.split(".")[1:]
            base = ".".join([*stem, *filter(None, words)])
            for alias in node.names:
                deeper = f"{base}.{alias.name}" if base else alias.name
                yield deeper if deeper in known else base or "__init__"


def wrong_arrows(house=HOUSE):
    """Arrows that point up, and arrows of one floor that run in a circle, in words."""
    known, arrows = modules(house), {}
    for name, path in known.items():
        arrows[name] = {target for target in imports(name, path, known) if target != name}
        for target in arrows[name]:
            version = target == "__init__" and "import __version__" in path.read_text(encoding="utf-8")
            if FLOORS.index(floor(target)) < FLOORS.index(floor(name)) and not version:
                yield f"{name} imports {target}, which stands above it"
    for name in known:
        seen, todo = set(), {target for target in arrows[name] if floor(target) == floor(name)}
        while todo:
            target = todo.pop()
            if target == name:
                yield f"{name} imports itself by way of others on its floor"
                break
            if target not in seen:
                seen.add(target)
                todo |= {further for further in arrows.get(target, ()) if floor(further) == floor(name)}


def test_every_import_points_down():
    assert not list(wrong_arrows())


@pytest.mark.parametrize(("place", "line", "found"), [
    ("scans/plain.py", "from ..cells.rnn import RNN\n", "scans.plain imports cells.rnn"),
    ("arrays/trees.py", "def late():\n    from ..training import fit\n", "arrays.trees imports training"),
    ("cells/rnn.py", "import minidurnn.networks.deep\n", "cells.rnn imports networks.deep"),
    ("arrays/trees.py", "from .affine import rows\n", "imports itself by way of others"),
])
def test_an_arrow_that_points_up_or_round_is_found(place, line, found, tmp_path):
    for path in modules().values():
        copy = tmp_path / path.relative_to(HOUSE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8") + (line if str(path.relative_to(HOUSE)) == place else ""))
    assert any(found in wrong for wrong in wrong_arrows(tmp_path))


def test_every_floor_of_the_list_is_there_and_no_other():
    assert {floor(name) for name in modules()} == set(FLOORS)


def test_a_module_is_one_sitting():
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    assert {name: lines for name, lines in lengths.items() if lines > CEILING} == {}
