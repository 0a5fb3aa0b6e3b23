"""The syntaxes of workflow files. Both readers return nodes with their places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Node

__all__ = ["read_nodes"]


def read_nodes(text: str, syntax: Literal["json", "yaml"], faults: Faults) -> Node:
    """As of `read_json` or `read_yaml`. Only the reader that is used is imported, because commands have to start fast."""
    if syntax == "json":
        from algosync.workflow.parsing.json_reader import read_json

        return read_json(text, faults)
    from algosync.workflow.parsing.yaml_reader import read_yaml

    return read_yaml(text, faults)
