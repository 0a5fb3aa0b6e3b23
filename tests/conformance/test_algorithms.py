"""Creation, changes and deletion of algorithms (PLATFORM.md §3.1 to §3.4, §3.8, §3.10)."""

import re

import pytest
from clients import Library
from site_under_test import NOWHERE, Algorithm, Site

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
CREATED = {"id", "name", "details", "settings", "source", "resource_type"}
COMPILED = CREATED | {"version_info", "compilation", "self_link", "build"}
SOURCE = {"scm": {"id": "internal", "provider": "internal", "default": True, "enabled": True}}


def test_create(site: Site) -> None:
    name = site.name("Made")
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", site.creation(name))
    assert (reply.status, reply.names()) == (200, CREATED)
    assert (reply.at("name"), reply.at("details"), reply.at("source")) == (name, {"label": name}, SOURCE)
    assert (reply.at("resource_type"), bool(UUID.fullmatch(reply.at("id")))) == ("algorithm", True)


def test_create_fills_in_settings(site: Site) -> None:
    environment = site.environment()
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", site.creation(site.name("Made")))
    expected = {
        "algorithm_callability": "private",
        "source_visibility": "closed",
        "license": "apl",
        "network_access": "full",
        "pipeline_enabled": True,
        "insights_enabled": False,
        "royalty_microcredits": 0,
        "package_set": "python37",
        "algorithm_environment": environment,
    }
    assert reply.at("settings") == expected


def test_library_creates(site: Site, library: Library) -> None:
    """1.7.10 adds an empty `version_info`, and validates the answer."""
    made = site.creation(site.name("Made"))
    reply = library.ask(f"client.algo('{site.user}/{made['name']}').create({made['details']!r}, {made['settings']!r})")
    assert (reply.error, reply.at("name"), reply.at("settings", "license")) == ("", made["name"], "apl")


@pytest.mark.parametrize("missing", ["source_visibility", "license", "network_access", "pipeline_enabled", "algorithm_environment"])
def test_create_needs_settings(site: Site, missing: str) -> None:
    made = site.creation(site.name("Made"))
    settings = {name: value for name, value in made["settings"].items() if name != missing}
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", {**made, "settings": settings})
    assert (reply.status, isinstance(reply.at("error", "message"), str)) == (400, True)


def test_create_by_package_set(site: Site) -> None:
    made = site.creation(site.name("Made"))
    settings = {**made["settings"], "package_set": "python38"}
    settings.pop("algorithm_environment")
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", {**made, "settings": settings})
    assert (reply.status, reply.at("settings", "package_set")) == (200, "python38")


def test_create_by_specification(site: Site) -> None:
    """A creation needs the id of an environment. The id of its specification is refused."""
    made = site.creation(site.name("Made"), algorithm_environment=site.environment(field_name="environment_specification_id"))
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", made)
    assert (reply.status, reply.at("error", "code")) == (400, 6001)


def test_create_by_unknown_package_set(site: Site) -> None:
    made = site.creation(site.name("Made"), package_set="none")
    made["settings"].pop("algorithm_environment")
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", made)
    assert (reply.status, reply.at("error", "code")) == (400, 1003)


def test_create_with_unknown_language(site: Site) -> None:
    made = site.creation(site.name("Made"))
    settings = {**made["settings"], "language": "cobol", "environment": "cpu"}
    settings.pop("algorithm_environment")
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", {**made, "settings": settings})
    assert (reply.status, reply.at("error", "code")) == (400, 4001)


def test_create_needs_a_label(site: Site) -> None:
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", {**site.creation(site.name("Made")), "details": {}})
    assert (reply.status, reply.at("error", "code")) == (400, 6001)


@pytest.mark.parametrize("details", [{"label": 5}, {"label": "x", "summary": 5}, {"label": "x", "tagline": {}}])
def test_create_checks_the_details(site: Site, details: dict[str, object]) -> None:
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", {**site.creation(site.name("Made")), "details": details})
    assert (reply.status, reply.at("error", "code")) == (400, 6001)


def test_details_have_three_fields(site: Site) -> None:
    """Null values are ignored, and unknown details are dropped."""
    made = site.created()
    said = {"label": None, "summary": "words", "tagline": None, "nonsense": {"deep": 1}}
    reply = site.curl("PUT", made.url, {"details": said, "settings": site.creation("X")["settings"]})
    assert (reply.status, reply.at("details")) == (200, {"label": made.name, "summary": "words"})


