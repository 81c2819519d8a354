"""Plug-ins, one file per notification channel."""
