"""Pictures as cameras send them: grey, thermal, portrait, tiny, 8K, and sizes that change in the middle of a stream."""

from __future__ import annotations

import av
import numpy as np
import pytest

from core import plugins
from core.records import AlgorithmConfig, CameraConfig, Zone
from tests.footage import Picture, street
from tests.unit.vision.test_vision_logic import frame, seen
from vision.capture.conversion import MAX_WIDTH, check_size, converted
from vision.capture.sources import parse_source
from vision.detections import Detections, Image
from vision.errors import StreamFailed
from vision.judging.analyzer import Analyzer, CameraAnalysis
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Need

SIZES = [(360, 640), (640, 360), (1080, 1920), (16, 1200), (9, 9), (1, 1), (360, 640)]
ALGORITHMS = sorted(plugins.kinds("algorithm"))
ZONES = (Zone(zone_id="z", name="z", polygon=((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))),)
FORMATS = ("gray", "gray10le", "gray16le", "pal8", "yuv420p", "yuvj422p", "yuv420p10le", "rgb565le", "bgr24", "rgba")


class Everything(DetectorPool):
    """Sees one of each wanted class in the middle of every picture, whatever its size: no model is loaded."""

    def get(self, need: Need, kind: str = "") -> object:  # type: ignore[override]
        return None

    def detect(self, need: Need, images: list[Image]) -> list[Detections]:  # type: ignore[override]
        out = []
        for image in images:
            height, width = image.shape[:2]
            box = (0.4 * width, 0.4 * height, 0.6 * width, 0.6 * height)
            out.append(seen(*((name, 0.8, box) for name in need.classes)))
        return out


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_a_stream_that_changes_its_size_is_judged_on(kind: str) -> None:
    pool = Everything()
    wanted = AlgorithmConfig(kind=kind, zones=("z",), params={})
    camera = CameraConfig(camera_id="c", name="c", url="file:///c.mp4", zones=ZONES, algorithms=(wanted,))
    analysis, analyzer = CameraAnalysis(camera, pool), Analyzer(pool)
    assert not analysis.problems
    for i in range(4 * len(SIZES)):
        height, width = SIZES[i // 4]
        picture = street(max(width, 40), max(height, 40), seed=i)[:height, :width]
        analyzer.step([(analysis, frame(float(i), np.ascontiguousarray(picture)))])
    assert analysis.failures == 0, analysis.trouble
    for algorithm in analysis.algorithms:
        assert algorithm.judge(analysis.seen_by(algorithm, frame(99.0)), frame(99.0))


def test_one_cameras_surprise_is_told_and_spoils_no_others() -> None:
    """An algorithm that fails, and a picture at which the detector fails, in one round with a camera that is well."""

    class Choosy(Everything):
        def detect(self, need: Need, images: list[Image]) -> list[Detections]:  # type: ignore[override]
            if any(image.shape[0] == 50 for image in images):
                raise RuntimeError("no such picture")
            return super().detect(need, images)

    def station(name: str) -> CameraAnalysis:
        wanted = (AlgorithmConfig(kind="crowding", params={"limit": 1, "after_s": 0.0}),)
        config = CameraConfig(camera_id=name, name=name, url="file:///c.mp4", algorithms=wanted)
        return CameraAnalysis(config, pool)

    def surprised(*_: object) -> list[object]:
        raise ValueError("a surprise")

    pool = Choosy()
    well, broken, odd = station("well"), station("broken"), station("odd")
    broken.algorithms[0].update = surprised  # type: ignore[method-assign, assignment]
    odd.look_closely = True
    analyzer = Analyzer(pool)
    told: list[tuple[str, str]] = []
    for i in range(6):
        pictures = [street(320, 240, seed=i), street(320, 240, seed=i), street(320, 50, seed=i)]
        work = [(c, frame(float(i), p)) for c, p in zip((well, broken, odd), pictures, strict=True)]
        told += [(c.config.camera_id, o.finding.kind) for c, o in analyzer.step_by_camera(work)]
    assert ("well", "crowding") in told and well.failures == 0
    assert broken.failures == 6 and "a surprise" in broken.trouble
    assert odd.failures == 6 and "no such picture" in odd.trouble
    analyzer.step([(odd, frame(9.0, street(320, 240, seed=9)))])
    assert odd.trouble == "" and odd.failures == 6


def picture_of(pixel_format: str, width: int, height: int) -> av.VideoFrame:
    if pixel_format == "pal8":  # FFmpeg reads pictures with a palette and makes none
        shades = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, axis=1)
        grey = street(max(width, 40), max(height, 40))[:height, :width, 0].copy()
        return av.VideoFrame.from_ndarray((grey, shades), format="pal8")
    whole = av.VideoFrame.from_ndarray(street(max(width, 40), max(height, 40))[:height, :width].copy(), format="bgr24")
    return whole if pixel_format == "bgr24" else whole.reformat(format=pixel_format)


@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize("size", [(64, 48), (48, 64), (66, 50)])
def test_every_pixel_format_becomes_8_bit_colour(pixel_format: str, size: tuple[int, int]) -> None:
    image: Picture = converted(picture_of(pixel_format, *size))
    assert image.shape == (size[1], size[0], 3) and image.dtype == np.uint8
    assert image.std() > 10


def test_an_8k_picture_is_scaled_while_converting_and_more_is_refused() -> None:
    image = converted(picture_of("yuv420p", 7680, 4320))
    assert image.shape == (1080, MAX_WIDTH, 3)
    with pytest.raises(StreamFailed):
        check_size(parse_source("rtsp://camera.example/1"), 16_000, 9_000)
