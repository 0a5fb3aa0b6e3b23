"""Lists of requirements: how they are read, and what satisfies them."""

from pathlib import Path

import pytest

from algosync.emulator.python.requirements import RequirementsError, parse, read, satisfied


def test_reading_requirements() -> None:
    text = "Six>=1 # comment\r\n\n#x\nnumpy \\\n  <3\n--index-url https://host/simple\nurl @ https://host/a.whl\n./local.whl\n"
    found = parse(text)
    assert found.lines == (
        "--index-url https://host/simple",
        "./local.whl",
        "Six>=1",
        "numpy   <3",
        "url @ https://host/a.whl",
    )
    assert [each.name for each in found.named] == ["Six", "numpy", "url"]
    assert found.packages() == {("six", frozenset()), ("numpy", frozenset()), ("url", frozenset())}
    assert found.local is True
    assert parse("git+https://host/x.git\n").named == ()
    assert parse("six==1.0 --hash=sha256:00 \\\n --hash=sha256:11\n").packages() == {("six", frozenset())}
    assert parse("b\na\nb\n").lines == parse("a\nb").lines
    with pytest.raises(RequirementsError, match=r"^ERROR: Invalid requirement: 'six ==': .* \(from line 3 of requirements.txt\)$"):
        parse("a\n\nsix ==\n")


def test_a_list_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    """As some editors write it, and pip takes it."""
    (tmp_path / "requirements.txt").write_text("six\npip", encoding="utf-8-sig")
    assert read(tmp_path / "requirements.txt") == parse("six\npip")


@pytest.mark.parametrize(
    "line",
    [
        *("--find-links wheels", "--find-links=wheels", "-f wheels", "-fwheels", "--find-l wheels", "--pre --find-links wheels"),
        *("-r more.txt", "-cmore.txt", "--requirem more.txt", "-e .", "--index-url ./simple", "-i ./simple", "--index-u=simple"),
        *("--extra-index-url file:///simple", "-isimple", "--no-index --find-links=w", "--unknown", "--pre 'open", "-i"),
        *("file:wheels/a.whl", "file:///a", "FILE:///a", "wheels/a", "a.whl ; python_version > '3'", "a.tar.xz", "A.TGZ[x]", "./a"),
        *("a @ file:///a", "a @ file:a", "a @ ./a", "git+file:///a", "git+FILE://host/a", "./a ; platform_version != '://'"),
    ],
)
def test_lines_that_refer_to_files(line: str) -> None:
    found = parse(f"six\n{line}")
    assert (found.local, found.named[0].name, found.plain) == (True, "six", False)


@pytest.mark.parametrize(
    "line",
    [
        *("--no-index", "--pre --prefer-binary", "--require-hashes", "--no-binary :all:", "--only-binary=a,b", "--trusted-host b"),
        *("-i https://host/simple", "--index-url=HTTP://host/simple", "--extra-index-url https://${PIP_TOKEN}@host/simple"),
        *("https://host/a.whl", "a @ https://host/a.whl", "git+https://host/a.git", "a @ git+ssh://git@host/a"),
    ],
)
def test_lines_that_mean_the_same_everywhere(line: str) -> None:
    assert (parse(f"six\n{line}").local, parse(f"six\n{line}").plain) == (False, False)


def test_options_keep_their_order() -> None:
    """Of two indexes the last counts, so the same lines in another order are no reason to share an environment."""
    one, other = (f"-i https://{first}/\nb\na\n-i https://{last}/" for first, last in ("xy", "yx"))
    assert parse(one).lines == ("-i https://x/", "-i https://y/", "a", "b")
    assert parse(other).lines == ("-i https://y/", "-i https://x/", "a", "b")


def test_comments_continue_nothing() -> None:
    """Nor does pip let them: what it reads after one counts."""
    assert parse("six # no \\\n# comment \\\n--find-links w").lines == ("--find-links w", "six")
    assert parse("six\n# comment \\\n--find-links w").lines == ("--find-links w", "six")
    assert parse("six \\\n # comment \\\npip").lines == ("pip", "six")
    assert parse("six \\").lines == ("six",)


def test_a_line_that_would_go_on_without_its_comment_is_left_as_it_is() -> None:
    """Written anew it would be another: pip reads the list of the source."""
    lines = ("https://h/x.whl\\", "--pre --no-binary x\\", "--pre")
    assert [parse(f"{line} # comment\nsix").local for line in lines] == [True, True, False]
    assert parse("https://h/x.whl \\\n# comment\nsix").local is False


def test_what_pip_reads_has_its_lines_where_they_were() -> None:
    """What it says of a line's number, its user can look up. A line that comes again says nothing new."""
    text = "# fruit\n\nzebra\napple \\\n  <3 # old\n-i https://h/\nzebra\n-i https://h/\nbanana\n# end\n"
    found = parse(text)
    assert found.text == "\n\nzebra\napple   <3\n\n-i https://h/\n\n-i https://h/\nbanana"
    again = parse(found.text)
    assert (again.text, again.lines) == (found.text, found.lines)
    assert parse("# none\n").text == ""


@pytest.mark.parametrize("line", ["a ; platform_version != 'a/b'", "a --global-option='--x=/y'", "a @ https://host/a.whl"])
def test_slashes_that_are_no_paths(line: str) -> None:
    found = parse(line)
    assert (found.local, [each.name for each in found.named]) == (False, ["a"])


def test_what_satisfies(tmp_path: Path) -> None:
    for name, version, *more in (
        ("six", "1.16"),
        ("pre", "2.0rc1"),
        ("big", "1", "Provides-Extra: x", 'Requires-Dist: six>1.16; extra == "x"'),
    ):
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *more]))
    verdicts = {
        line: satisfied(parse(line), tmp_path)
        for line in (
            "", "six", "SIX<2", "six>=2", "pre", "pre>=1", "none", "none; python_version < '3'", "big", "big[x]", "six\nnone",
            "six @ https://host/six.whl", "git+https://host/six.git", "-r other.txt", "--no-binary six",
        )
    }  # fmt: skip
    assert [line for line, met in verdicts.items() if met] == [
        "",
        "six",
        "SIX<2",
        "pre",
        "pre>=1",
        "none; python_version < '3'",
        "big",
    ]
