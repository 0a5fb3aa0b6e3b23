"""Secrets of algorithms: only workers of their algorithm receive them."""

from contextlib import closing
from typing import Any

import pytest
from emulated import Emulator

from algosync.emulator.records.database import Database
from algosync.emulator.records.secrets import SecretEntry, Secrets

PEEK = "import os\ndef apply(input):\n    return [os.environ.get(name) for name in input]\n"
VALUE = "s3cr3t-välue"


@pytest.fixture(scope="module")
def algorithm(site: Emulator) -> Any:
    site.deploy("Keeper", PEEK)
    site.publish("Keeper", settings={"algorithm_callability": "public"})
    return site.get("/v1/algorithms/local/Keeper")


def body(site: Emulator, algorithm: Any, **changed: object) -> dict[str, object]:
    """A request body as the official client sends it, with changes."""
    [provider] = site.get("/v1/secret-provider")
    owner = {"owner_type": "algorithm", "owner_id": algorithm["id"], "provider_id": provider["id"]}
    return {**owner, "short_name": "token", "secret_key": "TOKEN", "secret_value": VALUE, "description": " ", **changed}


def test_the_life_of_a_secret(site: Emulator) -> None:
    """After a change, a running worker with the old value is not used."""
    reference = site.deploy("Living", PEEK)
    algorithm = site.get("/v1/algorithms/local/Living")
    path = f"/v1/algorithms/{algorithm['id']}/secrets"

    def seen() -> object:
        return site.call(reference, ["TOKEN"])["result"]

    assert seen() == [None]
    made = site.request("POST", path, body(site, algorithm))
    assert made.status == 200
    assert set(made.json) == {
        *("id", "short_name", "description", "owner_type", "owner_id", "provider_id", "default_secret_value_id")
    }
    listed = site.get(path)
    assert listed == {"marker": None, "next_link": None, "results": [made.json], "secrets": [made.json]}
    assert seen() == [VALUE]
    renamed = site.request("PUT", f"{path}/{made.json['id']}", {"short_name": "other"}).json
    assert (renamed, seen()) == ({**made.json, "short_name": "other"}, [VALUE])
    changed = site.request("PUT", f"{path}/{made.json['id']}", body(site, algorithm, secret_value="new")).json
    assert changed["default_secret_value_id"] != made.json["default_secret_value_id"]
    assert seen() == ["new"]
    assert [site.request("DELETE", f"{path}/{made.json['id']}").status for _ in "12"] == [204, 404]
    assert (site.get(path)["results"], seen()) == ([], [None])


@pytest.mark.parametrize("variable", ["LD_PRELOAD", "GLIBC_TUNABLES", "GCONV_PATH"])
def test_secrets_cannot_control_the_dynamic_loader(site: Emulator, algorithm: Any, variable: str) -> None:
    path = "/v1/algorithms/local/Keeper/secrets"
    assert site.request("POST", path, body(site, algorithm, secret_key=variable)).status == 400


def test_a_secret_is_disclosed_only_to_workers_of_its_algorithm(site: Emulator, algorithm: Any) -> None:
    """Neither to other algorithms nor in a log."""
    path = "/v1/algorithms/local/Keeper/secrets"
    value = "only-in-the-database"
    made = site.request("POST", path, body(site, algorithm, secret_key="PLACED", secret_value=value)).json
    assert site.call("local/Keeper", ["PLACED"])["result"] == [value]
    assert site.call(site.deploy("Other", PEEK), ["PLACED"])["result"] == [None]
    holding = {found.name for found in site.root.rglob("*") if found.is_file() and value.encode() in found.read_bytes()}
    assert holding <= {"cluster.sqlite", "cluster.sqlite-wal"}
    other = site.key_of("curious")
    statuses = [
        site.request("GET", path, key=other).status,
        site.request("POST", path, body(site, algorithm), key=other).status,
        site.request("PUT", f"{path}/{made['id']}", {}, key=other).status,
        site.request("DELETE", f"{path}/{made['id']}", key=other).status,
    ]
    assert statuses == [403] * 4


def test_secrets_cannot_replace_variables_of_the_cluster(site: Emulator, algorithm: Any) -> None:
    """Such secrets are refused. Existing ones from an earlier version are ignored."""
    path = "/v1/algorithms/local/Keeper/secrets"
    names = ["PATH", "HOME", "TMPDIR", "ALGORITHMIA_API", "ALGORITHMIA_API_KEY", "NO_PROXY", "no_proxy"]
    replies = [site.request("POST", path, body(site, algorithm, secret_key=name, secret_value="evil")) for name in names]
    assert [(reply.status, reply.json["error"]["message"]) for reply in replies] == [
        (400, f"{name} is set by the cluster, and cannot be a secret") for name in names
    ]
    with closing(Database(site.root / "cluster.sqlite")) as database:
        secrets, kept = Secrets(database), [SecretEntry(name, algorithm["id"], name, name, "", name, "evil") for name in names]
        for entry in kept:
            secrets.add(entry)
        seen = site.call("local/Keeper", names)["result"]
        for entry in kept:
            secrets.remove(entry)
    assert (len(seen), "evil" in seen, None in seen, seen[3]) == (len(names), False, False, site.address)


@pytest.mark.parametrize(
    "changed",
    [
        *({"secret_key": key} for key in ("", "1A", "A=B", "A B", 1)),
        *({"secret_value": value} for value in ("", "a\0b", "x" * 65537, None, "\ud800")),
        *({"short_name": ""}, {"description": 1}, {"owner_type": "user"}, {"owner_id": "x"}, {"provider_id": "x"}),
    ],
)
def test_invalid_secrets(site: Emulator, algorithm: Any, changed: dict[str, object]) -> None:
    path = "/v1/algorithms/local/Keeper/secrets"
    before = site.get(path)
    assert site.request("POST", path, body(site, algorithm, **{"secret_key": "WRONG", **changed})).status == 400
    assert site.get(path) == before


def test_a_variable_can_have_only_one_secret(site: Emulator, algorithm: Any) -> None:
    path = "/v1/algorithms/local/Keeper/secrets"
    replies = [site.request("POST", path, body(site, algorithm, secret_key="TWICE")) for _ in "12"]
    assert [reply.status for reply in replies] == [200, 400]
    secret = replies[0].json["id"]
    assert site.request("PUT", f"{path}/{secret}", {"secret_key": "ONCE"}).status == 400


def test_the_official_client(site: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    algorithm = site.client().algo(site.deploy("Clients", PEEK).rsplit("/", 1)[0])
    made = algorithm.set_secret("mine", "MINE", VALUE)
    assert (made["short_name"], algorithm.get_secrets()["results"]) == ("mine", [made])


def test_secrets_are_deleted_with_their_algorithm(site: Emulator) -> None:
    made = site.create("Short")
    path = f"/v1/algorithms/{made['id']}"
    assert site.request("POST", path + "/secrets", body(site, made)).status == 200
    assert site.request("DELETE", path).status == 204
    assert site.request("GET", path + "/secrets").json["error"]["code"] == 1009
    again = site.create("Short")
    assert site.get(f"/v1/algorithms/{again['id']}/secrets")["results"] == []
