"""Desk pages, one file each: a module that defines ``PAGE`` and ``layout`` (see :mod:`dashboard.pages.frame`)."""
