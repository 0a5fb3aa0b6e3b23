"""The pages as templates. Every value is text: escaped, and what could disguise it made visible."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from algosync.emulator.page_records import LISTED
from algosync.emulator.page_style import STYLE

if TYPE_CHECKING:
    from jinja2 import Environment

FRAME = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} · local cluster</title>
<style>{{ style }}</style>
</head>
<body>
<nav>
{% for path, name in sections %}
<a href="/page/{{ path }}"{% if name == section %} aria-current="page"{% endif %}>{{ name }}</a>
{% endfor %}
</nav>
<main>
<h1>{{ title }}</h1>
{% block content %}{% endblock %}
</main>
</body>
</html>
"""

PARTS = """\
{% macro algorithm_link(owner, name) %}<a href="/page/algorithms/{{ owner | segment }}/{{ name | segment }}">\
{{ owner }}/{{ name }}</a>{% endmacro %}

{% macro build_line(owner, name, build) %}<b class="{{ build.status }}">{{ build.status }}</b>
<a href="/page/algorithms/{{ owner | segment }}/{{ name | segment }}/builds/{{ build.id | segment }}">\
build of {{ build.commit[:10] }}</a>
<small>{{ build.started_at | moment }}\
{% if build.finished_at %} to {{ build.finished_at | moment }}{% endif %}</small>{% endmacro %}

{% macro failures(found, named=true) %}
<ul>
{% for each in found[:listed] %}
<li>{% if named %}{{ algorithm_link(each.owner, each.name) }} {% endif %}<b class="failed">{{ each.type or "error" }}</b>
<small>{{ each.at | moment }} · version {{ each.commit[:10] }} · called by {{ each.user }}</small>
<pre>{{ each.message | beginning }}</pre>
<small>Input: <code>{{ each.input }}</code></small></li>
{% else %}
<li>None</li>
{% endfor %}
</ul>
{{ more(found) }}
{% endmacro %}

{% macro requests(found) %}
<ul>
{% for each in found %}
<li><b{% if each.failed %} class="failed"{% endif %}>{{ each.status or "no reply" }}</b>
{{ each.method }} <code>{{ each.path | beginning(300) }}</code>
<small>{{ each.at | moment }} · {{ each.user or "nobody known" }} · {{ each.size | size }}\
{% if each.seconds is not none %} · {{ each.seconds }} s{% endif %}\
{% if each.fault %} · <b class="failed">fault {{ each.fault }}</b>{% endif %}</small></li>
{% else %}
<li>None</li>
{% endfor %}
</ul>
{% endmacro %}

{% macro more(found) %}{% if found | length > listed %}<p>There are more than these {{ listed }}.</p>{% endif %}{% endmacro %}
"""

BEFORE = '{% extends "frame" %}{% block content %}{% import "parts" as parts %}'

