"""Supervision campaigns for people: what a page or a route asks, judged by who asks."""
