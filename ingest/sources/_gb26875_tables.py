"""GB/T 26875.3-2011: names of codes and bits (tables 3.1 to 3.4 of the notes)."""

from __future__ import annotations

COMMANDS = {1: "control", 2: "send_data", 3: "confirm", 4: "request", 5: "response", 6: "deny"}

SYSTEM_TYPES = {
    0: "general",
    1: "fire_alarm_system",
    10: "linkage_controller",
    11: "hydrant_system",
    12: "sprinkler_system",
    13: "gas_extinguishing_system",
    14: "water_spray_system_pump",
    15: "water_spray_system_vessel",
    16: "foam_system",
    17: "dry_powder_system",
    18: "smoke_control_system",
    19: "fire_door_and_shutter",
    20: "fire_lift",
    21: "emergency_broadcast",
    22: "emergency_lighting",
    23: "fire_power_supply",
    24: "fire_telephone",
}

COMPONENT_TYPES = {
    0: "general",
    1: "alarm_controller",
    10: "combustible_gas_detector",
    11: "point_gas_detector",
    12: "standalone_gas_detector",
    13: "line_gas_detector",
    16: "electrical_fire_alarm_unit",
    17: "residual_current_detector",
    18: "temperature_electrical_fire_detector",
    21: "detection_loop",
    22: "repeater_display",
    23: "manual_call_point",
    24: "hydrant_button",
    25: "fire_detector",
    30: "heat_detector",
    31: "point_heat_detector",
    32: "point_heat_detector_s",
    33: "point_heat_detector_r",
    34: "line_heat_detector",
    35: "line_heat_detector_s",
    36: "line_heat_detector_r",
    37: "fibre_heat_detector",
    40: "smoke_detector",
    41: "point_ion_smoke_detector",
    42: "point_photo_smoke_detector",
    43: "beam_smoke_detector",
    44: "aspirating_smoke_detector",
    50: "combined_detector",
    51: "smoke_heat_detector",
    52: "light_heat_detector",
    53: "light_smoke_detector",
    61: "uv_flame_detector",
    62: "ir_flame_detector",
    69: "light_fire_detector",
    74: "gas_detector",
    78: "video_fire_detector",
    79: "acoustic_fire_detector",
    81: "gas_extinguishing_controller",
    82: "electrical_control_unit",
    83: "control_room_display",
    84: "module",
    85: "input_module",
    86: "output_module",
    87: "input_output_module",
    88: "relay_module",
    91: "fire_pump",
    92: "fire_water_tank",
    95: "sprinkler_pump",
    96: "flow_indicator",
    97: "signal_valve",
    98: "alarm_valve",
    99: "pressure_switch",
    101: "valve_actuator",
    102: "fire_door",
    103: "fire_damper",
    104: "ventilation",
    105: "foam_pump",
    106: "pipe_solenoid_valve",
    111: "smoke_fan",
    113: "smoke_damper",
    114: "air_inlet",
    115: "smoke_vent",
    116: "smoke_curtain",
    117: "shutter_controller",
    118: "fire_door_monitor",
    121: "alarm_device",
}

SYSTEM_STATUS = {
    0: "normal_running",
    1: "fire_alarm",
    2: "fault",
    3: "shielded",
    4: "supervisory",
    6: "feedback",
    7: "delay",
    8: "mains_fault",
    9: "standby_power_fault",
    10: "bus_fault",
    11: "manual_mode",
    12: "configuration_changed",
    13: "reset",
}
COMPONENT_STATUS = {
    0: "normal_running",
    1: "fire_alarm",
    2: "fault",
    3: "shielded",
    4: "supervisory",
    6: "feedback",
    7: "delay",
    8: "power_fault",
}
DEVICE_STATUS = {
    0: "normal_monitoring",
    1: "fire_alarm",
    2: "fault",
    3: "mains_fault",
    4: "standby_power_fault",
    5: "channel_fault",
    6: "connection_line_fault",
}
FACILITY_OPERATION = {
    0: "reset",
    1: "mute",
    2: "manual_alarm",
    3: "alarm_cleared",
    4: "self_test",
    5: "confirm",
    6: "test",
}
DEVICE_OPERATION = {**FACILITY_OPERATION, 5: "duty_check_answered"}

# code: (name with unit, unit, divisor).  Code 5 (kPa) stands in the notes' type 3 vector, not in their table.
ANALOGUES = {
    1: ("event_count", "", 1),
    2: ("height_m", "m", 100),
    3: ("temperature_c", "℃", 10),
    4: ("pressure_mpa", "MPa", 10),
    5: ("pressure_kpa", "kPa", 10),
    6: ("gas_lel_pct", "%LEL", 10),
    7: ("time_s", "s", 1),
    8: ("voltage_v", "V", 10),
    9: ("current_a", "A", 10),
    10: ("flow_lps", "L/s", 10),
    11: ("air_volume_m3_per_min", "m³/min", 10),
    12: ("wind_speed_mps", "m/s", 1),
}

# observation kind: status flags that open it; it is clear when none of them is set
ALARM_KINDS = {
    "fire_alarm": ("fire_alarm",),
    "device_fault": (
        "fault",
        "mains_fault",
        "standby_power_fault",
        "bus_fault",
        "power_fault",
        "channel_fault",
        "connection_line_fault",
    ),
    "device_shielded": ("shielded",),
    "supervisory_alarm": ("supervisory",),
    "manual_mode": ("manual_mode",),
}


def code_name(table: dict[int, str], code: int) -> str:
    """The name of ``code``: from the table, ``user_defined`` from 128 on, else ``reserved``."""
    return table.get(code) or ("user_defined" if code >= 128 else "reserved")


def flags(table: dict[int, str], bits: int) -> dict[str, bool]:
    """Every flag of ``table`` by name."""
    return {name: bool(bits >> bit & 1) for bit, name in table.items()}


def analogue(code: int, raw: int) -> tuple[str, float, str]:
    """Name with unit, value, unit of an analogue; codes without a name keep their raw number."""
    name, unit, divisor = ANALOGUES.get(code, (f"analogue_{code}", "", 1))
    return name, raw / divisor, unit
