"""Reads an algorithm's source into memory, from a `.tar.gz` or a folder. The content is not trusted.

Nothing is extracted to disk: `tarfile.extractall` can write outside its destination on supported Python versions, even with its
filters. Both readers apply the same rules, so a folder and an archive of it give the same tree.
"""

from algosync.sources.archive.entries import ArchiveLimits
from algosync.sources.archive.folder import read_folder
from algosync.sources.archive.reader import read_archive
from algosync.sources.archive.selection import SourceFiles

__all__ = ["ArchiveLimits", "SourceFiles", "read_archive", "read_folder"]
