"""The HTTP client of one cluster: addresses, the hardened connection, the Data API, algorithm management, transfers, source
archives.
"""
