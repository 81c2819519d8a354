"""What can be wrong with a draft of a kind of case."""

from __future__ import annotations

from core.errors import Forbidden, InputInvalid, YiwangError


class DefinitionIdInvalid(InputInvalid):
    code = "definition_id_invalid"
    message = "{definition_id!r} cannot be the id of a new kind of case: {detail}"
    remedy = "use 2 to 40 small letters, digits and _, beginning with a letter, that no other kind has"
    zh = "{definition_id!r} 不能作新案卷类型的编号：{detail}"
    zh_remedy = "2 到 40 个小写字母、数字和 _，以字母开头，且未被使用"


class DraftChanged(YiwangError):
    code = "draft_changed"
    message = "somebody else changed this draft: revision {revision}, not {given}"
    remedy = "load it again and repeat your change"
    zh = "别人已改动这份草稿：现为第 {revision} 次修改，您的是第 {given} 次"
    zh_remedy = "请重新载入，再改一次"


class DraftStateWrong(YiwangError):
    code = "draft_state_wrong"
    message = "this draft is {state}: {detail}"
    remedy = "{how}"
    zh = "这份草稿处于 {state} 状态：{detail}"
    zh_remedy = "{how}"


class DefinitionMoved(YiwangError):
    """Two published at once, or a file brought a version meanwhile; nothing of this draft was published."""

    code = "definition_moved"
    message = "version {current} of {definition} is in force, this draft changes version {base}"
    remedy = "begin a draft from version {current} and make the change there"
    zh = "{definition} 现行第 {current} 版，这份草稿改的是第 {base} 版"
    zh_remedy = "请由第 {current} 版新建草稿，在其中修改"


class DraftBlocked(YiwangError):
    code = "draft_blocked"
    message = "the definition has {count} problems; the first: {first}"
    remedy = "mend them; the page lists each with its table, row and field"
    zh = "定义有 {count} 个问题；第一个：{first_zh}"
    zh_remedy = "请改正；页面按表、行、字段逐一列出"


class OwnDraft(Forbidden):
    code = "own_draft"
    message = "you wrote this draft: somebody else publishes it"
    remedy = "ask another administrator to look at it"
    zh = "这份草稿是您写的：须由别人发布"
    zh_remedy = "请另一位管理员查看"
