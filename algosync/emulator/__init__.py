"""A local Algorithmia cluster: a real HTTP server written from the facts of the platform's API.

It shares no code with the rest of algosync and is only ever reached over a socket: `python -m algosync.emulator ROOT`.
It runs the algorithms it is given; it is no security boundary.
`platform.md`, which its modules cite by section, is the project's notes of these facts, kept beside the repository.

    server        one process on loopback: its lock, its address, its life; start_files, http_server: what it needs, what it runs
    cluster       puts the parts together
    gate          who may enter; the request log
    *_api         the routes: data, management, releases, secrets, accounts, environments, git, calls
    direct        the short way of small data files, around the routes; direct_forms: how it knows them; direct_answers: what it
                  says
    stances       the options: what it does where the evidence about real clusters is split
    last_start    what of these a folder's cluster was started with last; call_errors: one of them, around the gate
    openapi       the specification of all routes, made from their table
    page_*        pages for people behind the same key: what one looks for when a rehearsal fails
    database      the metadata and small contents, in SQLite; blobs, repositories, builds: the rest, by id
    builder       commits become callable: interpreters, requirements, pip_settings, venvs, installer
    receive_pack  pushes become refs, within pack_limits; build_log and side_band show git's user the build that one starts
    pool          calls become answers: workers, each a process that runs `runner`; turns, spares
    processes     child processes, each on a leash that leaves nothing behind, in a jail where the machine has one
"""
