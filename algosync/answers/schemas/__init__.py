"""JSON Schemas that answers have to fit: how they are judged, and what is wrong with them."""
