"""Answers of workers: what was sent arrives, and what no worker of ours sends is refused."""

import pytest

from algosync.core import error as errors
from algosync.core.error import AlgosyncError, ClusterError, SourceError, Unexpected
from algosync.executors.answer import as_digest, as_fingerprint, failed, values_of

SHA256, MD5 = "a" * 64, "b" * 32


def raised(answer: object) -> AlgosyncError:
    with pytest.raises(AlgosyncError) as caught:
        values_of(answer)
    return caught.value


def test_values_arrive() -> None:
    assert as_digest(values_of({"values": (SHA256, 12)})) == (SHA256, 12)
    assert as_fingerprint(values_of({"values": [SHA256, MD5]})) == (SHA256, MD5)


def test_an_error_arrives_with_all_that_it_tells() -> None:
    sent = errors.Throttled("GET /x: 429", status=429, code=2001, request_id="r-1", hint="wait")
    sent.retry_after, sent.sent, sent.repeated = 3.5, False, True
    found = raised(failed(sent))
    assert isinstance(found, errors.Throttled)
    assert (found.message, found.hint, str(found)) == ("GET /x: 429", "wait", "GET /x: 429")
    assert (found.status, found.code, found.request_id, found.retry_after) == (429, 2001, "r-1", 3.5)
    assert (found.sent, found.repeated) == (False, True)


@pytest.mark.parametrize("kind", [AlgosyncError, *AlgosyncError.__subclasses__(), *ClusterError.__subclasses__()])
def test_every_error_arrives_as_itself_or_as_what_it_is_a_kind_of(kind: type[AlgosyncError]) -> None:
    error = kind.__new__(kind)
    AlgosyncError.__init__(error, "it failed", hint="do this")
    found = raised(failed(error))
    assert type(found) in kind.__mro__
    assert (found.message, found.hint) == ("it failed", "do this")


def test_a_bug_of_a_worker_is_an_error() -> None:
    found = raised({"bug": "KeyError in transfer.py, line 3\x1b[31m"})
    assert isinstance(found, Unexpected)
    assert found.message == "a Dask worker failed: KeyError in transfer.py, line 3\\x1b[31m"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "values",
        [],
        {},
        {"values": None},
        {"values": SHA256},
        {"error": "KeyboardInterrupt", "message": "x"},
        {"error": "Denied"},
        {"error": "Denied", "message": 1},
        {"error": ["Denied"], "message": "x"},
        {"bug": 1},
    ],
)
def test_another_answer_is_refused(answer: object) -> None:
    assert raised(answer).message == "the answer of a Dask worker is not one of algosync's"


@pytest.mark.parametrize(
    "values",
    [
        [],
        [SHA256],
        [SHA256, 1, 2],
        [SHA256.upper(), 1],
        [SHA256 + "\n", 1],
        [None, 1],
        [SHA256, "1"],
        [SHA256, -1],
        [SHA256, True],
        [SHA256, 1 << 63],
        [b"a" * 64, 1],
    ],
)
def test_values_that_are_no_digest_are_refused(values: list[object]) -> None:
    with pytest.raises(Unexpected):
        as_digest(values)


@pytest.mark.parametrize("values", [[], [SHA256, SHA256], [MD5, MD5], [SHA256, None], [SHA256, MD5, MD5]])
def test_values_that_are_no_fingerprint_are_refused(values: list[object]) -> None:
    with pytest.raises(Unexpected):
        as_fingerprint(values)


def test_members_of_other_types_are_left_out() -> None:
    wrong = {"status": "404", "code": True, "retry_after": [], "hint": 7, "request_id": b"r", "sent": "no", "repeated": 1}
    found = raised({"error": "NotFound", "message": "x" * 20_000, **wrong})
    assert isinstance(found, errors.NotFound)
    assert (found.status, found.code, found.retry_after, found.hint, found.request_id) == (None,) * 5
    assert (found.sent, found.repeated, len(found.message)) == (True, False, 10_000)
    assert not isinstance(found, SourceError)
