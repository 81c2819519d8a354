"""JT/T 808: names of messages, bits and results."""

from __future__ import annotations

MESSAGES = {
    0x0001: "terminal_answer",
    0x0002: "heartbeat",
    0x0003: "unregister",
    0x0004: "query_server_time",
    0x0005: "resend_request",
    0x0100: "register",
    0x0102: "authenticate",
    0x0104: "parameters_answer",
    0x0107: "properties_answer",
    0x0200: "position",
    0x0201: "position_answer",
    0x0608: "area_answer",
    0x0704: "position_batch",
    0x0800: "multimedia_event",
    0x0801: "multimedia_data",
    0x0900: "pass_through_up",
    0x1205: "recordings_list",
    0x8001: "platform_answer",
    0x8003: "resend_packets",
    0x8004: "server_time_answer",
    0x8100: "register_answer",
    0x8103: "set_parameters",
    0x8104: "query_parameters",
    0x8105: "terminal_control",
    0x8107: "query_properties",
    0x8201: "query_position",
    0x8202: "track_position",
    0x8300: "text",
    0x8600: "set_circle",
    0x8601: "delete_circle",
    0x8602: "set_rectangle",
    0x8603: "delete_rectangle",
    0x8604: "set_polygon",
    0x8605: "delete_polygon",
    0x8606: "set_route",
    0x8607: "delete_route",
    0x8608: "query_area",
    0x8800: "multimedia_answer",
    0x8801: "take_picture",
    0x8900: "pass_through_down",
    0x9101: "start_live_video",
    0x9102: "control_live_video",
    0x9201: "start_playback",
    0x9205: "query_recordings",
}
REGISTER_RESULTS = {
    0: "ok",
    1: "vehicle_already_registered",
    2: "no_such_vehicle",
    3: "terminal_already_registered",
    4: "no_such_terminal",
}
ANSWER_RESULTS = {0: "ok", 1: "failed", 2: "bad_message", 3: "unsupported", 4: "alarm_acknowledged"}
PLATE_COLOURS = {0: "none", 1: "blue", 2: "yellow", 3: "black", 4: "white", 5: "green", 9: "other"}

ALARMS = {
    0: "sos",
    1: "overspeed",
    2: "fatigue_driving",
    3: "danger",
    4: "gnss_fault",
    5: "antenna_open",
    6: "antenna_short",
    7: "main_power_low",
    8: "main_power_lost",
    9: "display_fault",
    10: "tts_fault",
    11: "camera_fault",
    12: "ic_card_fault",
    13: "overspeed_warning",
    14: "fatigue_warning",
    15: "illegal_driving",
    16: "tyre_pressure_warning",
    17: "right_turn_blind_zone",
    18: "daily_driving_over",
    19: "parking_over_time",
    20: "area_crossed",
    21: "route_crossed",
    22: "section_time_wrong",
    23: "off_route",
    24: "vss_fault",
    25: "fuel_abnormal",
    26: "stolen",
    27: "illegal_ignition",
    28: "illegal_displacement",
    29: "collision",
    30: "roll_over",
    31: "illegal_door",
}
CLEARED_BY_ANSWER = 1 << 0 | 1 << 3 | 1 << 20 | 1 << 21 | 1 << 22 | 1 << 27 | 1 << 28 | 1 << 31

STATUS = {
    0: "acc_on",
    1: "positioned",
    2: "south",
    3: "west",
    4: "out_of_service",
    5: "coordinates_encrypted",
    10: "fuel_cut",
    11: "circuit_cut",
    12: "doors_locked",
    13: "door_1_open",
    14: "door_2_open",
    15: "door_3_open",
    16: "door_4_open",
    17: "door_5_open",
    18: "gps",
    19: "beidou",
    20: "glonass",
    21: "galileo",
}
LOADS = {0: "empty", 1: "half", 2: "reserved", 3: "full"}
SIGNALS = {
    0: "low_beam",
    1: "high_beam",
    2: "right_indicator",
    3: "left_indicator",
    4: "brake",
    5: "reverse",
    6: "fog_light",
    7: "clearance_light",
    8: "horn",
    9: "air_conditioning",
    10: "neutral",
    11: "retarder",
    12: "abs",
    13: "heater",
    14: "clutch",
}
IO = {0: "deep_sleep", 1: "sleep"}

# observation kind: alarm flags that open it
ALARM_KINDS = {
    "sos": ("sos",),
    "vehicle_accident": ("collision", "roll_over"),
    "vehicle_alarm": (
        "overspeed",
        "fatigue_driving",
        "danger",
        "daily_driving_over",
        "area_crossed",
        "route_crossed",
        "section_time_wrong",
        "off_route",
        "fuel_abnormal",
        "stolen",
        "illegal_ignition",
        "illegal_displacement",
        "illegal_door",
    ),
    "device_fault": (
        "gnss_fault",
        "antenna_open",
        "antenna_short",
        "main_power_low",
        "main_power_lost",
        "display_fault",
        "tts_fault",
        "camera_fault",
        "ic_card_fault",
        "vss_fault",
    ),
}


def flags(table: dict[int, str], bits: int) -> dict[str, bool]:
    """Every flag of ``table`` by name."""
    return {name: bool(bits >> bit & 1) for bit, name in table.items()}


def raised(table: dict[int, str], bits: int) -> list[str]:
    """The names of the flags that are set."""
    return [name for bit, name in table.items() if bits >> bit & 1]
