"""Checks of the workflow file, and of what it needs at the destination."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from algosync.cli.doctor.examination import NotExaminedError, finding
from algosync.core.diagnosis import Diagnosis
from algosync.core.error import NotFound, SourceError, UsageError, WorkflowError
from algosync.core.text import plural, printable

if TYPE_CHECKING:
    from algosync.cli.doctor.examination import Examination

__all__ = ["algorithms", "environments", "workflow"]


def workflow(examination: Examination) -> Iterator[Diagnosis]:
    """The workflow file is valid, and so are the local code and data that it names. Without a file the other checks go on."""
    from algosync.cli.workflow_file import find_workflow, load_workflow

    options = examination.options
    try:
        find_workflow(options)
    except UsageError as error:
        if options.workflow or options.environ.get("WORKFLOW_NAME"):
            raise
        yield finding("note", f"none is examined: {error.message}", error.hint)
        return
    try:
        loaded = load_workflow(options, examination.terminal, local_files=True, stand_ins=True)
    except WorkflowError:
        # If only local files are missing, the other checks still need the workflow.
        with suppress(WorkflowError):
            examination.loaded = load_workflow(options, examination.terminal, stand_ins=True)
        raise
    examination.loaded = loaded
    count = plural(len(loaded.workflow.algorithms), "algorithm")
    yield finding("ok", f"{loaded.workflow.name} ({printable(str(loaded.path))}): {count}")


def algorithms(examination: Examination) -> Iterator[Diagnosis]:
    """The key may manage algorithms, as far as reading them tells. With `run_only` they are there."""
    site = examination.site("DESTINATION")
    client, found = site.connected().algorithms, examination.workflow
    if found is None:
        raise NotExaminedError("needs a workflow")
    owner, there, missing = found.owner or site.owners[0], [], []
    for spec in found.algorithms:
        try:
            client.read(owner, spec.name)
            there.append(spec.name)
        except NotFound:
            missing.append(spec.name)
    if missing and found.run_only:
        raise SourceError(
            f"not at the destination: {', '.join(missing)}", hint="run_only expects them to be there; leave it out to create them"
        )
    yield finding(
        "ok", f"{len(there)} of {plural(len(found.algorithms), 'algorithm')} of {printable(owner)} are there; the key may read them"
    )


def environments(examination: Examination) -> Iterator[Diagnosis]:
    """The destination offers an environment for every algorithm."""
    from algosync.core.environment import choose

    offered = examination.site("DESTINATION").connected().algorithms.environments()
    if not offered:
        raise SourceError("the destination offers no environments", hint="an administrator of the cluster has to add some")
    found = examination.workflow
    languages = dict.fromkeys(spec.language for spec in found.algorithms) if found and not found.run_only else {}
    if not languages:
        yield finding("ok", f"the destination offers {plural(len(offered), 'environment')}")
    for language in languages:
        try:
            chosen = choose(language, offered, None)
        except SourceError as error:
            yield finding("failed", error.message, error.hint)
        else:
            yield finding("ok", f"{printable(language)} is {printable(chosen.display_name, 80)}")
