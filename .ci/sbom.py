"""Write what semicoupled consists of, as CycloneDX: every package that it needs, and what comes with it.

``make sbom`` runs it after cyclonedx-py, which lists an environment. That list knows neither the version of the project
(it is not written into pyproject.toml), nor who asks for a package, nor what lies in the wheel beside the code. It is
completed here: `scope` is ``required`` for what every installation has, ``optional`` for extras of users, ``excluded``
for what only builds, tests and documents; uPlot and the weights are components with their SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from needed import extras_of, installed
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "semicoupled"
OF_DEVELOPERS = frozenset({"dev", "docs", "audit"})
"""Extras that no user needs."""


def version() -> str:
    """Give the version that the package says of itself."""
    found = re.search(r'^__version__ = "([^"]+)"$', (SOURCE / "__init__.py").read_text(encoding="utf-8"), re.M)
    if found is None:
        raise ValueError(f"{SOURCE / '__init__.py'}: has no line __version__ = ...")
    return found[1]


def hashes(file: Path) -> list[dict[str, str]]:
    """Give a file's SHA-256 as CycloneDX writes it."""
    return [{"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}]


def shipped() -> list[dict[str, Any]]:
    """Describe what lies in the wheel beside the code: software of others, and weights."""
    vendor = SOURCE / "serving" / "static" / "vendor" / "uplot"
    script = vendor / "uPlot.esm.js"
    said = re.search(r"\(v([0-9.]+)\)", script.read_text(encoding="utf-8")[:400])
    found: list[dict[str, Any]] = [
        {
            "type": "library",
            "bom-ref": "uplot",
            "name": "uplot",
            **({"version": said[1], "purl": f"pkg:npm/uplot@{said[1]}"} if said else {}),
            "description": "charts of the web app; its files lie in the package",
            "licenses": [{"license": {"id": "MIT"}}],
            "hashes": hashes(script),
            "scope": "required",
        }
    ]
    for file in sorted((SOURCE / "weights").rglob("model.safetensors")):
        name = file.parent.relative_to(SOURCE / "weights").as_posix()
        found.append(
            {
                "type": "machine-learning-model",
                "bom-ref": f"weights/{name}",
                "name": f"semicoupled/weights/{name}",
                "version": version(),
                "description": f"weights that come with the package; their card is weights/{name}/README.md",
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "hashes": hashes(file),
                "scope": "required",
            }
        )
    return found


def complete(document: dict[str, Any], required: Collection[str], optional: Collection[str]) -> dict[str, Any]:
    """Complete the list of an environment.

    Args:
        document: what cyclonedx-py wrote.
        required: names of the packages that every installation has.
        optional: those of extras of users.
    """
    ours = shipped()
    listed: list[dict[str, Any]] = []
    for component in document["components"]:
        name = canonicalize_name(component["name"])
        if name == "semicoupled" or component["bom-ref"] in {each["bom-ref"] for each in ours}:
            continue  # the root itself, installed from this folder, with the folder's place; or completed before
        scope = "required" if name in required else "optional" if name in optional else "excluded"
        outside = [each for each in component.get("externalReferences", []) if not each["url"].startswith("file:")]
        listed.append({**component, "externalReferences": outside, "scope": scope})
    root = document["metadata"]["component"]
    root |= {"type": "library", "version": version(), "purl": f"pkg:pypi/semicoupled@{version()}"}
    known = {each["bom-ref"] for each in [*listed, *ours]} | {root["bom-ref"]}
    edges = {each["ref"]: set(each.get("dependsOn", [])) & known for each in document["dependencies"]}
    edges[root["bom-ref"]] = edges.get(root["bom-ref"], set()) | {each["bom-ref"] for each in ours}
    edges = {ref: edges.get(ref, set()) for ref in known}
    dependencies = [{"ref": ref, "dependsOn": sorted(on)} if on else {"ref": ref} for ref, on in sorted(edges.items())]
    return {**document, "components": [*listed, *ours], "dependencies": dependencies}


def main(arguments: list[str]) -> int:
    """Complete the file that is named."""
    from cyclonedx.schema import SchemaVersion  # of the extra audit
    from cyclonedx.validation.json import JsonStrictValidator

    file = Path(arguments[0])
    required = installed("semicoupled", ())
    optional = installed("semicoupled", extras_of("semicoupled") - OF_DEVELOPERS)
    document = complete(json.loads(file.read_text(encoding="utf-8")), required, optional)
    text = json.dumps(document, indent=2) + "\n"
    wrong = JsonStrictValidator(SchemaVersion.from_version(document["specVersion"])).validate_str(text)
    if wrong is not None:
        print(f"{file}: what was completed is no CycloneDX {document['specVersion']}: {wrong}", file=sys.stderr)
        return 1
    file.write_text(text, encoding="utf-8")
    scopes = [each["scope"] for each in document["components"]]
    counted = ", ".join(f"{scopes.count(name)} {name}" for name in ("required", "optional", "excluded"))
    print(f"{file}: {len(scopes)} components of semicoupled {version()}: {counted}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
