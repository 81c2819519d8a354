"""What can be wrong with an expression, with the column (1-based, in code points) where it is."""

from __future__ import annotations

from core.errors import YiwangError


class ExpressionError(YiwangError):
    """Base; ``data`` holds ``column`` and, where there is one, ``name`` or ``suggestion``."""

    code = "expression"
    message = "character {column}: {detail}"
    remedy = "{how}"
    zh = "第 {column} 个字符：{detail}"
    zh_remedy = "{how}"

    @property
    def column(self) -> int:
        return int(self.data.get("column", 1))


class ExpressionSyntax(ExpressionError):
    code = "syntax"


class FunctionUnknown(ExpressionError):
    code = "unknown-function"
    message = "character {column}: there is no function {name}()"
    zh = "第 {column} 个字符：没有函数 {name}()"
    zh_remedy = "{how}"


class ReferenceUnknown(ExpressionError):
    code = "unknown-reference"
    message = "character {column}: there is no question {name}"
    remedy = "write the name of a question as it stands in the column name"
    zh = "第 {column} 个字符：没有名为 {name} 的问题"
    zh_remedy = "请写问题在 name 列中的名称"


class ReferenceAmbiguous(ExpressionError):
    code = "ambiguous-reference"
    message = "character {column}: several questions are called {name}"
    remedy = "give them different names"
    zh = "第 {column} 个字符：有多个名为 {name} 的问题"
    zh_remedy = "请取不同的名称"


class ColumnUnknown(ExpressionError):
    code = "unknown-column"
    message = "character {column}: the choices have no column {name}"
    remedy = "name a column of the sheet choices, or write ${{{name}}} for a question"
    zh = "第 {column} 个字符：选项没有 {name} 列"
    zh_remedy = "请写 choices 表的列名，问题请写 ${{{name}}}"


class ArityWrong(ExpressionError):
    code = "arity"
    message = "character {column}: {name}() takes {takes} arguments, not {given}"
    remedy = "add or remove arguments"
    zh = "第 {column} 个字符：{name}() 需要 {takes} 个参数，现有 {given} 个"
    zh_remedy = "请增减参数"


class RepeatAsValue(ExpressionError):
    code = "repeat-as-value"
    message = "character {column}: the repeat {name} is not a value"
    remedy = "use count(${{{name}}}), or a question inside the repeat"
    zh = "第 {column} 个字符：重复组 {name} 不是一个值"
    zh_remedy = "请用 count(${{{name}}})，或用重复组内的问题"


class TypeMismatch(ExpressionError):
    code = "type-error"


class TooComplex(ExpressionError):
    code = "too-complex"
    remedy = "split it into several calculations"
    zh = "第 {column} 个字符：{detail}"
    zh_remedy = "请拆成几个计算"
