"""The names of algorithms, owners and local clusters: one pattern for each, used wherever such a name is read."""

from __future__ import annotations

import re

__all__ = ["ALGORITHM_NAME", "LOCAL_CLUSTER_NAME", "OWNER_NAME"]

ALGORITHM_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
OWNER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")  # a user or an organization; becomes part of URLs
LOCAL_CLUSTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")  # becomes the name of a folder
