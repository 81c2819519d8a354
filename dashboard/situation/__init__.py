"""The situation report: what a shift or a period was, as a page, a PDF and the text of a hand-over."""
