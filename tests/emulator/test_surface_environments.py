"""Installation of environments by administrators."""

from typing import Any

from emulated import Emulator, until

EDGE = "/v1/algorithm-environments/edge"
SITE = "/webapi/v1/algorithm-environments"


def administer(site: Emulator, method: str, path: str, body: Any = None) -> Any:
    """Send a request with the bare key, as early scripts do."""
    return site.request(method, path, body, {"Authorization": site.admin_key})


def test_languages_and_their_configuration(site: Emulator) -> None:
    languages = site.get(EDGE + "/languages")
    assert [each["name"] for each in languages] == ["python2", "python3"]
    assert '"req_files": ["requirements.txt"]' in languages[1]["configuration"]
    assert site.request("GET", EDGE + "/languages/cobol/environments").status == 404


def test_the_description_of_an_environment(site: Emulator) -> None:
    """It does not name the interpreter, since that is chosen by each build."""
    [told] = site.get(EDGE + "/languages/python2/environments")["environments"]
    assert told["description"] == "Python 2.7, on an interpreter of this machine, which the log of a build names"


def test_an_environment_can_be_installed_and_removed(site: Emulator) -> None:
    available = administer(site, "GET", SITE + "/environments/available").json
    assert administer(site, "GET", EDGE + "/environments/available").json == available
    wanted = next(each for each in available if each["display_name"].startswith("Selenium"))
    specification = f"{SITE}/environment-specifications/{wanted['environment_specification_id']}"
    synced = administer(site, "POST", specification + "/syncs", {})
    assert (synced.status, synced.body.decode()) == (202, wanted["id"])
    result = f"{specification}/syncs/{synced.body.decode()}"
    assert administer(site, "POST", specification + "/syncs").body == synced.body
    assert administer(site, "GET", result).json == {"sync_result": "in progress"}
    until(lambda: administer(site, "GET", result).json == {"sync_result": "succeeded"})
    current = administer(site, "GET", SITE + "/environments/current").json
    installed = next(each for each in current if each["display_name"] == wanted["display_name"])
    assert installed == {**wanted, "created_at": installed["created_at"]}
    assert site.environment(wanted["display_name"]) == installed["id"]
    assert administer(site, "POST", specification + "/syncs").body == synced.body
    removed = f"{EDGE}/environment-specifications/{wanted['environment_specification_id']}"
    assert [administer(site, "DELETE", removed).status for _ in "12"] == [204, 404]
    again = administer(site, "GET", SITE + "/environments/available").json
    assert [{**each, "id": ""} for each in again] == [{**each, "id": ""} for each in available]


def test_the_id_of_an_environment_can_be_chosen(site: Emulator) -> None:
    chosen = "ea8f42fe-ea59-4eab-920a-09176729b4fa"
    available = administer(site, "GET", SITE + "/environments/available").json
    wanted = next(each for each in available if "MXNet" in each["display_name"])
    syncs = f"{SITE}/environment-specifications/{wanted['environment_specification_id']}/syncs"
    for wrong in ("1", site.environment()):
        assert administer(site, "POST", syncs, {"id": wrong}).status == 400
    assert administer(site, "POST", syncs, {"id": chosen}).body == chosen.encode()
    until(lambda: administer(site, "GET", f"{syncs}/{chosen}").json == {"sync_result": "succeeded"})
    assert site.environment(wanted["display_name"]) == chosen
    assert administer(site, "POST", syncs, {"id": wanted["id"]}).status == 400


def test_an_environment_in_use_cannot_be_removed(site: Emulator) -> None:
    site.create("User", "Python 3.8")
    current = administer(site, "GET", SITE + "/environments/current").json
    used = next(each["environment_specification_id"] for each in current if each["display_name"] == "Python 3.8")
    assert administer(site, "DELETE", f"{EDGE}/environment-specifications/{used}").status == 400
    assert administer(site, "GET", SITE + "/environments/current").json == current


def test_unknown_specifications(site: Emulator) -> None:
    for method, path in (("POST", "/syncs"), ("GET", "/syncs/x")):
        assert administer(site, method, f"{SITE}/environment-specifications/none{path}").status == 404


def test_keys_for_administration_and_ordinary_keys_are_separate(site: Emulator) -> None:
    assert len(site.admin_key) == 28
    administration = [
        ("GET", SITE + "/environments/current"),
        ("POST", SITE + "/environment-specifications/x/syncs"),
        ("GET", EDGE + "/environments/available"),
        ("DELETE", EDGE + "/environment-specifications/x"),
        ("POST", "/v1/users"),
        ("DELETE", "/v1/organizations/x"),
    ]
    ordinary = [
        ("GET", "/v1/data/"),
        ("PUT", "/v1/data/.my/a/b"),
        ("GET", "/v1/algorithms/local/None"),
        ("POST", "/v1/algo/local/None"),
    ]
    assert [site.request(*each).status for each in administration] == [403] * len(administration)
    assert [administer(site, *each).status for each in ordinary] == [403] * len(ordinary)
    assert administer(site, "GET", EDGE + "/languages").status == 200
