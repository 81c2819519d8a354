"""Making kinds of case by clicks: tables, drafts on the server, trying out, four eyes (docs/kind-editor.md)."""
