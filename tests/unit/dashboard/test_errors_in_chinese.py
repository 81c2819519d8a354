"""A refusal is read in the language of the page: what HTTP answers has Chinese words beside its English ones."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

from core.errors import Forbidden, InputInvalid, NotFound, YiwangError
from core.language.phrases import in_chinese, phrases
from dashboard.errors import _STATUS, asked_language, body_of

ROOMS = ("core", "storage", "records", "events", "measures", "layers", "dashboard")
CHINESE = re.compile(r"[\u3400-\u9fff]")
FIELD = re.compile(r"(?<!\{)\{(\w+)")


def below(kind: type[YiwangError]) -> Iterator[type[YiwangError]]:
    for each in kind.__subclasses__():
        yield each
        yield from below(each)


@pytest.fixture(scope="module")
def errors() -> list[type[YiwangError]]:
    for room in ROOMS:
        package = importlib.import_module(room)
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            if "errors" in found.name or "problems" in found.name:
                importlib.import_module(found.name)
    return [kind for kind in below(YiwangError) if kind.__module__.split(".")[0] not in ("tests", "app", "bench")]


def test_what_http_answers_has_chinese_words(errors: list[type[YiwangError]]) -> None:
    without = {kind.__name__ for kind in errors if kind.code in _STATUS and not kind.zh}
    assert not without, "add zh and zh_remedy to the class"


def test_chinese_words_ask_for_the_same_values(errors: list[type[YiwangError]]) -> None:
    for kind in errors:
        known = set(FIELD.findall(kind.message + kind.remedy))
        asked = {name.removesuffix("_zh") for name in FIELD.findall(kind.zh + kind.zh_remedy)}  # `how_zh` beside `how`
        assert asked <= known, kind.__name__


def test_an_error_that_says_a_thing_anew_does_not_keep_its_parents_chinese() -> None:
    class Away(NotFound):
        message = "{what} is away"

    assert Away(what="camera").told("zh").startswith("camera is away")


@pytest.mark.parametrize(
    ("accept", "language"),
    [("zh", "zh"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-US,en;q=0.9", "en"), ("", "en"), ("*", "en")],
)
def test_the_language_is_the_first_that_the_client_names(accept: str, language: str) -> None:
    assert asked_language(accept) == language


def test_codes_and_values_are_the_same_in_both_languages() -> None:
    error = Forbidden(action="close cases")
    english, chinese = body_of(error, "en"), body_of(error, "zh-CN")
    texts = {"message", "remedy"}
    assert {k: v for k, v in english.items() if k not in texts} == {k: v for k, v in chinese.items() if k not in texts}
    assert english["message"] == "you may not close cases"
    assert chinese["message"] == "您无权执行：结案"


@pytest.mark.parametrize(
    ("error", "chinese"),
    [
        (InputInvalid(field="name", detail="is empty or too long", how="give 1 … 120 characters"),
         "name：为空或过长 — 请填写 1 至 120 个字符"),
        (InputInvalid(field="kind", detail="'x' is unknown", how="use one of a, b"),
         "kind：'x' 未知 — 请使用其中之一：a, b"),
        (InputInvalid(field="file", detail="a library said so", how="use letters of any kind"),
         "file：a library said so — use letters of any kind"),
        (Forbidden(action="work at the counter"), "您无权执行：办理窗口业务 — 需要相应角色或部门，请联系管理员"),
    ],
)  # fmt: skip
def test_what_stands_in_a_sentence_is_chinese_too(error: YiwangError, chinese: str) -> None:
    assert error.told("zh") == chinese
    assert not CHINESE.search(error.told("en"))


def test_every_phrase_keeps_its_values() -> None:
    for phrase, said in phrases().items():
        assert phrase.count("{}") == said.count("{}") and CHINESE.search(said), phrase
        filled = phrase.replace("{}", "7")
        assert CHINESE.search(in_chinese(filled)), phrase
