"""The engine: makes plans, applies them and finds drift. It passes the clusters to the kinds without using them."""
