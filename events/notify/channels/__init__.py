"""Plug-ins, one file per channel: ``Params`` and ``build(params, settings=…, bus=…)``."""
