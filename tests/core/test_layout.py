"""The layout of the package: names that mean one thing, folders and files that one can survey."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "algosync"
MODULES = sorted(ROOT.rglob("*.py"))


def test_a_class_name_means_one_thing() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(module.relative_to(ROOT)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_a_folder_has_at_most_24_files() -> None:
    counts = {
        folder: len([path for path in folder.iterdir() if path.is_file()]) for folder in {module.parent for module in MODULES}
    }
    assert {str(folder.relative_to(ROOT)): count for folder, count in counts.items() if count > 24} == {}


def test_a_file_has_at_most_400_lines() -> None:
    lengths = {str(module.relative_to(ROOT)): len(module.read_text().splitlines()) for module in MODULES}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
