"""Calls by every form of reference, and the metadata and errors of their replies."""

import json
import uuid
from typing import Any

import pytest
from emulated import Emulator

CODE = """
def apply(input):
    print("printed")
    if input == "raise":
        raise ValueError("broken")
    if isinstance(input, int):
        return "x" * input
    return input
"""


@pytest.fixture(scope="module")
def algorithm(site: Emulator) -> Any:
    """An algorithm with the public version 0.1.0."""
    site.deploy("Called", CODE)
    return site.publish("Called", settings={"algorithm_callability": "public"}).json


@pytest.mark.parametrize("text", ["1e999", '{"x": [-1.5e309]}'])
def test_a_number_that_is_too_large_is_refused(site: Emulator, algorithm: Any, text: str) -> None:
    """It would become infinity, which JSON cannot represent."""
    reply = site.request("POST", "/v1/algo/local/Called", text, {"Content-Type": "application/json"})
    assert (reply.status, reply.json["error"]["error_type"]) == (400, "ParsingError")


def test_every_form_of_reference(site: Emulator, algorithm: Any) -> None:
    commit = algorithm["version_info"]["git_hash"]
    names = ["", "/", "/latest", "/0.1.0", "/0.1", "/0.1.*", "/0.*", f"/{commit}", f"/{commit}/"]
    for base in ("local/Called", "algo://local/Called", algorithm["id"]):
        assert [site.call(base + name, "x").get("result") for name in names] == ["x"] * len(names)
    for nowhere in ("local", "local/Called/0.2", "local/Called/0.1.0/x", f"{uuid.uuid4()}", "local/None"):
        reply = site.request("POST", f"/v1/algo/{nowhere}", "1", {"Content-Type": "application/json"})
        assert (reply.status, reply.json["error"]["message"]) == (404, f"algorithm algo://{nowhere} not found")


def test_only_the_owner_gets_output_and_stack_trace(site: Emulator, algorithm: Any) -> None:
    """The source is closed, so other callers do not see its stack trace."""
    other = site.key_of("caller")
    own = site.call("local/Called", "raise", "?stdout=True")
    assert own["metadata"]["stdout"] == "printed\n"
    assert own["error"]["stacktrace"].splitlines()[-1] == "ValueError: broken"
    foreign = site.call("local/Called", "raise", "?stdout=true", other)
    assert foreign["error"] == {"message": "broken", "error_type": "AlgorithmError"}
    assert set(foreign["metadata"]) == {"duration", "request_id"}
    assert foreign["metadata"]["request_id"] == site.get("/v1/algorithms/local/Called/errors")[0]["request_id"]


def test_timing(site: Emulator, algorithm: Any) -> None:
    metadata = site.call("local/Called", 1, "?timing=1&unknown=1")["metadata"]
    assert set(metadata) == {"content_type", "duration", "request_id", "timing"}
    assert 0 < metadata["timing"]["running"] == metadata["duration"] <= metadata["timing"]["total"]


def test_the_limits_of_size(site: Emulator, algorithm: Any) -> None:
    """10 MiB of input and 15 MiB of output. Larger ones get an error reply, not a reset."""
    limit = 10 * 1024 * 1024
    text = {"Content-Type": "text/plain"}
    assert len(site.request("POST", "/v1/algo/local/Called", b"y" * limit, text).json["result"]) == limit
    refused = site.request("POST", "/v1/algo/local/Called", b"y" * (limit + 1), text)
    assert (refused.status, refused.json["error"]["error_type"]) == (413, "TooLargeError")
    assert len(site.call("local/Called", 14 * 1024 * 1024)["result"]) == 14 * 1024 * 1024
    assert site.call("local/Called", 15 * 1024 * 1024)["error"]["error_type"] == "TooLargeError"


def test_insights_are_accepted(site: Emulator) -> None:
    body = json.dumps([{"insight_key": "a", "insight_value": 1}])
    reply = site.request("POST", "/v1/insights", body, {"Content-Type": "application/json", "Authorization": ""})
    assert (reply.status, reply.json) == (200, {})
