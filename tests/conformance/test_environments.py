"""Languages, environments, templates and installation (PLATFORM.md §4)."""

import io
import re
import tarfile

import pytest
from clients import Library
from replies import Answer
from site_under_test import NOWHERE, Site

EDGE = "/v1/algorithm-environments/edge"
OLD = "/webapi/v1/algorithm-environments"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}")
SHAPE = {"id", "environment_specification_id", "display_name", "description", "created_at", "language", "machine_type"}


def bare(site: Site) -> dict[str, str]:
    """The administrator's bare key, as scripts send it to the older routes."""
    return {"Authorization": site.admin}


def entry(reply: Answer, name: str) -> list[int]:
    return [number for number, each in enumerate(reply.each()) if each.get("display_name") == name]


def test_languages(site: Site, new: Library) -> None:
    reply = new.ask("client.get_supported_languages()")
    assert {"python2", "python3"} <= {each["name"] for each in reply.each()}, reply
    assert [reply.names(number) for number, _ in enumerate(reply.each())] == [{"name", "display_name", "configuration"}] * len(
        reply.each()
    )
    assert re.search(r'"display_name".*"req_files".*"artifacts"', str(reply.at(0, "configuration")))


def test_languages_need_a_key(site: Site) -> None:
    reply = site.curl("GET", f"{EDGE}/languages", headers={"Authorization": ""})
    assert (reply.status, reply.at("error", "message")) == (401, "authorization required")


def test_environments_of_a_language(site: Site, new: Library) -> None:
    reply = new.ask("client.get_environment('python3')")
    assert (reply.names(), reply.names("environments", 0)) == ({"environments"}, SHAPE)
    assert "Python 3.7" in {each["display_name"] for each in reply.each("environments")}, reply
    assert (bool(STAMP.fullmatch(reply.at("environments", 0, "created_at"))), reply.at("environments", 0, "language", "name")) == (
        True,
        "python3",
    )
    assert {each["machine_type"] for each in reply.each("environments")} == {"CPU", "GPU"}


def test_environments_of_an_unknown_language(site: Site) -> None:
    reply = site.curl("GET", f"{EDGE}/languages/cobol/environments")
    assert (reply.status, isinstance(reply.at("error", "message"), str)) == (404, True)


def test_template(site: Site) -> None:
    """A gzipped tar of the template, without a key."""
    specification = site.environment(field_name="environment_specification_id")
    reply = site.curl("GET", f"{EDGE}/environment-specifications/{specification}/template", headers={"Authorization": ""})
    assert (reply.status, reply.body[:2]) == (200, b"\x1f\x8b")
    with tarfile.open(fileobj=io.BytesIO(reply.body)) as archive:
        names = {name.removeprefix("./") for name in archive.getnames()}
    assert {".adk", "algorithmia.conf", "requirements.txt", "src/__init__.py"} <= names, reply


def test_library_unpacks_template(site: Site, new: Library, tmp_path: object) -> None:
    specification = site.environment(field_name="environment_specification_id")
    reply = new.ask(
        f"[client.get_template('{specification}', '{tmp_path}/t').status_code, __import__('os').listdir('{tmp_path}/t')]"
    )
    assert (reply.at(0), {"src", "requirements.txt", "algorithmia.conf"} <= set(reply.each(1))) == (200, True)


def test_template_of_an_unknown_specification(site: Site) -> None:
    reply = site.curl("GET", f"{EDGE}/environment-specifications/{NOWHERE}/template")
    assert (reply.status, isinstance(reply.at("error", "message"), str)) == (404, True)


def test_edge_available(site: Site) -> None:
    reply = site.curl("GET", f"{EDGE}/environments/available", headers=bare(site))
    assert (reply.status, isinstance(reply.document, list)) == (200, True)


def test_webapi_current(site: Site) -> None:
    reply = site.curl("GET", f"{OLD}/environments/current", headers=bare(site))
    known = entry(reply, "Python 3.7")
    assert (reply.status, len(known)) == (200, 1)
    assert (reply.names(known[0]), reply.at(known[0], "id")) == (SHAPE, site.environment())


def test_webapi_available(site: Site) -> None:
    reply = site.curl("GET", f"{OLD}/environments/available", headers=bare(site))
    assert (reply.status, isinstance(reply.document, list)) == (200, True)
    assert all({"display_name", "environment_specification_id"} <= set(each) for each in reply.each()), reply


@pytest.mark.parametrize("base", [OLD, EDGE])
def test_sync(site: Site, base: str) -> None:
    """An available environment is installed when its synchronization has succeeded."""
    available = site.curl("GET", f"{OLD}/environments/available", headers=bare(site))
    specification = available.at(0, "environment_specification_id")
    started = site.curl("POST", f"{base}/environment-specifications/{specification}/syncs", {}, bare(site))
    assert (started.status, re.fullmatch(r'"?[0-9a-f-]{36}"?', started.body.decode().strip()) is not None) == (202, True)
    environment = started.body.decode().strip().strip('"')
    result = site.until(
        lambda: site.curl("GET", f"{OLD}/environment-specifications/{specification}/syncs/{environment}", headers=bare(site)),
        lambda reply: reply.at("sync_result") == "succeeded",
    )
    assert (result.status, result.at("sync_result")) == (200, "succeeded")
    current = site.curl("GET", f"{OLD}/environments/current", headers=bare(site))
    assert specification in {each["environment_specification_id"] for each in current.each()}, current


def test_removal(site: Site) -> None:
    current = site.curl("GET", f"{OLD}/environments/current", headers=bare(site))
    named = entry(current, "Python 3.6")
    assert (current.status, len(named)) == (200, 1)
    specification = current.at(named[0], "environment_specification_id")
    reply = site.curl("DELETE", f"{EDGE}/environment-specifications/{specification}", headers=bare(site))
    assert (reply.status // 100, reply.at("error")) == (2, None)
    after = site.curl("GET", f"{OLD}/environments/current", headers=bare(site))
    assert specification not in {each["environment_specification_id"] for each in after.each()}, after


@pytest.mark.parametrize("path", [f"{OLD}/environments/current", f"{OLD}/environments/available", f"{EDGE}/environments/available"])
def test_administration_needs_an_administrator(site: Site, path: str) -> None:
    reply = site.curl("GET", path, key=site.other)
    assert (reply.status, reply.at("error", "code")) == (403, 2001)
