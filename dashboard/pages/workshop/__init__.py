"""The workshop's desk pages: forms and kinds of case, made and published by administrators."""
