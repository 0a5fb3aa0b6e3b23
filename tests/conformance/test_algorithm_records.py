"""Records about algorithms: lists, commits, source control, errors, secrets (PLATFORM.md §3.1, §3.8)."""

from typing import Any

import pytest
from clients import Library
from site_under_test import Algorithm, Site


def test_list_of_a_users_algorithms_by_page(site: Site) -> None:
    made = {site.created().id for _ in range(2)}
    found: list[object] = []
    following = f"/v1/users/{site.user}/algorithms?limit=1"
    for _ in range(1000):
        reply = site.curl("GET", following)
        assert len(reply.each("results")) == 1, reply
        found.append(reply.at("results", 0, "id"))
        following = reply.at("next_link")
        assert (following is None) == (reply.at("marker") is None), reply
        if following is None:
            break
    assert (len(found), set(found) >= made) == (len(set(found)), True)


@pytest.mark.parametrize("limit", ["0", "x", "1001", "-1"])
def test_list_of_a_users_algorithms_with_a_bad_limit(site: Site, limit: str) -> None:
    reply = site.curl("GET", f"/v1/users/{site.user}/algorithms?limit={limit}")
    assert (reply.status, reply.at("error", "code")) == (400, 5003)


def test_list_of_a_users_algorithms(site: Site, hello: Algorithm) -> None:
    reply = site.curl("GET", f"/v1/users/{site.user}/algorithms")
    assert (reply.names(), reply.at("marker")) == ({"marker", "next_link", "results"}, None)
    assert hello.id in {each["id"] for each in reply.each("results")}, reply


def test_scm_status(site: Site, hello: Algorithm, library: Library) -> None:
    answer = site.curl("GET", f"{hello.url}/scm/status")
    assert answer.document == {"scm_connection_status": "active"}
    reply = library.ask(f"client.algo('{hello.path}').get_scm_status()")
    assert (reply.error, reply.at("scm_connection_status")) == ("", "active")


def test_scm_webhook(site: Site, hello: Algorithm) -> None:
    reply = site.curl("POST", f"{hello.url}/scm/webhook", {})
    assert (reply.status in (202, 204), reply.body) == (True, b"")


def test_commit_log(site: Site, hello: Algorithm) -> None:
    reply = site.curl("GET", f"{hello.url}/log")
    assert (reply.at("commits", 0, "id"), reply.names("commits", 0)) == (hello.commit, {"id", "short_message", "message", "author"})


@pytest.mark.parametrize(("query", "shown"), [("since", ["commit", "0.2.0", "0.1.1"]), ("until", ["0.1.1", "0.1.0", "initial"])])
def test_part_of_the_commit_log(site: Site, released: dict[str, Algorithm], query: str, shown: list[str]) -> None:
    """`since` excludes commits before the named one, `until` those after it, as the generated client documents."""
    named = {version.commit: name for name, version in released.items()}
    reply = site.curl("GET", f"{released['0.1.1'].url}/log?{query}={released['0.1.1'].commit}")
    assert [named.get(each["id"], "initial") for each in reply.each("commits")] == shown


def test_commit_log_since_the_first(site: Site, hello: Algorithm) -> None:
    """No commit precedes the first one."""
    reply = site.curl("GET", f"{hello.url}/log?since={hello.commit}")
    assert [each["id"] for each in reply.each("commits")] == [hello.commit]


def test_scms(site: Site, new: Library) -> None:
    answer = site.curl("GET", "/v1/scms")
    assert (answer.names(), [each["id"] for each in answer.each("results")]) == ({"results"}, ["internal"])
    reply = new.ask("client.scms()")
    assert reply.value == answer.document


def test_one_scm(site: Site) -> None:
    reply = site.curl("GET", "/v1/scms/internal")
    assert [reply.at(name) for name in ("id", "provider", "default", "enabled")] == ["internal", "internal", True, True]


