"""What a plan is and how it is made: changes, their differences, targets, and the order of the steps. Pure."""
