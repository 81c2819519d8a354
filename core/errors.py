"""The family of errors.  Data on the exception, message in the class.

Every error says what is wrong, where (``field``), and what to do about it (``remedy``).
"""

from __future__ import annotations

from typing import Any, ClassVar


class YiwangError(Exception):
    """Base of all our errors.

    Subclasses set ``message`` and ``remedy``; both are formatted with the keyword data.
    ``code`` is stable and goes to clients; ``as_dict`` is what an API or ``--json`` shows.
    """

    code: ClassVar[str] = "error"
    message: ClassVar[str] = "something went wrong"
    remedy: ClassVar[str] = ""

    def __init__(self, **data: Any) -> None:
        self.data = data
        super().__init__(self._text())

    def _text(self) -> str:
        text = self.message.format_map(_Missing(self.data))
        remedy = self.remedy.format_map(_Missing(self.data))
        return f"{text} — {remedy}" if remedy else text

    def as_dict(self) -> dict[str, Any]:
        """``{"error", "message", "remedy", …data}`` with JSON-safe values."""
        plain = (str, int, float, bool, list, type(None))
        safe = {k: v if isinstance(v, plain) else str(v) for k, v in self.data.items()}
        return {
            "error": self.code,
            "message": self.message.format_map(_Missing(self.data)),
            "remedy": self.remedy.format_map(_Missing(self.data)),
            **{k: v for k, v in safe.items() if k not in {"error", "message", "remedy"}},
        }


class _Missing(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"<{key}?>"


class RecordError(YiwangError):
    code = "record_invalid"
    message = "{record} is not valid: {detail}"
    remedy = "send the fields and types that the API reference lists"


class SettingsError(YiwangError):
    code = "setting_invalid"
    message = "setting {field} is not valid: {detail}"
    remedy = "{how}"


class PluginUnknown(YiwangError):
    code = "plugin_unknown"
    message = "there is no {group} called {kind!r}"
    remedy = "use one of: {known}"


class PluginParamsInvalid(YiwangError):
    code = "plugin_params_invalid"
    message = "{group} {kind!r}: {detail}"
    remedy = "its parameters are: {known}"


class PluginLibraryMissing(YiwangError):
    code = "plugin_library_missing"
    message = "{group} {kind!r} needs the library {library!r}, which is not installed"
    remedy = "pip install {library}"


class PluginBroken(YiwangError):
    code = "plugin_broken"
    message = "{group} plug-in {path} cannot be used: {detail}"
    remedy = "correct the file (docs/howto shows a whole one); everything else runs without it"


class PluginNameTaken(YiwangError):
    code = "plugin_name_taken"
    message = "{group} plug-in {path}: {kind!r} is the name of one that ships"
    remedy = "give the file another name; the shipped one is used"


class BusUnavailable(YiwangError):
    code = "bus_unavailable"
    message = "the message bus at {url} does not answer: {detail}"
    remedy = "start it (make run does), or set YIWANG_NATS_URL"


class NotFound(YiwangError):
    code = "not_found"
    message = "{what} {key!r} does not exist"
    remedy = "check the id, or that you may see it"


class Forbidden(YiwangError):
    code = "forbidden"
    message = "you may not {action}"
    remedy = "ask an administrator for the role or department that may"


class InputInvalid(YiwangError):
    code = "input_invalid"
    message = "{field}: {detail}"
    remedy = "{how}"


class MediaMissing(YiwangError):
    code = "media_missing"
    message = "evidence file {uri!r} is not in the media store"
    remedy = "check YIWANG_MEDIA_URL and the retention policy"


class MediaTampered(YiwangError):
    code = "media_tampered"
    message = "evidence file {uri!r} has hash {actual}, not {expected}"
    remedy = "restore it from backup and look into who changed it"


class StorageFull(YiwangError):
    code = "storage_full"
    message = "there is no room left to store this: {detail}"
    remedy = "tell operations that the disk is full, or its rest kept for alarms; nothing was stored, send it later"


class StorageBusy(YiwangError):
    code = "storage_busy"
    message = "it cannot be stored at this moment: {detail}"
    remedy = "nothing was lost; send it again in {retry_after_s} seconds"
