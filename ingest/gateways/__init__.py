"""Video gateways: how GB/T 28181 cameras, NVRs and ONVIF cameras become stream addresses, pictures and movements.

We do not speak SIP or MPEG-PS ourselves: cameras register with a gateway (WVP-PRO with ZLMediaKit), and we are a client
of its REST interface.  :mod:`ingest.gateways.contract` is what every gateway offers.
"""
