"""Benefits without application (免申即享): rules over registers, explained, refusable, simulated first."""
