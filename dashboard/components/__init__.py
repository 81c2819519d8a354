"""Our own Dash components: thin classes here, their behaviour in ``dashboard/static/ui/**/*.mjs``.

Each mounts an ES module (see ``static/ui/loader.js``) and carries no data: a component reads the REST API with
the viewer's own session, so that there is one gate for rights and a page can be kept open for days.
"""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component


class _Own(Component):  # type: ignore[misc]
    """A component of the namespace ``yiwang_ui`` that knows its props by name."""

    _children_props: list[str] = []
    _base_nodes: list[str] = []
    _namespace = "yiwang_ui"
    _valid_wildcard_attributes: list[str] = []
    available_wildcard_properties: list[str] = []
    available_properties: list[str] = []

    def __init__(self, **props: Any) -> None:
        super().__init__(**props)


class TopBar(_Own):
    """The bar above every page: title, counts by severity, clock, connection, language, menu.

    ``compact`` leaves the counts out (pages other than the wall).  ``page`` marks the menu's entry; ``menu`` are the
    desk pages that this person may open, ``[{"path", "zh", "en"}, …]``.
    """

    _type = "TopBar"
    _prop_names = ["id", "compact", "page", "menu"]
    available_properties = _prop_names


class FormFill(_Own):
    """A version of a form, filled in to try it; nothing is stored."""

    _type = "FormFill"
    _prop_names = ["id", "form_id", "version"]
    available_properties = _prop_names


class CounterForm(_Own):
    """An application's form with answers to begin with; what is submitted goes to the store ``target``."""

    _type = "CounterForm"
    _prop_names = ["id", "form", "prefill", "target", "submit"]
    available_properties = _prop_names


class ExamPaper(_Own):
    """A person's attempt at an exam (the answer of ``/api/exams/…/attempts``); ``target`` is told when it has ended."""

    _type = "ExamPaper"
    _prop_names = ["id", "attempt", "target"]
    available_properties = _prop_names


class DropZone(_Own):
    """Folders of an aircraft's card are dropped or chosen; ``drone-arrived`` is told when files have arrived."""

    _type = "DropZone"
    _prop_names = ["id"]
    available_properties = _prop_names


class FlightMap(_Own):
    """The map of one ``flight``: mosaic, footprints, findings, changes, the swipe to the flight before.

    ``at`` changes when files have arrived; ``focus``: ``{"lon", "lat"}`` to look at; ``file``: the one to outline.  A
    clicked footprint goes to the store ``drone-file``; ``drone-looked`` is told when there is something new.
    """

    _type = "FlightMap"
    _prop_names = ["id", "flight", "at", "focus", "file"]
    available_properties = _prop_names


class FormImport(_Own):
    """A workbook is chosen or dropped; the answer goes to the store ``target``, else ``form-import-result``."""

    _type = "FormImport"
    _prop_names = ["id", "target"]
    available_properties = _prop_names


class CameraView(_Own):
    """A camera's still, its live video on demand, and the way to its zones."""

    _type = "CameraView"
    _prop_names = ["id", "camera_id"]
    available_properties = _prop_names


class VideoTiles(_Own):
    """Tiles of live pictures with tours; ``may_make``: whether the person may make tours and cases of pictures."""

    _type = "VideoTiles"
    _prop_names = ["id", "may_make"]
    available_properties = _prop_names


class WorkFile(_Own):
    """One file of any kind of case: what may be done, what was written, documents, parts, history."""

    _type = "WorkFile"
    _prop_names = ["id", "case_id"]
    available_properties = _prop_names


class WorkReport(_Own):
    """The form of a new case of ``definition_id``, begun from a saved draft where ``draft_id`` names one."""

    _type = "WorkReport"
    _prop_names = ["id", "definition_id", "draft_id"]
    available_properties = _prop_names


class WorkBatch(_Own):
    """One command (its name, title and form) to many cases, ``[{"case_id", "number"}, …]``."""

    _type = "WorkBatch"
    _prop_names = ["id", "command", "cases"]
    available_properties = _prop_names


class TrialCommand(_Own):
    """One command (its name, title, form and ``ask``) of a draft that is tried; answers go to the store ``target``."""

    _type = "TrialCommand"
    _prop_names = ["id", "command", "target"]
    available_properties = _prop_names


class GroundMap(_Own):
    """A small map around ``lon``, ``lat``: a click goes to the store ``target`` as ``{"lon", "lat", "at"}``.

    ``pins``: ``[{"n", "lon", "lat"}]``; ``view``: a GeoJSON polygon; ``focus``: ``{"lon", "lat"}`` to look at.  These
    may be changed by callbacks.  ``zoom``: to begin with, default 18.
    """

    _type = "GroundMap"
    _prop_names = ["id", "lon", "lat", "target", "pins", "view", "focus", "zoom"]
    available_properties = _prop_names
