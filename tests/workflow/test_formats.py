"""Valid files in every format, and the workflows they give."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.error import UsageError, WorkflowError
from algosync.core.testing.case import TestCase
from algosync.core.workflow import AlgorithmSpec, DataFile, Details, Publish, Settings, Workflow

ORIGINAL = """{
  "source_info": {"cluster_address": "https://api.example.com"},
  "test_info": {
    "entrypoint": "Pipeline",
    "tests": [
      {"name": "10 calls", "payload": 10, "timeout": 60},
      {"name": "no timeout", "payload": {"to": ["<algo>"]}}
    ]
  },
  "algorithms": [
    {
      "name": "Downloader",
      "code_path": "data://.my/code/Downloader.tar.gz",
      "language": "python3",
      "data_files": ["data://.my/artifacts/willow.jpeg"],
      "test_payload": {"image": "data://.my/<algo>/willow.jpeg", "resize": 600.0}
    },
    {
      "name": "Pipeline",
      "code": "data://.my/code/Pipeline.tar.gz",
      "environment_name": "Python 3.7 + TensorFlow GPU 2.3",
      "data_files": [],
      "test_payload": "<algo>"
    }
  ],
  "run_only": false
}
"""

YAML = """
source_info: {cluster_address: https://api.example.com}
test_info:
  entrypoint: Pipeline
  tests:
    - {name: 10 calls, payload: 10, timeout: 60}
    - name: no timeout
      payload: {to: [<algo>]}
algorithms:
  - name: Downloader
    code_path: data://.my/code/Downloader.tar.gz
    language: python3
    data_files:
      - data://.my/artifacts/willow.jpeg
    test_payload:
      image: data://.my/<algo>/willow.jpeg
      resize: 600.0
  - name: Pipeline
    code: data://.my/code/Pipeline.tar.gz
    environment_name: Python 3.7 + TensorFlow GPU 2.3
    data_files: []
    test_payload: <algo>
run_only: false
"""

EXPECTED = Workflow(
    name="w",
    folder="",
    source_address="https://api.example.com",
    entrypoint="Pipeline",
    tests=(
        TestCase("10 calls", "10", 60),
        TestCase("no timeout", '{"to":["Pipeline"]}', 300),
    ),
    algorithms=(
        AlgorithmSpec(
            name="Downloader",
            language="python3",
            code="data://.my/code/Downloader.tar.gz",
            data_files=(DataFile("data://.my/artifacts/willow.jpeg", "willow.jpeg"),),
            tests=(TestCase("", '{"image":"data://.my/Downloader/willow.jpeg","resize":600.0}'),),
            details=Details("Downloader"),
        ),
        AlgorithmSpec(
            name="Pipeline",
            language="Python 3.7 + TensorFlow GPU 2.3",
            code="data://.my/code/Pipeline.tar.gz",
            tests=(TestCase("", '"Pipeline"'),),
            details=Details("Pipeline"),
        ),
    ),
)


def load(folder: Path, name: str, text: str) -> Workflow:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return workflow.load(path, {})


def payload(folder: Path, text: str, name: str = "w.yaml") -> str | None:
    return load(folder, name, f"algorithms: [{{name: A, language: python3, test_payload: {text}}}]").algorithms[0].test_payload


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("w.json", ORIGINAL),
        ("w.json", ORIGINAL.replace("\n", "\r\n")),
        ("w.yaml", YAML),
        ("w.yml", YAML),
        ("w.yaml", YAML.replace("\n", "\r\n")),
        ("w.yaml", ORIGINAL),  # JSON is valid YAML
        ("w.json.j2", ORIGINAL.replace('"Pipeline"', "{{ 'Pipeline' | tojson }}")),
        ("w.yaml.j2", YAML.replace("name: Pipeline", "name: {{ 'Pipeline' }}")),
        (
            "w.yml.j2",
            "{% set n = 10 %}" + YAML.replace("10 calls", "{{ n }} calls").replace("payload: 10", "payload: {{ n }}"),
        ),
    ],
)
def test_every_spelling_of_the_original_format_gives_the_same_workflow(tmp_path: Path, name: str, text: str) -> None:
    assert load(tmp_path, name, text) == replace(EXPECTED, folder=str(tmp_path))


def test_all_extensions_of_the_format_are_read(tmp_path: Path) -> None:
    text = """
    source_info: {cluster_address: file://source}
    algorithm_owner: quality
    variables: {cluster: {default: test}}
    test_info: {entrypoint: B}
    algorithms:
      - {name: A, language: python3, code_path: file://algorithms/A.tar.gz}
      - name: B
        language: pytorch
        data_files: [{source: data://.my/models/ssd_v1.1.pb, name: model.pb}, {source: data://me/models/x.pb}]
        details: {label: A B, summary: "", tagline: short}
        settings: {source_visibility: open, license: mit, network_access: isolated, pipeline_enabled: false}
        publish: {version_type: revision, callability: public, release_notes: fixed}
        depends_on: [A]
    run_only: true
    """
    assert load(tmp_path, "w.yaml", text) == Workflow(
        name="w",
        folder=str(tmp_path),
        source_address="file://source",
        owner="quality",
        entrypoint="B",
        run_only=True,
        algorithms=(
            AlgorithmSpec("A", "python3", code="file://algorithms/A.tar.gz", details=Details("A")),
            AlgorithmSpec(
                "B",
                "pytorch",
                data_files=(
                    DataFile("data://.my/models/ssd_v1.1.pb", "model.pb"),
                    DataFile("data://me/models/x.pb", "x.pb"),
                ),
                details=Details("A B", "", "short"),
                settings=Settings("open", "mit", "isolated", pipeline_enabled=False),
                publish=Publish("revision", "public", "fixed"),
                depends_on=("A",),
            ),
        ),
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://api.example.com",
        "http://127.0.0.1:8080/",
        "https://[::1]:8443",
        "file://../source",
        "local",
        "local:second",
    ],
)
def test_a_source_address_is_kept_unchanged(tmp_path: Path, address: str) -> None:
    document = {"source_info": {"cluster_address": address}, "algorithms": [{"name": "A", "language": "python3"}]}
    assert load(tmp_path, "w.json", json.dumps(document)).source_address == address


@pytest.mark.parametrize(
    "address",
    [
        *(
            "api.example.com",
            "ftp://x",
            "https://",
            "https://u:p@h",
            "https://h\\@evil",
            "https://h#",
            "https://h?x",
            "localx",
        ),
        *(
            "https://h:port",
            "https://h:0",
            "https://h:99999",
            "https://h h",
            "https://ex\u0430mple.com",
            "file://",
            "local:",
            "local:..",
            "LOCAL",
        ),
    ],
)
def test_an_invalid_source_address_is_refused(tmp_path: Path, address: str) -> None:
    document = {"source_info": {"cluster_address": address}, "algorithms": [{"name": "A", "language": "python3"}]}
    with pytest.raises(WorkflowError) as caught:
        load(tmp_path, "w.json", json.dumps(document))
    assert [fault.code for fault in caught.value.faults] == ["invalid-address"]
    assert "u:p" not in caught.value.faults[0].message


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("1", "1"),
        ("+1", "1"),
        ("-0", "-0"),
        ("0", "0"),
        ("-0.0", "-0.0"),
        ("1.0", "1.0"),
        ("0e5", "0e5"),
        ("0x1F", "31"),
        ("0o17", "15"),
        (".5", "0.5"),
        ("-.5e3", "-0.5e3"),
        ("1.", "1.0"),
        ("1.e5", "1.0e5"),
        ("1.10", "1.10"),
        ("1e999", "1e999"),
        ("12345678901234567890.123", "12345678901234567890.123"),
        ("9" * 5000, "9" * 5000),
        ("true", "true"),
        ("True", "true"),
        ("~", "null"),
        ("''", '""'),
        ("no", '"no"'),
        ("on", '"on"'),
        ("1:20", '"1:20"'),
        ("1_000", '"1_000"'),
        ("2020-01-01", '"2020-01-01"'),
        ("0b11", '"0b11"'),
        ("+", '"+"'),
        ("'1'", '"1"'),
        ("é", '"\\u00e9"'),
        ("[ ]", "[]"),
        ("{ }", "{}"),
        ("{b: 1, a: [2, {c: <algo>}], <algo>: x<algo>x}", '{"b":1,"a":[2,{"c":"A"}],"<algo>":"xAx"}'),
    ],
)
def test_yaml_values_follow_yaml_1_2(tmp_path: Path, written: str, sent: str) -> None:
    assert payload(tmp_path, written) == sent


def test_null_is_a_payload(tmp_path: Path) -> None:
    assert payload(tmp_path, "null") == "null"
    assert load(tmp_path, "w.yaml", "algorithms: [{name: A, language: python3}]").algorithms[0].test_payload is None


def test_merge_keys_add_missing_keys_and_the_first_map_wins(tmp_path: Path) -> None:
    text = """
    algorithms:
      - &first
        name: A
        language: python3
        test_payload: &p {x: 1, y: 2}
      - <<: *first
        name: B
        test_payload: {z: 0, <<: [{y: 3}, *p], x: 4}
      - {name: C, <<: *first, test_payload: *p}
    """
    algorithms = load(tmp_path, "w.yaml", text).algorithms
    assert [(spec.name, spec.language, spec.test_payload) for spec in algorithms] == [
        ("A", "python3", '{"x":1,"y":2}'),
        ("B", "python3", '{"y":3,"x":4,"z":0}'),
        ("C", "python3", '{"x":1,"y":2}'),
    ]


def test_the_largest_payload_is_ten_mebibytes(tmp_path: Path) -> None:
    text = "x" * (10 * 1024 * 1024 - 2)
    document = {"algorithms": [{"name": "A", "language": "python3", "test_payload": text}]}
    assert load(tmp_path, "w.json", json.dumps(document)).algorithms[0].test_payload == f'"{text}"'


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "w.json").open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(WorkflowError) as caught:
        workflow.load(tmp_path / "w.json", {})
    assert [fault.code for fault in caught.value.faults] == ["too-large"]


@pytest.mark.parametrize("name", ["missing.yaml", "folder.yaml", "w.txt", "nul\0.yaml"])
def test_an_unreadable_file_is_a_usage_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "w.txt").write_text("algorithms: []")
    for verb in (workflow.load, workflow.render):
        with pytest.raises(UsageError):
            verb(tmp_path / name, {})


def test_the_folder_is_absolute_for_any_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w.yaml").write_text("algorithms: [{name: A, language: python3}]")
    monkeypatch.chdir(tmp_path)
    assert workflow.load(Path("w.yaml"), {}).folder == str(tmp_path)


def test_keys_that_begin_with_x_hold_anchors_and_say_nothing(tmp_path: Path) -> None:
    text = "x-defaults: &defaults {language: python3}\nalgorithms:\n  - {<<: *defaults, name: One, x-note: mine}\n"
    (tmp_path / "w.yaml").write_text(text)
    assert workflow.load(tmp_path / "w.yaml", {}).algorithms == (AlgorithmSpec("One", "python3", details=Details("One")),)


@pytest.mark.parametrize("key", ["language", "environment_name", "environment"])
def test_the_environment_has_three_keys(tmp_path: Path, key: str) -> None:
    (tmp_path / "w.yaml").write_text(f"algorithms: [{{name: One, {key}: Python 3.8}}]\n")
    assert workflow.load(tmp_path / "w.yaml", {}).algorithms[0].language == "Python 3.8"


@pytest.mark.parametrize(
    ("written", "given", "effective"),
    [
        ("", None, None),
        ("data_files: [data://.my/models/w.bin]", None, "my_algorithms"),
        ("collection: {}", "my_algorithms", "my_algorithms"),
        ("collection: {read: private}", "private", "private"),
        ("collection: {read: public}, data_files: [data://.my/models/w.bin]", "public", "public"),
    ],
)
def test_who_can_read_the_data(tmp_path: Path, written: str, given: str | None, effective: str | None) -> None:
    (tmp_path / "w.yaml").write_text(f"algorithms: [{{name: One, language: python3, {written}}}]\n")
    (spec,) = workflow.load(tmp_path / "w.yaml", {}).algorithms
    assert (spec.collection_read, spec.data_read) == (given, effective)


def test_a_misspelled_reader_gets_the_nearest_word(tmp_path: Path) -> None:
    text = "algorithms:\n  - name: One\n    language: python3\n    collection: {read: my_algorithm}\n"
    (tmp_path / "w.yaml").write_text(text)
    with pytest.raises(WorkflowError) as caught:
        workflow.load(tmp_path / "w.yaml", {})
    (fault,) = caught.value.faults
    assert (fault.line, fault.column, fault.path) == (4, 24, "algorithms[0].collection.read")
    assert fault.message == "'my_algorithm' is not one of my_algorithms, public, private"
    assert fault.hint == "did you mean my_algorithms?"


def test_data_files_know_their_line_also_in_a_template(tmp_path: Path) -> None:
    lines = (
        "variables: {n: {default: x}}",
        "{% for i in range(3) %}",
        "{% endfor %}",
        "algorithms:",
        "  - name: A",
        "    language: python3",
        "    data_files:",
        "      - data://.my/models/{{ n }}",
        "      - {source: data://.my/models/y, name: z}",
    )
    (tmp_path / "w.yaml.j2").write_text("\n".join(lines))
    (spec,) = workflow.load(tmp_path / "w.yaml.j2", {}).algorithms
    assert [file.line for file in spec.data_files] == [8, 9]
