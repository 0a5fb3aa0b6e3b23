"""Reads `requirements.txt`: its options, its packages, and whether it refers to other files."""

import codecs
import contextlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from algosync.emulator.processes import untrusted_file

MAX_BYTES = 1024 * 1024
"""Largest list that is read. This is enough for thousands of lines with hashes."""

LINE_OPTIONS = re.compile(r"\s--(?:hash|global-option|config-settings?)\b.*")
"""Options that belong to one package, at the end of its line."""

PATH = re.compile(r"^[.~]|/|\.(?:whl|zip|tar|tgz|tbz|txz|tlz|tar\.(?:gz|bz2|xz|lz|lzma))(?:\[[^][]*\])?$", re.IGNORECASE)
"""Matches what installers take for a file or folder: a slash, or the suffix of an archive."""

NAMED_URL = re.compile(r"[\w.-]+\s*(?:\[[^][]*\])?\s*@\s*(.*)")
"""Matches `name[extra] @ URL`, which may also name a path."""

COMMENT = re.compile(r"\s*#")
REMOTE = re.compile(r"(?:(?:git|hg|svn|bzr)\+)?(?:https?|ssh)://[^/]", re.IGNORECASE)
"""Matches the start of a URL that means the same from every folder and machine."""

FLAGS = ("--no-index", "--pre", "--prefer-binary", "--require-hashes")
CHOICES = ("--no-binary", "--only-binary", "--trusted-host")
INDEXES = ("-i", "--index-url", "--extra-index-url")

UTF_16, UTF_32 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
BOMS: dict[str, bytes | tuple[bytes, ...]] = {"utf-8-sig": codecs.BOM_UTF8, "utf-32": UTF_32, "utf-16": UTF_16}
"""Byte order marks by encoding. Those of UTF-32 come first, because one of them begins like one of UTF-16."""

CODING = re.compile(rb"(?:.*\n)??#.*?coding[:=]\s*([-\w.]+)")
"""Matches a comment in the first two lines that declares the encoding, as in PEP 263."""

GLUED = re.compile(r"-[icref](?=[^\s=])")
"""Matches a short option directly before its value. uv requires a blank between them."""

LONG_OPTION = re.compile(r"--[a-z-]+")
LONG_OPTIONS = (*FLAGS, *CHOICES, *INDEXES[1:], "--constraint", "--editable", "--find-links", "--requirement", "--use-feature")
REFERENCE = re.compile(r"(?:-[rc]|--requirement|--constraint)[\s=]\s*(\S+)$")
"""Matches a line that refers to another list."""

