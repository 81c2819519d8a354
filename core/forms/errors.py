"""What can be wrong with an expression, with the column (1-based, in code points) where it is."""

from __future__ import annotations

from core.errors import YiwangError


class ExpressionError(YiwangError):
    """Base; ``data`` holds ``column`` and, where there is one, ``name`` or ``suggestion``."""

    code = "expression"
    message = "character {column}: {detail}"
    remedy = "{how}"

    @property
    def column(self) -> int:
        return int(self.data.get("column", 1))


class ExpressionSyntax(ExpressionError):
    code = "syntax"


class FunctionUnknown(ExpressionError):
    code = "unknown-function"
    message = "character {column}: there is no function {name}()"


class ReferenceUnknown(ExpressionError):
    code = "unknown-reference"
    message = "character {column}: there is no question {name}"
    remedy = "write the name of a question as it stands in the column name"


class ReferenceAmbiguous(ExpressionError):
    code = "ambiguous-reference"
    message = "character {column}: several questions are called {name}"
    remedy = "give them different names"


class ColumnUnknown(ExpressionError):
    code = "unknown-column"
    message = "character {column}: the choices have no column {name}"
    remedy = "name a column of the sheet choices, or write ${{{name}}} for a question"


class ArityWrong(ExpressionError):
    code = "arity"
    message = "character {column}: {name}() takes {takes} arguments, not {given}"
    remedy = "add or remove arguments"


class RepeatAsValue(ExpressionError):
    code = "repeat-as-value"
    message = "character {column}: the repeat {name} is not a value"
    remedy = "use count(${{{name}}}), or a question inside the repeat"


class TypeMismatch(ExpressionError):
    code = "type-error"


class TooComplex(ExpressionError):
    code = "too-complex"
    remedy = "split it into several calculations"
