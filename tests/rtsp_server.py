"""A real RTSP server for tests, run by the system's Python: ``rtsp_server.py PORT CLIP [SKEW]``; prints ``ready``.

SKEW: seconds by which the camera's clock (the NTP time of its RTCP sender reports) is ahead of the machine's.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

NTP_EPOCH_S = 2_208_988_800  # 1900 → 1970


def skewed(factory: GstRtspServer.RTSPMediaFactory, seconds: int) -> None:
    """Sender reports bear a clock of our own instead of the machine's."""
    clock = Gst.SystemClock(clock_type=Gst.ClockType.REALTIME)
    now = clock.get_internal_time()
    clock.set_calibration(now, now + (NTP_EPOCH_S + seconds) * Gst.SECOND, 1, 1)
    factory.set_clock(clock)

    def on_prepared(media: GstRtspServer.RTSPMedia) -> None:
        pipeline = media.get_element().get_parent()
        for element in pipeline.children:
            if element.get_factory().get_name() == "rtpbin":
                element.set_property("ntp-time-source", "clock-time")

    factory.connect("media-configure", lambda _, media: media.connect("prepared", on_prepared))


def main() -> None:
    """Serve the clip at /live until killed."""
    port, clip = sys.argv[1], sys.argv[2]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    pay = "h264parse ! rtph264pay name=pay0 pt=96 config-interval=1"
    factory.set_launch(f"( filesrc location={clip} ! qtdemux ! {pay} )")
    factory.set_shared(True)
    if len(sys.argv) > 3:
        skewed(factory, int(sys.argv[3]))
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
