"""Lean dataclasses: frozen and slotted ones whose methods are compiled when they are first called.

`dataclasses.dataclass` compiles six methods of each class when a module is imported, which takes 0.3 ms. A small plan imports two
hundred classes and calls few of their methods, so this was a third of its processor time.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(**options: bool) -> Any:
        """As of the standard library, and with its methods. A class with other options than these two is made at once."""
        return _lean if options == _OPTIONS else dataclasses.dataclass(**options)


_OPTIONS = {"frozen": True, "slots": True}


def _lean(cls: type) -> Any:
    """The class as a dataclass. Its bases are lean; with another dataclass as a base it is made at once."""
    own = cls.__dict__
    if any(dataclasses.is_dataclass(base) and base.__setattr__ is not _setattr for base in cls.__mro__[1:]):
        return dataclasses.dataclass(**_OPTIONS)(cls)
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    # A class with `__eq__` of its own gets `__hash__ = None` from Python.
    for name in ("__init__", "__repr__", "__eq__", "__hash__"):
        if own.get(name) is None:
            setattr(made, name, _compiled_later(made, name))
    for method in (_setattr, _delattr, _getstate, _setstate):
        name = f"_{method.__name__}__"
        setattr(made, name, own.get(name, method))
    return made


def _compiled_later(cls: type, name: str) -> Any:
    """A method that replaces itself by the one of the standard library. Several threads may call it: they compile the same."""

    def method(self: object, *arguments: object, **options: object) -> object:
        compiled = _compiled(cls, name)
        setattr(cls, name, compiled)
        return compiled(self, *arguments, **options)

    return method


def _compiled(cls: type, name: str) -> Any:
    """The standard library's method of this name, from a class with the same fields."""
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    if hasattr(cls, "__post_init__"):
        names["__post_init__"] = ""  # only whether there is one decides what is compiled
    parts = [(field.name, field.type, field) for field in dataclasses.fields(cls)]
    init, text, equal = name == "__init__", name == "__repr__", name in ("__eq__", "__hash__")
    twin = dataclasses.make_dataclass(cls.__name__, parts, namespace=names, init=init, repr=text, eq=equal, frozen=True)
    return twin.__dict__[name]


def _setattr(self: object, name: str, value: object) -> None:  # noqa: ARG001  # the protocol passes it
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: object, name: str) -> None:  # noqa: ARG001  # the protocol passes it
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _setstate(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
