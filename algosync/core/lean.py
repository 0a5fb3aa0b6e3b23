"""Lean dataclasses: slotted ones whose methods are compiled when they are needed.

`dataclasses.dataclass` compiles six methods of each class when a module is imported, which takes 0.3 ms. A small plan imports two
hundred classes, makes a few objects of each, and calls few of their methods: compiling was a third of its processor time. So the
first objects of a class are filled in a loop over its fields, which takes ten times as long for one object. `__init__` is compiled
for a class with many objects, each other method when it is first called. That of a frozen class fills the slots themselves: a large
plan makes a hundred objects for each algorithm, and `object.__setattr__`, which the standard library calls, takes twice as long.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import MISSING
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from collections.abc import Sequence
    from dataclasses import Field, dataclass
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
    """The class as a dataclass. Its bases are lean and frozen. With another base, or its own `__setattr__`, it is made at once."""
    own, others = cls.__dict__, [base for base in cls.__mro__[1:] if dataclasses.is_dataclass(base)]
    if not slots or "__setattr__" in own or any(base.__setattr__ is not _setattr for base in others):
        return dataclasses.dataclass(frozen=frozen, slots=slots, order=order)(cls)
    if others and "__init__" in own:
        raise TypeError(f"{cls.__name__} cannot have an __init__: in Python 3.10 that of its base sets other slots")
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
    """An `__init__` that fills the first objects in a loop, and then replaces itself by a compiled one."""
    calls, has_post = itertools.count(1), hasattr(cls, "__post_init__")

    def method(self: Any, /, *arguments: object, **options: object) -> None:
        if next(calls) >= _MANY or not _filled(self, dataclasses.fields(cls), arguments, options):
            compiled = _slot_filling(cls) if frozen else _compiled(cls, "__init__", {"init": True, "slots": True})
            cls.__init__ = compiled
            compiled(self, *arguments, **options)
        elif has_post:
            self.__post_init__()

    return method


def _filled(self: object, fields: Sequence[Field[Any]], arguments: tuple[object, ...], options: dict[str, object]) -> bool:
    """Whether the arguments fit the fields. Then the fields have their values. Else the compiled `__init__` says what is wrong."""
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


def _slot_filling(cls: Any) -> Any:
    """An `__init__` with the parameters of the standard library's, which sets the slots by their descriptors."""
    names: dict[str, Any] = {"_missing": MISSING}
    parameters, named, body = ["self"], list[str](), list[str]()
    for number, field in enumerate(dataclasses.fields(cls)):
        set_it, default, make = (f"{name}{number}" for name in ("_set", "_default", "_make"))
        names |= {set_it: getattr(cls, field.name).__set__, default: field.default, make: field.default_factory}
        is_made = field.default_factory is not MISSING
        if field.init:
            is_needed = field.default is MISSING and not is_made
            (named if field.kw_only else parameters).append(field.name if is_needed else f"{field.name}={default}")
            value = f"{make}() if {field.name} is _missing else {field.name}" if is_made else field.name
        elif is_made or field.default is not MISSING:
            value = f"{make}()" if is_made else default
        else:
            continue  # `__post_init__` sets it
        body.append(f"{set_it}(self, {value})")
    parameters += ["*", *named] if named else []
    body += ["self.__post_init__()"] if hasattr(cls, "__post_init__") else []
    text = "\n  ".join([f"def __init__({', '.join(parameters)}):", *(body or ["pass"])])
    exec(text, names)  # noqa: S102  # as the standard library does; a field's name is an identifier
    made = names["__init__"]
    made.__module__, made.__qualname__ = cls.__module__, f"{cls.__qualname__}.__init__"
    return made


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
