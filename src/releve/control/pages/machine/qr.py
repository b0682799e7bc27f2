"""A page's address as a QR code, to be printed and stuck on the machine."""

import io

import segno


def svg(address: str) -> str:
    """The code as a picture in SVG, black on white with its quiet zone, so that phones read it at night too."""
    found = io.BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(found, kind="svg", xmldecl=False, omitsize=True, border=4, scale=8, light="#fff")
    return found.getvalue().decode()
