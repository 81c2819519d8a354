"""A decoder that is let go between two key frames shows the same pictures as one that is kept."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.footage import street, with_ball, write_film
from vision.capture.conversion import converted
from vision.capture.decoding import PacketDecoder
from vision.detections import Image


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = street(320, 180)
    path: Path = write_film(
        tmp_path_factory.mktemp("film") / "a.mp4", (with_ball(scene, t / 12) for t in range(48)), fps=12, gop=12
    )
    return path


def packets(film: Path) -> tuple[av.VideoStream, list[av.Packet]]:
    container = av.open(str(film))
    stream = container.streams.video[0]
    return stream, list(container.demux(stream))


def kept(film: Path) -> list[Image]:
    with av.open(str(film)) as container:
        return [converted(picture) for picture in container.decode(video=0)]


def test_every_packet_gives_the_picture_that_it_gave(film: Path) -> None:
    stream, found = packets(film)
    decoder = PacketDecoder(stream)
    shown = []
    for packet in found:
        decoder.see(packet)
        shown += [converted(picture) for picture in decoder.decode(packet)]
    assert len(shown) == 48 and all((a == b).all() for a, b in zip(shown, kept(film), strict=True))


def test_key_frames_alone_and_then_all_that_was_left_out(film: Path) -> None:
    """Quiet for two groups of pictures, then something stirs in the middle of the third."""
    whole = kept(film)
    stream, found = packets(film)
    decoder, held, shown = PacketDecoder(stream), [], {}
    for number, packet in enumerate(found[:31]):
        decoder.see(packet)
        if packet.is_keyframe:
            (picture,) = decoder.decode(packet)
            shown[number], held = converted(picture), []
            decoder.rest()
        else:
            held.append(packet)
    for number, packet in enumerate(held, 25):
        for picture in decoder.decode(packet):
            shown[number] = converted(picture)
    assert sorted(shown) == [0, 12, *range(24, 31)]
    assert all((image == whole[number]).all() for number, image in shown.items())


def test_the_end_of_a_recording_is_no_end_for_the_next_round(film: Path) -> None:
    stream, found = packets(film)
    decoder = PacketDecoder(stream)
    for _ in range(2):
        pictures = [p for packet in found for p in (decoder.see(packet), *decoder.decode(packet)) if p is not None]
        assert len(pictures) == 48
    assert np.asarray(converted(pictures[0])).shape == (180, 320, 3)
