"""The text edge: a workflow file, perhaps a template, becomes a `Workflow`; whatever is wrong with it is told at once, with places.

Templates (`.j2`) are Jinja2, sandboxed and rendered in a child process. Their names are the variables, which come from `--var`,
`--var-file`, `ALGOSYNC_VAR_name`, or the file's own `variables:` block:

    variables:
      cluster: {default: test, description: what it is for}
      token: {sensitive: true}

The block is read before anything is rendered, so it holds no template syntax; in YAML `variables:` begins a line, in JSON it is the
document's first member. A file with a block knows only the variables that it declares, and a variable without default must be
given. What a flag or a file gives must be known to the workflow; the environment may serve several. A flag's text becomes what the
default is: a number, a boolean, a list. A sensitive variable is a text of at least four characters without default, and `render`
and all faults show `***` or nothing in its place. `{{ name }}` prints a text as it is, anything else as JSON;
`{{ name | tojson }}` is right for any value at any place where a value stands.

API keys that are given to `load` may stand nowhere in a file, nor in what a template makes of it.
"""

from __future__ import annotations

from algosync.workflow.fault import CODES
from algosync.workflow.given import variables
from algosync.workflow.loading import load, render, sensitive
from algosync.workflow.location import find

__all__ = ["CODES", "find", "load", "render", "sensitive", "variables"]