PAGES = {
    "algorithms": """\
<p>Of {{ user }}{% if organizations %} and of {{ organizations | join(", ") }}{% endif %}.</p>
<ul>
{% for each in algorithms[:listed] %}
<li>{{ parts.algorithm_link(each.owner, each.name) }}
<small>{{ each.environment }} · {% if each.version %}published {{ each.version }}, {{ each.callability }}\
{% else %}nothing published{% endif %}</small>
{% if each.build %}{{ parts.build_line(each.owner, each.name, each.build) }}{% else %}<small>never built</small>{% endif %}</li>
{% else %}
<li>There are no algorithms yet.</li>
{% endfor %}
</ul>
{{ parts.more(algorithms) }}
""",
    "algorithm": """\
<dl>
<dt>environment</dt><dd>{{ environment }}</dd>
{% for name, value in algorithm.settings.items() if name != "algorithm_environment" %}
<dt>{{ name }}</dt><dd>{{ value | beginning(300) }}</dd>
{% endfor %}
</dl>
<h2>Versions</h2>
<ul>
{% for each in versions[:listed] %}
<li><b>{{ each.semantic }}</b> {{ "public" if each.public else "private" }} <small><code>{{ each.commit }}</code></small>
{% if each.info.get("release_notes") %}<small>{{ each.info.release_notes | beginning(300) }}</small>{% endif %}</li>
{% else %}
<li>Nothing published</li>
{% endfor %}
</ul>
{{ parts.more(versions) }}
<h2>Builds</h2>
<ul>
{% for each in builds[:listed] %}
<li>{{ parts.build_line(algorithm.owner, algorithm.name, each) }}</li>
{% else %}
<li>Never built</li>
{% endfor %}
</ul>
{{ parts.more(builds) }}
<h2>Failed calls</h2>
{{ parts.failures(failures, named=false) }}
""",
    "build": """\
<dl>
<dt>algorithm</dt><dd>{{ parts.algorithm_link(algorithm.owner, algorithm.name) }}</dd>
<dt>commit</dt><dd><code>{{ build.commit }}</code></dd>
<dt>status</dt><dd><b class="{{ build.status }}">{{ build.status }}</b></dd>
<dt>started</dt><dd>{{ build.started_at | moment }}</dd>
{% if build.finished_at %}<dt>finished</dt><dd>{{ build.finished_at | moment }}</dd>{% endif %}
</dl>
<h2>Log</h2>
{% if cut %}<p>The last {{ log | length }} characters of it.</p>{% endif %}
<pre>{{ log or "There is none." }}</pre>
""",
    "data": """\
<ul>
{% for each in collections[:listed] %}
<li><a href="/page/data/{{ each.id | segment }}">{{ each.account }}/{{ each.name }}</a>
<small>{{ each.files }} {{ "file" if each.files == 1 else "files" }} · {{ each.size | size }}\
{% if each.modified_at %} · last written {{ each.modified_at | moment }}{% endif %}\
 · read by {{ each.acl | join(", ") or "its owner only" }}</small></li>
{% else %}
<li>There are no collections yet.</li>
{% endfor %}
</ul>
{{ parts.more(collections) }}
""",
    "collection": """\
<p>{{ collection.files }} {{ "file" if collection.files == 1 else "files" }}, {{ collection.size | size }},
read by {{ collection.acl | join(", ") or "its owner only" }}</p>
<ul>
{% for each in files[:listed] %}
<li>{{ each.name }} <small>{{ each.size | size }} · {{ each.modified_at | moment }}</small></li>
{% else %}
<li>No files{% if after %} behind {{ after }}{% endif %}</li>
{% endfor %}
</ul>
{% if files | length > listed %}
<p><a href="/page/data/{{ collection.id | segment }}?after={{ files[listed - 1].name | segment }}">More</a></p>
{% endif %}
""",
    "calls": """\
<h2>Algorithms that failed</h2>
{{ parts.failures(failures) }}
<h2>Requests that failed</h2>
{{ parts.requests(failed) }}
<h2>Last calls of algorithms</h2>
{{ parts.requests(calls) }}
<h2>Last requests</h2>
{{ parts.requests(requests) }}
""",
    "accounts": """\
<p>You are {{ user }}.</p>
<h2>Users</h2>
<ul>
{% for name in users[:listed] %}<li>{{ name }}</li>{% endfor %}
</ul>
{{ parts.more(users) }}
<h2>Organizations</h2>
<ul>
{% for name, members in members.items() %}
<li><b>{{ name }}</b> <small>{{ members | join(", ") or "no members" }}</small></li>
{% else %}
<li>None</li>
{% endfor %}
</ul>
""",
    "refused": """\
<p>{{ message }}</p>
""",
}

SECTIONS = (("", "Algorithms"), ("calls", "Calls"), ("data", "Data"), ("accounts", "Accounts"))

DISGUISING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""Control characters, those that turn the direction of text or have no width, and what is no character."""


def rendered(page: str, section: str, title: str, **values: object) -> str:
    """A whole page, which holds nothing that UTF-8 cannot."""
    return _environment().get_template(page).render(section=section, title=title, **values)


def plain(text: str) -> str:
    """Text with what would disguise it written out, as `\\x1b`."""
    return DISGUISING.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text.replace("\r\n", "\n"))


@functools.cache
def _environment() -> Environment:
    from jinja2 import DictLoader, Environment, StrictUndefined
    from markupsafe import Markup

    def shown(value: object) -> object:
        return value if isinstance(value, Markup) else plain(str(value))

    sources = {"frame": FRAME, "parts": PARTS} | {name: BEFORE + text + "{% endblock %}" for name, text in PAGES.items()}
    made = Environment(loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined, finalize=shown, trim_blocks=True)
    made.filters |= {"moment": _moment, "size": _size, "segment": _segment, "beginning": _beginning}
    made.globals |= {"sections": SECTIONS, "listed": LISTED, "style": Markup(STYLE)}  # noqa: S704  # a constant
    return made


def _moment(text: str) -> str:
    """ISO 8601 as people read it, to the second."""
    return f"{text[:19].replace('T', ' ')} UTC"


def _size(count: int) -> str:
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1024:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1024:.1f} TiB"


def _segment(text: str) -> str:
    """For a place within a URL."""
    return quote(text, safe="", errors="replace")


def _beginning(value: object, most: int = 4000) -> str:
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
