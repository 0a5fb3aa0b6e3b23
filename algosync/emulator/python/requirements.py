"""`requirements.txt`: what it asks for, and whether a folder of installed packages has it already."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path
from types import MappingProxyType

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from algosync.emulator.processes import untrusted_file

MAX_BYTES = 1024 * 1024
"""Of a list of requirements: thousands of lines with hashes."""

OPTIONS = re.compile(r"\s--(?:hash|global-option|config-settings?)\b.*")
PATH = re.compile(r"^[.~]|/|\.(?:whl|zip|tar|tgz|tbz|txz|tlz|tar\.(?:gz|bz2|xz|lz|lzma))(?:\[[^][]*\])?$", re.IGNORECASE)
"""What pip takes for a file or folder: slashes, and every ending of an archive."""

COMMENT = re.compile(r"\s*#")
REMOTE = re.compile(r"(?:(?:git|hg|svn|bzr)\+)?(?:https?|ssh)://[^/]", re.IGNORECASE)
"""The beginning of what is the same from wherever it is asked for."""

FLAGS = ("--no-index", "--pre", "--prefer-binary", "--require-hashes")
CHOICES = ("--no-binary", "--only-binary", "--trusted-host")
INDEXES = ("-i", "--index-url", "--extra-index-url")

HERE: Mapping[str, str] = MappingProxyType({})
"""Where markers say what they say of the Python that runs this."""


class RequirementsError(Exception):
    """A line that no installer would understand."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """`lines`: what is asked for, without comments: options, in their order, then the others, sorted. `text`: a list of just these
    lines, each where it first was, so that what pip says of a line's number is true of the list that was read. `named`: those
    that name packages of an index.

    Other lines are options, URLs and paths, which only an installer can judge; a `local` line refers to files beside
    the list, or may do so, so that the list alone does not say what it means.
    """

    lines: tuple[str, ...]
    text: str
    named: tuple[Requirement, ...]
    local: bool

    @property
    def plain(self) -> bool:
        """Whether names and versions say it all: no options, URLs or paths, which make another package of a name."""
        return len(self.named) == len(self.lines) and not any(each.url for each in self.named)

    def packages(self, markers: Mapping[str, str] = HERE) -> frozenset[tuple[str, frozenset[str]]]:
        """The packages it names, with their extras, where what markers ask for holds, given what `markers` says of a Python."""
        found = [each for each in self.named if _applies(each, markers)]
        return frozenset((canonicalize_name(each.name), frozenset(each.extras)) for each in found)


class _Installed(Distribution):
    """A package by the folder of its metadata, where its own code may have put pipes, devices and links."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read_text(self, filename: str | os.PathLike[str]) -> str | None:
        try:
            return untrusted_file.read(self._folder / filename, MAX_BYTES).decode("utf-8", "replace")
        except OSError:
            return None

    def locate_file(self, path: str | os.PathLike[str]) -> Path:
        return self._folder.parent / path


def read(path: Path) -> Requirements:
    """What the list in a file asks for; nothing, where there is none. Raises `RequirementsError`; `OSError` for no plain file.

    A byte order mark, which editors put before it, and pip leaves out, is no part of it.
    """
    try:
        return parse(untrusted_file.read(path, MAX_BYTES).decode("utf-8-sig", "replace"))
    except FileNotFoundError:
        return parse("")


def parse(text: str) -> Requirements:
    """Read a `requirements.txt`. Raises `RequirementsError`, in pip's words, for a line that is none."""
    options: list[str] = []
    others: set[str] = set()
    named: list[Requirement] = []
    placed: dict[int, str] = {}
    local = False
    for number, line in _logical_lines(text):
        if line.startswith("-") or line not in others:
            placed[number] = line
        # With what was before a comment as its end, it would go on in the next line for who reads it without.
        local = local or line.endswith("\\")
        if line.startswith("-"):
            options.append(line)
            local = local or not _is_remote(line)
            continue
        others.add(line)
        if _is_path(line):
            local = True
        elif "://" in line and "@" not in line.partition("://")[0]:
            local = local or not REMOTE.match(line)
        else:
            named.append(_requirement(OPTIONS.sub("", line), number))
    local = local or any(each.url and not REMOTE.match(each.url) for each in named)
    listed = "\n".join(placed.get(number, "") for number in range(1, max(placed, default=0) + 1))
    return Requirements((*options, *sorted(others)), listed, tuple(named), local)


def satisfied(requirements: Requirements, site_packages: Path, markers: Mapping[str, str] = HERE) -> bool:
    """Whether every line is met by what is installed in `site_packages`, markers and extras considered."""
    if not requirements.plain:
        return False
    try:
        packages = [_Installed(path) for kind in ("dist", "egg") for path in site_packages.glob(f"*.{kind}-info")]
        installed: dict[str, Distribution] = {canonicalize_name(found.metadata["Name"]): found for found in packages}
        return all(_met(each, installed, markers) for each in requirements.named if _applies(each, markers))
    except (ValueError, TypeError, AttributeError, RecursionError):
        # A package says of itself what none can: names and versions that are none, extras that need themselves.
        return False


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with the numbers they begin at, continued ones joined, comments and blanks left out: as pip does, or it would find
    others."""
    joined, first = "", 0
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        first = first or number
        if line.endswith("\\") and not COMMENT.match(line):
            joined += line.strip("\\")
            if number < len(lines):
                continue
        else:
            # A comment ends what is continued, and is none of it.
            joined += f" {line}" if COMMENT.match(line) else line
        # One blank before the comment: with all of them, a line of blanks takes a time that is quadratic in its length.
        content = re.sub(r"(^|\s)#.*$", "", joined).strip()
        if content:
            yield first, content
        joined, first = "", 0


def _is_remote(line: str) -> bool:
    """Whether all options of a line mean the same everywhere. Abbreviations, which pip takes, are none that are known here."""
    try:
        words = iter(shlex.split(line))
    except ValueError:
        return False
    for word in words:
        name, given, value = word.partition("=")
        if name in FLAGS and not given:
            continue
        value = value if given else next(words, "")
        if name not in CHOICES and not (name in INDEXES and REMOTE.match(value)):
            return False
    return True


def _is_path(line: str) -> bool:
    """Whether a line that is no option names a file or folder. Its marker and options may hold slashes of their own."""
    subject = OPTIONS.sub("", line).partition(";")[0].strip()
    return subject.startswith("file:") or ("://" not in line and PATH.search(subject) is not None)


def _requirement(line: str, number: int) -> Requirement:
    try:
        return Requirement(line)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise RequirementsError(
            f"ERROR: Invalid requirement: {line!r}: {reason} (from line {number} of requirements.txt)"
        ) from None


def _applies(requirement: Requirement, markers: Mapping[str, str], extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**markers, "extra": extra})


def _met(requirement: Requirement, installed: Mapping[str, Distribution], markers: Mapping[str, str]) -> bool:
    found = installed.get(canonicalize_name(requirement.name))
    if found is None or requirement.url or not requirement.specifier.contains(found.version, prereleases=True):
        return False
    wanted = [Requirement(text) for text in found.requires or []]
    return all(
        _met(each, installed, markers)
        for extra in requirement.extras
        for each in wanted
        if each.marker is not None and _applies(each, markers, extra) and not _applies(each, markers)
    )
