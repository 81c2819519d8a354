"""Images of docker compose are pinned by digest, and the check tells what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import digests

COMPOSE = (digests.ROOT / "docker-compose.yml").read_text(encoding="utf-8")
DIGEST = "sha256:" + "ab" * 32


def test_every_foreign_image_is_pinned_and_asked_for_once() -> None:
    asked: list[str] = []

    def answer(image: str) -> str:
        asked.append(image)
        return DIGEST

    found = digests.images(COMPOSE)
    text = digests.override(found, answer)
    assert {"nats-1", "nats-2", "nats-3"} <= found.keys() and not any("yiwang:" in image for image in found.values())
    assert sorted(asked) == sorted(set(found.values()))
    assert digests.problems(COMPOSE, text) == []
    assert digests.images(text)["nats-1"] == f"{found['nats-1']}@{DIGEST}"


def test_what_is_left_out_or_made_for_another_tag_is_named() -> None:
    text = digests.override(digests.images(COMPOSE), lambda _image: DIGEST)
    newer = COMPOSE.replace("image: nats:", "image: nats:9.")
    assert len(digests.problems(newer, text)) == 3
    assert any("is not pinned" in line for line in digests.problems(COMPOSE, text.replace(DIGEST, "sha256:short")))
    assert any("no such service" in line for line in digests.problems(COMPOSE, text.replace("nats-3:", "nats-4:")))


@pytest.mark.parametrize("said", ["", "latest", "sha256:", "sha256:" + "g" * 64, "sha256:" + "a" * 63])
def test_an_answer_that_is_no_digest_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="no digest"):
        digests.override({"bus": "nats:2"}, lambda _image: said)


def test_the_check_needs_the_override(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docker-compose.yml").write_text(COMPOSE, encoding="utf-8")
    assert digests.main(["--check", "--folder", str(tmp_path)]) == 1
    assert "is not pinned by digest" in capsys.readouterr().err
    text = digests.override(digests.images(COMPOSE), lambda _image: DIGEST)
    (tmp_path / digests.OVERRIDE).write_text(text, encoding="utf-8")
    assert digests.main(["--check", "--folder", str(tmp_path)]) == 0
