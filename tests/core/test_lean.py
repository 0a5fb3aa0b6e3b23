"""Lean dataclasses behave as those of the standard library, and compile a method when it is needed."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import field
from typing import Any

import pytest

from algosync.core.lean import dataclass


@dataclass(frozen=True, slots=True)
class Lean:
    """Compared with `Usual`, which has the same body."""

    a: int
    b: str = "x"
    c: list[int] = field(default_factory=list, repr=False, compare=False)
    d: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "d", f"<{self.a}>")


@dataclass(frozen=True, slots=True)
class LeanChild(Lean):
    e: int = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Usual:
    """Compared with `Lean`, which has the same body."""

    a: int
    b: str = "x"
    c: list[int] = field(default_factory=list, repr=False, compare=False)
    d: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "d", f"<{self.a}>")


@dataclasses.dataclass(frozen=True, slots=True)
class UsualChild(Usual):
    e: int = 4


@dataclass(slots=True, order=True)
class Changeable:
    """Compared with `UsualChangeable`, which has the same body."""

    a: int
    b: str = "x"
    c: list[int] = field(default_factory=list, repr=False, compare=False)
    d: str = field(default="<5>", init=False, repr=False)
    e: int = field(default=1, kw_only=True)


@dataclasses.dataclass(slots=True, order=True)
class UsualChangeable:
    """Compared with `Changeable`, which has the same body."""

    a: int
    b: str = "x"
    c: list[int] = field(default_factory=list, repr=False, compare=False)
    d: str = field(default="<5>", init=False, repr=False)
    e: int = field(default=1, kw_only=True)


@dataclass(frozen=True, slots=True)
class OfUsual(Usual):
    """Its base is no lean one."""

    e: int = 4


@dataclass(frozen=True, slots=True)
class OwnMethods:  # noqa: PLW1641  # the decorator adds `__hash__`
    a: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnMethods)

    def __repr__(self) -> str:
        return "own"


def changed(noun: Any) -> object:
    noun.b = "z"
    return noun


WAYS: dict[str, Callable[[type[Any]], object]] = {
    "repr": lambda of: repr(of(1, "y")),
    "equal": lambda of: (of(1) == of(1), of(1) == of(2), of(1) == 1, of(1) != of(1, "y"), of(1, c=[1]) == of(1, c=[2])),
    "hash": lambda of: {of(1), of(1), of(2)} == {of(2), of(1)} and hash(of(1)),
    "replace": lambda of: repr(dataclasses.replace(of(1), b="z")),
    "asdict": lambda of: dataclasses.asdict(of(1, c=[2])),
    "pickle": lambda of: repr(pickle.loads(pickle.dumps(of(3)))),
    "copy": lambda of: repr(copy.deepcopy(of(3))),
    "fields": lambda of: [each.name for each in dataclasses.fields(of)],
    "match": lambda of: of.__match_args__,
    "slots": lambda of: hasattr(of(1), "__dict__"),
    "post": lambda of: of(5).d,
    "assign": lambda of: setattr(of(1), "a", 2),
    "assign another": lambda of: setattr(of(1), "zz", 2),
    "delete": lambda of: delattr(of(1), "a"),
    "too few": lambda of: of(),
    "too many": lambda of: of(1, "x", [], 4, 5, 6),
    "unknown": lambda of: of(1, zz=2),
    "twice": lambda of: of(1, a=2),
    "own factory": lambda of: of(1).c is not of(1).c,
    "order": lambda of: (of(1) < of(2), of(1) >= of(2), of(2) > of(1, "y"), of(1) <= of(1)),
    "change": lambda of: repr(changed(of(1))),
    "name": lambda of: of(1, e=7).e,
}


def outcome(way: str, of: type[Any], name: str) -> object:
    try:
        found = WAYS[way](of)
    except (TypeError, dataclasses.FrozenInstanceError, AttributeError) as error:
        kind = "refused" if way.startswith(("assign", "delete")) else type(error)
        return kind, str(error).replace(of.__name__, name) if kind != "refused" else ""
    return found.replace(of.__qualname__, name) if isinstance(found, str) else found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("lean", "usual"), [(Lean, Usual), (LeanChild, UsualChild), (OfUsual, UsualChild), (Changeable, UsualChangeable)]
)
def test_it_behaves_as_the_usual_one(way: str, lean: type[Any], usual: type[Any]) -> None:
    assert outcome(way, lean, "It") == outcome(way, usual, "It")
    for _ in range(60):
        lean(1)
    assert outcome(way, lean, "It") == outcome(way, usual, "It"), "with methods that are compiled"


def test_own_methods_stay() -> None:
    assert repr(OwnMethods(1)) == "own"
    assert OwnMethods(1) == OwnMethods(2)
    assert hash(OwnMethods(1)) == hash(OwnMethods(1))


def test_methods_are_compiled_when_they_are_needed() -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        a: int

    def compiled() -> list[str]:
        return [name for name, method in before.items() if vars(Fresh)[name] is not method]

    before = {name: vars(Fresh)[name] for name in ("__init__", "__repr__", "__eq__")}
    assert Fresh(1).a == 1
    assert compiled() == []
    assert repr(Fresh(1)).endswith("Fresh(a=1)")
    assert compiled() == ["__repr__"]
    assert [Fresh(number).a for number in range(60)] == [*range(60)]
    assert compiled() == ["__init__", "__repr__"]


@pytest.mark.parametrize("make", [dataclass, dataclasses.dataclass])
def test_many_objects_and_few_are_made_alike(make: Any) -> None:
    @make(slots=True)
    class Doubling:
        a: int

        def __setattr__(self, name: str, value: int) -> None:
            object.__setattr__(self, name, 2 * value)

    @make(frozen=True, slots=True)
    class Base:
        a: int
        b: int = 2

    class Derived(Base):
        def __post_init__(self) -> None:
            raise AssertionError("the base has none, so it calls none")

    doubling: Any = Doubling
    derived: Any = Derived
    assert {doubling(1).a for _ in range(60)} == {2}
    assert {(made.a, made.b) for made in (derived(1) for _ in range(60))} == {(1, 2)}


def test_a_derived_class_has_no_init_of_its_own() -> None:
    @dataclass(frozen=True, slots=True)
    class Base:
        a: int

    with pytest.raises(TypeError, match=r"Derived cannot have an __init__: in Python 3\.10 that of its base sets other slots"):

        @dataclass(frozen=True, slots=True)
        class Derived(Base):
            def __init__(self) -> None:
                super().__init__(1)


def test_arguments_that_do_not_fit_are_refused_by_the_first_call() -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        a: int

    make: Callable[..., Fresh] = Fresh
    with pytest.raises(TypeError, match=r"__init__\(\) missing 1 required positional argument: 'a'"):
        make()
    assert make(a=2) == make(2)
