"""The engine: makes plans, applies them and finds drift. It works on kinds and on a site whose content it does not know."""
