"""Checks of the names and URIs in a workflow. Each returns the error as a text, or None."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from algosync.core.address import ALGORITHM_NAME, LOCAL_CLUSTER_NAME, OWNER_NAME

__all__ = [
    "address_fault",
    "algorithm_name_fault",
    "algorithm_uri_fault",
    "code_fault",
    "data_uri_fault",
    "file_name_fault",
    "owner_fault",
    "path_fault",
    "workflow_name_fault",
]

_VERSION = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}|[0-9a-f]{40}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")
_MAX_NAME = 255  # bytes; they become names of files and folders
_PLAIN_NAME = rf"(?!\.{{1,2}}(?:/|\Z))[A-Za-z0-9._-]{{1,{_MAX_NAME}}}"
# What nearly all URIs look like. A workflow may have a hundred thousand of them, and checking their parts takes much longer.
_PLAIN_DATA_URI = re.compile(f"data://{_PLAIN_NAME}/{_PLAIN_NAME}/{_PLAIN_NAME}")
# In addition to control characters: line and paragraph separators, and characters that change the text direction.
_UNSAFE = {"Cc", "Cs", "Zl", "Zp"}
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def algorithm_name_fault(name: str) -> str | None:
    if not ALGORITHM_NAME.fullmatch(name):
        return "a name is a letter, then letters, digits and underscores"
    return f"a name has at most {_MAX_NAME} characters" if len(name) > _MAX_NAME else None


def owner_fault(name: str) -> str | None:
    if len(name) > _MAX_NAME:
        return f"an owner has at most {_MAX_NAME} characters"
    if not OWNER_NAME.fullmatch(name):
        return "an owner is a letter or digit, then letters, digits, dots, hyphens and underscores"
    return None


def workflow_name_fault(name: str) -> str | None:
    """Check a workflow's own name, which becomes a part of the name of its state."""
    if len(name) > _MAX_NAME:
        return f"a name has at most {_MAX_NAME} characters"
    if not OWNER_NAME.fullmatch(name):
        return "a name is a letter or digit, then letters, digits, dots, hyphens and underscores"
    return None


def file_name_fault(name: str) -> str | None:
    """Check the name of a data file. `.` and `..` cannot be sent in a URL, even if quoted."""
    if name in {"", ".", ".."}:
        return f"{name!r} is not the name of a file"
    if "/" in name or "\\" in name:
        return "a name contains no slashes"
    if _unsafe(name):
        return "a name contains no control characters"
    if name != name.strip():
        return "a name neither begins nor ends with a space"
    return f"a name has at most {_MAX_NAME} bytes" if len(name.encode()) > _MAX_NAME else None


def data_uri_fault(uri: str) -> str | None:
    """Check `data://OWNER/COLLECTION/FILE`."""
    if _PLAIN_DATA_URI.fullmatch(uri):
        return None
    if not uri.startswith("data://"):
        return "it does not begin with data://"
    parts = uri.removeprefix("data://").split("/")
    if len(parts) != 3:
        return "it is not of the form data://OWNER/COLLECTION/FILE"
    return next(filter(None, map(file_name_fault, parts)), None)


def algorithm_uri_fault(uri: str) -> str | None:
    """Check `algo://OWNER/NAME` and `algo://OWNER/NAME/VERSION`."""
    if not uri.startswith("algo://"):
        return "it does not begin with algo://"
    owner, *parts = uri.removeprefix("algo://").split("/")
    if len(parts) not in (1, 2):
        return "it is not of the form algo://OWNER/NAME or algo://OWNER/NAME/VERSION"
    if parts[1:] and not _VERSION.fullmatch(parts[1]):
        return "a version is a number such as 1.2.0, or a commit of 40 hexadecimal digits"
    return owner_fault(owner) or algorithm_name_fault(parts[0])


def code_fault(uri: str) -> str | None:
    """Check `data://OWNER/COLLECTION/FILE` or `file://PATH` (an archive or folder)."""
    if not uri.startswith("file://"):
        return data_uri_fault(uri) if uri.startswith("data://") else "it begins neither with data:// nor with file://"
    return path_fault(uri.removeprefix("file://"))


def address_fault(address: str) -> str | None:
    """Check the address of a cluster: `https://…`, `http://…`, `file://DIR`, `local` or `local:NAME`."""
    if address.startswith("file://"):
        return path_fault(address.removeprefix("file://"))
    if address == "local" or address.startswith("local:"):
        return _local_fault(address)
    if not address.startswith(("https://", "http://")):
        return "it is not one of https://…, http://…, file://DIR, local, local:NAME"
    return _url_fault(address)


def _local_fault(address: str) -> str | None:
    _, separator, name = address.partition(":")
    if not separator or LOCAL_CLUSTER_NAME.fullmatch(name):
        return None
    return "the name of a local cluster is a letter or digit, then at most 62 letters, digits, hyphens and underscores"


def _url_fault(address: str) -> str | None:
    if _unsafe(address) or not address.isascii() or set(address) & set(' \\"<>^`{|}'):
        return "it contains characters that are not allowed in a URL"
    if "?" in address or "#" in address:
        return "it has a query or fragment (? or #)"
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError as error:
        return str(error)
    if "@" in url.netloc:
        return "it contains credentials; keys come from the environment"
    if not url.hostname or not _HOST.fullmatch(url.hostname) or port == 0:
        return "it has no valid host name"
    return None


def path_fault(path: str) -> str | None:
    if not path:
        return "it has no path"
    return "a path contains no control characters" if _unsafe(path) else None


def _unsafe(text: str) -> bool:
    return not text.isprintable() and any(unicodedata.category(c) in _UNSAFE or c in _BIDI for c in text)
