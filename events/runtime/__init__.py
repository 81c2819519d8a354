"""What runs in the worker process: durable pulls, commits, outbox, webhooks, rechecks, upkeep, drills."""
