"""One Ctrl-C or SIGTERM, at any moment: the process ends, the lock is free, the state is durable, and the next run continues.

algosync promises to end within two seconds, because a thread then ends the process. `cli/test_interrupt.py` tests that thread.
Here the thread would wait much longer, so a process that does not end by itself fails the test.
"""

from __future__ import annotations

import contextlib
import os
import pty
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from gate import Gate, gate_before
from harness import Cluster, Workspace

from algosync.state import open_session

HANG = 300  # seconds; only a failing test waits this long
UNWINDING = """
from algosync.__main__ import main
from algosync.cli import interrupt
interrupt._UNWIND_WITHIN = 1000
main()
"""
SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])

# In the order of an apply. Each run continues where the run before it was ended.
MOMENTS = (
    ("GET /v1/data/", "before"),
    ("GET /v1/algorithm-environments/edge/languages", "before"),
    ("GET /v1/algorithm-environments/edge/languages/*", "before"),
    ("GET /v1/algorithms/local/One", "before"),
    ("GET /v1/data/local/One?acl=true", "before"),
    ("POST /v1/algorithms/local", "before"),
    ("POST /v1/algorithms/local", "after"),
    ("POST /v1/data/local", "before"),
    ("POST /v1/data/local", "after"),
    ("PUT /v1/data/local/One/*", "before"),
    ("PUT /v1/data/local/One/*", "after"),
    ("GET /v1/data/local/One/*", "before"),
    ("GET /git/*service=git-upload-pack", "before"),
    ("POST /git/*/git-upload-pack", "before"),
    ("GET /git/*service=git-receive-pack", "before"),
    ("POST /git/*/git-receive-pack", "before"),
    ("POST /git/*/git-receive-pack", "after"),
    ("GET /v1/algorithms/local/One/builds*", "before"),
    ("GET /v1/algorithms/local/One/builds*", "nothing"),
    ("GET /v1/algorithms/local/One/builds*", "busy"),
    ("POST /v1/algo/local/One/*", "before"),
    ("POST /v1/algo/local/One/*", "after"),
    ("POST /v1/algorithms/local/One/versions", "before"),
    ("POST /v1/algorithms/local/One/versions", "after"),
)


@pytest.fixture
def gate(cluster: Cluster) -> Iterator[Gate]:
    with gate_before(cluster.url) as gate:
        yield gate


@pytest.fixture
def workspace(tmp_path: Path, cluster: Cluster, gate: Gate) -> Workspace:
    folder = tmp_path / "workspace"
    folder.mkdir()
    workspace = Workspace(folder, {"DESTINATION_API_ADDRESS": gate.url, "DESTINATION_API_KEY": cluster.key})
    workspace.algorithm("One")
    file = workspace.data("models", "a.bin", b"a" * 1000)
    algorithm = {"name": "One", "language": "python3", "data_files": [file], "test_payload": 1}
    workspace.write([algorithm], test_info={"entrypoint": "One", "tests": [{"name": "t", "payload": 2, "timeout": 9}]})
    return workspace


