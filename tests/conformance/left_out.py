"""What `platform.md` says and no test of the suite holds, with the reason."""

from __future__ import annotations

__all__ = ["LEFT_OUT"]

LEFT_OUT = {
    "2.2 Java, Scala, C#, Ruby, R, Go, Rust, PHP": "not on the indexes; curl sends what they send where a row names it",
    "2.5 kept roughly a day": "no client can turn the clock; tests/emulator holds what expires",
    "2.5 external connectors": "the local cluster has none, and says so: accounts.other_connectors",
    "3.1 external SCMs": "needs a GitHub or GitLab beside the cluster",
    "3.1 /v1/admin/*": "no method or shape is documented, and neither Python client, nor node's, nor `algo` calls any of it",
    "3.3 source of an external SCM": "needs a GitHub or GitLab beside the cluster",
    "3.4 legacy to environment": "the local cluster has no legacy languages to come from",
    "3.5 opening lines of docker logs": "builds here use no docker, and the log says what they do use",
    "3.5 compile of a chosen commit": "uncertain on a cluster, and no client sends it",
    "3.6 visibility rules of bumps": "the refusal's status and code are unknown; not enforced by default",
    "3.6 public publishing in organizations": "the roles of members are documented in prose only",
    "3.8 codes 1003-1006, 1008, 3000-3107, 4002-4084, 5001-8061": "of what the local cluster does not have, or without text",
    "5 template anaconda3": "there is no conda on the machines that run the tests",
    "5 template legacy": "legacy languages were gone when environments came",
    "5 web editor": "the page of the local cluster reads only",
    "6 concurrency of accounts and calls": "no status or text is documented for what is refused",
    "6 network_access=isolated": "depends on the jail that the machine offers; the jail's tests hold it",
    "6 OutOfMemoryError, GPU": "the machine decides; no GPU here",
    "7 langserver, FIFO, PIPE_INIT_COMPLETE": "inside a container, out of reach of clients",
    "7 conda": "there is no conda on the machines that run the tests",
    "10.15 compile of a chosen commit": "uncertain on a cluster, and no client sends it; honoured here, which tests/emulator holds",
    "10.20 cap of a file's size": "none is known; --largest-file sets one, which tests/emulator holds",
    "10.21 listings under concurrent writes": "nothing is documented; pages go by name, so what stays is listed once",
    "10.22 rate limits": "no status is documented; --faults has them",
    "10.23 callability of minor versions": "documented in prose only; --strict-versions enforces it, which tests/emulator holds",
    "3.8 plain-text 500s of a crashing algorithm": "seen in a mock only; the reply of section 6 holds",
    "5 passwords of accounts": "users of a local cluster have keys only",
    "5 README.md as documentation": "a page of the site; no route tells it",
    "6 504, raw output with 500": "what causes them is not documented",
    "9.42 node 1.0.0": "never published to the registry",
    "9.44 Rust": "the client is not on the indexes; its header is 9.4",
    "9.50 fault injection": "opt-in, and held by tests/emulator/test_faults_*.py",
}
"""Row of `platform.md` → why no test holds it."""
