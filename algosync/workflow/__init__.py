"""Read a workflow file, which may be a template, into a `Workflow`. All errors are reported at once, with their locations.

Templates (`.j2`) are Jinja2, sandboxed and rendered in a child process. Their variables come from `--var`, `--var-file`,
`ALGOSYNC_VAR_name`, or the file's own `variables:` block:

    variables:
      cluster: {default: test, description: what it is for}
      token: {sensitive: true}

The block is read before the template is rendered, so it contains no template syntax. In YAML, `variables:` starts a line; in JSON,
it is the first member of the document. A file with a block accepts only the variables that it declares, and a variable without a
default must be given. The workflow must know every variable that a flag or a file gives, but not those of the environment, which
may serve several workflows. The text of a flag is converted to the type of the default: a number, a boolean, a list. A sensitive
variable is a text of at least four characters without a default; `render` and all errors show `***` or nothing in its place. `{{
name }}` prints a text as it is and anything else as JSON; `{{ name | tojson }}` is correct for every value in every place where a
value is allowed.

No API key given to `load` may occur in a file or in the output of its template.
"""

from __future__ import annotations

from algosync.workflow.derived import Derived, derived_texts
from algosync.workflow.fault import CODES
from algosync.workflow.file_identity import FileIdentity, file_identity
from algosync.workflow.given_variables import variables
from algosync.workflow.loading import STAND_IN, load, render, sensitive, with_stand_ins
from algosync.workflow.search import find, find_all
from algosync.workflow.testing.inputs import TestInputs
from algosync.workflow.testing.named_files import NamedFiles

__all__ = [
    "CODES",
    "STAND_IN",
    "Derived",
    "FileIdentity",
    "NamedFiles",
    "TestInputs",
    "derived_texts",
    "file_identity",
    "find",
    "find_all",
    "load",
    "render",
    "sensitive",
    "variables",
    "with_stand_ins",
]
