"""Are packages installed that semicoupled asks for, itself or through others, and that are known to be vulnerable?

Exit code 1 if so. What else lies in the environment is not looked at, such as the setuptools that a new one
begins with.
Where pip-audit is installed (extra ``audit``) and its database answers, it is asked. The list of `known_bad.toml` is
looked at in any case. The last line says what was really looked at.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Collection, Mapping, Sequence
from importlib import util
from pathlib import Path
from typing import Any, NamedTuple

from needed import installed
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

LIST = Path(__file__).with_name("known_bad.toml")
PATIENCE = 300
"""Seconds that the database has."""


class Asked(NamedTuple):
    """What the database said.

    Attributes:
        packages: that it knows; 0 where it did not answer.
        findings: a sentence each.
    """

    packages: int
    findings: list[str]


def listed(packages: Mapping[str, str], known: Mapping[str, Any]) -> list[str]:
    """Compare packages with the list.

    Args:
        packages: name and version.
        known: what `known_bad.toml` holds.

    Returns:
        A sentence for each that is bad.
    """
    findings: list[str] = []
    for bad in known["bad"]:
        version = packages.get(canonicalize_name(bad["name"]))
        try:
            hit = version is not None and any(
                SpecifierSet(one).contains(Version(version), prereleases=True) for one in bad["versions"]
            )
        except InvalidVersion:
            findings.append(f"{bad['name']} {version}: its version cannot be compared with {bad['versions']}")
            continue
        if hit:
            findings.append(f"{bad['name']} {version}: {bad['why']}")
    return findings


def ask(packages: Collection[str]) -> Asked:
    """Ask the database of pip-audit for packages of this environment."""
    if util.find_spec("pip_audit") is None:
        return Asked(0, [])
    command = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--format=json", "--timeout=15"]
    try:
        answer = subprocess.run(
            [*command, "--progress-spinner=off"], capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return Asked(0, [])
    return understood(answer.stdout, packages)


def understood(answer: str, packages: Collection[str]) -> Asked:
    """Read what pip-audit wrote of some packages; those that its database does not know count as not looked at."""
    try:
        found = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Asked(0, [])
    ours = [package for package in found if canonicalize_name(package["name"]) in packages]
    asked = [package for package in ours if "skip_reason" not in package]
    findings = [
        f"{package['name']} {package['version']}: {each['id']}, mended in {', '.join(each['fix_versions']) or 'none'}"
        for package in asked
        for each in package.get("vulns", [])
    ]
    return Asked(len(asked), findings)


def main(arguments: Sequence[str]) -> int:
    """Look, and say what was found and what was looked at."""
    del arguments
    packages, known = installed(), tomllib.loads(LIST.read_text(encoding="utf-8"))
    asked = ask(packages)
    findings = [*listed(packages, known), *asked.findings]
    for finding in findings:
        print(finding)
    whole = f"{asked.packages} of them with the database of pip-audit" if asked.packages else "no database was asked"
    print(
        f"{len(packages)} packages, {len(findings)} known to be bad: compared with {len(known['bad'])} entries of "
        f"{LIST.name} of {known['date']}; {whole}"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
