"""Answers about exams, tours, the handbook and drills."""
