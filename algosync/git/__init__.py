"""A remote git repository in pure Python: read its default branch and push commits to it.

Needs no git binary, work tree, files, or git configuration. Objects are held in memory, and credentials are sent in a header.
"""

from algosync.git.objects import Commit
from algosync.git.repository import Repository

__all__ = ["Commit", "Repository"]
