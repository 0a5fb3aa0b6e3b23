"""Ignored files: files in a source folder or archive that are not part of the source.

The defaults are virtual environments, and files that version control, Python and macOS leave behind. The file `.algosyncignore` at
the top of a source adds patterns in the syntax of `.gitignore`; `!pattern` re-includes a path. A source's `.gitignore` is not used:
it often names files that an algorithm needs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import field

from algosync.core.error import SourceError
from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.core.tree import folders_above

__all__ = ["ENVIRONMENT_FILE", "IGNORE_FILE", "IgnoreRules", "ignored_by_name"]

IGNORE_FILE = ".algosyncignore"
ENVIRONMENT_FILE = "pyvenv.cfg"
"""Lies at the top of every virtual environment, whatever the environment's name (PEP 405)."""

_GIT = ".git"
_NAMES = frozenset({_GIT, ".DS_Store", "__MACOSX", "__pycache__", ".venv"})
_COMPILED = (".pyc", ".pyo")
_APPLE_DOUBLE = "._"  # macOS stores a file's attributes in a second file of this name
_SIZE_LIMIT = 64 << 10  # bytes of the ignore file
_PATTERN_LIMIT = 1000
_STAR_LIMIT = 5  # in one pattern; the time of a match grows with this power of the path's length


def ignored_by_name(name: str) -> bool:
    """Whether a file or folder of this name is ignored by default."""
    return name in _NAMES or name.endswith(_COMPILED) or name.startswith(_APPLE_DOUBLE)


@dataclass(slots=True)
class IgnoreRules:
    """The defaults, and the patterns of an ignore file. Paths are relative to the top of the source.

    As with git, nothing below an ignored folder can be re-included. `.git` can never be re-included: git stores no such path.
    SourceError: the ignore file is not UTF-8, is too large, or a pattern is invalid.
    """

    text: bytes = b""
    _spec: _Patterns | None = field(init=False, repr=False)
    _folders: dict[str, str | None] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self._spec = _Patterns(_patterns(self.text)) if self.text.strip() else None

    def ignores(self, path: str, *, folder: bool = False, environment: bool = False) -> bool:
        """Whether the path itself is ignored; its parents are not considered. `environment`: it is a virtual environment."""
        name = path.rpartition("/")[2]
        if name == _GIT:
            return True
        decided = self._spec.decide(f"{path}/" if folder else path) if self._spec else None
        return environment or ignored_by_name(name) if decided is None else decided

    def topmost(self, path: str, environments: Collection[str], *, folder: bool = False) -> str | None:
        """The topmost ignored path among a path and the folders above it; a folder ends with `/`. None: the path is kept."""
        for above in folders_above(path):
            if (found := self._topmost_folder(above, environments)) is not None:
                return found
        if folder:
            return self._topmost_folder(path, environments)
        return path if self.ignores(path) else None

    def _topmost_folder(self, path: str, environments: Collection[str]) -> str | None:
        if path not in self._folders:
            ignored = self.ignores(path, folder=True, environment=path in environments)
            self._folders[path] = f"{path}/" if ignored else None
        return self._folders[path]


class _Patterns:
    """Patterns in the syntax of `.gitignore`, matched against one path and not against the folders above it.

    pathspec's own matching of a list takes a pattern that matches a folder to match everything below it. git does not: below a
    folder that was re-included, each path is decided separately.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

        try:
            parsed = [GitIgnoreSpecPattern(_deepest(pattern)) for pattern in patterns]
        except (ValueError, re.error) as error:
            raise SourceError(f"{IGNORE_FILE} has an invalid pattern: {printable(str(error), 200)}") from None
        self._rules = [(p.include, _whole(p.regex.pattern)) for p in parsed if p.include is not None and p.regex is not None]

    def decide(self, path: str) -> bool | None:
        """True: ignored. False: re-included. None: no pattern matches. The path of a folder ends with `/`."""
        return next((ignored for ignored, rule in reversed(self._rules) if rule.search(path)), None)


def _deepest(pattern: str) -> str:
    """A trailing `/**/` means the folders at any depth below, which pathspec reads as files, too."""
    return f"{pattern.removesuffix('/**/')}/**/*/" if pattern.endswith("/**/") else pattern


def _whole(expression: str) -> re.Pattern[str]:
    """pathspec's expression for a path or a prefix of it, changed to match the whole path only."""
    return re.compile(f"{expression}." if expression.endswith("/") else rf"{expression}\Z")


def _patterns(text: bytes) -> list[str]:
    if len(text) > _SIZE_LIMIT:
        raise SourceError(f"{IGNORE_FILE} is larger than {_SIZE_LIMIT} bytes")
    try:
        lines = text.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SourceError(f"{IGNORE_FILE} is not UTF-8") from None
    patterns = [line for line in lines if line.strip() and not line.startswith("#")]
    if len(patterns) > _PATTERN_LIMIT:
        raise SourceError(f"{IGNORE_FILE} has more than {_PATTERN_LIMIT} patterns")
    for pattern in patterns:
        if len(re.findall(r"\*+", pattern)) > _STAR_LIMIT:
            raise SourceError(f"{IGNORE_FILE} has a pattern with more than {_STAR_LIMIT} stars: {printable(pattern, 100)}")
    return patterns
