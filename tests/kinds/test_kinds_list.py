"""What the list of kinds promises to the rest of the program."""

from algosync.kinds import KINDS, READ_BACK


def test_what_a_kind_needs_comes_before_it() -> None:
    names = list(KINDS)
    for name, kind in KINDS.items():
        assert kind.TRAITS.needs <= set(names[: names.index(name)])


def test_one_kind_is_the_published_version() -> None:
    assert [name for name, kind in KINDS.items() if kind.TRAITS.publishes] == ["version"]


def test_attributes_that_are_read_again_are_known_to_the_ledger() -> None:
    assert {"blobs", "commit", "manifest", "md5", "paths", "reads", "version"} == READ_BACK
