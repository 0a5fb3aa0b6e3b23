"""The source of an algorithm that performs the action that its input names."""

ODD = """
import os
import socket
import subprocess
import sys
import time


def apply(input):
    if not isinstance(input, dict) or "do" not in input:
        return input
    what, value = input["do"], input.get("with")
    if what == "raise":
        raise ValueError(value)
    if what == "print":
        print(value)
        sys.stdout.flush()
        os.system("echo from a child")
    if what == "sleep":
        time.sleep(value)
    if what == "child":
        held = socket.create_connection(("127.0.0.1", value))
        subprocess.Popen(["sleep", "300"], stdin=held.fileno())
        time.sleep(300)
    if what == "exit":
        sys.exit(value)
    if what == "die":
        os._exit(value)
    if what == "set":
        return {1, 2}
    if what == "bytes":
        return bytes(bytearray(range(256)))
    if what == "big":
        return "x" * value
    if what == "none":
        return None
    if what == "secret":
        return os.environ.get(value)
    if what == "length":
        return len(value)
    return value
"""
