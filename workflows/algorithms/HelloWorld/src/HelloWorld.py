"""Greets a user by name. The layout is that of new Python algorithms on the platform."""

from Algorithmia import ADK

# algosync replaces this by the owner at the destination before it pushes the file.
OWNER = "<user>"


def apply(name):
    """The greeting for `name`, a non-empty string."""
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f'expected a name, such as "Jane"; got {name!r}')
    return f"Hello {name.strip()}, greetings from {OWNER}!"


algorithm = ADK(apply)
algorithm.init("Jane")
