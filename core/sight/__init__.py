"""Records that vision and what is learnt from its alarms share."""
