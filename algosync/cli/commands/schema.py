"""`algosync schema`: show the JSON Schema of a document that algosync reads or writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

__all__ = ["schema"]

SchemaName = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="The document. Default: list all of them.", show_default=False),
]


@command
def schema(terminal: Terminal, name: SchemaName = None) -> None:
    """Show the JSON Schema of a document, or list the schemas."""
    import json

    from algosync.core.error import UsageError
    from algosync.core.text import printable
    from algosync.workflow.section import nearest

    files = _files()
    if name is None:
        width = max(map(len, files))
        for each, file in files.items():
            description = json.loads(file.read_text("utf-8"))["description"]
            terminal.result(f"{each:{width}}  {description.partition('. ')[0].removesuffix('.')}")
        return
    if name not in files:
        hint = nearest(name, files) or f"use one of: {', '.join(files)}"
        raise UsageError(f"there is no schema {printable(name, 80)}", hint=hint)
    terminal.verbatim(files[name].read_text("utf-8").removesuffix("\n"))


def _files() -> Mapping[str, Traversable]:
    """The files of the schemas by name. They are data of the package."""
    from importlib.resources import files

    found = (file for file in (files("algosync") / "schemas").iterdir() if file.name.endswith(".json"))
    return {file.name.removesuffix(".json"): file for file in sorted(found, key=lambda file: file.name)}
