"""The format `gitlab`: GitLab's report artifact `terraform`, which a merge request shows as a line of numbers.

Of drift the numbers are those of what an apply would mend.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from algosync.core.redaction import Redactor
from algosync.views.formats.outlining import outline_of
from algosync.views.subject import Subject

__all__ = ["view"]

_SORTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "create": (("changes", "create"), ("resources", "added"), ("findings", "missing")),
    "update": (("changes", "update"), ("resources", "changed"), ("findings", "changed")),
    "delete": (("changes", "delete"), ("resources", "destroyed")),
}


def view(subject: Subject, redactor: Redactor) -> str:
    counts = {(count.of, count.sort): count.number for count in outline_of(subject, redactor).counts}
    return json.dumps({key: sum(counts.get(sort, 0) for sort in sorts) for key, sorts in _SORTS.items()}) + "\n"
