"""The pages: what a browser sees.  ``mount.mount`` adds them to the web process, after its API routes."""
