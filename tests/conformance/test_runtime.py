"""The runtime behind calls: what algorithms may request, and the layouts of their source (PLATFORM.md §6, §7)."""

import json

from clients import Algo
from odd_source import ODD
from site_under_test import Algorithm, Site

NESTING = """\
import Algorithmia


def apply(input):
    try:
        return Algorithmia.client().algo(input).pipe("you").result
    except Exception as error:
        return "{}: {}".format(type(error).__name__, error)
"""
NEEDED = {"requirements.txt": "algorithmia>=1.0.0,<2.0\nsix\n"}


def test_algorithms_call_algorithms(site: Site, odd: Algorithm) -> None:
    reply = site.run(site.built(NESTING, NEEDED), f"{odd.path}/{odd.commit}")
    assert (reply.status, reply.at("result")) == (200, "you")


def test_pipeline_disabled(site: Site, odd: Algorithm) -> None:
    reply = site.run(site.built(NESTING, NEEDED, pipeline_enabled=False), f"{odd.path}/{odd.commit}")
    assert (reply.status, reply.at("result")) == (200, "Exception: Non-Algorithm related Failure: <Response [403]>")


INSIGHTS = """\
import os

import requests


def apply(input):
    address = os.environ["ALGORITHMIA_API"] + "/v1/insights"
    return requests.post(address, json=[{"insight_key": "k", "insight_value": 1}]).status_code
"""