@contextmanager
def running(workspace: Workspace, *arguments: str, terminal: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", UNWINDING, *(arguments or ("apply", "--auto-approve"))]
    streams = subprocess.PIPE if terminal is None else terminal
    process = subprocess.Popen(
        command,
        cwd=workspace.folder,
        env=workspace.environment(),
        stdin=subprocess.DEVNULL if terminal is None else terminal,
        stdout=subprocess.DEVNULL if terminal is None else terminal,
        stderr=streams,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def end(process: subprocess.Popen[bytes], *numbers: int) -> None:
    """Send the signals. The process must end with the right exit code, and without a traceback."""
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.05 if len(numbers) > 1 else 0)
    errors = process.communicate(timeout=HANG)[1] or b""
    assert process.returncode == 128 + numbers[-1], errors.decode()
    assert b"Traceback" not in errors, errors.decode()


def must_be_free(workspace: Workspace) -> None:
    """The lock is free, and state and journal can be read."""
    for path in (workspace.folder / "state").glob("*.json.lock"):
        open_session(str(path.parent), path.name.removesuffix(".lock"), exclusive=True, command="test").close()


@SIGNALS
def test_at_every_request_of_an_apply(workspace: Workspace, gate: Gate, number: int) -> None:
    for match, how in MOMENTS:
        reached = gate.waiting_for(match, how)
        # One step at a time. Otherwise one moment may be over before another one has come.
        with running(workspace, "apply", "--auto-approve", "--parallelism", "1") as process:
            if not reached.wait(HANG):
                process.kill()
                raise AssertionError(f"{match} never came: {(process.communicate()[1] or b'').decode()}")
            end(process, number)
        must_be_free(workspace)
    gate.hold = None
    assert "Apply complete!" in workspace.apply()
    assert workspace.actions() == {}


@SIGNALS
def test_a_second_signal_ends_the_process_at_once(workspace: Workspace, gate: Gate, number: int) -> None:
    reached = gate.waiting_for("PUT *")
    with running(workspace) as process:
        assert reached.wait(HANG)
        end(process, number, number)
    must_be_free(workspace)
    gate.hold = None
    workspace.apply()
    assert workspace.actions() == {}


@SIGNALS
def test_at_the_prompt(workspace: Workspace, number: int) -> None:
    workspace.environ["CI"] = ""  # if this is set, there is no prompt
    ours, theirs = pty.openpty()
    with running(workspace, "apply", terminal=theirs) as process:
        os.close(theirs)
        _read_until(ours, b"Enter a value: ")
        end(process, number)
    os.close(ours)
    must_be_free(workspace)


@SIGNALS
@pytest.mark.parametrize("command", ["plan", "drift", "test"])
def test_during_other_commands(workspace: Workspace, gate: Gate, command: str, number: int) -> None:
    if command != "plan":
        workspace.apply()
    reached = gate.waiting_for("GET /v1/algorithms/*" if command != "test" else "POST /v1/algo/*")
    with running(workspace, command) as process:
        assert reached.wait(HANG)
        end(process, number)
    must_be_free(workspace)


@SIGNALS
def test_while_a_template_is_rendered(workspace: Workspace, number: int) -> None:
    loop = "{% for a in range(9999) %}{% for b in range(9999) %}{% set c = a * b %}{% endfor %}{% endfor %}"
    (workspace.folder / "slow.yaml.j2").write_text(loop + "algorithms: []\n")
    with running(workspace, "render", "slow.yaml.j2") as process:
        child = _child_of(process.pid)
        end(process, number)
    deadline = time.monotonic() + HANG
    while _is_there(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_there(child)


@SIGNALS
def test_while_a_connection_is_made(workspace: Workspace, number: int) -> None:
    """To a host that accepts no more connections: the queue of its listener is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        queue = [socket.socket() for _ in range(4)]
        for waiting in queue:
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        workspace.environ["DESTINATION_API_ADDRESS"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with running(workspace, "plan") as process:
            _wait_for_connecting(listener.getsockname()[1], process.pid)
            end(process, number)
        for waiting in queue:
            waiting.close()


@SIGNALS
def test_while_the_local_cluster_starts(workspace: Workspace, number: int) -> None:
    with running(workspace, "plan", "--destination", "local") as process:
        server = _child_of(process.pid)
        end(process, number)
    deadline = time.monotonic() + HANG
    while _is_there(server) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_there(server)
    assert "Apply complete!" in workspace.apply("--destination", "local")


@SIGNALS
def test_while_nobody_reads_its_messages(workspace: Workspace, gate: Gate, number: int) -> None:
    """Its stderr is a pipe that is full."""
    reached = gate.waiting_for("PUT *")
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "algosync", "apply", "--auto-approve"]
    process = subprocess.Popen(command, cwd=workspace.folder, env=workspace.environment(), stdout=subprocess.DEVNULL, stderr=writer)
    try:
        assert reached.wait(HANG)
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 512)
        os.set_blocking(writer, True)
        process.send_signal(number)
        assert process.wait(HANG) == 128 + number
    finally:
        process.kill()
        process.wait()
        os.close(reader)
        os.close(writer)
    must_be_free(workspace)


@SIGNALS
def test_at_any_time(workspace: Workspace, number: int) -> None:
    """At random times since its start, drawn with a fixed seed."""
    chance = random.Random(int(number))
    for _ in range(8):
        with running(workspace) as process:
            _wait_for_caught(process.pid, number)
            time.sleep(chance.random() * 1.2)  # the time of the signal is what the test varies
            process.send_signal(number)
            errors = process.communicate(timeout=HANG)[1]
            assert process.returncode in (128 + number, 0), errors.decode()  # 0: the run was already complete
            assert b"Traceback" not in errors
        must_be_free(workspace)
    workspace.apply()
    assert workspace.actions() == {}


def _wait_for_caught(pid: int, number: int) -> None:
    """Wait until the program handles the signal. Before that, the interpreter is still starting."""
    deadline = time.monotonic() + HANG
    while time.monotonic() < deadline:
        mask = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt"))
        # The interpreter handles SIGINT from its start.
        if int(mask.split()[1], 16) & (1 << (signal.SIGTERM - 1)):
            return
        time.sleep(0.005)
    raise AssertionError("the signal was never caught")


def _read_until(terminal: int, text: bytes) -> None:
    seen = b""
    while text not in seen:
        seen += os.read(terminal, 65536)
    threading.Thread(target=_drain, args=(terminal,), daemon=True).start()


def _drain(terminal: int) -> None:
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass  # it is closed


def _children(pid: int) -> Sequence[int]:
    tasks = Path(f"/proc/{pid}/task")
    return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]


def _child_of(pid: int) -> int:
    deadline = time.monotonic() + HANG
    while time.monotonic() < deadline:
        if children := _children(pid):
            return children[0]
        time.sleep(0.01)
    raise AssertionError("no child was started")


def _is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_for_connecting(port: int, pid: int) -> None:
    """Wait until the process has a connection attempt (SYN sent) to the port."""
    deadline = time.monotonic() + HANG
    while time.monotonic() < deadline:
        for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[2].endswith(f":{port:04X}") and fields[3] == "02" and _owns(pid, fields[9]):
                return
        time.sleep(0.01)
    raise AssertionError("it never began to connect")


def _owns(pid: int, inode: str) -> bool:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if os.readlink(entry) == f"socket:[{inode}]":
                return True
        except OSError:
            continue
    return False