@pytest.mark.parametrize("by", ["name", "id"])
def test_errors(site: Site, odd: Algorithm, by: str) -> None:
    site.run(odd, {"do": "raise", "with": "spoken " + by + "x" * 200})
    reply = site.curl("GET", (odd.url if by == "name" else f"/v1/algorithms/{odd.id}") + "/errors")
    named = {
        "created_at",
        "request_id",
        "username",
        "algoname",
        "algoversion",
        "input",
        "error",
        "error_type",
        "billable_to",
        "worker",
    }
    assert reply.names(0) == named
    assert (reply.at(0, "algoname"), reply.at(0, "username"), len(reply.at(0, "input"))) == (odd.name, site.user, 128)
    assert (str(reply.at(0, "request_id"))[:4], isinstance(reply.at(0, "created_at"), int)) == ("req-", True)


def test_client_reads_errors(site: Site, odd: Algorithm, new: Library) -> None:
    site.run(odd, {"do": "raise", "with": "spoken"})
    reply = new.ask(f"client.get_algorithm_errors('{odd.id}')")
    assert (reply.error, reply.at(0, "error")) == ("", "spoken")


def test_secrets(site: Site, hello: Algorithm) -> None:
    path = f"/v1/algorithms/{hello.id}/secrets"
    provider = site.curl("GET", "/v1/secret-provider").at(0, "id")
    secret = {"owner_type": "algorithm", "owner_id": hello.id, "short_name": "token", "provider_id": provider}
    more = {"secret_key": "TOKEN_OF_HELLO", "secret_value": "hidden-value", "description": " "}
    made = site.curl("POST", path, {**secret, **more})
    assert (made.status, made.at("short_name"), b"hidden-value" in made.body) == (200, "token", False)
    listed = site.curl("GET", path)
    entry: dict[str, Any] = next(
        (each for each in (listed.each("results") or listed.each("secrets")) if each["short_name"] == "token"), {}
    )
    shown = {"id", "short_name", "description", "owner_type", "owner_id", "provider_id", "default_secret_value_id"}
    assert (shown - set(entry), b"hidden-value" in listed.body) == (set(), False), listed
    changed = site.curl("PUT", f"{path}/{entry['id']}", {**secret, **more, "description": "changed"})
    assert (changed.status, b"hidden-value" in changed.body) == (200, False)
    deleted = site.curl("DELETE", f"{path}/{entry['id']}")
    assert (deleted.status, deleted.body) == (204, b"")


def test_client_sets_secrets(site: Site, odd: Algorithm, new: Library) -> None:
    reply = new.ask(f"client.algo('{odd.path}').set_secret('short', 'SECRET_OF_ODD', 'hidden-value')")
    assert (reply.error, reply.at("short_name")) == ("", "short")
    listed = new.ask(f"client.algo('{odd.path}').get_secrets()")
    assert (listed.error, "hidden-value" in str(listed.value)) == ("", False)
    seen = site.run(odd, {"do": "secret", "with": "SECRET_OF_ODD"})
    assert seen.at("result") == "hidden-value"


def test_secret_providers(site: Site, new: Library) -> None:
    reply = new.ask("client.get_secret_providers()")
    assert (len(reply.each()), isinstance(reply.at(0, "id"), str)) == (1, True)


def test_registry_state(site: Site, hello: Algorithm) -> None:
    path = f"/v1/algorithms/{hello.id}/versions/{hello.commit}/registry"
    replies = [site.curl("GET", path), site.curl("POST", path, {})]
    assert ([reply.status for reply in replies], replies[0].names() != set(), replies[1].body) == ([200, 204], True, b"")


def test_unknown_route_answers_json(site: Site) -> None:
    """The node client cannot read an answer that is plain text."""
    reply = site.curl("GET", "/v1/nothing/here")
    assert (reply.status, isinstance(reply.at("error", "message"), str)) == (404, True)
