"""The table of all commands, and the answers to `--version` and `--help`, which need nothing else.

This module imports no library, so that these answers come at once.
"""

from __future__ import annotations

import shutil

from algosync import __version__

__all__ = ["COMMANDS", "SUMMARY", "names_in", "prompt_answer"]

SUMMARY = "Export algorithms from one Algorithmia cluster to another, declaratively, and prove that they work there."

COMMANDS = {
    "validate": ("commands.validate", "Check a workflow file; show every fault with its location."),
    "render": ("commands.render", "Show a rendered template, with sensitive variables as ***."),
    "plan": ("commands.plan", "Show what apply would change at the destination."),
    "show": ("commands.show", "Show a saved plan; without FILE, everything that is recorded."),
    "apply": ("commands.apply", "Make the needed changes and run the tests."),
    "destroy": ("commands.destroy", "Delete everything that the state records."),
    "test": ("commands.test", "Run the tests on what is published and remember the results."),
    "compare": ("commands.compare", "Compare the answers of the source and of the destination."),
    "drift": ("commands.drift", "Show how the destination differs from what was last applied."),
    "import": ("commands.import_", "Record what is at the destination already."),
    "history": ("commands.history", "List what was done with a workflow, the newest last."),
    "versions": ("commands.versions", "List the published versions of an algorithm, the newest first."),
    "rollback": ("commands.rollback", "Publish an earlier version again."),
    "graph": ("commands.graph", "Show algorithms, data files and dependencies as a graph."),
    "doctor": ("commands.doctor", "Check clusters, keys, git, state and this machine."),
    "schema": ("commands.schema", "Show the JSON Schema of a document, or list the schemas."),
    "state": ("", "Look at what is recorded, and change it."),
    "state list": ("state.list_records", "List what is recorded."),
    "state show": ("state.show", "Show what is recorded of one resource, or of an algorithm."),
    "state mv": ("state.mv", "Rename a recorded algorithm."),
    "state rm": ("state.rm", "Forget what is recorded."),
    "state rename": ("state.rename", "Keep a state under the name of another workflow."),
    "state pull": ("state.pull", "Print the whole state as JSON, as `algosync state push` takes it."),
    "state push": ("state.push", "Replace the whole state by one from a file."),
    "state unlock": ("state.unlock", "Release the lock of a state whose command was killed."),
    "emulator": ("", "Manage local clusters, their users and their keys."),
    "emulator start": ("local.start", "Start a local cluster, or use the one that runs."),
    "emulator stop": ("local.stop", "Stop the local cluster and everything that it runs."),
    "emulator status": ("local.status", "List local clusters, and which of them run."),
    "emulator reset": ("local.reset", "Stop the local cluster and remove all its data, users and keys."),
    "emulator logs": ("local.logs", "Show the server's output since its start, and all requests."),
    "emulator env": ("local.env", "Print the variables that other clients need, for a shell."),
    "emulator user": ("", "Users of a local cluster."),
    "emulator user add": ("local.user_add", "Create a user with an API key, or add a user to organizations."),
    "emulator key": ("", "API keys of a local cluster."),
    "emulator key add": ("local.key_add", "Create an API key."),
    "emulator key list": ("local.key_list", "List the API keys by a short id, with user, rights and expiry."),
    "emulator key remove": ("local.key_remove", "Remove an API key."),
}
"""Every command: its module in `algosync.cli`, and the first sentence of its help.

The function in the module has the module's name. A group of commands has no module; its commands begin with its name.
"""

_COLUMNS = 80
_HEAD = """\
Usage: algosync [OPTIONS] COMMAND [ARGS]...

  Export algorithms from one Algorithmia cluster to another, declaratively,
  and prove that they work there.

Options:
  --chdir DIR           Change to this folder first.
  --debug               Log every request; show tracebacks.
  --version             Show the version.
  --install-completion  Install completion for the current shell.
  --show-completion     Show completion for the current shell, to copy it or
                        customize the installation.
  -h, --help            Show this message and exit.

Commands:
"""


def names_in(group: str) -> list[str]:
    """The commands of a group by their last word, in the order of the table. "" is the whole program."""
    return [name for path in COMMANDS for parent, _, name in [path.rpartition(" ")] if parent == group]


def prompt_answer(arguments: list[str]) -> str | None:
    """What `--version` and the help of the whole program print. None for other arguments and narrow terminals."""
    if arguments == ["--version"]:
        return f"algosync {__version__}\n"
    if arguments in (["--help"], ["-h"]) and shutil.get_terminal_size().columns >= _COLUMNS:
        names = names_in("")
        width = max(map(len, names))
        return _HEAD + "".join(f"  {name:{width}}  {COMMANDS[name][1]}\n" for name in names)
    return None
