"""The family of errors.  Data on the exception, message in the class.

Every error says what is wrong, where (``field``), and what to do about it (``remedy``).
"""

from __future__ import annotations

from typing import Any, ClassVar

from core.language.phrases import in_chinese


class YiwangError(Exception):
    """Base of all our errors.

    Subclasses set ``message`` and ``remedy``, and the same in Chinese as ``zh`` and ``zh_remedy`` where a person on a
    page may meet them; all are formatted with the keyword data.  ``code`` is stable and goes to clients; ``as_dict`` is
    what an API or ``--json`` shows.
    """

    code: ClassVar[str] = "error"
    message: ClassVar[str] = "something went wrong"
    remedy: ClassVar[str] = ""
    zh: ClassVar[str] = ""
    zh_remedy: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        """Chinese words are never older than the English ones: who says a thing anew says it anew in both."""
        if {"message", "remedy"} & cls.__dict__.keys() and "zh" not in cls.__dict__:
            cls.zh = cls.zh_remedy = ""

    def __init__(self, **data: Any) -> None:
        self.data = data
        super().__init__(self.told())

    def told(self, language: str = "en") -> str:
        """What is wrong and what to do, as one sentence, in ``language`` (zh, en) where it has words in it."""
        text, remedy = self._words(language)
        return f"{text} — {remedy}" if remedy else text

    def _words(self, language: str) -> tuple[str, str]:
        chinese = bool(language == "zh" and self.zh)
        told = (self.zh, self.zh_remedy) if chinese else (self.message, self.remedy)
        data = self.data
        if chinese:
            said = {n: in_chinese(v) for n, v in data.items() if n in _SAID and isinstance(v, str)}
            named = {n: data[f"{n}_zh"] for n in data if data.get(f"{n}_zh")}  # the raiser's own words go before
            data = {**data, **said, **named}
        message, remedy = (text.format_map(_Missing(data)) for text in told)
        return message, remedy

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        """``{"error", "message", "remedy", …data}`` with JSON-safe values; the texts in ``language`` (zh, en)."""
        plain = (str, int, float, bool, list, type(None))
        safe = {k: v if isinstance(v, plain) else str(v) for k, v in self.data.items()}
        message, remedy = self._words(language)
        return {
            "error": self.code,
            "message": message,
            "remedy": remedy,
            **{k: v for k, v in safe.items() if k not in {"error", "message", "remedy"}},
        }


_SAID = frozenset({"detail", "how", "action", "what", "why", "reason", "wanted"})  # words of ours in a sentence


class _Missing(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"<{key}?>"


class RecordError(YiwangError):
    code = "record_invalid"
    message = "{record} is not valid: {detail}"
    remedy = "send the fields and types that the API reference lists"
    zh = "{record} 不符合要求：{detail}"
    zh_remedy = "按接口参考列出的字段和类型填写"


class SettingsError(YiwangError):
    code = "setting_invalid"
    message = "setting {field} is not valid: {detail}"
    remedy = "{how}"


class PluginUnknown(YiwangError):
    code = "plugin_unknown"
    message = "there is no {group} called {kind!r}"
    remedy = "use one of: {known}"
    zh = "没有名为 {kind!r} 的 {group}"
    zh_remedy = "请用其中之一：{known}"


class PluginParamsInvalid(YiwangError):
    code = "plugin_params_invalid"
    message = "{group} {kind!r}: {detail}"
    remedy = "its parameters are: {known}"
    zh = "{group} {kind!r}：{detail}"
    zh_remedy = "它的参数有：{known}"


class PluginLibraryMissing(YiwangError):
    code = "plugin_library_missing"
    message = "{group} {kind!r} needs the library {library!r}, which is not installed"
    remedy = "pip install {library}"
    zh = "{group} {kind!r} 需要的程序库 {library!r} 没有安装"
    zh_remedy = "pip install {library}"


class PluginBroken(YiwangError):
    code = "plugin_broken"
    message = "{group} plug-in {path} cannot be used: {detail}"
    remedy = "correct the file (docs/howto shows a whole one); everything else runs without it"
    zh = "{group} 插件 {path} 不能使用：{detail}"
    zh_remedy = "改正这个文件（docs/howto 有完整示例）；其余照常运行"


class PluginNameTaken(YiwangError):
    code = "plugin_name_taken"
    message = "{group} plug-in {path}: {kind!r} is the name of one that ships"
    remedy = "give the file another name; the shipped one is used"
    zh = "{group} 插件 {path}：{kind!r} 与随系统提供的同名"
    zh_remedy = "给文件换个名字；现用系统提供的那个"


class BusUnavailable(YiwangError):
    code = "bus_unavailable"
    message = "the message bus at {url} does not answer: {detail}"
    remedy = "start it (make run does), or set YIWANG_NATS_URL"
    zh = "消息总线 {url} 没有应答：{detail}"
    zh_remedy = "请启动它（make run 会启动），或设置 YIWANG_NATS_URL"


class NotFound(YiwangError):
    code = "not_found"
    message = "{what} {key!r} does not exist"
    remedy = "check the id, or that you may see it"
    zh = "{what} {key!r} 不存在"
    zh_remedy = "请核对编号，或您无权查看"


class Forbidden(YiwangError):
    code = "forbidden"
    message = "you may not {action}"
    remedy = "ask an administrator for the role or department that may"
    zh = "您无权执行：{action}"
    zh_remedy = "需要相应角色或部门，请联系管理员"


class InputInvalid(YiwangError):
    code = "input_invalid"
    message = "{field}: {detail}"
    remedy = "{how}"
    zh = "{field}：{detail}"
    zh_remedy = "{how}"


class MediaMissing(YiwangError):
    code = "media_missing"
    message = "evidence file {uri!r} is not in the media store"
    remedy = "check YIWANG_MEDIA_URL and the retention policy"
    zh = "证据文件 {uri!r} 不在媒体库中"
    zh_remedy = "请检查 YIWANG_MEDIA_URL 和保存期限"


class MediaTampered(YiwangError):
    code = "media_tampered"
    message = "evidence file {uri!r} has hash {actual}, not {expected}"
    remedy = "restore it from backup and look into who changed it"
    zh = "证据文件 {uri!r} 的哈希是 {actual}，应为 {expected}"
    zh_remedy = "从备份恢复，并查明是谁改动的"


class StorageFull(YiwangError):
    code = "storage_full"
    message = "there is no room left to store this: {detail}"
    remedy = "tell operations that the disk is full, or its rest kept for alarms; nothing was stored, send it later"
    zh = "没有空间保存：{detail}"
    zh_remedy = "请告诉运维：磁盘已满或余量留给告警；什么都没有保存，请稍后再发"


class StorageBusy(YiwangError):
    code = "storage_busy"
    message = "it cannot be stored at this moment: {detail}"
    remedy = "nothing was lost; send it again in {retry_after_s} seconds"
    zh = "此刻无法保存：{detail}"
    zh_remedy = "没有丢失任何内容，请在 {retry_after_s} 秒后再发"
