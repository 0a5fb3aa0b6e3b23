"""One cell of the matrix: an apply with a fault, the same command again if it stopped, and the resulting destination.

The destination is read with our own client and git, never from algosync's state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from forking import Done
from matrix import Cell
from reference import ALGORITHMS, FILES, SOURCES, Lane, Seat

from algosync.core.error import NotFound
from algosync.core.tree import Blob

__all__ = ["Outcome", "misbehaved", "not_met", "run_cell", "unreported_writes", "wrong_exit_code"]

Requests = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`first` is the run with the fault; `wrong` lists what must not happen."""

    cell: Cell
    first: Done
    wrong: tuple[str, ...]


def run_cell(cell: Cell, lane: Lane) -> Outcome:
    seat = lane.seat()
    lane.strike(*cell.rules(seat.user))
    with lane.requested() as requests:
        first = seat.apply()
    lane.strike()
    wrong = [*not_met(cell, requests), *wrong_exit_code(cell, first), *misbehaved(first), *unreported_writes(first, requests, seat)]
    if cell.name == "key expires":
        seat.renew_keys()
    runs = [first]
    if first.code:
        wrong += _wrong_versions(seat)
        with lane.requested() as later:
            runs.append(seat.apply())
        requests += later
        wrong += misbehaved(runs[-1])
    if runs[-1].code == 0:
        wrong += [*_wrong_state(seat), *_wrong_versions(seat), *_untested(seat, requests), *_left_behind(seat)]
    else:
        wrong.append(f"the same command does not converge: {runs[-1].err}")
    if (plan := seat.run("plan")).code or "\nNo changes. " not in plan.out:
        wrong.append(f"exit {plan.code} of the plan afterwards: {plan.out}{plan.err}")
    seat.clear()
    return Outcome(cell, first, tuple(wrong))


def not_met(cell: Cell, requests: Requests) -> Iterator[str]:
    """A cell proves nothing if its fault meets no request. A request that takes too long is logged when the run may have ended."""
    if cell.fault.kind != "late" and not any(request.get("fault") for request in requests):
        yield "no request met the fault"


def wrong_exit_code(cell: Cell, run: Done) -> Iterator[str]:
    if run.code not in cell.call.ends(cell.name):
        yield f"exit {run.code}, not {sorted(cell.call.ends(cell.name))}: {run.err}"


def misbehaved(run: Done) -> Iterator[str]:
    output = run.out + run.err
    if "Traceback" in output or "a fault in algosync itself" in output:
        yield f"a bug shows: {output}"
    if (run.code != 0) != ("Error: " in run.err):
        yield f"exit {run.code}, with {run.err}"
    if run.orphans:
        yield "something that it started still runs"


def unreported_writes(run: Done, requests: Requests, seat: Seat) -> Iterator[str]:
    """Exit 1 promises that nothing was written."""
    harmless = ("/v1/algo/", f"/git/{seat.user}/")
    done = [r for r in requests if str(r["status"]).startswith("2") and r["method"] not in ("GET", "HEAD")]
    written = [f"{r['method']} {r['path']}" for r in done if not str(r["path"]).startswith(harmless)]
    if run.code == 1 and written:
        yield f"exit 1, but {written}"


def _wrong_state(seat: Seat) -> Iterator[str]:
    if set(seat.api.data.files(seat.user, "Base")) != set(FILES):
        yield "other data files are there"
    for name, content in FILES.items():
        with seat.api.data.open(seat.user, "Base", name) as download:
            if b"".join(download.blocks) != content:
                yield f"{name} has other bytes"
    if (readers := seat.api.data.listing(seat.user, "Top").readers) != ("user://*",):
        yield f"other users can read the data: {readers}"
    for name in ALGORITHMS:
        if seat.api.algorithms.read(seat.user, name).settings["network_access"] != "isolated":
            yield f"{name} has other settings"
        version = seat.api.algorithms.published(seat.user, name)
        if version is None or version.commit != seat.repositories[name].head():
            yield f"{name}'s head is not what is published: {version}"


def _wrong_versions(seat: Seat) -> Iterator[str]:
    """In any case, the published version is right, and was built and published once."""
    for name in ALGORITHMS:
        versions = _listed(seat, name, "versions?published=true")
        builds = [str(build["commit_sha"]) for build in _listed(seat, name, "builds") if build["status"] != "failed"]
        if len(versions) > 1 or len(builds) > len(set(builds)):
            yield f"{name} has {len(versions)} versions, builds of {builds}"
        for version in versions:
            info = version["version_info"]
            assert isinstance(info, dict)
            tree = seat.repositories[name].tree(info["git_hash"])
            wanted = {path: Blob(data) for path, data in SOURCES[name].items()}
            if {p: b for p, b in tree.items() if p in wanted or p.startswith("src/") or p == ".adk"} != wanted:
                yield f"{name}: what is published is {sorted(tree)}"


def _listed(seat: Seat, name: str, what: str) -> Requests:
    try:
        body = seat.api.wire.json("GET", f"/v1/algorithms/{seat.user}/{name}/{what}").body
    except NotFound:
        return ()
    assert isinstance(body, dict)
    results: Requests = body["results"]
    return results


def _untested(seat: Seat, requests: Requests) -> Iterator[str]:
    """The published version had answered its payload before, and the workflow's test was run."""
    good = [f"{r['method']} {r['path']}".partition("?")[0] for r in requests if r["status"] == 200]
    for name in ALGORITHMS:
        version = seat.api.algorithms.published(seat.user, name)
        asked, published = f"POST /v1/algo/{seat.user}/{name}/", f"POST /v1/algorithms/{seat.user}/{name}/versions"
        if version and (f"{asked}{version.commit}" not in good[: good.index(published)] if published in good else True):
            yield f"{name} was published untested"
    version = seat.api.algorithms.published(seat.user, "Top")
    # The payload and the workflow's test call the commit. After a published Top the test calls the version.
    commit = f"POST /v1/algo/{seat.user}/Top/{version.commit if version else ''}"
    if good.count(commit) < 2 and f"POST /v1/algo/{seat.user}/Top/0.1.0" not in good:
        yield "the workflow's test was not made"


def _left_behind(seat: Seat) -> Iterator[str]:
    state = sorted(path.name.rpartition("~")[2] for path in (seat.folder / "state").glob("[!.]*"))
    wanted = [f"{seat.user}.json{end}" for end in ("", ".backup", ".lock", ".results", ".results.lock")]
    state = [name for name in state if name != f"{seat.user}.json.results.backup"]  # only after a second run with other results
    if state != wanted or any((seat.folder / "tmp").iterdir()):
        yield f"left behind: {state}, {list((seat.folder / 'tmp').iterdir())}"
