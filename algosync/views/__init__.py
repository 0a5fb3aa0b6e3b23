"""Views: readers of plans, events and reports. Nothing else prints."""
