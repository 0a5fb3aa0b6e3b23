"""Cases: the files of test cases that a workflow names, read case by case.

`check_cases` reports everything that is wrong with a file when the workflow is loaded; `open_cases` reads it again when it is run.
`FORMATS` has one generator of rows for each ending of a file name. The formats are described in `workflows/README.md`.
"""

from __future__ import annotations

from algosync.workflow.cases.reading import FORMATS, CaseRules, LabelKind, check_cases, open_cases

__all__ = ["FORMATS", "CaseRules", "LabelKind", "check_cases", "open_cases"]
