"""Reading an algorithm's source: a `.tar.gz` or a folder, into memory, whatever is in it.

Nothing is ever extracted: `tarfile.extractall` writes outside its destination on the interpreters in use, even with
`filter="data"` (CVE-2025-4517). Both readers keep the same rules, so a folder and the archive made of it give the same tree.
"""

from algosync.cluster.archive.entries import Limits
from algosync.cluster.archive.folder import read_folder
from algosync.cluster.archive.reader import read_archive

__all__ = ["Limits", "read_archive", "read_folder"]
