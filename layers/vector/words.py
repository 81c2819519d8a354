"""What can be wrong with geodata, in both languages (see :mod:`core.tables.words`)."""

from __future__ import annotations

from core.tables.words import Word, register

_CRS: dict[str, Word] = {
    "crs_missing": Word(
        "warning",
        (
            "the file names no readable coordinate system; {taken} is taken, by its values",
            "give its .prj, or name the system",
        ),
        ("文件没有注明（或写坏了）坐标系，按数值判断为 {taken}", "请补上 .prj，或指明坐标系"),
    ),
    "crs_ambiguous": Word(
        "warning",
        (
            "in {others}, too, its values lie in the district: as {other} they would lie {metres} m away from {taken}",
            "ask where the file comes from, compare with the streets, and name the system (--crs {other})",
        ),
        (
            "按 {others} 解释，数值也落在本区内：按 {other} 与按 {taken} 相差 {metres} 米",
            "请向数据来源核实、对照道路位置，并指明坐标系（--crs {other}）",
        ),
    ),
    "crs_contradicts": Word(
        "warning",
        ("the file says {declared}, its values are {taken}: that is taken", "correct the .prj, or name the system"),
        ("文件注明 {declared}，数值却是 {taken}，按后者处理", "改正 .prj，或指明坐标系"),
    ),
    "crs_overruled": Word(
        "warning",
        ("the file says {declared}; {taken} is taken, as asked for", "check that this is meant"),
        ("文件注明 {declared}，按要求以 {taken} 处理", "请确认无误"),
    ),
    "crs_by_name": Word(
        "warning",
        ("{taken} is taken because the file's name says so", "name the system to be sure"),
        ("按文件名判断为 {taken}", "请指明坐标系以确认"),
    ),
    "crs_old_datum": Word(
        "error",
        (
            "the coordinates are in {datum}; without the region's parameters they would lie up to 100 m wrong",
            "give the parameters to WGS 84 (--towgs84 dx,dy,dz or seven numbers) from the surveying office",
        ),
        (
            "坐标属于 {datum}，没有当地转换参数会偏差可达 100 米",
            "向测绘部门索取到 WGS 84 的三参数或七参数（--towgs84 dx,dy,dz …）",
        ),
    ),
    "crs_local": Word(
        "error",
        (
            "the coordinates are in a local system ({name}) without a known place on earth",
            "have them converted to CGCS2000 by the surveying office",
        ),
        ("坐标属于地方独立坐标系（{name}），无法换算", "请测绘部门转换为 CGCS2000"),
    ),
    "crs_unknown": Word(
        "error",
        (
            "the coordinate system {given!r} is unknown",
            "name one: EPSG:4490, EPSG:4549 … 4554, EPSG:4526 … 4531, gcj02, bd09",
        ),
        ("无法识别坐标系 {given!r}", "请指明：EPSG:4490、EPSG:4549 … 4554、EPSG:4526 … 4531、gcj02、bd09"),
    ),
    "crs_undecided": Word(
        "error",
        (
            "the values ({x}, {y}) may be in {systems}, which lie hundreds of kilometres apart",
            "give its .prj, name the system, or give the district's outline or centre (centre in city.yaml)",
        ),
        (
            "数值（{x}, {y}）可能属于 {systems}，彼此相距数百公里",
            "请补上 .prj、指明坐标系，或提供本区轮廓或中心点（city.yaml 的 centre）",
        ),
    ),
    "crs_open": Word(
        "error",
        (
            "the values fit no coordinate system in which they lie in the district ({x}, {y})",
            "name the system of the file",
        ),
        ("数值在任何坐标系中都不落在本区内（{x}, {y}）", "请指明文件的坐标系"),
    ),
}

_SHAPES: dict[str, Word] = {
    "geometry_missing": Word(
        "error", ("has no geometry", "draw it, or delete the feature"), ("没有几何图形", "补画，或删除该要素")
    ),
    "geometry_broken": Word(
        "error",
        ("its geometry cannot be read ({detail})", "repair it in the program it comes from"),
        ("几何图形无法读取（{detail}）", "在原软件中修复"),
    ),
    "geometry_type": Word(
        "error",
        ("is a {found}, the layer takes {wanted}", "put it into a file of its own"),
        ("类型为 {found}，该图层只接受 {wanted}", "请另存为单独的文件"),
    ),
    "geometry_repaired": Word(
        "warning",
        ("its geometry was not valid ({reason}) and was repaired", "check the result, repair the source"),
        ("几何图形无效（{reason}），已修复", "请核对结果并修正来源"),
    ),
    "point_taken": Word(
        "warning",
        ("is a {found}; the point {x}, {y} inside it is taken", "check the point, or give points"),
        ("类型为 {found}，取其内部点 {x}, {y}", "请核对该点，或改为点图形"),
    ),
    "axes_swapped": Word(
        "error",
        ("its axes are swapped ({x}, {y}): northing stands before easting", "exchange x and y (a layer: --swap-axes)"),
        ("坐标轴颠倒（{x}, {y}）：北坐标在前", "请对调 x、y（图层可用 --swap-axes）"),
    ),
    "shape_zero": Word(
        "error",
        ("lies at 0, 0: a missing position", "give its position, or delete it"),
        ("位于 0, 0，是缺失的位置", "补上位置，或删除"),
    ),
    "shape_outside": Word(
        "error",
        ("lies outside {area} ({lon}, {lat})", "check its position and the coordinate system"),
        ("位于{area}之外（{lon}, {lat}）", "请核对位置和坐标系"),
    ),
    "layer_unread": Word(
        "warning",
        ("the file holds further layers that are not read: {names}", "import them one by one (--layer NAME)"),
        ("文件中还有未读取的图层：{names}", "请逐个导入（--layer 名称）"),
    ),
    "not_geodata": Word(
        "error",
        ("the file cannot be read as geodata ({detail})", "give GeoPackage, Shapefile, GeoJSON, FlatGeobuf or CSV"),
        ("无法作为地理数据读取（{detail}）", "请提供 GeoPackage、Shapefile、GeoJSON、FlatGeobuf 或 CSV"),
    ),
    "no_attributes": Word(
        "warning",
        ("the file has no attributes: its .dbf is missing", "give all files of the Shapefile (.shp, .shx, .dbf, .prj)"),
        ("文件没有属性：缺少 .dbf", "请提供 Shapefile 的全部文件（.shp、.shx、.dbf、.prj）"),
    ),
    "not_taken": Word("error", ("{detail}", "{how}"), ("{detail}", "{how}")),
    "no_features": Word("error", ("the file holds no features", "check the export"), ("文件没有要素", "请检查导出")),
    "no_place": Word(
        "error",
        ("no column gives a place (lon and lat, x and y, or wkt)", "name the columns lon and lat"),
        ("没有表示位置的列（经度和纬度、x 和 y 或 wkt）", "请把列名写为 经度、纬度"),
    ),
}

CRS_WORDS = (*_CRS,)
register({**_CRS, **_SHAPES})
