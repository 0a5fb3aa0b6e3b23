"""Lean dataclasses: slotted ones whose methods are compiled when they are needed.

`dataclasses.dataclass` compiles six methods of each class when a module is imported, which takes 0.3 ms. A small plan imports two
hundred classes, makes a few objects of each, and calls few of their methods: compiling was a third of its processor time. So the
first objects of a class are filled in a loop over its fields, which takes ten times as long for one object. `__init__` is compiled
for a class with many objects, each other method when it is first called.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import MISSING
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool = False, slots: bool, order: bool = False) -> Any:
        """As of the standard library, and with its methods."""
        return lambda cls: _lean(cls, frozen=frozen, slots=slots, order=order)


_MANY = 50
"""Objects of a class. To compile its `__init__` takes about as long as to fill so many in the loop."""

_METHODS = {"__repr__": {"repr": True}, "__eq__": {"eq": True}, "__hash__": {"eq": True, "frozen": True}}
"""Methods with the options of the standard library that make them."""

_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")


def _lean(cls: type, *, frozen: bool, slots: bool, order: bool) -> Any:
    """The class as a dataclass. Its bases are lean and frozen; with another dataclass as a base it is made at once."""
    if not slots or any(dataclasses.is_dataclass(base) and base.__setattr__ is not _setattr for base in cls.__mro__[1:]):
        return dataclasses.dataclass(frozen=frozen, slots=slots, order=order)(cls)
    own = cls.__dict__
    cls.__doc__ = cls.__doc__ or cls.__name__  # the library would make one of the signature, which takes a millisecond
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    names = [*_METHODS, *(_ORDER if order else ())]
    methods = {"__init__": _filling(made, frozen), **{name: _compiled_later(made, name) for name in names}}
    if not frozen:
        methods["__hash__"] = None
    for name, method in methods.items():
        if own.get(name) is None:  # a class with `__eq__` of its own gets `__hash__ = None` from Python
            setattr(made, name, method)
    for method in (_setattr, _delattr, _getstate, _setstate) if frozen else ():
        name = f"_{method.__name__}__"
        setattr(made, name, own.get(name, method))
    return made


def _filling(cls: Any, frozen: bool) -> Any:
    """An `__init__` that fills the first objects in a loop, and then replaces itself by the one of the standard library."""
    calls = itertools.count(1)

    def method(self: object, /, *arguments: object, **options: object) -> None:
        if next(calls) >= _MANY or not _filled(self, arguments, options):
            compiled = _compiled(cls, "__init__", {"init": True, "frozen": frozen, "slots": True})
            cls.__init__ = compiled
            compiled(self, *arguments, **options)
        elif post := getattr(self, "__post_init__", None):
            post()

    return method


def _filled(self: Any, arguments: tuple[object, ...], options: dict[str, object]) -> bool:
    """Whether the arguments fit the fields. Then the fields have their values. Else the compiled `__init__` says what is wrong."""
    fields = dataclasses.fields(self)
    names = [field.name for field in fields if field.init and not field.kw_only]
    given = dict(zip(names, arguments, strict=False))
    if len(arguments) > len(names) or given.keys() & options.keys():
        return False
    given.update(options)
    for field in fields:
        if field.init and field.name in given:
            value = given.pop(field.name)
        elif field.default is not MISSING:
            value = field.default
        elif field.default_factory is not MISSING:
            value = field.default_factory()
        elif field.init:
            return False
        else:
            continue
        object.__setattr__(self, field.name, value)
    return not given


def _compiled_later(cls: type, name: str) -> Any:
    """A method that replaces itself by the one of the standard library. Several threads may call it: they compile the same."""

    def method(self: object, *arguments: object) -> object:
        compiled = _compiled(cls, name, _METHODS.get(name, {"eq": True, "order": True}))
        setattr(cls, name, compiled)
        return compiled(self, *arguments)

    return method


def _compiled(cls: type, name: str, options: dict[str, bool]) -> Any:
    """The standard library's method of this name, from a class with the same fields."""
    names: dict[str, Any] = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    if hasattr(cls, "__post_init__"):
        names["__post_init__"] = ""  # only whether there is one decides what is compiled
    parts = [(field.name, field.type, field) for field in dataclasses.fields(cls)]
    only: Any = {"init": False, "repr": False, "eq": False, **options}
    return dataclasses.make_dataclass(cls.__name__, parts, namespace=names, **only).__dict__[name]


def _setattr(self: object, name: str, value: object) -> None:  # noqa: ARG001  # the protocol passes it
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: object, name: str) -> None:  # noqa: ARG001  # the protocol passes it
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _setstate(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
