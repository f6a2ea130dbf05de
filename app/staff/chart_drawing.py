"""Draws charts as SVG: a program of its own, so that the drawing engine's memory goes when it ends.

Reads a JSON list of drawings from standard input and writes the JSON list of their SVGs. It imports nothing of the
product: `app.staff.charts` starts it. Colours are the page's own variables, so one drawing serves light, dark and
forced colours; nothing in it needs a style, which the Content-Security-Policy would stop.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import altair as alt
import vl_convert
from lxml import etree

FONT = "Inter, system-ui, sans-serif"
TEXT, GRID, COLOR = "var(--chart-text)", "var(--chart-grid)", "var(--chart-color)"
CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 14, "labelColor": TEXT, "domainColor": GRID, "tickColor": GRID, "gridColor": GRID,
        "labelPadding": 6,
    },
    "header": {"labelFontSize": 15, "labelFontWeight": 600, "labelColor": TEXT, "labelAnchor": "start", "title": None},
    "aria": False,
}  # fmt: skip
# The engine measures words in another font than the page's: room for those that come out wider.
WIDE_PADDING = {"left": 12, "right": 40, "top": 5, "bottom": 5}
NARROW_PADDING = {"left": 4, "right": 14, "top": 5, "bottom": 5}
# What stands for structure in the engine's output and draws nothing.
NEEDLESS = ("class", "role", "aria-roledescription", "aria-label", "aria-hidden", "pointer-events", "opacity")
LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
SVG = "{http://www.w3.org/2000/svg}"


def draw(drawing: dict[str, Any]) -> str:
    """The SVG of one drawing (`app.staff.charts.Drawing` as JSON)."""
    chart = bars(drawing) if drawing["kind"] == "bars" else panels(drawing)
    padding = NARROW_PADDING if drawing["is_narrow"] else WIDE_PADDING
    drawn = vl_convert.vegalite_to_svg(
        chart.configure(**CONFIG, padding=padding).to_dict(), format_locale=drawing["numbers"], show_warnings=False
    )
    return cleaned(drawn, drawing["title"])


def bars(drawing: dict[str, Any]) -> Any:
    """One bar an item, with its name and its figure in words; on a phone the name stands above the bar."""
    is_narrow = drawing["is_narrow"]
    rows = [{**item, "words": f"{item['name']}: {item['text']}"} for item in drawing["items"]]
    largest = max([item["value"] for item in rows], default=0) or 1
    y = alt.Y(
        "name:N",
        sort=None,
        axis=None if is_narrow else alt.Axis(domain=False, ticks=False, labelLimit=300, title=None),
    )
    x = alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, largest]))
    data = alt.InlineData(values=rows)
    bar = alt.Chart(data).mark_bar(color=COLOR, height=18 if is_narrow else 24, yOffset=11 if is_narrow else 0)
    words: dict[str, Any] = {"color": TEXT, "fontSize": 14, "align": "left", "limit": 600}
    if is_narrow:
        text = alt.Chart(data).mark_text(**words, dy=-10, dx=0).encode(x=alt.value(0), y=y, text="words:N")
        return alt.layer(bar.encode(x=x, y=y), text).properties(width=320, height=54 * len(rows))
    text = alt.Chart(data).mark_text(**words, dx=8, fontWeight=600).encode(x=x, y=y, text="text:N")
    return alt.layer(bar.encode(x=x, y=y), text).properties(width=560, height=40 * len(rows))


def panels(drawing: dict[str, Any]) -> Any:
    """One small panel a series, all by the same scales: no colour has to be told from another."""
    is_narrow, months = drawing["is_narrow"], drawing["months"]
    names = [series["name"] for series in drawing["series"]]
    rows = [
        {"name": series["name"], "month": place, "value": value}
        for series in drawing["series"]
        for place, value in enumerate(series["values"])
    ]
    is_alone = len(names) == 1
    # Room for some six labels, the last month among them.
    step = -(-len(months) // (12 if is_alone and not is_narrow else 4))
    shown = [place for place in range(len(months)) if (len(months) - 1 - place) % step == 0]
    x = alt.X(
        "month:O",
        scale=alt.Scale(domain=list(range(len(months)))),
        axis=alt.Axis(title=None, labelAngle=0, grid=False, ticks=False, values=shown,
                      labelExpr=f"{json.dumps(months, ensure_ascii=False)}[datum.value]"),
    )  # fmt: skip
    y = alt.Y(
        "value:Q",
        scale=alt.Scale(domainMin=0, nice=True),
        axis=alt.Axis(title=None, tickCount=3, domain=False, ticks=False, labelExpr=drawing["label"]),
    )
    base = alt.Chart().encode(x=x, y=y)
    if drawing["mark"] == "bar":
        marks = base.mark_bar(color=COLOR)
    else:
        marks = alt.layer(
            base.mark_line(color=COLOR, strokeWidth=3), base.mark_point(color=COLOR, filled=True, size=50)
        )
    width, columns = (245, 1) if is_narrow else (860, 1) if is_alone else (260, 3)
    data = alt.InlineData(values=rows)
    if is_alone:
        return marks.properties(data=data, width=width, height=200)
    facet = alt.Facet("name:N", sort=names, title=None)
    return marks.properties(width=width, height=110).facet(facet=facet, columns=columns, data=data)


def cleaned(drawn: str, title: str) -> str:
    """The engine's SVG with its name, and without what nobody sees."""
    root = etree.fromstring(drawn.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    for element in list(root.iter()):
        if not isinstance(element.tag, str):
            raise TypeError("a comment or instruction in a drawing")
        if element.tag == f"{SVG}path" and element.get("class") in ("background", "foreground"):
            element.getparent().remove(element)
            continue
        for name in NEEDLESS:
            element.attrib.pop(name, "")
        for name, value in element.attrib.items():
            element.set(name, LONG_NUMBER.sub(lambda found: f"{float(found[0]):.1f}", value))
    root.attrib.pop("version", "")
    root.set("role", "img")
    root.set("aria-label", title)
    root.set("focusable", "false")
    etree.cleanup_namespaces(root)
    text: str = etree.tostring(root, encoding="unicode")
    return text


def main() -> None:
    """Draw what standard input asks for."""
    json.dump([draw(drawing) for drawing in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
