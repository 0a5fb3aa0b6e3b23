import pytest

from algosync import __version__
from algosync.core.error import UsageError
from algosync.executors.introduction import public_keys, require_same_versions

KEY = bytes(32)
HERE = {"version": __version__, "public": KEY}


def test_workers_of_the_same_version_are_accepted() -> None:
    require_same_versions({"tcp://a:1": __version__, "tcp://b:1": __version__, "tcp://c:1": OSError("it has just died")})
    assert list(public_keys({"tcp://a:1": HERE, "tcp://b:1": HERE, "tcp://c:1": OSError("died")})) == [KEY, KEY]


def test_both_versions_are_named() -> None:
    with pytest.raises(UsageError) as caught:
        require_same_versions({"tcp://a:1": __version__, "tcp://b:1": "9.9"})
    assert caught.value.message == f"the Dask worker tcp://b:1 has algosync 9.9, and this is algosync {__version__}"
    assert caught.value.hint == f"on every worker: pip install 'algosync[dask]=={__version__}'"
    with pytest.raises(UsageError, match=r"has algosync 9\.9, and this is"):
        list(public_keys({"tcp://b:1": {**HERE, "version": "9.9"}}))


def test_a_worker_without_algosync() -> None:
    with pytest.raises(UsageError, match="tcp://b:1 has no algosync"):
        require_same_versions({"tcp://b:1": ModuleNotFoundError("algosync")})


def test_a_cluster_without_workers() -> None:
    with pytest.raises(UsageError, match="the Dask cluster has no worker"):
        require_same_versions({})


@pytest.mark.parametrize(
    "introduction",
    [None, {}, {**HERE, "public": b"short"}, {**HERE, "public": "text"}, {"version": __version__}, ModuleNotFoundError("nacl")],
)
def test_a_worker_that_gives_no_key_is_refused(introduction: object) -> None:
    with pytest.raises(UsageError, match="cannot run algosync"):
        list(public_keys({"tcp://b:1": introduction}))
