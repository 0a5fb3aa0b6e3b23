"""Greets whoever is named, in the form that the platform gives to new Python algorithms."""

from Algorithmia import ADK

# Before algosync pushes this file, it puts the name of the owner at the destination here.
OWNER = "<user>"


def apply(name):
    """The greeting for `name`, a text that is not empty."""
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f'expected a name, such as "Jane"; got {name!r}')
    return f"Hello {name.strip()}, greetings from {OWNER}!"


algorithm = ADK(apply)
algorithm.init("Jane")
