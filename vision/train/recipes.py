"""What each of our models is trained from and how."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recipe:
    """One model.  ``sets`` are folders below ``--data`` with how often each is repeated; ``backgrounds`` are folders
    whose pictures show none of the classes and serve as negatives and as scenes for composed pictures."""

    classes: tuple[str, ...]
    sets: dict[str, int]
    licence: str
    sources: tuple[str, ...]
    input_size: int = 416  # of the exported model
    train_size: int = 0  # of the pictures in training; 0: the input size
    backgrounds: tuple[str, ...] = ()
    flames: int = 0  # composed pictures with small flames
    plumes: int = 0  # composed pictures with smoke
    lures: int = 0  # drawn hard negatives
    crops: int = 0  # magnified cut-outs of pictures without the classes (asphalt, walls, cloth)
    tile: int = 0  # train on tiles of this many pixels instead of whole pictures
    mosaic: float = 0.5
    choose_share: float = 0.0  # of the held-out pictures: checkpoint and thresholds are chosen there, never reported
    # whose false alarms from the field are negatives, and of which classes (the model there is labels the others)
    false_alarms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    limits: tuple[str, ...] = field(default=())


RECIPES: dict[str, Recipe] = {
    "flame_smoke": Recipe(
        classes=("fire", "smoke"),
        sets={"fire_smoke/cctv_fire_smoke": 3, "fire_smoke/wildfire": 1},
        input_size=416,
        backgrounds=("people/cigarette", "drone/aerial_vehicles", "drone/nadir_survey"),
        flames=1200,
        plumes=450,
        lures=600,
        crops=600,
        mosaic=0.2,
        choose_share=0.5,
        false_alarms={"flame_smoke": ("fire", "smoke")},
        licence="AGPL-3.0 (weights start from YOLOv5n); training images CC BY 4.0",
        sources=(
            "Roboflow custom-thxhn/fire-wrpgm v8 (CC BY 4.0)",
            "Roboflow 007s-hangar/forest-fire-tyoo7-ofbho (CC BY 4.0)",
            "negatives: Roboflow project-i6bzi/smoking-person-detection-ec7ec (CC BY 4.0), KIT AIS (CC BY 3.0), "
            "Minsk OSM drone frames (CC BY-SA), DJI survey frames (BSD-2)",
        ),
        limits=(
            "about 30 CCTV scenes and 1,000 wildfire photographs: unseen kinds of scene will be missed or mistaken",
            "boxes of the CCTV set are loose, so mAP understates what it sees; weigh image recall",
            "a single frame proves nothing: alarms come from the flame_smoke algorithm over time",
            "grey night pictures, fog and steam are the weakest",
        ),
    ),
    "cigarette": Recipe(
        classes=("head", "cigarette"),
        sets={"people/cigarette": 2},
        backgrounds=("drone/aerial_vehicles",),
        mosaic=0.7,
        false_alarms={"smoking": ("cigarette",)},  # the smoker's head was a head all the same
        licence="AGPL-3.0 (weights start from YOLOv5n); training images CC BY 4.0",
        sources=("Roboflow project-i6bzi/smoking-person-detection-ec7ec (CC BY 4.0)",),
        limits=(
            "244 photographs, most of them portraits: heads and cigarettes are large; at a fuel station's distance "
            "a cigarette is a few pixels and is missed unless the camera is close or zoomed on the person",
            "pens, fingers and straws are mistaken for cigarettes; use with dwell over time and a person beside it",
        ),
    ),
    "aerial_vehicles": Recipe(
        classes=("car", "truck", "bus", "minibus", "cyclist"),
        sets={"drone/aerial_vehicles": 1},
        tile=640,
        train_size=640,
        input_size=1280,
        mosaic=0.5,
        licence="AGPL-3.0 (weights start from YOLOv5n); training images CC BY 3.0 (KIT AIS) and CC BY-SA (Minsk OSM)",
        sources=("KIT AIS Munich vehicles (CC BY 3.0)", "Minsk OSM drone frames (CC BY-SA)"),
        limits=(
            "56 pictures of a handful of flights: cars from above at these heights work, trucks (5 examples) do not",
            "classes without labels in the set (cyclist) cannot be detected; they stand in the list for later data",
        ),
    ),
}