@pytest.mark.parametrize("name", ["1st", "with-hyphen", "with.dot", "", "with space"])
def test_create_checks_the_name(site: Site, name: str) -> None:
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", site.creation(name))
    assert (reply.status, isinstance(reply.at("error", "message"), str)) == (400, True)


def test_create_twice(site: Site) -> None:
    made = site.created()
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", site.creation(made.name))
    assert (reply.status, reply.at("error", "code")) == (400, 1002)


@pytest.mark.parametrize("scm", ["github", {"id": "github", "provider": "github"}, ["internal"]])
def test_create_with_a_repository_elsewhere(site: Site, scm: object) -> None:
    """The cluster has no other SCM. The request is refused, and no algorithm is created."""
    made = site.creation(site.name("Made"))
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", {**made, "source": {"scm": scm, "repository_name": "x"}})
    assert (reply.status, reply.at("error", "code")) == (400, 1008)
    after = site.curl("GET", f"/v1/algorithms/{site.user}/{made['name']}")
    assert after.status == 404


@pytest.mark.parametrize("scm", ["internal", "", None, SOURCE["scm"]])
def test_create_with_a_repository_here(site: Site, scm: object) -> None:
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", {**site.creation(site.name("Made")), "source": {"scm": scm}})
    assert (reply.status, reply.at("source")) == (200, SOURCE)


def test_create_for_another_user(site: Site) -> None:
    reply = site.curl("POST", f"/v1/algorithms/{site.user}", site.creation(site.name("Made")), key=site.other)
    assert (reply.status, reply.at("error", "code")) == (403, 2001)


def test_create_for_an_organization(site: Site) -> None:
    name = site.name("Made")
    reply = site.curl("POST", f"/v1/algorithms/{site.organization}", site.creation(name))
    assert (reply.status, reply.at("name")) == (200, name)


def test_creation_commits_and_builds_nothing(site: Site) -> None:
    made = site.created()
    log = site.curl("GET", f"{made.url}/log")
    assert [each["message"].strip() for each in log.each("commits")] == ["Algorithmia initial commit"]
    builds = site.curl("GET", f"{made.url}/builds")
    assert builds.document == {"marker": None, "next_link": None, "results": []}


@pytest.mark.parametrize("by", ["name", "id"])
def test_read_created(site: Site, by: str) -> None:
    made = site.created()
    reply = site.curl("GET", made.url if by == "name" else f"/v1/algorithms/{made.id}")
    assert (reply.status, reply.names(), reply.at("id")) == (200, CREATED, made.id)


@pytest.mark.parametrize("by", ["name", "id"])
def test_read_compiled(site: Site, hello: Algorithm, by: str) -> None:
    reply = site.curl("GET", hello.url if by == "name" else f"/v1/algorithms/{hello.id}")
    assert (reply.status, reply.names(), reply.at("version_info", "git_hash")) == (200, COMPILED, hello.commit)
    assert reply.names("version_info") == {"git_hash", "version_uuid"}
    assert (reply.at("compilation", "successful"), reply.names("compilation")) == (True, {"successful", "output"})
    assert str(reply.at("self_link")).endswith(f"/v1/algorithms/{hello.path}/versions/{hello.commit}")


def test_read_missing(site: Site) -> None:
    """Clients compare the whole body."""
    reply = site.curl("GET", f"/v1/algorithms/{site.user}/None")
    assert (reply.status, reply.body) == (404, b'{"error":"No such algorithm"}')


@pytest.mark.parametrize(("by", "code"), [("name", 1001), ("id", 1009)])
def test_missing_algorithm_elsewhere(site: Site, by: str, code: int) -> None:
    """All other routes wrap the error and add a code. Only two routes have the bare body that clients compare."""
    url = f"/v1/algorithms/{f'{site.user}/None' if by == 'name' else NOWHERE}"
    asked = [("PUT", ""), ("DELETE", ""), ("POST", "/compile"), ("POST", "/versions"), ("GET", "/builds"), ("GET", "/secrets")]
    replies = [site.curl(method, url + rest, {}) for method, rest in asked]
    told = [(reply.status, reply.at("error", "code"), reply.at("error", "message")) for reply in replies]
    assert told == [(404, code, "No such algorithm")] * len(asked)
    bare = [site.curl("GET", url + rest) for rest in ("", "/errors")]
    assert [(reply.status, reply.body) for reply in bare] == [(404, b'{"error":"No such algorithm"}')] * 2


