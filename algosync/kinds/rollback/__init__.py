"""Rollback: publishes the source and settings of an earlier version again."""

from algosync.kinds.rollback.data_files import LeftData, cannot_be_put_back
from algosync.kinds.rollback.earlier_version import EarlierVersion, earlier_version, rollback_context

__all__ = ["EarlierVersion", "LeftData", "cannot_be_put_back", "earlier_version", "rollback_context"]
