"""Bugs that other tools have had, each as an edit of this package, with the quick test that has to catch it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BUGS", "Bug", "Edit"]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces a text that a module has exactly once."""

    module: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bug:
    """`test` fails with it, and its output then matches `reason`, an expression. `hangs`: the test needs a limit to end."""

    name: str
    test: str
    reason: str
    edits: tuple[Edit, ...]
    hangs: bool = False


_DURABLE = "algosync.state.durable"
_NOT_RAISED = "DID NOT RAISE"

BUGS = (
    Bug(
        "the state is written in place",
        "state/test_durable.py::test_a_disk_that_is_full_keeps_the_old_content",
        r"assert b'.*' == b'the old content'",
        (
            Edit(
                _DURABLE, 'temporary = path.with_name(path.name + ".tmp")\n    with suppress', "temporary = path\n    with suppress"
            ),
            Edit(_DURABLE, "    with suppress(FileNotFoundError):\n        os.unlink(temporary)\n    descriptor", "    descriptor"),
            Edit(_DURABLE, "os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW", "os.O_WRONLY | os.O_CREAT | os.O_TRUNC"),
        ),
    ),
    Bug(
        "no fsync of the state",
        "state/test_durable.py::test_content_is_on_the_disk_before_the_rename_and_the_name_after_it",
        r"'rename a\.json\.tmp a\.json' != 'fsync a\.json\.tmp'",
        (Edit(_DURABLE, "write_all(descriptor, data)\n        os.fsync(descriptor)", "write_all(descriptor, data)"),),
    ),
    Bug(
        "no fsync of the folder",
        "state/test_durable.py::test_content_is_on_the_disk_before_the_rename_and_the_name_after_it",
        r"Right contains one more item: 'fsync state'",
        (Edit(_DURABLE, "os.replace(temporary, path)\n    sync_folder(path.parent)", "os.replace(temporary, path)"),),
    ),
    Bug(
        "no fsync of the journal",
        "state/test_durable.py::test_an_entry_is_on_the_disk_when_append_returns",
        r"'fsync a\.journal'",
        (Edit("algosync.state.journal", "            os.fsync(self._descriptor)\n", ""),),
    ),
    Bug(
        "a write is in the journal after it instead of before",
        "state/test_state_session.py::test_a_crash_during_a_write_loses_the_destination_stamp_for_readers_and_writers",
        r"assert seen\(left\) == unknown",
        (
            Edit("algosync.state.session", "            self._entries.record([Intent(address, verb)])\n", "            pass\n"),
            Edit(
                "algosync.state.session",
                "        try:\n            yield\n        except AlgosyncError as error:\n            refused",
                "        try:\n            yield\n            self._entries.record([Intent(address, verb)])\n"
                "        except AlgosyncError as error:\n            refused",
            ),
        ),
    ),
    Bug(
        "a POST is repeated without a look",
        "net/test_retries.py::test_a_request_that_took_effect_is_not_repeated",
        r"AssertionError: assert 'done' == 'found'",
        (
            Edit(
                "algosync.net.retry",
                "        attempt = 1\n        lost:",
                "        return self.run(act)\n        attempt = 1\n        lost:",
            ),
        ),
    ),
    Bug(
        "what exists is taken to be right",
        "engine/test_engine_plan.py::test_equal_sizes_without_a_record_are_read_on_both_sides",
        r"assert \{<Action\.ADOPT: 'adopt'>: 1\} == \{<Action\.UPDATE",
        (
            Edit(
                "algosync.core.planning.diff",
                "if want.digest is not None and want.digest == have.digest:",
                "if record is None or (want.digest is not None and want.digest == have.digest):",
            ),
        ),
    ),
    Bug(
        "the state is trusted instead of reading what moved",
        "engine/test_engine_plan.py::test_only_the_side_whose_stamp_moved_is_read",
        r"assert \(<Action.REFR.*, False\) == \(<Action.UPDA",
        (Edit("algosync.core.planning.diff", "stamp is None or resource.stamp != stamp:", "stamp is None:"),),
    ),
    Bug(
        "500 means that it does not exist",
        "cluster/test_wire.py::test_each_invalid_reply_has_its_error",
        r"assert <class '.*NotFound'> is .*Unexpected",
        (
            Edit(
                "algosync.net.failure",
                "    if kind is NotFound and (status >= 500",
                "    kind = NotFound if status == 500 else kind\n    if kind is NotFound and (status > 500",
            ),
        ),
    ),
    Bug(
        "the lock is on the file of the state",
        "state/test_state_backends.py::test_the_lock_still_excludes_after_a_write",
        _NOT_RAISED + ".*LockHeld",
        (
            Edit("algosync.state.local", 'SignedLock(path.with_name(path.name + ".lock"), ', "SignedLock(path, "),
            Edit(
                "algosync.state.signed_lock",
                "    def _sign(self, descriptor: int) -> None:\n",
                "    def _sign(self, descriptor: int) -> None:\n        return\n",
            ),
        ),
    ),
    Bug(
        "a child inherits the lock",
        "state/test_state_backends.py::test_a_child_does_not_inherit_the_lock",
        r"LockHeld: .* is in use by",
        (
            Edit(
                "algosync.state.signed_lock",
                "        self._descriptor = descriptor\n",
                "        os.set_inheritable(descriptor, True)\n        self._descriptor = descriptor\n",
            ),
        ),
    ),
    Bug(
        "a state is replaced without a comparison",
        "state/test_state_backends.py::test_a_write_with_an_old_fingerprint_is_refused",
        _NOT_RAISED + ".*Stale",
        (Edit("algosync.state.local", "if fingerprint(previous) != expect:", "if False:"),),
    ),
    Bug(
        "the newest build is taken for that of the commit",
        "cluster/test_builds.py::test_the_newest_build_of_a_commit_is_found_among_other_commits",
        r"assert Build\(id='3'",
        (
            Edit(
                "algosync.cluster.algorithms",
                "return next((build for build in builds if build.commit == commit), None)",
                "return next(builds, None)",
            ),
        ),
    ),
    Bug(
        "a gzip body is accepted as the content",
        "cluster/test_transfer.py::test_a_file_of_unknown_length_or_content_is_refused",
        _NOT_RAISED,
        (Edit("algosync.net.host", 'return [name for name in names if name not in ("", "identity")]', "return []"),),
    ),
    Bug(
        "an uploaded file is verified by its size only",
        "kinds/test_data_kind.py::test_a_file_with_other_bytes_is_an_error",
        _NOT_RAISED,
        (
            Edit(
                "algosync.kinds.stored_files",
                "found = digest_now(record.address, record.size, context, advance)",
                "found = record.digest, stat.size",
            ),
        ),
    ),
    Bug(
        "a file is read back while its stamp can still be shared",
        "laws/test_laws_of_clocks.py::test_the_recorded_stamp_proves_the_recorded_content",
        r"> +assert self\.store\.digest",
        (Edit("algosync.cluster.stamp_clock", "stamp + _SECOND + _APART + apart", "stamp + _APART + apart"),),
    ),
    Bug(
        "a repeated marker is followed for ever",
        "cluster/test_wire.py::test_a_listing_that_lies_or_never_ends_is_refused",
        r"StillRunningError",
        (Edit("algosync.cluster.data", "            if marker in seen:\n                break\n", ""),),
        hangs=True,
    ),
    Bug(
        "the key is logged with --debug",
        "cli/test_debug_output.py::test_a_key_in_a_log_line_is_hidden",
        r"Authorization: Simple simKEY",
        (Edit("algosync.cli.debug", "self._tell = terminal.tell", 'self._tell = lambda line: terminal.err.write(line + "\\n")'),),
    ),
    Bug(
        "a redirect is followed",
        "net/test_one_way_out.py::test_no_redirect_is_followed",
        r"DID NOT RAISE|assert \(2, ",
        (Edit("algosync.net.host", "redirect=False,", "redirect=True, retries=urllib3.Retry(3),"),),
    ),
    Bug(
        "the source's .gitignore is honoured",
        "sources/archive/test_folder.py::test_what_tools_leave_is_left_behind",
        r"SourceError: the source has no folder src at its top; there is: nothing",
        (Edit("algosync.sources.ignored_files", 'IGNORE_FILE = ".algosyncignore"', 'IGNORE_FILE = ".gitignore"'),),
    ),
)