def test_old_client_reports_a_missing_algorithm(site: Site, old: Library) -> None:
    reply = old.ask(f"client.algo('{site.user}/None').publish({{}}, {{}}, {{}})")
    assert (reply.error, reply.message) == ("AlgorithmException", "'No such algorithm'")


def test_read_foreign(site: Site, hello: Algorithm) -> None:
    reply = site.curl("GET", hello.url, key=site.other)
    assert (reply.status, reply.at("error", "code"), reply.names("error")) == (403, 2001, {"id", "code", "message"})


def test_client_checks_existence(site: Site, hello: Algorithm, new: Library) -> None:
    reply = new.ask(f"[client.algo(path).exists() for path in ('{hello.path}', '{site.user}/None')]")
    assert reply.value == [True, False]


def test_old_client_reads_objects(site: Site, hello: Algorithm, old: Library) -> None:
    reply = old.ask(f"client.algo('{hello.path}').info().version_info.git_hash")
    assert reply.value == hello.commit


def test_update(site: Site) -> None:
    made = site.created()
    settings = {**site.creation("X")["settings"], "license": "mit", "source_visibility": "open", "royalty_microcredits": 7}
    reply = site.curl("PUT", made.url, {"details": {"label": "new", "tagline": "words"}, "settings": settings})
    assert (reply.status, reply.at("details")) == (200, {"label": "new", "tagline": "words"})
    after = site.curl("GET", made.url)
    assert [after.at("settings", name) for name in ("license", "source_visibility", "royalty_microcredits")] == ["mit", "open", 7]


def test_when_updates_take_effect(site: Site) -> None:
    """Visibility of the source and license change at once, also for published versions. The rest waits for a new version."""
    made = site.published(site.compiled(site.created()), "public")
    changed = {"source_visibility": "open", "license": "mit", "network_access": "isolated", "pipeline_enabled": False}
    body = {"settings": {**site.creation("X")["settings"], **changed}}
    reply = site.curl("PUT", made.url, body)
    assert {name: reply.at("settings", name) for name in changed} == changed
    reply = site.curl("GET", f"{made.url}/versions/{made.commit}")
    assert [reply.at("settings", name) for name in changed] == ["open", "mit", "full", True]


@pytest.mark.parametrize("rest", ["", "/builds", "/versions", "/log", "/scm/status", "/errors", "/secrets"])
def test_read_by_id(site: Site, hello: Algorithm, rest: str) -> None:
    by_name = site.curl("GET", f"{hello.url}{rest}").document
    reply = site.curl("GET", f"/v1/algorithms/{hello.id}{rest}")
    assert (reply.status, reply.document, reply.document != {}) == (200, by_name, True)


def test_managed_by_id(site: Site) -> None:
    made = site.created()
    reply = site.curl("POST", f"/v1/algorithms/{made.id}/compile", {})
    assert (reply.status, reply.at("compilation", "successful")) == (200, True)
    reply = site.curl("POST", f"/v1/algorithms/{made.id}/versions", {})
    assert (reply.status, reply.at("version_info", "semantic_version")) == (200, "0.1.0")
    reply = site.curl(
        "PUT", f"/v1/algorithms/{made.id}", {"details": {"label": "by id"}, "settings": site.creation("X")["settings"]}
    )
    assert (reply.status, reply.at("details", "label")) == (200, "by id")
    reply = site.curl("DELETE", f"/v1/algorithms/{made.id}")
    assert (reply.status, reply.body) == (204, b"")


@pytest.mark.parametrize("missing", ["license", "network_access", "pipeline_enabled", "source_visibility"])
def test_update_needs_settings(site: Site, missing: str) -> None:
    made = site.created()
    settings = {name: value for name, value in site.creation("X")["settings"].items() if name != missing}
    reply = site.curl("PUT", made.url, {"details": {"label": "new"}, "settings": settings})
    assert (reply.status, isinstance(reply.at("error", "message"), str)) == (400, True)


