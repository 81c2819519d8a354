"""Components and events (部件和事件): classes, code sets, filing conditions and limits."""
