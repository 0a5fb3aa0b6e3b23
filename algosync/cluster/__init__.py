"""The HTTP edge of one cluster: addresses, a hardened wire, the Data API, algorithm management, transfers, source archives."""
