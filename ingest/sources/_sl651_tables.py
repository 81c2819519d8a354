"""SL 651-2014: names of functions, elements, bits and stations (appendices A and C as in the notes)."""

from __future__ import annotations

from typing import NamedTuple

FUNCTIONS = {
    0x2F: "keep_alive",
    0x30: "test_report",
    0x31: "uniform_report",
    0x32: "timed_report",
    0x33: "add_report",
    0x34: "hourly_report",
    0x35: "manual_report",
    0x36: "picture",
    0x37: "query_real_time",
    0x38: "query_period",
    0x39: "query_manual",
    0x3A: "query_elements",
    0x40: "write_basic_config",
    0x41: "read_basic_config",
    0x42: "write_run_parameters",
    0x43: "read_run_parameters",
    0x44: "query_pump_motor",
    0x45: "query_version",
    0x46: "query_status",
    0x47: "initialise_storage",
    0x48: "factory_reset",
    0x49: "change_password",
    0x4A: "set_clock",
    0x4B: "set_ic_card",
    0x4C: "control_pump",
    0x4D: "control_valve",
    0x4E: "control_gate",
    0x4F: "fixed_volume_control",
    0x50: "query_event_log",
    0x51: "query_clock",
}
# What the elements of a body mean depends on the function: outside these the same bytes are parameters or orders
MEASURING = frozenset((*range(0x30, 0x3B), 0x44, 0x46))
PARAMETERS = frozenset((0x40, 0x41, 0x42, 0x43, 0x47, 0x48, 0x49))  # bodies of parameter identifiers (appendix D)
CONFIRMED = frozenset(range(0x30, 0x36))  # reports that want a confirm (M2)
CLASSED = frozenset(range(0x30, 0x3B))  # bodies whose F1F1 group also carries the station class
SERIES = frozenset((0x31, 0x38))  # one element, then its values in steps of time

PARAMETER_NAMES = {
    0x01: "centre_addresses",
    0x02: "station_address",
    0x03: "password",
    0x04: "centre_1_main_channel",
    0x05: "centre_1_standby_channel",
    0x06: "centre_2_main_channel",
    0x07: "centre_2_standby_channel",
    0x08: "centre_3_main_channel",
    0x09: "centre_3_standby_channel",
    0x0A: "centre_4_main_channel",
    0x0B: "centre_4_standby_channel",
    0x0C: "working_mode",
    0x0D: "collected_elements",
    0x0E: "relayed_stations",
    0x0F: "communication_device_id",
    0x20: "report_interval_h",
    0x21: "add_report_interval_min",
    0x22: "rain_day_starts_h",
    0x23: "sample_interval_s",
    0x24: "level_storage_interval_min",
    0x25: "rain_resolution_mm",
    0x26: "level_resolution_cm",
    0x27: "rain_add_report_threshold_mm",
    **{0x27 + n: f"level_{n}_base_m" for n in range(1, 9)},
    **{0x2F + n: f"level_{n}_correction_m" for n in range(1, 9)},
    **{0x37 + n: f"add_report_level_{n}_m" for n in range(1, 9)},
    0x40: "add_report_step_above_m",
    0x41: "add_report_step_below_m",
    0x42: "flow_add_report_threshold",
    0x43: "velocity_add_report_threshold",
    0x44: "gate_add_report_threshold",
    0x45: "power_add_report_threshold",
    0x46: "air_pressure_add_report_threshold",
    0x47: "wind_speed_add_report_threshold",
    0x48: "water_temperature_add_report_threshold",
    0x97: "storage_initialised",
    0x98: "factory_reset",
}
"""Basic configuration 01–0F, run parameters 20–48 (public implementations agree on them), 97 and 98 of 47 and 48."""
NUMBER_PARAMETERS = frozenset((0x0C, *range(0x20, 0x49)))
TEXT_PARAMETERS = frozenset((0x0F,))

STATION_CLASSES = {
    "P": "rain",
    "H": "river",
    "K": "reservoir",
    "Z": "gate",
    "D": "pump_station",
    "T": "tide",
    "M": "soil_moisture",
    "G": "groundwater",
    "Q": "water_quality",
    "I": "intake",
    "O": "outfall",
}

ENDS = {
    0x03: "ETX",
    0x17: "ETB",
    0x05: "ENQ",
    0x06: "ACK",
    0x15: "NAK",
    0x04: "EOT",
    0x1B: "ESC",
}

