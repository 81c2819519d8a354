"""A real RTSP server for tests, run by the system's Python: ``rtsp_server.py PORT CLIP``; prints ``ready``."""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


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
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
