"""HTTP below the routes: admission, limits, logging, replies, connections."""
