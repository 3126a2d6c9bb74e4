"""The examples of docs/client.md do what they seem to do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from support.image_files import jpeg, png

GUIDE = (Path(__file__).parents[2] / "docs" / "client.md").read_text()


def write_images(folder: Path) -> None:
    (folder / "photos" / "more").mkdir(parents=True)
    for name in ("face.jpg", "a.jpg", "photos/anna.jpg"):
        (folder / name).write_bytes(jpeg())
    for name in ("b.png", "other.png", "photos/more/hero.png"):
        (folder / name).write_bytes(png())
    (folder / "photos" / "half.jpg").write_bytes(jpeg()[:-100])


def test_python_examples(server, tmp_path):
    write_images(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert len(examples) == 3
    program = "\n".join(examples).replace("http://localhost:8000", server.url)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "photos/half.jpg has no answer: The image is damaged" in done.stdout
    assert (tmp_path / "face.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "faces.zip").exists()


def test_curl_examples(server, tmp_path):
    assert shutil.which("curl"), "the examples need curl"
    write_images(tmp_path)
    lines = re.findall(r"^curl .*$", GUIDE, re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        command = line.partition("  #")[0].replace("localhost:8000", server.url.removeprefix("http://"))
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert '"verdict"' in done.stdout, done.stdout
