"""Net: requests to hosts that may be far, slow, down, or not who they say they are.

Trust, proxies, deadlines, the one translation of what breaks into our errors, and the one policy of trying again. Below `cluster`
and `git`, which both speak HTTP to one cluster and must not do it in two ways.
"""

from __future__ import annotations

from algosync.net.host import Answer, Host, Net, Response
from algosync.net.lease import Watch
from algosync.net.names import Names
from algosync.net.proxy import Proxies
from algosync.net.retry import Retry
from algosync.net.trust import Trust

__all__ = ["Answer", "Host", "Names", "Net", "Proxies", "Response", "Retry", "Trust", "Watch"]
