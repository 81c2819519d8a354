"""Commands about forms, expressions and kinds of case."""