def test_update_cannot_change_the_language(site: Site) -> None:
    made = site.created()
    settings = {**site.creation("X")["settings"], "algorithm_environment": site.environment("Python 2.7")}
    reply = site.curl("PUT", made.url, {"details": {"label": "new"}, "settings": settings})
    assert (reply.status, isinstance(reply.at("error", "message"), str)) == (400, True)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"package_set": "python38"}, (200, None, "python38")),
        ({"language": "python3-1", "environment": "cpu"}, (200, None, "python37")),
        ({"environment": "cpu"}, (200, None, "python39")),
        ({"package_set": None}, (200, None, "python39")),
        ({"package_set": "none"}, (400, 1003, None)),
        ({"language": "cobol"}, (400, 4001, None)),
        ({"package_set": "python27"}, (400, 6001, None)),
        ({"language": "python2-langpack"}, (400, 6001, None)),
    ],
)
def test_update_of_the_runtime(site: Site, selector: dict[str, str], expected: tuple[int, int | None, str | None]) -> None:
    """Each selector of a runtime is refused, not ignored."""
    made = site.created("Python 3.9")
    settings = {name: value for name, value in site.creation("X")["settings"].items() if name != "algorithm_environment"}
    reply = site.curl("PUT", made.url, {"settings": {**settings, **selector}})
    assert (reply.status, reply.at("error", "code"), reply.at("settings", "package_set")) == expected


def test_update_of_sample_input(site: Site, released: dict[str, Algorithm]) -> None:
    made = released["0.2.0"]
    body = {"details": {"label": "new"}, "settings": site.creation("X")["settings"], "version_info": {"sample_input": '"given"'}}
    reply = site.curl("PUT", made.url, body)
    assert (reply.status, reply.at("details", "label")) == (200, "new")
    after = site.curl("GET", f"{made.url}/versions/{made.commit}")
    assert after.at("version_info", "sample_input") == '"given"'


def test_create_with_a_sample_input(site: Site) -> None:
    """A sample input is accepted before there is a version. No document says where it is shown."""
    made = {**site.creation(site.name("Made")), "version_info": {"sample_input": '"given"'}}
    replies = [
        site.curl("POST", f"/v1/algorithms/{site.user}", made),
        site.curl("PUT", f"/v1/algorithms/{site.user}/{made['name']}", made),
    ]
    assert [(reply.status, reply.at("details")) for reply in replies] == [(200, made["details"])] * 2


def test_update_is_json_only(site: Site) -> None:
    made = site.created()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = site.curl("PUT", made.url, "details=label&settings=license", form)
    assert (reply.status, isinstance(reply.at("error", "message"), str)) == (400, True)


def test_client_updates_with_a_form(site: Site, new: Library) -> None:
    """The client's helper loses all values. The request is refused, not taken for an update without changes."""
    made = site.created()
    reply = new.ask(f"client.algo('{made.path}').update({{'label': 'new'}}, {site.creation('X')['settings']!r})")
    assert (reply.value, reply.message) == (None, "Non-Algorithm related Failure: <Response [400]>")


def test_old_client_updates(site: Site, old: Library) -> None:
    made = site.created()
    settings = {**site.creation("X")["settings"], "license": "mit"}
    settings.pop("algorithm_environment")
    reply = old.ask(f"client.algo('{made.path}').update({{'label': 'new'}}, {settings!r})")
    assert (reply.error, reply.at("details", "label"), reply.at("settings", "license")) == ("", "new", "mit")


def test_delete(site: Site) -> None:
    made = site.created()
    reply = site.curl("DELETE", made.url)
    assert (reply.status, reply.body) == (204, b"")
    after = site.curl("GET", made.url)
    assert (after.status, after.document) == (404, {"error": "No such algorithm"})


def test_name_is_free_after_delete(site: Site) -> None:
    made = site.created()
    replies = [site.curl("DELETE", made.url), site.curl("POST", f"/v1/algorithms/{site.user}", site.creation(made.name))]
    assert [reply.status for reply in replies] == [204, 200]


def test_delete_of_public(site: Site, released: dict[str, Algorithm]) -> None:
    """Only an administrator may delete an algorithm with a public version."""
    reply = site.curl("DELETE", released["0.1.0"].url)
    assert (reply.status // 100, isinstance(reply.at("error", "message"), str)) == (4, True)


def test_delete_of_public_by_an_administrator(site: Site) -> None:
    """An administrator may delete an algorithm with a public version, by its name and by its id."""
    public = site.published(site.compiled(site.created()), "public")
    reply = site.curl("DELETE", public.url, key=site.admin)
    assert (reply.status, reply.body) == (204, b"")
    reply = site.curl("GET", public.url)
    assert reply.body == b'{"error":"No such algorithm"}'