Option = tuple[str, str]
"""Name without dashes, and value. The value of a flag is `1`."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """A list of requirements without comments.

    `lines` identifies the list: lines of options in their order, then lines of packages, sorted. `packages` is the text of the list
    with nothing but lines of packages, each at its original line number. `options` are those options that mean the same everywhere.
    A list is `local` if it refers, or may refer, to other files: then its lines alone do not tell what it means.
    """

    lines: tuple[str, ...]
    packages: str
    options: tuple[Option, ...]
    local: bool

    @property
    def names_repositories(self) -> bool:
        """Whether a package comes from a version control system, that is, always as source."""
        return "git+" in self.packages


def read(path: Path) -> Requirements:
    """Read a list from a file. A missing file is an empty list. Raises `OSError` for what is not a regular file."""
    try:
        return parse(decoded(untrusted_file.read(path, MAX_BYTES)))
    except FileNotFoundError:
        return parse("")


def decoded(content: bytes) -> str:
    """The text of a list, decoded like pip does: by its byte order mark, else by its PEP 263 comment, else as UTF-8.

    Text that is invalid in this encoding is decoded as Latin-1, which is right for comments in most cases.
    """
    for encoding, marks in BOMS.items():
        if content.startswith(marks):
            return content.decode(encoding, "replace")
    found = CODING.match(content)
    for encoding in (found[1].decode("ascii", "replace") if found else "utf-8", "utf-8"):
        with contextlib.suppress(UnicodeDecodeError, LookupError):
            return content.decode(encoding)
    return content.decode("latin-1")


def rewrite(path: Path, source: Path) -> None:
    """Rewrite a list below `source` for uv, and the lists below `source` that it refers to. Raises `OSError`.

    The result is UTF-8, without comments and continued lines, and with full names of options.
    """
    root, waiting, done = source.resolve(), [path], set[Path]()
    while waiting:
        listed = waiting.pop().resolve()
        if listed in done or not listed.is_relative_to(root) or not listed.is_file():
            continue
        done.add(listed)
        before = untrusted_file.read(listed, MAX_BYTES)
        lines = {number: _full_option(line) for number, line in _logical_lines(decoded(before))}
        waiting += [listed.parent / found[1] for line in lines.values() if (found := REFERENCE.match(line))]
        after = "".join(f"{lines.get(number, '')}\n" for number in range(1, max(lines, default=0) + 1)).encode()
        if before != after:
            # The old file may be read-only, or a hard link.
            listed.unlink()
            listed.write_bytes(after)


def _full_option(line: str) -> str:
    """A line with the full name of its first option, because uv does not know abbreviations."""
    if GLUED.match(line):
        return f"{line[:2]} {line[2:]}"
    given = LONG_OPTION.match(line)
    names = [name for name in LONG_OPTIONS if given and name.startswith(given[0])]
    return names[0] + line[len(given[0]) :] if given and len(names) == 1 else line


def parse(text: str) -> Requirements:
    """Read the text of a `requirements.txt`. Invalid lines are kept: the installer reports them."""
    lines = list(_logical_lines(text))
    option_lines = [line for _, line in lines if line.startswith("-")]
    package_lines = {number: line for number, line in lines if not line.startswith("-")}
    known = [_options(line) for line in option_lines]
    # A backslash before a comment continues the line once the comment is left out.
    local = None in known or any(map(_is_local, package_lines.values())) or any(line.endswith("\\") for _, line in lines)
    options = [option for found in known for option in found or ()]
    if any(" --hash" in line for line in package_lines.values()):
        # One hash makes pip demand hashes of all packages.
        options.append(("require-hashes", "1"))
    packages = "\n".join(package_lines.get(number, "") for number in range(1, max(package_lines, default=0) + 1))
    return Requirements((*option_lines, *sorted(set(package_lines.values()))), packages, tuple(options), local)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines by number, joined where they continue, without comments and blank lines, by the same rules as pip."""
    joined, first = "", 0
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        first = first or number
        if line.endswith("\\") and not COMMENT.match(line):
            joined += line.strip("\\")
            if number < len(lines):
                continue
        else:
            # A comment ends a continued line.
            joined += f" {line}" if COMMENT.match(line) else line
        # Match a single blank before the comment: `\s+` would take quadratic time on a long line of blanks.
        content = re.sub(r"(^|\s)#.*$", "", joined).strip()
        if content:
            yield first, content
        joined, first = "", 0


def _options(line: str) -> list[Option] | None:
    """The options of a line; None if one is unknown, abbreviated, or depends on where it is read."""
    found = []
    try:
        words = iter(shlex.split(line))
    except ValueError:
        return None
    for word in words:
        name, given, value = word.partition("=")
        if name in FLAGS and not given:
            found.append((name.lstrip("-"), "1"))
            continue
        value = value if given else next(words, "")
        if name not in CHOICES and not (name in INDEXES and REMOTE.match(value)):
            return None
        found.append(("index-url" if name == "-i" else name.lstrip("-"), value))
    return found


def _is_local(line: str) -> bool:
    """Whether a package's line refers to a file or folder. Slashes in its marker and its options do not count."""
    subject = LINE_OPTIONS.sub("", line).partition(";")[0].strip()
    named = NAMED_URL.match(subject)
    source = named[1] if named else subject
    if "://" in source or source.startswith("file:"):
        return not REMOTE.match(source)
    return PATH.search(source) is not None
