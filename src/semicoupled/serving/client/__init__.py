"""A short client: what the pages do, from Python.

    with Client("http://127.0.0.1:8642") as client:
        found = client.forecast("nowcasting-small", sample="showers", minutes=60)
        found.document["lead_times"], found.field("forecast")          # K H W, dBZ, NaN = missing
        project = client.outlines("outline-made", files=["street.jpg"])
        image = project.image("street.jpg")
        image.box(40, 60, 120, 80)
        for point in image.start((52, 70)):
            print(point.x, point.y, point.confidence)

It needs httpx, and websockets for outlines (``pip install 'semicoupled[serve]'``), and neither torch nor the rest of
this package's weight. It is made for one thread; give each its own.
"""

from semicoupled.serving.client.client import Client
from semicoupled.serving.client.connection import ServerError, StaleDrawingError
from semicoupled.serving.client.drawing import Corner, Drawing, Part, Point, Shape
from semicoupled.serving.client.found import Found
from semicoupled.serving.client.outline_image import OutlineImage
from semicoupled.serving.client.outlines import OutlineProject
from semicoupled.serving.client.points import Points

__all__ = [
    "Client",
    "Corner",
    "Drawing",
    "Found",
    "OutlineImage",
    "OutlineProject",
    "Part",
    "Point",
    "Points",
    "ServerError",
    "Shape",
    "StaleDrawingError",
]
