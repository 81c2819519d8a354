"""HJ 212-2017 and HJ/T 212-2005: names of codes, and factors with units."""

from __future__ import annotations

from typing import NamedTuple

from core.records import Quality

SYSTEMS = {
    "21": "surface_water",
    "22": "ambient_air",
    "23": "area_noise",
    "24": "groundwater",
    "25": "soil",
    "26": "sea_water",
    "27": "vocs",
    "31": "air_pollution_source",
    "32": "surface_water_source",
    "33": "groundwater_source",
    "34": "sea_source",
    "35": "soil_source",
    "36": "noise_source",
    "37": "vibration",
    "38": "radioactivity",
    "39": "construction_dust",
    "41": "electromagnetic",
    "51": "flue_gas_process",
    "52": "sewage_process",
    "91": "interaction",
}
COMMANDS = {
    "1000": "set_timeout_and_retries",
    "1011": "read_clock",
    "1012": "set_clock",
    "1013": "clock_request",
    "1061": "read_real_time_interval",
    "1062": "set_real_time_interval",
    "1063": "read_minute_interval",
    "1064": "set_minute_interval",
    "1072": "set_password",
    "2011": "real_time_data",
    "2012": "stop_real_time_data",
    "2021": "device_state",
    "2022": "stop_device_state",
    "2031": "daily_data",
    "2041": "daily_device_time",
    "2051": "minute_data",
    "2061": "hourly_data",
    "2081": "logger_started",
    "3011": "zero_calibration",
    "3012": "sample_now",
    "3013": "clean",
    "3014": "compare_sample",
    "3015": "over_limit_sample_retained",
    "3016": "set_sampling_cycle",
    "3017": "read_sampling_cycle",
    "3018": "read_sampling_time",
    "3019": "read_device_serial",
    "3020": "read_device_information",
    "3021": "set_device_information",
    "9011": "request_answer",
    "9012": "execution_result",
    "9013": "notice_answer",
    "9014": "data_answer",
}
DATA = frozenset(("2011", "2021", "2031", "2041", "2051", "2061", "2081"))
NOTICES = frozenset(("1013", "3015"))
PERIODS = {"2051": "minute", "2061": "hour", "2031": "day", "2041": "day"}

REQUEST_RESULTS = {
    1: "accepted",
    2: "refused",
    3: "password wrong",
    4: "MN wrong",
    5: "ST wrong",
    6: "Flag wrong",
    7: "QN wrong",
    8: "CN wrong",
    9: "CRC wrong",
    100: "unknown error",
}
EXECUTION_RESULTS = {
    1: "done",
    2: "failed, reason unknown",
    3: "failed, condition not met",
    4: "timed out",
    5: "busy",
    6: "system fault",
    100: "no data",
}

FLAGS = {
    "N": ("normal", Quality.GOOD),
    "F": ("stopped", Quality.MAINTENANCE),
    "M": ("maintenance", Quality.MAINTENANCE),
    "S": ("manual", Quality.MAINTENANCE),
    "D": ("fault", Quality.MAINTENANCE),
    "C": ("calibration", Quality.MAINTENANCE),
    "T": ("over_range", Quality.OUT_OF_RANGE),
    "B": ("no_communication", Quality.SIGNAL_BAD),
}


class Factor(NamedTuple):
    """A factor: our name (unit included), unit."""

    name: str
    unit: str


def _factors() -> tuple[dict[str, Factor], dict[str, str]]:
    rows = """
        a34004 - pm2_5_ugpm3 µg/m³|a34002 - pm10_ugpm3 µg/m³|a34001 - tsp_ugpm3 µg/m³
        a21026 02 so2_mgpm3 mg/m³|a21004 - no2_mgpm3 mg/m³|a21003 - no_mgpm3 mg/m³|a21002 03 nox_mgpm3 mg/m³
        a21005 04 co_mgpm3 mg/m³|a05024 O3 o3_mgpm3 mg/m³|a21001 10 nh3_mgpm3 mg/m³|a21028 05 h2s_mgpm3 mg/m³
        a05002 - ch4_mgpm3 mg/m³|a24088 - nmhc_mgpm3 mg/m³|a34013 01 smoke_dust_mgpm3 mg/m³
        a01001 - temperature_c ℃|a01002 - humidity_pct %|a01006 - pressure_kpa kPa
        a01007 - wind_speed_mps m/s|a01008 - wind_direction_deg °
        LA - noise_dba dB(A)|Leq LEQ noise_leq_dba dB(A)
        w01018 011 cod_mgpl mg/L|w01001 001 ph |w21003 060 ammonia_nitrogen_mgpl mg/L
        w01010 - water_temperature_c ℃|w01009 - dissolved_oxygen_mgpl mg/L
        w00000 B01 sewage_flow_lps L/s|a00000 B02 flue_gas_flow_m3ps m³/s
    """
    factors, older = {}, {}
    for row in rows.replace("\n", "|").split("|"):
        if row.strip():
            code, old, name, *unit = row.split()
            factors[code] = Factor(name, unit[0] if unit else "")
            if old != "-":
                older[old] = code
    return factors, older


FACTORS, CODES_2005 = _factors()

# what one of a unit is in the table's unit, for gear that sends another one
CONVERSIONS = {
    ("mg/m³", "µg/m³"): 1000.0,
    ("ng/m³", "µg/m³"): 0.001,
    ("µg/m³", "mg/m³"): 0.001,
    ("ng/m³", "mg/m³"): 0.000001,
    ("m³/h", "m³/s"): 1 / 3600,
    ("m³/h", "L/s"): 1 / 3.6,
    ("hPa", "kPa"): 0.1,
    ("Pa", "kPa"): 0.001,
}


def factor_of(code: str) -> tuple[str, Factor | None]:
    """The 2017 code for ``code`` (2005 codes are translated), and what is known of it."""
    now = code if code in FACTORS else CODES_2005.get(code, code)
    return now, FACTORS.get(now)
