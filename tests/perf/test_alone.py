"""Who measures is alone, and does not wait for ever."""

import threading
import uuid

from alone import forget, turn


def test_who_is_alone_waits_for_who_is_there_and_others_wait_for_both() -> None:
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
            events.append("was there")
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
    assert events == ["was there", "measures", "has measured", "another"]
