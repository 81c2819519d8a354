"""Parts of ``bench web``: instances, pages and tile servers of peers."""
