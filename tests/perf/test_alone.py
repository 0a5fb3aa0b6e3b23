"""The lock for measurements: a measurement runs alone, and does not wait forever."""

import threading
import uuid

from alone import forget, turn


def test_a_measurement_waits_for_running_tests_and_later_tests_wait_for_it() -> None:
    run = uuid.uuid4().hex
    events: list[str] = []
    inside = threading.Event()
    leave = threading.Event()

    def measure() -> None:
        with turn(run, alone=True):
            events.append("measures")
            inside.set()
            leave.wait(30)
            events.append("has measured")

    def run_another() -> None:
        with turn(run, alone=False):
            events.append("another")

    measuring, another = threading.Thread(target=measure), threading.Thread(target=run_another)
    try:
        with turn(run, alone=False), turn(run, alone=False):
            measuring.start()
            assert not inside.wait(0.2)
            events.append("ran before")
        assert inside.wait(30)
        another.start()
        another.join(0.2)
        assert another.is_alive()
        leave.set()
        measuring.join(30)
        another.join(30)
    finally:
        leave.set()
        forget(run)
    assert events == ["ran before", "measures", "has measured", "another"]
