"""Indicators (综合评价): what is counted, by whom it is read, and its export."""
