"""A cluster that costs next to nothing: one thread, prepared answers, no checks. It is the other side of every measurement.

`python -m benchmark.stub FOLDER` serves it (`__main__`). The same files are reachable by the Data API and by WebDAV, so that
algosync and rclone talk to the same server.
"""