def test_insights_are_accepted(site: Site) -> None:
    reply = site.run(site.built(INSIGHTS, NEEDED), 1)
    assert (reply.status, (reply.at("result") or 0) // 100) == (200, 2)


def test_legacy_layout(site: Site) -> None:
    reply = site.run(site.built("def apply(input):\n    return 'legacy'\n"), 1)
    assert reply.at("result") == "legacy"


def test_marker_without_the_adk(site: Site) -> None:
    """If `.adk` exists, the runtime only imports the source, which has to serve itself."""
    reply = site.run(site.built("def apply(input):\n    return 'legacy'\n", {**NEEDED, ".adk": ""}), 1)
    assert (reply.status, reply.names(), reply.at("result")) == (200, {"error", "metadata"}, None)
    assert ".adk" in str(reply.at("error", "message")), reply


def test_import_failure(site: Site) -> None:
    """The failed import ends a process of the legacy layout before it serves."""
    reply = site.run(site.built("import nothing_of_the_kind\n\n\ndef apply(input):\n    return 1\n"), 1)
    assert (reply.status, "nothing_of_the_kind" in str(reply.document)) == (200, True)
    assert reply.names("error") >= {"message", "error_type"}


ADK = """\
from Algorithmia import ADK


def load():
    {loading}


def apply(input, loaded):
    if input == "raise":
        raise ValueError("spoken")
    return [input, loaded]


ADK(apply, load).init("sample")
"""


def adk(site: Site, loading: str) -> Algorithm:
    made = site.created()
    return site.pushed(made, {f"src/{made.name}.py": ADK.format(loading=loading)})


def test_adk_layout(site: Site) -> None:
    made = adk(site, "return 'model'")
    replies = [site.run(made, "in"), site.run(made, "raise"), site.run(made, "again")]
    assert [reply.at("result") for reply in replies] == [["in", "model"], None, ["again", "model"]]
    assert [reply.at("error", "message") for reply in replies] == [None, "spoken", None]


def test_adk_load_failure(site: Site) -> None:
    """The process goes on, and reports the failure in every call."""
    made = adk(site, "raise RuntimeError('no model')")
    replies = [site.run(made, "in"), site.run(made, "again")]
    assert [reply.at("error", "error_type") for reply in replies] == ["LoadingError"] * 2
    assert ["no model" in str(reply.at("error", "message")) for reply in replies] == [True] * 2


HANDLER = """\
import Algorithmia


def apply(input, state):
    return [input, state]


def load():
    return "state"


Algorithmia.handler(apply, load).serve()
"""


def test_handler_layout(site: Site) -> None:
    made = site.created()
    built = site.pushed(made, {f"src/{made.name}.py": HANDLER})
    reply = site.run(built, "in")
    assert reply.at("result") == ["in", "state"]


def test_tests_are_not_run_by_a_build(site: Site) -> None:
    made = site.built(ODD, {"src/any_test.py": "raise SystemExit('a test was run')\n"})
    reply = site.run(made, 1)
    assert reply.at("result") == 1


MANIFEST_SOURCE = """\
from Algorithmia import ADK


def load(model):
    with open(model.get_model("words")) as file:
        return file.read()


def apply(input, loaded):
    return loaded


ADK(apply, load).init("sample")
"""


def test_model_manifest(site: Site, algo: Algo) -> None:
    """The client freezes the manifest, and the runtime checks it. The model is loaded as long as it matches."""
    path = site.collection({"words.txt": "frozen"})
    entry = {"name": "words", "source_uri": f"data://{path}/words.txt", "fail_on_tamper": True, "metadata": {}}
    (algo.home / "model_manifest.json").write_text(json.dumps({"required_files": [entry], "optional_files": []}))
    froze = algo("freeze")
    assert (froze.code, froze.stdout) == (0, "None\n")
    made = site.created()
    frozen = (algo.home / "model_manifest.json.freeze").read_text()
    built = site.pushed(made, {f"src/{made.name}.py": MANIFEST_SOURCE, "model_manifest.json.freeze": frozen})
    reply = site.run(built, "x")
    assert reply.at("result") == "frozen"
    site.curl("PUT", f"/v1/data/{path}/words.txt", "tampered")
    tampered = site.run(site.pushed(built, {"README.md": "again"}), "x")
    assert tampered.at("error", "error_type") == "LoadingError"


LAZY_SOURCE = """\
from Algorithmia import ADK


def load(model):
    return model


def apply(input, loaded):
    with open(loaded.get_model(input)) as file:
        return file.read()


ADK(apply, load).init("words")
"""


def manifest(path: str, **required: object) -> str:
    """A manifest with one required and one optional file of a collection."""
    words = {"name": "words", "source_uri": f"data://{path}/words.txt", "metadata": {}, "fail_on_tamper": False, **required}
    extra = {"name": "extra", "source_uri": f"data://{path}/extra.txt", "metadata": {}, "fail_on_tamper": False}
    return json.dumps({"required_files": [words], "optional_files": [extra]})


def test_optional_files_are_fetched_on_demand(site: Site) -> None:
    """The optional file is created after the model was loaded."""
    path = site.collection({"words.txt": "required"})
    made = site.created()
    built = site.pushed(made, {f"src/{made.name}.py": LAZY_SOURCE, "model_manifest.json": manifest(path)})
    reply = site.run(built, "words")
    assert reply.at("result") == "required"
    site.curl("PUT", f"/v1/data/{path}/extra.txt", "optional")
    reply = site.run(built, "extra")
    assert reply.at("result") == "optional"


def test_manifest_with_a_broken_lock(site: Site) -> None:
    """A freeze file that was edited by hand is refused."""
    frozen = {**json.loads(manifest("x/y")), "timestamp": "1.0", "lock_checksum": "0" * 32}
    made = site.created()
    files = {f"src/{made.name}.py": LAZY_SOURCE, "model_manifest.json.freeze": json.dumps(frozen)}
    reply = site.run(site.pushed(made, files), "words")
    assert (reply.status, "Manifest FreezeFile Tamper Detected" in str(reply.at("error", "message"))) == (200, True)


def test_tampering_needs_a_frozen_manifest(site: Site) -> None:
    """Without the checksum that freezing adds, the comparison in the runtime fails in every call."""
    path = site.collection({"words.txt": "required"})
    made = site.created()
    files = {f"src/{made.name}.py": LAZY_SOURCE, "model_manifest.json": manifest(path, fail_on_tamper=True)}
    reply = site.run(site.pushed(made, files), "words")
    assert (reply.status, reply.at("error", "error_type")) == (200, "LoadingError")
    assert "str" in str(reply.at("error", "message")), reply
