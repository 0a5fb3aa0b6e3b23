"""HTTP to hosts that may be slow, down, or impersonated.

Holds certificates, proxies, deadlines, the translation of failures into our errors, and the retry policy. `cluster` and `git` both
use it, so that they treat a host in the same way.
"""

from __future__ import annotations

from algosync.net.host import CompleteReply, Host, Net, Response
from algosync.net.lease import Watch
from algosync.net.proxy import Proxies
from algosync.net.rate_limit import RateLimit
from algosync.net.retry import Retry
from algosync.net.setting_names import SettingNames
from algosync.net.trust import Trust

__all__ = ["CompleteReply", "Host", "Net", "Proxies", "RateLimit", "Response", "Retry", "SettingNames", "Trust", "Watch"]
