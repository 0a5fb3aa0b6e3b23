"""Templates: allowed and forbidden operations, limits, and the origin of rendered lines."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.error import WorkflowError
from algosync.workflow import sandbox
from algosync.workflow.fault import Faults, UnreadableError
from algosync.workflow.template import Rendered, TemplateLimits, render_template

KIB, MIB = 1024, 1024**2


def render(text: str, values: dict[str, object] | None = None, limits: TemplateLimits | None = None) -> str:
    return render_template(text, values or {}, Faults(), limits).text


def failures(text: str, values: dict[str, object] | None = None, limits: TemplateLimits | None = None) -> list[tuple[int, str]]:
    faults = Faults()
    with pytest.raises(UnreadableError):
        render_template(text, values or {}, faults, limits)
    assert all(fault.template_line == fault.line for fault in faults.found)
    return [(fault.line, fault.code) for fault in faults.found]


@pytest.mark.parametrize(
    ("text", "values", "rendered"),
    [
        ("plain\n", {}, "plain\n"),
        ("", {}, ""),
        (
            "{{ a }}|{{ b }}|{{ c }}|{{ d }}|{{ e }}",
            {"a": "x'\"", "b": 1, "c": True, "d": None, "e": [1.5, {"k": "é"}]},
            'x\'"|1|true|null|[1.5, {"k": "\\u00e9"}]',
        ),
        ("{{ d | tojson }}", {"d": {"z": 1, "a": "<algo>\n"}}, '{"z": 1, "a": "<algo>\\n"}'),
        ("{{ 'a' | tojson ~ '<b>' }}{{ [1] | tojson(indent=1) }}", {}, '"a"<b>[\n 1\n]'),
        ("a\r\nb\rc", {}, "a\nb\nc"),
        ("{% for i in range(3) %}{{ i }}{{ ',' if not loop.last }}{% endfor %}", {}, "0,1,2"),
        ("{% set ns = namespace(n=0) %}{% for i in [1, 2] %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", {}, "3"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m('a') | upper }}{{ m(1)|length }}", {}, "<A>3"),
        ("{% set x %}a{{ 1 }}b{% endset %}{{ x | length }}", {}, "3"),
        ("{% filter upper %}a{{ 'b' }}{% endfilter %}c", {}, "ABc"),
        ("{% block b %}x{% endblock %}{{ self.b() | length }}", {}, "x1"),
        ("{% call(x) c() %}[{{ x }}]{% endcall %}", {}, None),
        ("{% macro c() %}{{ caller(1) | length }}{% endmacro %}{% call(x) c() %}[{{ x }}]{% endcall %}", {}, "3"),
        ("{% for n in t recursive %}x{{ loop(n) | length }}{% endfor %}", {"t": [[[]]]}, "x2"),
        ("{% with y = 2 %}{{ y }}{% endwith %}{% if y is defined %}!{% elif 1 %}?{% else %}.{% endif %}", {}, "2?"),
        ("{% raw %}{{ a }}{% endraw %}", {}, "{{ a }}"),
        ("{{ a | default('none') }}", {}, "none"),
        ("{{ m | indent(2) }}", {"m": "a\nb"}, "a\n  b"),
    ],
)
def test_renders_like_jinja2_without_visible_marks(text: str, values: dict[str, object], rendered: str | None) -> None:
    if rendered is None:
        assert failures(text, values) == [(1, "template-undefined")]
    else:
        assert render(text, values) == rendered


def test_the_child_has_no_environment_and_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = tmp_path / "spy.py"
    target = tmp_path / "written"
    spy.write_text(
        "import os, sys, json\n"
        f"sys.path.insert(0, {str(Path(sandbox.__file__).parent)!r})\n"
        "import sandbox\n"
        f"sandbox.limit({MIB * 512}, 5)\n"
        "try:\n"
        f"    open({str(target)!r}, 'w').write('x' * 10000)\n"
        "except OSError: pass\n"
        "seen = [dict(os.environ), os.getcwd(), sys.flags.isolated]\n"
        "sys.stdout.write('\\x1e' + json.load(sys.stdin)['nonce'] + 'e0\\x1f' + json.dumps(seen))\n"
    )
    monkeypatch.setattr("algosync.workflow.template._SANDBOX", spy)
    monkeypatch.setenv("DESTINATION_API_KEY", "simSecret")
    environ, folder, isolated = json.loads(render("x"))
    assert (set(environ) - {"LC_CTYPE"}, folder, isolated) == (set(), "/", 1)
    assert not target.exists() or target.read_bytes() == b""


def test_a_killed_child_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    suicide = tmp_path / "suicide.py"
    suicide.write_text(f"import os\nos.kill(os.getpid(), {int(signal.SIGSEGV)})\n")
    monkeypatch.setattr("algosync.workflow.template._SANDBOX", suicide)
    assert failures("x") == [(1, "template-too-expensive")]


def test_large_texts_pass(tmp_path: Path) -> None:
    line = "x" * 1023 + "\n"
    assert render("{% for i in range(8 * 1024) %}" + line + "{% endfor %}") == line * 8 * 1024
    assert render(line * 1024, {"value": line * 1024}) == line * 1024


def test_a_given_text_cannot_add_lines(tmp_path: Path) -> None:
    injected = "x\nalgorithms: []"
    for breaking in ("a\n", "\n", "a\nb", "a\rb", "a\x85b", "a\u2028b"):
        assert failures("\nname: {{ n }}", {"n": breaking}) == [(2, "template-line-break")]
    assert failures("{% for n in names %}{{ n.a }}{% endfor %}", {"names": [{"a": injected}]}) == [(1, "template-line-break")]
    path = tmp_path / "w.yaml.j2"
    path.write_text("algorithms: [{name: A, language: python3, test_payload: {{ n | tojson }}}]")
    assert workflow.load(path, {"n": injected}).algorithms[0].test_payload == '"x\\nalgorithms: []"'


def test_texts_cannot_forge_marks() -> None:
    assert render("{{ a ~ '' }}", {"a": "\x1e0123456789abcdefd7\x1f"}) == "\x1e0123456789abcdefd7\x1f"


@pytest.mark.parametrize(
    "text",
    [
        "{{ '\\ud800' }}",
        "{{ range }}",
        "{{ [1] | map('string') }}",
        "{{ 1 / 0 }}",
        "{{ 1() }}",
        "{{ 10 ** 400 * 1.0 }}",
    ],
)
def test_printing_an_object_is_a_failure(text: str) -> None:
    assert [code for _, code in failures(text)] == ["template-failed"]


def test_all_undefined_names_are_reported_unless_tested() -> None:
    text = "{% if a is defined %}{{ a }}{% endif %}{{ b | d(1) }}\n{{ c }}{{ e.f }}\n{{ c }}"
    text += "{% set g = 1 %}{{ g }}{% if 0 %}{{ h }}{% endif %}"
    assert failures(text) == [(2, "template-undefined"), (2, "template-undefined"), (3, "template-undefined")]
    assert failures("\r{{ a }}") == [(2, "template-undefined")]
    assert failures("\n{{ a.b | tojson }}", {"a": {"c": 1}}) == [(2, "template-undefined")]
    assert failures("\n{{ a.b }}", {"a": {"c": 1}}) == [(2, "template-undefined")]


def lines(text: str, values: dict[str, object] | None = None) -> list[tuple[str, int | None]]:
    """Return each rendered line with the template line that its last character comes from."""
    rendered = render_template(text, values or {}, Faults())
    return [
        (line, rendered.template_line(number, max(len(line), 1))) for number, line in enumerate(rendered.text.split("\n"), start=1)
    ]


def test_every_rendered_line_has_its_template_line() -> None:
    text = "a\n{% for i in [1, 2] %}b\nc{{ i }}\n{% if i == 2 %}d\n{% else -%}\n\n   e\n{% endif %}{% endfor %}f\n{# g\n #}h\n"
    text += "{{ x | indent(0) }}y\nz"
    assert lines(text, {"x": "1\n2"}) == [
        ("a", 1),
        ("b", 2),
        ("c1", 3),
        ("e", 7),
        ("b", 2),
        ("c2", 3),
        ("d", 4),
        ("f", 8),
        ("h", 10),
        ("1", 11),
        ("2y", 11),
        ("z", 12),
    ]


def test_the_origin_of_a_location_depends_on_its_column() -> None:
    rendered = render_template("a{# \n #}b{#\n#}{{\n 'c' }}", {}, Faults())
    assert rendered.text == "abc"
    assert [rendered.template_line(1, column) for column in (1, 2, 3)] == [1, 2, 4]


def test_captured_text_has_the_line_that_prints_it_or_none() -> None:
    text = "{% macro m() %}\nx\n{% endmacro %}\n{{ m() }}\n{% filter upper %}a\nb{% endfilter %}\nc"
    assert lines(text) == [("", 3), ("", 4), ("x", 4), ("", 4), ("A", None), ("B", None), ("c", 7)]


def test_a_plain_file_has_no_template_lines() -> None:
    assert Rendered("a\nb").template_line(2, 1) is None


def test_rendering_a_plain_file_gives_its_text(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("algorithms: {{ not a template }}\n")
    assert workflow.render(path, {}) == "algorithms: {{ not a template }}\n"
    (tmp_path / "w.yaml.j2").write_text("{{ x }}")
    with pytest.raises(WorkflowError):
        workflow.render(tmp_path / "w.yaml.j2", {})
