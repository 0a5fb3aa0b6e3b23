"""A local Algorithmia cluster: an HTTP server that behaves as the platform's API is documented to behave.

Start it with `python -m algosync.emulator ROOT`. It shares no code with the rest of algosync, which reaches it over a socket only.
It runs the algorithms it is given, and is not a security boundary. Modules cite the facts of the platform as `PLATFORM.md §n`,
which is `algosync/cluster/PLATFORM.md`.

Each folder imports only from those below it:

    server        one process on loopback: lock, address, TLS, start and end; assembles the parts
    pages         web pages for people who look for the cause of a failure
    faults        injected faults: which requests fail, and how
    api           the routes: data, algorithms, releases, secrets, accounts, environments, git, calls
    running       builds and calls of algorithms: checkouts, logs, the pool of workers
    python        interpreters and environments of algorithms
    git           repositories, pushes and their limits
    http          admission, limits, logging, replies, connections
    processes     child processes: supervision, jail, removal of what they leave
    records       what the cluster stores: metadata in SQLite, contents of files by id
    errors, clock, disk_space, threads, variants
"""
