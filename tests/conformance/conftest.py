"""One cluster for all tests of the suite. With `--against` a blank server, where every test has to fail.

The only right failure is a failed assertion about a reply in the test itself. Such a test is reported as passed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from blank_server import ANSWERS, blank_server
from clients import Algo, Curl, Git, Library
from harness import cluster_process
from installed import Missing, node_modules, old_python
from inverted import complaint
from odd_source import ODD
from site_under_test import Algorithm, Site

HERE = Path(__file__).parent
LIBRARIES = ("2.0.5", "1.7.10")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--against", choices=sorted(ANSWERS), help="run against a server that always gives this answer: every test has to fail"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("against", None) is None:
        return
    about = [item for item in items if "site" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=[item for item in items if item not in about])
    items[:] = about


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" and item.config.getoption("against", None) is not None and not report.skipped:
        wrong = complaint(call.excinfo, item.path)
        report.outcome = "failed" if wrong else "passed"
        report.longrepr = f"{item.name} {wrong}" if wrong else None
    return report


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder without settings."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def site(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Site]:
    with _served(pytestconfig.getoption("against", None), tmp_path_factory.mktemp("site") / "root", home) as running:
        yield running


@contextmanager
def _served(blank: str | None, root: Path, home: Path) -> Iterator[Site]:
    if blank:
        key = "sim" + "0" * 25
        with blank_server(blank) as address:
            yield Site(Curl(address, key, home), "tester", key, key)
        return
    with cluster_process(root, "tester") as cluster:
        cluster.join("acme")
        document = json.loads((root / "cluster.json").read_text())
        other = cluster.add_key("stranger")
        yield Site(Curl(cluster.url, cluster.key, home), cluster.user, other, document.get("admin_key", cluster.key), cluster)


@pytest.fixture(scope="session")
def new(site: Site, home: Path) -> Iterator[Library]:
    """The official Python client 2.0.5, under this interpreter."""
    yield from _library(sys.executable, site, home)


@pytest.fixture(scope="session")
def old(site: Site, home: Path) -> Iterator[Library]:
    """The official Python client 1.7.10."""
    try:
        python = old_python()
    except Missing as error:
        pytest.skip(str(error))
    yield from _library(python, site, home)


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Library:
    """Both Python clients, one after the other."""
    found: Library = request.getfixturevalue("new" if request.param == "2.0.5" else "old")
    return found


@pytest.fixture(scope="session")
def node(site: Site, home: Path) -> Iterator[Library]:
    """The node client 0.3.10."""
    try:
        modules = node_modules()
    except Missing as error:
        pytest.skip(str(error))
    client = Library(["node", str(HERE / "node_driver.js"), str(modules), site.curl.address, site.curl.key], home)
    yield client
    client.close()


@pytest.fixture
def algo(site: Site, tmp_path: Path) -> Algo:
    """The `algo` command."""
    return Algo(site.curl.address, site.curl.key, tmp_path)


@pytest.fixture
def git(site: Site, tmp_path: Path) -> Git:
    """The `git` command."""
    return Git(site.curl.address, site.user, site.curl.key, tmp_path)


@pytest.fixture(scope="session")
def hello(site: Site) -> Algorithm:
    """The unchanged template of an ADK environment, compiled."""
    return site.compiled(site.created())


@pytest.fixture(scope="session")
def odd(site: Site) -> Algorithm:
    """An algorithm that does what its input says."""
    return site.built(ODD)


@pytest.fixture(scope="session")
def released(site: Site) -> dict[str, Algorithm]:
    """Versions of one algorithm, each of which returns its number: two public ones, then a private one, then a commit."""

    def source(version: str) -> str:
        return f"def apply(input):\n    return {version!r}\n"

    first = site.published(site.built(source("0.1.0")), "public")
    file = f"src/{first.name}.py"
    second = site.published(site.pushed(first, {file: source("0.1.1")}), "public", "revision")
    third = site.published(site.pushed(second, {file: source("0.2.0")}))
    return {"0.1.0": first, "0.1.1": second, "0.2.0": third, "commit": site.pushed(third, {file: source("commit")})}


def _library(python: str, site: Site, home: Path) -> Iterator[Library]:
    client = Library([python, str(HERE / "library_driver.py"), site.curl.address, site.curl.key], home)
    yield client
    client.close()
