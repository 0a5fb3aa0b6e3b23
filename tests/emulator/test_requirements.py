"""Reading of lists of requirements."""

from pathlib import Path

import pytest

from algosync.emulator.python.requirements import decoded, parse, read, rewrite


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
    assert found.packages == "Six>=1\n\n\nnumpy   <3\n\n\nurl @ https://host/a.whl\n./local.whl"
    assert found.options == (("index-url", "https://host/simple"),)
    assert found.local is True
    assert parse("b\na\nb\n").lines == parse("a\nb").lines
    assert parse("six ==\n").lines == ("six ==",), "only the installer judges it"


def test_a_hash_demands_hashes() -> None:
    assert parse("six==1.0 --hash=sha256:00 \\\n --hash=sha256:11\n").options == (("require-hashes", "1"),)
    assert parse("six==1.0\n").options == ()


def test_packages_of_repositories() -> None:
    assert [parse(line).names_repositories for line in ("git+https://host/x.git", "x @ git+https://host/x", "six")] == [
        True,
        True,
        False,
    ]


def test_a_list_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    """Some editors write one, and pip accepts it."""
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
    assert found.local


@pytest.mark.parametrize(
    "line",
    [
        *("--no-index", "--pre --prefer-binary", "--require-hashes", "--no-binary :all:", "--only-binary=a,b", "--trusted-host b"),
        *("-i https://host/simple", "--index-url=HTTP://host/simple", "--extra-index-url https://${PIP_TOKEN}@host/simple"),
        *("https://host/a.whl", "a @ https://host/a.whl", "git+https://host/a.git", "a @ git+ssh://git@host/a"),
    ],
)
def test_lines_that_mean_the_same_everywhere(line: str) -> None:
    assert not parse(f"six\n{line}").local


def test_options_keep_their_order() -> None:
    """The last of two indexes counts, so the same lines in another order mean another environment."""
    one, other = (f"-i https://{first}/\nb\na\n-i https://{last}/" for first, last in ("xy", "yx"))
    assert parse(one).lines == ("-i https://x/", "-i https://y/", "a", "b")
    assert parse(other).lines == ("-i https://y/", "-i https://x/", "a", "b")


def test_comments_do_not_continue_lines() -> None:
    """pip does the same: the line after a comment counts."""
    assert parse("six # no \\\n# comment \\\n--find-links w").lines == ("--find-links w", "six")
    assert parse("six\n# comment \\\n--find-links w").lines == ("--find-links w", "six")
    assert parse("six \\\n # comment \\\npip").lines == ("pip", "six")
    assert parse("six \\").lines == ("six",)


def test_a_line_that_would_continue_without_its_comment_is_unchanged() -> None:
    """Otherwise the joined line would mean something else, because pip reads the list of the source."""
    lines = ("https://h/x.whl\\", "--pre --no-binary x\\", "--pre")
    assert [parse(f"{line} # comment\nsix").local for line in lines] == [True, True, False]
    assert parse("https://h/x.whl \\\n# comment\nsix").local is False


def test_packages_stay_on_their_lines() -> None:
    """The installer reports line numbers, which users look up."""
    text = "# fruit\n\nzebra\napple \\\n  <3 # old\n-i https://h/\nzebra\n-i https://h/\nbanana\n# end\n"
    assert parse(text).packages == "\n\nzebra\napple   <3\n\n\nzebra\n\nbanana"
    assert parse("# none\n").packages == ""


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("--pre --prefer-binary", [("pre", "1"), ("prefer-binary", "1")]),
        ("-i https://a/ --extra-index-url=https://b/", [("index-url", "https://a/"), ("extra-index-url", "https://b/")]),
        ("--only-binary=a,b --trusted-host 'c'", [("only-binary", "a,b"), ("trusted-host", "c")]),
        ("--find-links wheels", []),
    ],
)
def test_options_that_mean_the_same_everywhere(line: str, options: list[tuple[str, str]]) -> None:
    assert list(parse(line).options) == options


@pytest.mark.parametrize("line", ["a ; platform_version != 'a/b'", "a --global-option='--x=/y'", "a @ https://host/a.whl"])
def test_slashes_that_are_not_part_of_paths(line: str) -> None:
    assert not parse(line).local


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xef\xbb\xbfsix # \xc3\xa9", "six # é"),
        (b"\xff\xfes\0i\0x\0", "six"),
        (b"\xfe\xff\0s\0i\0x", "six"),
        (b"\xff\xfe\0\0s\0\0\0", "s"),
        (b"\0\0\xfe\xff\0\0\0s", "s"),
        (b"# -*- coding: iso-8859-15 -*-\nsix # \xa4", "# -*- coding: iso-8859-15 -*-\nsix # €"),
        (b"#!x\n# vim: set fileencoding=cp1252 :\nsix # \x80", "#!x\n# vim: set fileencoding=cp1252 :\nsix # €"),
        (b"# coding: none-such\nsix", "# coding: none-such\nsix"),
        (b"six # \xc3\xa9", "six # é"),
        (b"six # \xe9", "six # é"),
    ],
)
def test_encodings(content: bytes, text: str) -> None:
    assert decoded(content) == text


def test_lists_are_rewritten_for_uv(tmp_path: Path) -> None:
    """Also the lists that they refer to in the same folder. Line numbers stay the same."""
    source, outside = tmp_path / "source", tmp_path / "outside.txt"
    (source / "more").mkdir(parents=True)
    (source / "requirements.txt").write_text(
        "# é\n-rmore/a.txt\n--find-l x\n--constr=../outside.txt\n-r https://h/x\nsix", "latin-1"
    )
    (source / "more" / "a.txt").write_text("-r b.txt\n-r a.txt\nsix\\\n>=1\n-ihttps://h/simple\n", "utf-16")
    (source / "more" / "b.txt").write_text("-e.\n--index-url=https://h", "utf-8-sig")
    outside.write_bytes(b"\xff\xfe")
    rewrite(source / "requirements.txt", source)
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*.txt")} == {
        "requirements.txt": b"\n-r more/a.txt\n--find-links x\n--constraint=../outside.txt\n-r https://h/x\nsix\n",
        "a.txt": b"-r b.txt\n-r a.txt\nsix>=1\n\n-i https://h/simple\n",
        "b.txt": b"-e .\n--index-url=https://h\n",
        "outside.txt": b"\xff\xfe",
    }
