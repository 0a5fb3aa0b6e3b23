"""The kind `algorithm` on a cluster in memory."""

import pytest
from fakes.clusters import OWNER, PYTHON, FakeCluster, context_of
from fakes.ledger import FakeLedger

from algosync.cluster.algorithms import AlgorithmInfo
from algosync.core.address import Address
from algosync.core.error import SourceError, StoredOtherwise
from algosync.core.planning.change import Action, Change
from algosync.core.planning.schedule import Step, Verb
from algosync.core.ports import Side
from algosync.core.resource import Record
from algosync.core.workflow import AlgorithmSpec, Details, Settings
from algosync.kinds import Context, algorithm

ADDRESS = Address("algorithm", "One")
SPEC = AlgorithmSpec("One", "python3", details=Details("One", summary="about one"))


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def perform(verb: Verb, context: Context, spec: AlgorithmSpec = SPEC) -> Record:
    outcome = algorithm.perform(Step(ADDRESS, verb), spec, context, lambda _: None)
    (record,) = outcome.records
    context.ledger.commit(record)
    return record


def test_what_was_created_is_observed_as_desired(cluster: FakeCluster) -> None:
    context = context_of(cluster, SPEC)
    assert list(algorithm.observed(SPEC, context)) == []
    record = perform(Verb.CREATE, context)
    later = context_of(cluster, SPEC)
    (want,), (have,) = algorithm.desired(SPEC, later), algorithm.observed(SPEC, later)
    assert have.digest == want.digest == record.digest
    assert have.stamp == record.destination_stamp
    assert have.attributes == want.attributes
    assert want.attributes["environment"] == "Python 3.9"


def test_settings_are_updated(cluster: FakeCluster) -> None:
    perform(Verb.CREATE, context_of(cluster, SPEC))
    changed = AlgorithmSpec("One", "python3", details=SPEC.details, settings=Settings(network_access="isolated"))
    perform(Verb.CONFIGURE, context_of(cluster, changed), changed)
    assert cluster.algorithms.algorithms["One"].settings["network_access"] == "isolated"
    assert cluster.algorithms.algorithms["One"].settings["algorithm_environment"] == PYTHON.id


