"""The templates of the pages: their common frame, common parts, and the content of each page."""

FRAME = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} · {{ site.name }}, local cluster</title>
<style>{{ style }}</style>
</head>
<body>
<header><b>{{ site.name }}</b> {{ site.address }}{% if site.unusual %} · {{ site.unusual | join(", ") }}{% endif %}</header>
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

{% macro build_line(owner, name, build, number="", message="") %}<b class="{{ build.status }}">{{ build.status }}</b>
<a href="/page/algorithms/{{ owner | segment }}/{{ name | segment }}/builds/{{ build.id | segment }}">\
build of {{ build.commit[:10] }}</a>
<small>{{ build.started_at | moment }}{% if build.finished_at %} · {{ build | duration }}{% endif %}\
{% if number %} · published as {{ number }}{% endif %}</small>\
{% if message %}<small>{{ message | beginning(120) }}</small>{% endif %}{% endmacro %}

{% macro calls(found, named=true, failed=true) %}
<ul>
{% for each in found[:recent] %}
<li>{% if named %}{{ algorithm_link(each.owner, each.name) }} {% endif %}\
{% if failed %}<b class="failed">{{ each.type or "error" }}</b>{% endif %}

<small>{{ each.at | moment }} · version {{ each.commit[:10] }} · called by {{ each.user }}\
{% if each.seconds is not none %} · {{ "%.3f" | format(each.seconds) }}&nbsp;s{% endif %}</small>
<small>Id: <code class="id">{{ each.id }}</code></small>
<pre>{{ each.message | beginning }}</pre>
{% if each.trace %}<details><summary>Stack trace</summary><pre class="long">{{ each.trace }}</pre></details>{% endif %}
{% if each.printed %}<details><summary>Output</summary><pre class="long">{{ each.printed }}</pre></details>{% endif %}
<small>Input: <code>{{ each.input }}</code></small></li>
{% else %}
<li>None</li>
{% endfor %}
</ul>
{{ more(found, recent) }}
{% endmacro %}

{% macro requests(found) %}
<ul>
{% for each in found %}
<li><b{% if each.failed %} class="failed"{% endif %}>{{ each.status or "no reply" }}</b>
{{ each.method }} <code>{{ each.path | beginning(300) }}</code>{% if each.times > 1 %} <b>&times;{{ each.times }}</b>{% endif %}

<small>{{ each.at | moment }} · {{ each.user or "unknown user" }} · {{ each.size | size }}\
{% if each.seconds is not none %} · {{ each.seconds }}&nbsp;s{% endif %}\
{% if each.left %} · <b class="failed">the client disconnected</b>{% endif %}\
{% if each.fault %} · <b class="failed">fault {{ each.fault }}</b>{% endif %}</small>
{% if each.error %}<small>{{ each.error }}{% if each.key %} · key <code>{{ each.key }}</code>{% endif %}\
{% if each.needs %} · needs: {{ each.needs }}{% endif %}</small>{% endif %}

{% if each.id %}<small>Id: <code class="id">{{ each.id }}</code></small>{% endif %}</li>
{% else %}
<li>None</li>
{% endfor %}
</ul>
{% endmacro %}

{% macro more(found, most=listed) %}
{% if found | length > most %}<p>There are more than these {{ most }}.</p>{% endif %}{% endmacro %}
"""

BEFORE = '{% extends "frame" %}{% block content %}{% import "parts" as parts %}'

PAGES = {
    "algorithms": """\
<p>Owned by {{ user }}{% if organizations %} or {{ organizations | join(", ") }}{% endif %}.</p>
<ul>
{% for each in algorithms[:listed] %}
<li>{{ parts.algorithm_link(each.owner, each.name) }}
<small>{{ each.environment }} · {% if each.version %}published {{ each.version }}, {{ each.callability }}\
{% else %}nothing published{% endif %}</small>
{% if each.build %}{{ parts.build_line(each.owner, each.name, each.build) }}{% else %}<small>never built</small>{% endif %}
{% if each.failures %}<a class="failed" href="/page/algorithms/{{ each.owner | segment }}/{{ each.name | segment }}#failed">\
{{ each.failures }} failed {{ "call" if each.failures == 1 else "calls" }}</a>{% endif %}</li>
{% else %}
<li>There are no algorithms yet.</li>
{% endfor %}
</ul>
{{ parts.more(algorithms) }}
""",
    "algorithm": """\
{% set here = "/page/algorithms/" ~ (algorithm.owner | segment) ~ "/" ~ (algorithm.name | segment) %}
<p class="parts"><a href="{{ here }}#versions">Versions</a> <a href="{{ here }}#builds">Builds</a>
<a href="{{ here }}#failed">Failed calls</a></p>
<dl>
<dt>repository</dt><dd><code>{{ clone }}</code></dd>
<dt>environment</dt><dd>{{ environment }}</dd>
{% for name, value in algorithm.settings.items() if name != "algorithm_environment" %}
<dt>{{ name | replace("_", " ") }}</dt>
<dd>{{ "on" if value is true else "off" if value is false else value | beginning(300) }}</dd>
{% endfor %}
{% if collection %}
<dt>default collection</dt>
<dd><a href="/page/data/{{ collection.id | segment }}">{{ collection.account }}/{{ collection.name }}</a></dd>
{% endif %}
</dl>
<h2 id="versions">Versions</h2>
<ul>
{% for each in versions[:listed] %}
<li><b>{{ each.semantic }}</b> {{ "public" if each.public else "private" }} <small><code>{{ each.commit }}</code></small>
{% if each.info.get("release_notes") %}<small>{{ each.info.release_notes | beginning(300) }}</small>{% endif %}</li>
{% else %}
<li>Nothing published</li>
{% endfor %}
</ul>
{{ parts.more(versions) }}
<h2 id="builds">Builds</h2>
<ul>
{% for each in builds[:listed] %}
<li>{{ parts.build_line(algorithm.owner, algorithm.name, each, numbers.get(each.commit, ""), messages.get(each.commit, "")) }}</li>
{% else %}
<li>Never built</li>
{% endfor %}
</ul>
{{ parts.more(builds) }}
<h2 id="failed">Failed calls</h2>
{{ parts.calls(failures, named=false) }}
""",
    "build": """\
