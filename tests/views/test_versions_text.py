"""The table of published versions."""

from algosync.views.listings.versions import VersionRow, version_lines


def test_versions_are_a_table() -> None:
    rows = [
        VersionRow("0.10.0", "b" * 40, "2026-11-30T09:00:00.000Z", "public", recorded=True),
        VersionRow("0.9.0", "a" * 40, "", "private", recorded=False),
    ]
    assert list(version_lines("One", rows)) == [
        "VERSION  COMMIT        BUILT                     CALLABLE BY",
        "0.10.0   bbbbbbbbbbbb  2026-11-30T09:00:00.000Z  everybody    recorded",
        "0.9.0    aaaaaaaaaaaa                            its owner",
    ]


def test_no_version_is_one_sentence() -> None:
    assert list(version_lines("One", [])) == ["One has no published version."]
