"""The engine: plans, applies and reports drift over kinds and a site it never looks into."""