<dl>
<dt>algorithm</dt><dd>{{ parts.algorithm_link(algorithm.owner, algorithm.name) }}</dd>
<dt>commit</dt><dd><a href="/page/algorithms/{{ algorithm.owner | segment }}/{{ algorithm.name | segment }}\
/source/{{ build.commit }}"><code>{{ build.commit }}</code></a></dd>
<dt>status</dt><dd><b class="{{ build.status }}">{{ build.status }}</b></dd>
<dt>started</dt><dd>{{ build.started_at | moment }}</dd>
{% if build.finished_at %}<dt>duration</dt><dd>{{ build | duration }}</dd>{% endif %}
</dl>
<h2>Log</h2>
{% if cut %}<p>The last {{ log | length }} characters.</p>{% endif %}
<pre>{{ log or "The log is empty." }}</pre>
""",
    "source": """\
<p>{{ parts.algorithm_link(algorithm.owner, algorithm.name) }}</p>
{% for name, size, text in files %}
<details><summary>{{ name }} ({{ size | size }})</summary><pre class="long">{{ text }}</pre></details>
{% endfor %}
""",
    "file": """\
<p>{{ file.size | size }}</p>
<pre class="long">{{ text }}</pre>
""",
    "data": """\
<ul>
{% for each in collections[:listed] %}
<li><a href="/page/data/{{ each.id | segment }}">{{ each.account }}/{{ each.name }}</a>
<small>{{ each.files }} {{ "file" if each.files == 1 else "files" }} · {{ each.size | size }}\
{% if each.modified_at %} · last written {{ each.modified_at | moment }}{% endif %}\
 · read by {{ each.acl | readers }}</small></li>
{% else %}
<li>There are no collections yet.</li>
{% endfor %}
</ul>
{{ parts.more(collections) }}
""",
    "collection": """\
<p>{{ collection.files }} {{ "file" if collection.files == 1 else "files" }}, {{ collection.size | size }},
read by {{ collection.acl | readers }}</p>
<ul>
{% for each in files[:listed] %}
<li><a href="/page/data/{{ collection.id | segment }}/{{ each.name | segment }}">
{{ each.name }}</a> <small>{{ each.size | size }} · {{ each.modified_at | moment }}</small></li>
{% else %}
<li>No files{% if after %} after {{ after }}{% endif %}</li>
{% endfor %}
</ul>
{% if files | length > listed %}
<p><a href="/page/data/{{ collection.id | segment }}?after={{ files[listed - 1].name | segment }}">More</a></p>
{% endif %}
""",
    "calls": """\
<p class="parts"><a href="/page/calls#algorithms">Failed algorithms</a> <a href="/page/calls#failed">Failed requests</a>
<a href="/page/calls#successes">Successful calls</a>
<a href="/page/calls#calls">Calls</a> <a href="/page/calls#requests">Requests</a></p>
<h2 id="algorithms">Algorithms that failed</h2>
{{ parts.calls(failures) }}
<h2 id="failed">Requests that failed</h2>
{{ parts.requests(failed) }}
<h2 id="successes">Calls that succeeded since the start</h2>
{{ parts.calls(successes, failed=false) }}
<h2 id="calls">Last calls of algorithms</h2>
{{ parts.requests(calls) }}
<h2 id="requests">Last requests</h2>
{{ parts.requests(requests) }}
""",
    "accounts": """\
<p>You are {{ user }}.</p>
<h2>Your keys</h2>
<ul>
{% for each in keys[:listed] %}
<li>May {{ each.rights | join(", ") }}
<small><code>{{ each.id }}</code> · {% if each.main %}main key · {% endif %}\
{% if each.expired %}<b class="failed">expired</b> {% elif each.expires_at %}until {% endif %}\
{{ each.expires_at | moment if each.expires_at else "does not expire" }}</small></li>
{% endfor %}
</ul>
{{ parts.more(keys) }}
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
