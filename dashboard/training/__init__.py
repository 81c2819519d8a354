"""Training for people: exams, guided tours, the handbook, drills; judged by who asks."""
