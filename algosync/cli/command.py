"""The `command` decorator: turns a function that takes groups of options into a command for typer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Annotated, TypeVar, cast, get_args, get_origin, get_type_hints

import typer
from typer.models import OptionInfo, ParameterInfo

from algosync.cli.help import HelpAll
from algosync.cli.notify.notifying import notified
from algosync.cli.notify.options import NotifyOptions
from algosync.cli.options import ReportOptions
from algosync.cli.report_output import diagnosed

__all__ = ["command", "group_of"]

G = TypeVar("G")
_HELP_ALL = inspect.Parameter("help_all", inspect.Parameter.KEYWORD_ONLY, annotation=HelpAll, default=False)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """The function with one parameter for each option, as typer requires it.

    The first parameter is the terminal, which is the object of typer's context. A parameter whose type is a dataclass is a group:
    each of its fields with a typer annotation is an option of the command. Other parameters are the command's own options.
    A command with `NotifyOptions` sends its news when it ends.
    The environment variable `ALGOSYNC_<OPTION>` sets an option's default. Each command has the option `--help-all`.
    """
    # In Python 3.10 `get_type_hints` makes an optional type of each parameter whose default is None, which typer does not know.
    hints = inspect.get_annotations(function, eval_str=True)
    own = list(inspect.signature(function).parameters.values())[1:]
    groups = {each.name: hints[each.name] for each in own if is_dataclass(hints[each.name])}
    options = [_option(each.name, hints[each.name], each.default) for each in own if each.name not in groups]
    shared = [option for group in groups.values() for option in _options(group)]

    def run(context: typer.Context, **values: object) -> None:
        arguments = {name: group_of(group, values) for name, group in groups.items()}
        reports = [group for group in arguments.values() if isinstance(group, ReportOptions)]
        notify = next((group for group in arguments.values() if isinstance(group, NotifyOptions)), None)
        places = reports[0].places if reports else {}
        with notified(function.__name__, notify, context.obj), diagnosed(function.__name__, places, context.obj):
            function(context.obj, **arguments, **{each.name: values[each.name] for each in options})

    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    run.__signature__ = inspect.Signature([context, *options, *shared, _HELP_ALL])  # type: ignore[attr-defined]  # `inspect` and typer read it
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    return run


def group_of(group: Callable[..., G], values: Mapping[str, object]) -> G:
    """The group filled with the values of its options."""
    return group(**{each.name: values[each.name] for each in _options(cast("type", group))})


@cache
def _options(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [_option(name, hints[name], _default(each)) for name, each in _fields(group).items() if _is_option(hints[name])]


def _fields(group: type) -> Mapping[str, Field[object]]:
    """The fields of a group. Those of its base come last, as `--help` lists special options before general ones."""
    found = {each.name: each for each in fields(group)}
    base = group.__base__
    inherited = _fields(base) if base is not None and is_dataclass(base) else {}
    return {**{name: each for name, each in found.items() if name not in inherited}, **{name: found[name] for name in inherited}}


def _default(of: Field[object]) -> object:
    if of.default_factory is not MISSING:
        return of.default_factory()
    return inspect.Parameter.empty if of.default is MISSING else of.default


def _is_option(annotation: object) -> bool:
    return get_origin(annotation) is Annotated and any(isinstance(each, ParameterInfo) for each in get_args(annotation))


def _option(name: str, annotation: object, default: object) -> inspect.Parameter:
    for each in get_args(annotation):
        if isinstance(each, OptionInfo):
            each.envvar = f"ALGOSYNC_{name.upper()}"
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
