"""What the command centre's wall asks for: alarms, live values, surroundings, the situation, the last day."""
