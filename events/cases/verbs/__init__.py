"""What definitions may name: effects (what a transition does besides moving) and guards (what must hold)."""