STATUS_BITS = {
    0: "mains_lost",
    1: "battery_low",
    2: "level_over_limit",
    3: "flow_over_limit",
    4: "quality_over_limit",
    5: "flow_meter_fault",
    6: "level_meter_fault",
    7: "cabinet_closed",
    8: "memory_fault",
    9: "ic_card_active",
    10: "pump_stopped",
    11: "remaining_volume_low",
}
# observation kind: status flags that open it
ALARM_KINDS = {
    "device_fault": ("mains_lost", "battery_low", "flow_meter_fault", "level_meter_fault", "memory_fault"),
    "station_limit_alarm": ("level_over_limit", "flow_over_limit", "quality_over_limit", "remaining_volume_low"),
}

EVENTS = {
    1: "history_initialised",
    2: "parameters_changed",
    3: "state_changed",
    4: "sensor_fault",
    5: "password_changed",
    6: "terminal_fault",
    7: "mains_lost",
    8: "battery_low",
    9: "cabinet_opened",
    10: "pump_fault",
    11: "remaining_volume_low",
    12: "level_over_limit",
    13: "pressure_over_limit",
    14: "quality_over_limit",
    15: "data_error",
    16: "message_sent",
    17: "message_received",
    18: "send_error",
}


class ElementName(NamedTuple):
    """An element: the standard's key, our name (unit included), unit."""

    key: str
    name: str
    unit: str


def _elements() -> dict[int, ElementName]:
    rows = """
        02 AI air_temperature_c ℃|03 C water_temperature_c ℃|0E H groundwater_depth_m m
        1A P1 rain_1h_mm mm|1B P2 rain_2h_mm mm|1C P3 rain_3h_mm mm|1D P6 rain_6h_mm mm|1E P12 rain_12h_mm mm
        1F PD rain_daily_mm mm|20 PJ rain_today_mm mm|21 PN01 rain_last_1min_mm mm|22 PN05 rain_last_5min_mm mm
        23 PN10 rain_last_10min_mm mm|24 PN30 rain_last_30min_mm mm|25 PR rain_storm_mm mm
        26 PT rain_accumulated_mm mm
        27 Q flow_m3ps m³/s|33 UC wind_direction_deg °|34 UE wind_force |35 US wind_speed_mps m/s
        36 VA mean_velocity_mps m/s|37 VJ velocity_mps m/s|38 VT voltage_v V
        39 Z water_level_m m|3A ZB downstream_level_m m|3B ZU upstream_level_m m
        46 PH ph |47 DO dissolved_oxygen_mgpl mg/L|48 COND conductivity_uspcm µS/cm|49 TURB turbidity_ntu NTU
        4A CODMN cod_mn_mgpl mg/L|4B REDOX orp_mv mV|4C NH4N ammonia_nitrogen_mgpl mg/L
        4D TP total_phosphorus_mgpl mg/L|4E TN total_nitrogen_mgpl mg/L|4F TOC toc_mgpl mg/L
        50 CU copper_mgpl mg/L|51 ZN zinc_mgpl mg/L|52 SE selenium_mgpl mg/L|53 AS arsenic_mgpl mg/L
        54 THG mercury_mgpl mg/L|55 CD cadmium_mgpl mg/L|56 PB lead_mgpl mg/L|57 CHLA chlorophyll_a_mgpl mg/L
        70 VTA voltage_a_v V|71 VTB voltage_b_v V|72 VTC voltage_c_v V
        73 VIA current_a_a A|74 VIB current_b_a A|75 VIC current_c_a A
        F4 DRP rain_5min_mm mm
    """
    out = {}
    for row in rows.replace("\n", "|").split("|"):
        if row.strip():
            code, key, name, *unit = row.split()
            out[int(code, 16)] = ElementName(key, name, unit[0] if unit else "")
    for n in range(1, 9):
        out[0x3B + n] = ElementName(f"Z{n}", f"level_{n}_m", "m")
        out[0x57 + n] = ElementName(f"WP{n}", f"water_pressure_{n}_kpa", "kPa")
        out[0x5F + n] = ElementName(f"SYL{n}", f"meter_{n}_balance_m3", "m³")
        out[0x67 + n] = ElementName(f"SBL{n}", f"meter_{n}_hourly_m3", "m³")
        out[0xF4 + n] = ElementName(f"DRZ{n}", f"relative_level_{n}_m", "m")
    return out


ELEMENTS = _elements()
BY_KEY = {element.key: code for code, element in ELEMENTS.items()}
