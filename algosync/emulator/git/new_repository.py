"""The files of a new algorithm's repository (PLATFORM.md §5)."""

import json

from algosync.emulator.records.environments import EnvironmentKind

ADK_SOURCE = """\
from Algorithmia import ADK


# `apply` gets the input of every call; what it returns is the answer.
def apply(input):
    return "hello {}".format(str(input))


algorithm = ADK(apply)
algorithm.init("Algorithmia")
"""

ADK_TEST = """\
from .__ALGO__ import apply


def test_algorithm():
    assert apply("Jane") == "hello Jane"
"""

PLAIN_SOURCE = """\
import Algorithmia


# `apply` gets the input of every call; what it returns is the answer.
def apply(input):
    return "hello {}".format(str(input))
"""

PLAIN_TEST = """\
from . import __ALGO__


def test_algorithm():
    assert __ALGO__.apply("Jane") == "hello Jane"
"""


def template(kind: EnvironmentKind, owner: str, name: str, *, plain: bool = False) -> dict[str, bytes]:
    """The files of a new repository, by path. With `plain`, they are as before the platform had the ADK."""
    has_adk = kind.has_adk and not plain
    # The platform misspells `langauge`. Environments with a framework have the older name of the language.
    language = {"python2": "python-2.x-1", "python3": "python3"}[kind.language]
    conf = {"username": owner, "algoname": name, "langauge": "python-3.x-1" if kind.framework else language}
    requirements = ["algorithmia>=1.0.0,<2.0", "six"] + ([kind.framework] if kind.framework else [])
    files = {
        "algorithmia.conf": json.dumps(conf, indent=4) + "\n",
        "requirements.txt": "\n".join(requirements) + "\n",
        "src/__init__.py": "",
        f"src/{name}.py": ADK_SOURCE if has_adk else PLAIN_SOURCE,
        f"src/{name}_test.py": (ADK_TEST if has_adk else PLAIN_TEST).replace("__ALGO__", name),
    }
    if has_adk:
        files[".adk"] = ""
    return {path: text.encode() for path, text in files.items()}