def test_a_success_without_effect_is_an_error(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    perform(Verb.CREATE, context_of(cluster, SPEC))
    monkeypatch.setattr(cluster.algorithms, "update", lambda *arguments: None)
    changed = AlgorithmSpec("One", "python3", details=Details("Uno"))
    with pytest.raises(StoredOtherwise) as caught:
        perform(Verb.CONFIGURE, context_of(cluster, changed), changed)
    assert 'has stored label "Uno" as "One"' in caught.value.message


@pytest.mark.parametrize(
    ("stored", "message", "blocks"),
    [
        ({"label": "One", "summary": "a b"}, 'label " One" as "One", summary "a  b " as "a b"', False),
        ({"label": " One", "summary": None}, 'summary "a  b " as ""', False),
        ({"label": "One", "network_access": "isolated"}, 'network_access "full" as "isolated"', True),
    ],
)
def test_a_value_that_is_stored_otherwise_is_named_and_only_a_setting_blocks(
    stored: dict[str, object], message: str, blocks: bool, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The texts of an algorithm are for people. A version with another setting must not be published."""
    read = cluster.algorithms.read

    def trimmed(owner: str, name: str) -> AlgorithmInfo:
        info = read(owner, name)
        return AlgorithmInfo({**info.details, **stored}, {**info.settings, **stored})

    monkeypatch.setattr(cluster.algorithms, "read", trimmed)
    spec = AlgorithmSpec("One", "python3", details=Details(" One", summary="a  b "))
    context = context_of(cluster, spec)
    with pytest.raises(StoredOtherwise) as caught:
        perform(Verb.CREATE, context, spec)
    assert message in caught.value.message
    assert caught.value.hint
    assert caught.value.blocks is blocks
    assert ADDRESS not in context.ledger.records


def test_a_detail_that_the_workflow_does_not_give_is_not_compared(cluster: FakeCluster) -> None:
    perform(Verb.CREATE, context_of(cluster, SPEC))
    silent = AlgorithmSpec("One", "python3", details=Details("One"))
    context = context_of(cluster, silent)
    (want,), (have,) = algorithm.desired(silent, context), algorithm.observed(silent, context)
    assert have.digest == want.digest
    assert "summary" not in have.attributes


def test_the_stamp_does_not_depend_on_the_details_that_the_workflow_gives(cluster: FakeCluster) -> None:
    perform(Verb.CREATE, context_of(cluster, SPEC))
    silent = AlgorithmSpec("One", "python3", details=Details("One"))
    (with_summary,) = algorithm.observed(SPEC, context_of(cluster, SPEC))
    (without,) = algorithm.observed(silent, context_of(cluster, silent))
    assert with_summary.stamp == without.stamp
    cluster.algorithms.algorithms["One"].details["tagline"] = "changed behind our back"
    (changed,) = algorithm.observed(silent, context_of(cluster, silent))
    assert changed.stamp != without.stamp


def test_a_drift_report_compares_the_recorded_details(cluster: FakeCluster) -> None:
    ledger = FakeLedger()
    perform(Verb.CREATE, context_of(cluster, SPEC, ledger=ledger))
    silent = AlgorithmSpec("One", "python3", details=Details("One"))
    (found,) = algorithm.observed(silent, context_of(cluster, silent, ledger=ledger, recorded_only=True))
    assert found.attributes["summary"] == "about one"


def test_empty_texts_and_odd_values_are_read_as_texts(cluster: FakeCluster) -> None:
    perform(Verb.CREATE, context_of(cluster, SPEC))
    one = cluster.algorithms.algorithms["One"]
    one.details["summary"] = None
    one.settings["license"] = ["apl"]
    one.settings["algorithm_environment"] = 7
    (found,) = algorithm.observed(SPEC, context_of(cluster, SPEC))
    assert found.attributes["summary"] == ""
    assert found.attributes["license"] == "['apl']"
    assert found.attributes["environment"] is None


def test_an_environment_that_is_in_use_is_kept(cluster: FakeCluster) -> None:
    cluster.algorithms.offered.reverse()
    cluster.algorithms.create(OWNER, "One", {}, {"algorithm_environment": "env-37"})
    assert algorithm.environment_of(SPEC, context_of(cluster, SPEC)).id == "env-37"
    record = Record(ADDRESS, "d", None, None, None, {"environment": "Python 3.9"})
    recorded = context_of(cluster, SPEC, ledger=FakeLedger([record]))
    assert algorithm.environment_of(SPEC, recorded).id == "env-39"


def test_an_environment_that_the_destination_does_not_offer_is_an_error(cluster: FakeCluster) -> None:
    spec = AlgorithmSpec("One", "python2")
    with pytest.raises(SourceError, match="no environment for 'python2'"):
        list(algorithm.desired(spec, context_of(cluster, spec)))


def test_the_record_is_asked_for_once(cluster: FakeCluster) -> None:
    context = context_of(cluster, SPEC)
    for _ in range(2):
        list(algorithm.observed(SPEC, context))
        list(algorithm.desired(SPEC, context))
    assert cluster.algorithms.requests == ["read One", "environments"]


def test_nothing_has_to_be_read_or_explained(cluster: FakeCluster) -> None:
    context = context_of(cluster, SPEC)
    (want,) = algorithm.desired(SPEC, context)
    change = Change(ADDRESS, Action.CREATE, None, want)
    assert algorithm.read(want, Side.SOURCE, SPEC, context) is want
    assert algorithm.explain(change, SPEC, context) is change
    assert algorithm.verbs(change) == (Verb.CREATE,)
    assert algorithm.verbs(Change(ADDRESS, Action.UPDATE, want, want)) == (Verb.CONFIGURE,)


def test_a_record_of_the_cluster_may_lack_everything() -> None:
    assert algorithm._value(AlgorithmInfo({}, {}).settings, "license") == ""


def test_an_environment_that_is_not_listed_any_more_is_shown_by_its_id(cluster: FakeCluster) -> None:
    destination = context_of(cluster, SPEC).destination
    assert destination.environment_name(PYTHON.id) == PYTHON.display_name
    assert destination.environment_name("gone") == "gone"
    assert destination.environment_name(None) is None
    assert cluster.algorithms.requests.count("environments") == 1
