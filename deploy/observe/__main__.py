"""Write the files that are made from descriptions: `python -m deploy.observe`."""

from __future__ import annotations

from pathlib import Path

from deploy.observe.files import files

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    for name, text in files().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(name)
