"""Templates that try to escape or to use too much: each is refused at its line, and its process never outlives its parent."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.metadata import requires
from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.error import WorkflowError
from algosync.workflow import sandbox
from algosync.workflow.fault import Faults, UnreadableError
from algosync.workflow.template import TemplateLimits, render_template

ROOT = Path(__file__).parents[2]
KIB, MIB = 1024, 1024**2
GIVEN: dict[str, object] = {"items": [1], "text": "t", "map": {"a": 1}}

FORBIDDEN = {
    "class-of-a-text": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "class-by-subscript": "{{ ''['__class__'] }}",
    "class-by-escaped-subscript": "{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "class-by-filter": "{{ ''|attr('__class__') }}",
    "class-by-getattribute": "{{ text.__getattribute__('__class__') }}",
    "class-of-a-number": "{{ (1).__class__ }}",
    "class-of-a-variable": "{{ (map.nothing|default(text)).__class__ }}",
    "class-of-arguments": "{% macro m() %}{{ varargs.__class__ }}{% endmacro %}{{ m(1) }}",
    "globals-of-range": "{{ range.__globals__ }}",
    "globals-of-cycler": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "globals-of-a-method": "{{ cycler('a').next.__func__.__globals__ }}",
    "globals-of-joiner": "{{ joiner(',').__call__.__globals__ }}",
    "globals-of-namespace": "{{ namespace.__init__.__globals__ }}",
    "globals-of-a-macro": "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "globals-of-a-loop": "{% for x in items %}{{ loop.cycle.__func__.__globals__ }}{% endfor %}",
    "globals-of-undefined": "{{ map.nothing.__init__.__globals__ }}",
    "method-of-undefined": "{{ map.nothing._fail_with_undefined_error }}",
    "inside-of-namespace": "{{ namespace()._Namespace__attrs }}",
    "inside-of-self": "{{ self._TemplateReference__context.eval_ctx.environment }}",
    "inside-of-self-dict": "{{ self.__dict__ }}",
    "inside-of-a-macro": "{% macro m() %}{% endmacro %}{{ m._environment }}",
    "inside-of-a-loop": "{% for x in items %}{{ loop._iterator }}{% endfor %}",
    "inside-of-a-block": "{% block b %}{% endblock %}{{ self.b._context }}",
    "inside-of-caller": "{% macro m() %}{{ caller.__call__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "frame-of-a-generator": "{{ ([1]|map('upper')).gi_frame.f_globals }}",
    "code-of-a-generator": "{{ ([1]|map('upper')).gi_code }}",
    "bases-of-dict": "{{ dict.__mro__ }}",
    "bases-by-method": "{{ dict.mro() }}",
    "owner-of-a-method": "{{ text.join.__self__ }}",
    "pickle": "{{ text.__reduce_ex__(2) }}",
    "format": "{{ '{0.__class__}'.format(1) }}",
    "format-by-index": "{{ '{0[__class__]}'.format(map) }}",
    "format-map": "{{ '{x.__class__}'.format_map({'x': 1}) }}",
    "format-by-filter": "{{ ('{0.__class__}'|attr('format'))(1) }}",
    "sort-by-class": "{{ ['', 'a']|sort(attribute='__class__.__name__') }}",
    "select-by-class": "{{ ['']|selectattr('__class__')|list }}",
    "sum-of-classes": "{{ ['']|sum(attribute='__class__') }}",
    "join-of-classes": "{{ ['']|join(attribute='__class__') }}",
    "map-to-globals": "{{ [text]|map(attribute='__class__.__init__.__globals__')|first }}",
    "changes-a-list": "{{ items.append(2) }}",
    "changes-a-list-by-filter": "{{ (items|attr('append'))(2) }}",
    "changes-a-map": "{{ map.update({'b': 2}) }}",
    "changes-a-class": "{% set x = namespace() %}{% set x.__class__ = 1 %}{{ x.__class__ }}",
    "include-absolute": "{% include '/etc/passwd' %}",
    "include-above": "{% include '../../secrets.yaml' %}",
    "include-if-there": "{% include ['a', 'b'] ignore missing %}",
    "include-computed": "{% include text %}",
    "import": "{% import 'os' as os %}",
    "import-from": "{% from 'os' import popen %}",
    "extends": "{% extends text %}",
}
UNDEFINED = {
    **{name: "{{ " + name + "('HOME') }}" for name in ("env", "environ", "os", "open", "lipsum", "config", "vars", "eval", "_")},
    "import-function": "{{ __import__('os') }}",
    "self-of-range": "{{ range.__self__ }}",
    "flask": "{{ request.application.__globals__ }}",
    "typo": "{{ txet }}",
    "attribute-typo": "{{ map.aa }}",
}
FAILED = {
    "map-to-classes": "{{ ['']|map(attribute='__class__')|list }}",
    "map-by-attr": "{{ ['']|map('attr', '__class__')|list }}",
    "group-by-class": "{{ ['']|groupby('__class__') }}",
    "prints-self": "{{ self }}",
    "prints-a-function": "{{ range }}",
    "prints-a-method": "{{ map.items }}",
    "prints-an-address": "{{ range|string }}",
    "prints-an-address-by-format": "{{ '%s'|format(range) }}",
    "prints-an-address-by-joining": "{{ text.upper ~ '' }}",
    "prints-bytes": "{{ text.encode() }}",
    "prints-many-digits": "{{ (10 * items[0]) ** 5000 }}",
    "wide-range": "{{ range(10 ** 9) }}",
    "half-of-a-character": "{{ text.translate({116: 55296}) }}",
}
SYNTAX = {
    **{name: "{% " + name + " x %}" for name in ("debug", "do", "trans", "load", "python")},
    **{f"filter-{name}": "{{ text|" + name + " }}" for name in ("pprint", "random", "safe", "open", "urlize")},
    "unclosed": "{{ text",
}


def faults_of(
    template: str, values: dict[str, object] | None = None, limits: TemplateLimits | None = None
) -> list[tuple[int, str]]:
    faults = Faults()
    with pytest.raises(UnreadableError):
        render_template(template, values or {}, faults, limits)
    return [(fault.line, fault.code) for fault in faults.found]


def faults_in_process(template: str) -> list[tuple[int, str]]:
    """Return the faults that the child would report, without the time to start a process."""
    request = {"template": template, "variables": GIVEN, "named": [], "nonce": ""}
    with pytest.raises((sandbox.FailureError, UnicodeEncodeError)) as caught:
        "".join(sandbox.render(request)).encode()
    if isinstance(caught.value, sandbox.FailureError):
        return [(fault["line"], fault["code"]) for fault in caught.value.faults]
    return [(2, "template-failed")]


@pytest.mark.parametrize(
    ("template", "code"),
    [
        pytest.param(template, code, id=name)
        for code, cases in (
            ("template-forbidden", FORBIDDEN),
            ("template-undefined", UNDEFINED),
            ("template-failed", FAILED),
            ("template-syntax", SYNTAX),
        )
        for name, template in cases.items()
    ],
)
def test_a_forbidden_operation_is_reported_with_its_line(template: str, code: str) -> None:
    assert faults_in_process("\n" + template) == [(2, code)]


@pytest.mark.parametrize("name", ["class-of-a-text", "globals-of-cycler", "format-by-filter", "include-absolute"])
def test_the_child_reports_the_same(name: str) -> None:
    assert faults_of("\n" + FORBIDDEN[name], GIVEN) == [(2, "template-forbidden")]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        pytest.param("{{ '%s'|format('{0.__class__}') }}", "{0.__class__}", id="format-of-a-format"),
        pytest.param("{{ ['']|max(attribute='__class__') }}", "", id="greatest-of-one"),
        pytest.param("{{ '{{ text }}' }}", "{{ text }}", id="template-in-a-text"),
        pytest.param("{{ '{% include \"x\" %}' }}", '{% include "x" %}', id="tag-in-a-text"),
    ],
)
def test_harmless_lookalikes_are_rendered(template: str, text: str) -> None:
    assert render_template(template, GIVEN, Faults()).text == text


FILTERS = """
abs attr batch capitalize center count d default dictsort filesizeformat first float format groupby indent int items join last
length
list lower map max min reject rejectattr replace reverse round select selectattr slice sort string sum title tojson trim truncate
unique upper urlencode wordcount wordwrap
"""


def test_the_globals_and_filters_are_a_fixed_set() -> None:
    env = sandbox.environment()
    assert set(env.globals) == {"range", "dict", "namespace", "cycler", "joiner"}
    assert set(env.filters) == set(FILTERS.split())
    assert env.loader is None
    assert not env.extensions


def test_no_jinja2_with_known_escapes_is_accepted() -> None:
    (wanted,) = [requirement for requirement in requires("algosync") or () if requirement.startswith("jinja2")]
    assert wanted == "jinja2>=3.1.6"


EXPENSIVE = {
    "long-text": "{{ 'a' * 10 ** 10 }}",
    "wide-text": "{{ 'a'.center(10 ** 10) }}",
    "wide-number": "{{ '%1000000000d' % 1 }}",
    "wide-number-by-filter": "{{ '%1000000000d' | format(1) }}",
    "replaced-by-more": "{{ ('x' * 10 ** 6).replace('x', 'y' * 10 ** 6) }}",
    "endless-macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "two-endless-macros": "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
    "3000-parentheses": "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "3000-ifs": "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
    "much-output": "{% for a in range(99999) %}{{ 'aaaaaaaaaa' * 1000 }}{% endfor %}",
    "doubled-list": "{% set x = namespace(all=['a']) %}{% for a in range(99) %}{% set x.all = x.all + x.all %}{% endfor %}",
}


@pytest.mark.parametrize("template", EXPENSIVE.values(), ids=EXPENSIVE)
def test_memory_depth_and_output_are_bounded(template: str) -> None:
    assert [code for _, code in faults_of(template, limits=TemplateLimits(memory=256 * MIB, output=64 * KIB))] == [
        "template-too-expensive"
    ]


LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    ("template", "limits", "message"),
    [
        pytest.param(LOOPS, TemplateLimits(cpu=1, clock=600), "it needs more than 1 s of CPU", id="loops-cpu"),
        pytest.param("{{ 7 ** (10 ** 9) }}", TemplateLimits(cpu=1, clock=600), "it needs more than 1 s of CPU", id="power-cpu"),
        pytest.param(LOOPS, TemplateLimits(cpu=60, clock=0.5), "it takes longer than 0.5 s", id="loops-clock"),
    ],
)
def test_cpu_and_time_are_bounded(template: str, limits: TemplateLimits, message: str) -> None:
    faults = Faults()
    with pytest.raises(UnreadableError):
        render_template(template, {}, faults, limits)
    assert [(fault.code, fault.message) for fault in faults.found] == [("template-too-expensive", message)]


@pytest.mark.parametrize("stem", ["{bad}", "{{ 1 + 1 }}", 'a"b', "a'b\\", "a\nimport os", "%s", "{0.__class__}"])
def test_the_name_of_a_template_has_no_effect(tmp_path: Path, stem: str) -> None:
    path = tmp_path / f"{stem}.yaml.j2"
    path.write_text("algorithms: [{name: A, language: python3, test_payload: {{ 1 + 1 }}}]")
    loaded = workflow.load(path, {})
    assert (loaded.name, loaded.algorithms[0].test_payload) == (stem, "2")
    path.write_text("\n{{ oops }}")
    with pytest.raises(WorkflowError) as caught:
        workflow.load(path, {})
    assert [(fault.line, fault.message) for fault in caught.value.faults] == [(2, "'oops' is undefined")]


@pytest.mark.parametrize(
    "value",
    [
        "x\nalgorithms: []",
        "x\r\nalgorithms: []",
        '"}]\n',
        "x\u2028y",
        "a: b",
        "- a",
        "*a",
        "!!str a",
        "no",
        "014",
        "",
        "{{ 1 }}",
        '"',
    ],
)
def test_a_value_through_tojson_is_that_value(tmp_path: Path, value: str) -> None:
    path = tmp_path / "w.yaml.j2"
    path.write_text("algorithms:\n- name: A\n  language: python3\n  details: {summary: {{ n | tojson }}}\n")
    (spec,) = workflow.load(path, {"n": value}).algorithms
    assert spec.details.summary == value


PROGRAM = f"""
from algosync.workflow.fault import Faults
from algosync.workflow.template import TemplateLimits, render_template
render_template({LOOPS!r}, {{}}, Faults(), TemplateLimits(cpu=600, clock=600))
"""


def child_of(pid: int) -> int:
    """Return the only child of a process, as soon as it exists."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    while not (found := children.read_text().split()):
        time.sleep(0.005)
    return int(found[0])


def computes(pid: int) -> None:
    """Wait until the process renders: it has set its limit of CPU time."""
    limits = Path(f"/proc/{pid}/limits")
    while not re.search(r"Max cpu time +600 ", limits.read_text()):
        time.sleep(0.005)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["begins", "computes"])
def test_the_child_ends_with_its_parent(sent: signal.Signals, moment: str) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, stderr=subprocess.DEVNULL) as parent:
        child = child_of(parent.pid)
        ends = os.pidfd_open(child)
        try:
            if moment == "computes":
                computes(child)
            parent.send_signal(sent)
            assert select.select([ends], [], [], 60)[0] == [ends]  # long before its own limits end it
        finally:
            parent.kill()
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(ends, signal.SIGKILL)
            os.close(ends)
