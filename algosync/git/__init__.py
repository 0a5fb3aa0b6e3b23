"""One remote git repository, pure Python: what its default branch holds, and a push on top of it.

No git binary, no work tree, no file, no configuration of the machine; objects live in memory, credentials in a header.
"""

from algosync.git.repository import Repository

__all__ = ["Repository"]
