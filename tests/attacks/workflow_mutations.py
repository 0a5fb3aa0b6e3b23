"""Workflow texts for fuzzing: valid and broken ones, mutated by bytes, pieces, tokens, lines and structure."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["BROKEN", "EXAMPLES", "KEY", "document_text", "mutated", "with_pieces"]

EXAMPLES = Path(__file__).parents[2] / "workflows"
BROKEN = Path(__file__).parents[1] / "workflow" / "broken"

EVERYTHING: dict[str, Any] = {
    "source_info": {"cluster_address": "https://api.example.com"},
    "algorithm_owner": "quality",
    "variables": {"cluster": {"default": "test", "description": "of it"}},
    "test_info": {
        "entrypoint": "B",
        "tests": [{"name": "t", "payload": {"to": ["<algo>", 1.50]}, "timeout": 60}, {"name": "u", "payload": 1}],
    },
    "algorithms": [
        {
            "name": "A",
            "language": "python3",
            "code_path": "file://a.tar.gz",
            "data_files": ["data://.my/models/m.pb"],
            "test_payload": None,
            "depends_on": [],
        },
        {
            "name": "B",
            "environment_name": "Python 3.7 + TensorFlow GPU 2.3",
            "code": "data://.my/code/B.tar.gz",
            "data_files": [{"source": "data://.my/models/ssd_v1.1.pb", "name": "model.pb"}, "data://me/models/x.pb"],
            "test_payload": {"a": [1, 1.0, True, None, "<algo>"]},
            "details": {"label": "A B", "summary": "", "tagline": "short"},
            "settings": {"source_visibility": "open", "license": "mit", "network_access": "isolated", "pipeline_enabled": False},
            "publish": {"version_type": "revision", "callability": "public", "release_notes": "fixed"},
            "depends_on": ["A"],
        },
    ],
    "run_only": False,
}
KEY = "simKEY/+of=5"  # an API key of the environment
# Texts that are inserted into a document without quotes.
RAW = ["1e999", "-0.0", "014", "NaN", "0x1F", "1_000", '"\\ud800"', '"\\u0000"', "{},", "*a"]
RAW += ["9" * 5000, "[" * 5000 + "]" * 5000, "!!str 1", '"sim\\u004bEY/+of=5"']
NAMES = ["..", "a/b", "A", "B", "b", "data://.my/a/b", "data://a/../c", "data://.my/a/..", "local"]
NAMES += ["file://", "file://..", "https://u:p@h", "http://127.1"]
ODD: list[Any] = [
    *NAMES,
    *(None, True, False, 0, -1, 3001, 10**30, 0.5, "", " ", "x" * 300),
    *("caf\u00e9", "cafe\u0301", "\u202e", "\x1b[31m", "\n", "<algo>", "<algo>" * 50, KEY, f"a {KEY}."),
    *([], {}, [[]], {"": 1}, [1, {"a": "<algo>"}], {"name": "A"}, {"source": "data://.my/a/b"}, ["A", "B"], ["B"], ["C"]),
    *(f"~raw{number}~" for number in range(len(RAW))),
]
PIECES = [
    *"{}[]:,\"'\\&*!|>#%@`-?~ \t\n\r\0",
    *(
        "\ufeff",
        "\U0001f600",
        "<<: ",
        "*a",
        "&a ",
        "!!str ",
        "---\n",
        "- ",
        "null",
        "NaN",
        "1e9",
        "014",
        "\\ud800",
        "{{",
        "{%",
        "\x85",
    ),
    *("\u2028", "é", "\x1b", "<algo>", "<<: *a\n", "...\n", "? ", ": ", KEY, "\\x", "\\u00", "  ", "\r\n"),
]
TOKEN = re.compile(r"\w+|[^\S\n]+|.", re.DOTALL)

TEXTS = {
    suffix: [
        [path.read_bytes() for path in paths if path.suffix == suffix and path.stat().st_size < 10_000] for paths in (right, wrong)
    ]
    for right, wrong in [(sorted(EXAMPLES.iterdir()), sorted(BROKEN.iterdir()))]
    for suffix in (".json", ".yaml")
}
DOCUMENTS = [json.dumps(EVERYTHING), *(text.decode() for text in TEXTS[".json"][0])]


def mutated(chance: random.Random, suffix: str) -> bytes:
    """Return the text of a `.json` or `.yaml` file."""
    way = chance.choice(["bytes", "text", "structure", "structure"])
    if way == "structure":
        return document_text(chance).encode("utf-8", "surrogatepass")
    origin = chance.choice(chance.choice(TEXTS[suffix]))
    if way == "bytes":
        return with_bytes(chance, origin)
    text = origin.decode("utf-8", "replace")
    if chance.random() < 0.1:
        other = chance.choice(chance.choice(TEXTS[suffix])).decode("utf-8", "replace")
        text = text[: chance.randint(0, len(text))] + other[chance.randint(0, len(other)) :]
    return chance.choice([with_pieces, with_tokens, with_lines])(chance, text).encode()


def with_bytes(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(changed))
        changed[at : at + chance.choice([0, 1, 1, 2, 16])] = chance.randbytes(chance.choice([0, 1, 1, 2]))
    return bytes(changed)


def with_pieces(chance: random.Random, text: str) -> str:
    for _ in range(chance.randint(1, 6)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.choice([0, 0, 1, 1, 5, 40]))
        piece = chance.choice([chance.choice(PIECES), text[start:end] * 2, "", text[end : end + 30]])
        text = text[:start] + piece + text[end:]
    return text


def with_tokens(chance: random.Random, text: str) -> str:
    tokens = TOKEN.findall(text)
    for _ in range(chance.randint(1, 4)):
        one, other = chance.randrange(len(tokens) + 1), chance.randrange(len(tokens) + 1)
        tokens[one : one + chance.choice([0, 1, 1, 3])] = tokens[other : other + chance.choice([0, 1, 1, 3])]
    return "".join(tokens)


def with_lines(chance: random.Random, text: str) -> str:
    lines = text.split("\n")
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(lines))
        line = lines[at]
        lines[at : at + 1] = chance.choice(
            [[], [line, line], ["  " + line], [line[1:]], ["\t" + line], ["# " + line], [line, "- " + line]]
        )
        lines = lines or [""]
    return "\n".join(lines)


def document_text(chance: random.Random) -> str:
    """Return a document with changed values, keys or structure, as JSON, which is valid YAML."""
    document = json.loads(chance.choice(DOCUMENTS))
    for _ in range(chance.choice([1, 1, 2, 3])):
        change(chance, chance.choice(list(containers(document))))
    text = json.dumps(document, indent=chance.choice([None, 1]), ensure_ascii=chance.random() < 0.5)
    for number, raw in enumerate(RAW):
        text = text.replace(f'"~raw{number}~"', raw)
    return text


def containers(value: Any) -> Iterator[Any]:
    """Yield all maps and lists in a value, including itself."""
    if isinstance(value, (dict, list)):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)


def change(chance: random.Random, container: Any) -> None:
    """Remove, copy, rename or replace one member."""
    keys = list(container) if isinstance(container, dict) else list(range(len(container)))
    if not keys:
        return
    key, other = chance.choice(keys), chance.choice(keys)
    match chance.randrange(6):
        case 0:
            del container[key]
        case 1:
            container[key] = container[other]
        case 2 if isinstance(key, str):
            container[chance.choice([key.upper(), key + "s", "", "<<", other])] = container.pop(key)
        case _:
            container[key] = copy.deepcopy(chance.choice(ODD))
