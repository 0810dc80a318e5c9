"""What somebody reads on a printed page: its words, and its codes at the resolution of a printer."""

import io
import subprocess
import tempfile
from pathlib import Path

import zxingcpp
from PIL import Image

DPI = 300


def text_of(pdf: bytes, *, is_laid_out: bool = False) -> str:
    """The words of a PDF, as poppler reads them."""
    command = ["pdftotext", *(["-layout"] if is_laid_out else []), "-", "-"]
    return subprocess.run(command, input=pdf, capture_output=True, check=True).stdout.decode()


def pictures_of(pdf: bytes, *, dpi: int = DPI) -> list[Image.Image]:
    """Every page as a printer would print it."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["pdftoppm", "-r", str(dpi), "-gray", "-", f"{folder}/page"]
        subprocess.run(command, input=pdf, capture_output=True, check=True)
        pages = sorted(Path(folder).iterdir())
        return [Image.open(io.BytesIO(page.read_bytes())) for page in pages]


def codes_of(pdf: bytes) -> list[str]:
    """What a reader finds in the codes of a PDF, page by page."""
    return [str(code.text) for page in pictures_of(pdf) for code in zxingcpp.read_barcodes(page)]
