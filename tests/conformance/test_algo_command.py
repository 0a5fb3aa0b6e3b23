"""The `algo` command (PLATFORM.md §9, §9.1). Its exit code is always 0, so the tests check its output."""

import hashlib
import json
import os
import re

from clients import Algo
from site_under_test import Algorithm, Site

LISTED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d   4   (.*)\n")


def test_ls_of_the_root(site: Site, algo: Algo) -> None:
    reply = algo("ls")
    assert reply.stdout == f"{site.user}/\n{site.organization}/\n\n"


def test_ls_of_a_directory(site: Site, algo: Algo) -> None:
    path = site.collection({"a": "four", "b": "four"})
    reply = algo("ls", f"data://{path}/")
    assert reply.stdout == f"{path}/a\n{path}/b\n\n"


def test_ls_of_a_file(site: Site, algo: Algo) -> None:
    """The command lists the parent and searches there, also for `data://.my`, whose parent is the root."""
    path = site.collection({"a": "four", "b": "four"})
    reply = algo("ls", "-l", f"data://{path}/a")
    assert LISTED.findall(reply.stdout) == [f"{path}/a"]


def test_ls_of_my(site: Site, algo: Algo) -> None:
    reply = algo("ls", "data://.my/")
    name = site.collection().partition("/")[2]
    after = algo("ls", "data://.my/")
    assert (reply.code, f".my/{name}/" in after.stdout.splitlines()) == (0, True)


def test_mkdir(site: Site, algo: Algo) -> None:
    name = site.name("made")
    reply = algo("mkdir", f"data://.my/{name}")
    after = site.curl("GET", f"/v1/data/.my/{name}")
    assert (reply.code, reply.stderr, after.status, after.headers.get("x-data-type")) == (0, "", 200, "directory")


def test_cp_to_the_cluster_and_back(site: Site, algo: Algo) -> None:
    """The command first asks for a directory with the name of the local path."""
    path = site.collection()
    (algo.home / "a.txt").write_text("words")
    replies = [algo("cp", "./a.txt", f"data://{path}/"), algo("cp", f"data://{path}/a.txt", f"data://{path}/b.txt")]
    replies.append(algo("cp", f"data://{path}/b.txt", "./back.txt"))
    assert [(reply.code, reply.stderr) for reply in replies] == [(0, "")] * 3
    stored = site.curl("GET", f"/v1/data/{path}/b.txt")
    assert (stored.body, (algo.home / "back.txt").read_text()) == (b"words", "words")


def test_cat(site: Site, algo: Algo) -> None:
    path = site.collection({"a": "☎ words"})
    reply = algo("cat", f"data://{path}/a")
    assert reply.stdout == "☎ words\n"


def test_cat_of_a_missing_file(site: Site, algo: Algo) -> None:
    path = site.collection()
    reply = algo("cat", f"data://{path}/none", f"data://{path}/none")
    known = site.curl("HEAD", f"/v1/data/{path}")
    assert (reply.stdout, known.headers.get("x-data-type")) == (f"file does not exist data://{path}/none\n", "directory")


def test_rm(site: Site, algo: Algo) -> None:
    path = site.collection({"a": "x", "b": "y"})
    reply = algo("rm", f"data://{path}/a")
    after = site.curl("GET", f"/v1/data/{path}")
    assert (reply.code, [each["filename"] for each in after.each("files")]) == (0, ["b"])


def test_rmdir(site: Site, algo: Algo) -> None:
    path = site.collection({"a": "x"})
    refused = algo("rmdir", f"data://{path}")
    assert (refused.code, refused.stdout) == (0, "The collection is not empty\n")
    reply = algo("rmdir", "-f", f"data://{path}")
    after = site.curl("GET", f"/v1/data/{path}")
    assert (reply.code, reply.stdout, after.status) == (0, "", 404)


def test_run_data(site: Site, odd: Algorithm, algo: Algo) -> None:
    """`-d` sends text, even if it looks like JSON."""
    reply = algo("run", f"{odd.path}/{odd.commit}", "-d", '{"do": "none"}')
    assert reply.stdout == '{"do": "none"}\n'


def test_run_json(site: Site, odd: Algorithm, algo: Algo) -> None:
    reply = algo("run", f"{odd.path}/{odd.commit}", "-j", '{"do": "length", "with": "four"}')
    assert reply.stdout == "4\n"


def test_run_text_file(site: Site, odd: Algorithm, algo: Algo) -> None:
    (algo.home / "in.txt").write_text("words")
    reply = algo("run", f"{odd.path}/{odd.commit}", "-T", "in.txt", "-o", "out.txt")
    after = algo.home / "out.txt"
    assert (reply.stdout, os.path.exists(after) and after.read_text()) == ("\n", "words")


def test_builds(site: Site, hello: Algorithm, algo: Algo) -> None:
    reply = algo("builds", *hello.path.split("/"))
    assert ([each["commit_sha"] for each in reply.each()], reply.at(0, "status")) == ([hello.commit], "succeeded")


def test_languages(site: Site, algo: Algo) -> None:
    reply = algo("languages")
    assert {"python2", "python3"} <= {line.split()[0] for line in reply.stdout.splitlines() if line}, reply


def test_environment(site: Site, algo: Algo) -> None:
    reply = algo("environment", "python3")
    assert "Python 3.7" in {each["display_name"] for each in reply.each()}, reply


def test_template(site: Site, algo: Algo) -> None:
    specification = site.environment(field_name="environment_specification_id")
    reply = algo("template", specification, "made")
    found = {each.name for each in (algo.home / "made").iterdir()} if (algo.home / "made").exists() else set()
    assert (reply.stderr, {"src", "requirements.txt", "algorithmia.conf"} <= found) == ("", True), reply


def test_clone(site: Site, hello: Algorithm, algo: Algo) -> None:
    """The command clones from the host of the API if its name does not begin with `api.`."""
    address = site.curl.address.replace("://", f"://{site.user}:{site.curl.key}@")
    (algo.home / ".gitconfig").write_text(f'[url "{address}/"]\n\tinsteadOf = {site.curl.address}/\n')
    reply = algo("clone", hello.path)
    assert reply.stderr == f"Cloning into '{hello.name}'...\n"
    assert (algo.home / hello.name / "algorithmia.conf").exists()


def test_freeze(site: Site, algo: Algo) -> None:
    path = site.collection({"words.txt": "frozen"})
    entry = {"name": "words", "source_uri": f"data://{path}/words.txt", "fail_on_tamper": True, "metadata": {}}
    (algo.home / "model_manifest.json").write_text(json.dumps({"required_files": [entry], "optional_files": []}))
    reply = algo("freeze")
    assert reply.code == 0
    frozen = algo.left("model_manifest.json.freeze")
    assert [each["md5_checksum"] for each in frozen.each("required_files")] == [hashlib.md5(b"frozen").hexdigest()]
