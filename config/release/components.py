#!/usr/bin/env python3
"""What is built into the binary: a bill of materials, and the licences with their texts. Reads Cargo.lock and the crates' own files.

    components.py sbom [TARGET]    a CycloneDX document (JSON) for the binary of TARGET
    components.py list             third-party.txt, which is kept beside this file and held to it by a test: what is new is seen in a review
    components.py licences         the same with all texts, for who is given the binary

Nothing is fetched: `cargo fetch --locked` before, or any build. The same tree gives the same bytes.
"""

import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Its crates are those of the others and a few more, for the processor's features.
WIDEST = "x86_64-unknown-linux-musl"
# Where a crate leaves the choice, the shortest.
PREFERRED = ["MIT", "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause", "ISC", "Zlib", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception", "BSL-1.0", "Unlicense"]
# A word of the names that a licence's file goes by.
FILE_WORDS = {"Apache-2.0": "APACHE", "MIT": "MIT", "Zlib": "ZLIB", "Unicode-3.0": "UNICODE", "ISC": "ISC", "BSD-3-Clause": "BSD", "BSD-2-Clause": "BSD"}
PREFIXES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")
MUSL = """\
Copyright (c) 2005-2020 Rich Felker, et al.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


class Tree:
    """The crates of one target, and which of them are linked into the binary."""

    def __init__(self, target):
        command = ["cargo", "metadata", "--format-version=1", "--locked", "--offline", f"--filter-platform={target}"]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        metadata = json.loads(done.stdout)
        self.packages = {package["id"]: package for package in metadata["packages"]}
        self.nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
        self.root = metadata["resolve"]["root"]
        # What a macro or a build script needs runs while building, and is not in the binary.
        self.linked = self.reached([None], lambda id: not self.is_macro(id))
        self.built_with = self.reached([None, "build"], lambda id: True)

    def is_macro(self, id):
        return any("proc-macro" in target["kind"] for target in self.packages[id]["targets"])

    def reached(self, kinds, wanted):
        seen, left = set(), [self.root]
        while left:
            id = left.pop()
            if id not in seen:
                seen.add(id)
                left += [on for on in self.needs(id, kinds) if wanted(on)]
        return seen - {self.root}

    def needs(self, id, kinds):
        deps = self.nodes[id]["deps"]
        return [dep["pkg"] for dep in deps if any(kind["kind"] in kinds for kind in dep["dep_kinds"])]

    def sorted(self, ids):
        return sorted((self.packages[id] for id in ids), key=lambda package: (package["name"], package["version"]))

    def bundled(self):
        """Sources of others within crates: name, version, licence, the files with its text."""
        folder = {package["name"]: Path(package["manifest_path"]).parent for package in self.packages.values()}
        sqlite = (folder["libsqlite3-sys"] / "sqlite3/sqlite3.h").read_text()
        sqlite_version = re.search(r'#define SQLITE_VERSION\s+"([^"]+)"', sqlite).group(1)
        jemalloc = folder["tikv-jemalloc-sys"] / "jemalloc"
        version = re.search(r"\+(\d+\.\d+\.\d+)", self.version("tikv-jemalloc-sys")).group(1)
        return [
            ("sqlite", sqlite_version, "blessing", ["Its authors put it into the public domain: https://sqlite.org/copyright.html"]),
            ("jemalloc", version, "BSD-2-Clause", [(jemalloc / "COPYING").read_text()]),
        ]

    def version(self, name):
        return next(package["version"] for package in self.packages.values() if package["name"] == name)


def expression(package):
    """The old `/` is OR."""
    licence = package["license"]
    if not licence:
        sys.exit(f"{package['name']} {package['version']} names no licence")
    return re.sub(r"\s*/\s*", " OR ", licence)


def chosen(licence):
    """One licence for each part that is joined by AND."""
    parts = [[one.strip(" ()") for one in part.split(" OR ")] for part in licence.split(" AND ")]
    liked = [[one for one in PREFERRED if one in part] for part in parts]
    if not all(liked):
        sys.exit(f"{licence}: add what is to be chosen to PREFERRED")
    return [part[0] for part in liked]


def texts(package):
    """Of the files beside a crate those with the licence that was chosen, and what it gives notice of."""
    folder = Path(package["manifest_path"]).parent
    files = sorted(name for name in os.listdir(folder) if name.upper().startswith(PREFIXES) and (folder / name).is_file())
    picked = [name for name in files if name.upper().startswith("NOTICE")]
    for licence in chosen(expression(package)):
        word = FILE_WORDS.get(licence, "-")
        fitting = [name for name in files if word in name.upper()]
        picked += fitting or files
    if not picked and chosen(expression(package)) == ["Apache-2.0"]:
        # The same words for everybody, and ours.
        return [(ROOT / "LICENSE").read_text()]
    if not picked:
        sys.exit(f"{package['name']} {package['version']} comes without the text of its licence")
    return [(folder / name).read_text(errors="replace") for name in dict.fromkeys(picked)]


def plain(text):
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\ufeff", "").split("\n")]
    return "\n".join(lines).strip("\n")


def parts():
    """Name, licence and texts of everything that is linked."""
    tree = Tree(WIDEST)
    linked = tree.sorted(tree.linked)
    rows = [(f"{package['name']} {package['version']}", expression(package), texts(package)) for package in linked]
    rows += [(f"{name} {version}", licence, found) for name, version, licence, found in tree.bundled()]
    rows.append(("musl, in the static binaries", "MIT", [MUSL]))
    rows.append(("the Rust standard library", "MIT OR Apache-2.0", [(ROOT / "LICENSE").read_text()]))
    return rows


def listed(rows):
    return "".join(f"{name}: {licence}\n" for name, licence, _ in rows)


def licences():
    rows = parts()
    out = ["What Offhook's binary is built of beside its own source, under which licences; their texts follow.", "", listed(rows).rstrip()]
    users, first = {}, {}
    for name, _, found in rows:
        for text in found:
            # Texts that differ in their lines' breaks alone are one text.
            key = " ".join(text.split())
            first.setdefault(key, plain(text))
            users.setdefault(key, []).append(name)
    for key, text in first.items():
        out += ["", "=" * 100, "; ".join(users[key]), "=" * 100, "", text]
    return "\n".join(out) + "\n"


def purl(name, version):
    return f"pkg:cargo/{name}@{version.replace('+', '%2B')}"


def sbom(target):
    tree = Tree(target)
    lock = (ROOT / "Cargo.lock").read_text()
    entry = r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"'
    checksums = {(name, version): checksum for name, version, checksum in re.findall(entry, lock)}
    own = tree.packages[tree.root]

    def component(package, scope):
        name, version = package["name"], package["version"]
        made = {
            "type": "library",
            "bom-ref": purl(name, version),
            "name": name,
            "version": version,
            "scope": scope,
            "licenses": [{"expression": expression(package)}],
            "purl": purl(name, version),
        }
        if checksums.get((name, version)):
            made["hashes"] = [{"alg": "SHA-256", "content": checksums[name, version]}]
        if package["repository"]:
            made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        return made

    components = [component(package, "required") for package in tree.sorted(tree.linked)]
    for name, version, licence, _ in tree.bundled():
        ref = f"pkg:generic/{name}@{version}"
        known = {"id": licence}
        components.append({"type": "library", "bom-ref": ref, "name": name, "version": version, "scope": "required", "licenses": [{"license": known}], "purl": ref})
    components += [component(package, "excluded") for package in tree.sorted(tree.built_with - tree.linked)]
    reference = lambda id: purl(tree.packages[id]["name"], tree.packages[id]["version"])
    inside = tree.built_with | {tree.root}
    dependencies = [
        {"ref": reference(id), "dependsOn": sorted({reference(on) for on in tree.needs(id, [None, "build"]) if on in inside})}
        for id in sorted(inside, key=reference)
    ]
    for dependency in dependencies:
        for name, version, _, _ in tree.bundled():
            holder = {"sqlite": "pkg:cargo/libsqlite3-sys@", "jemalloc": "pkg:cargo/tikv-jemalloc-sys@"}[name]
            if dependency["ref"].startswith(holder):
                dependency["dependsOn"].append(f"pkg:generic/{name}@{version}")
    commit = os.environ.get("OFFHOOK_COMMIT", "unknown")
    metadata = {
        "component": {
            "type": "application",
            "bom-ref": purl(own["name"], own["version"]),
            "name": own["name"],
            "version": own["version"],
            "licenses": [{"expression": own["license"]}],
            "purl": purl(own["name"], own["version"]),
        },
        "properties": [{"name": "offhook:commit", "value": commit}, {"name": "offhook:target", "value": target}],
    }
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # Of what it says, not of when it was made.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'offhook {commit} {target} {lock}')}",
        "version": 1,
        "metadata": metadata,
        "components": components,
        "dependencies": dependencies,
    }
    return json.dumps(document, indent=1) + "\n"


def main():
    what = sys.argv[1:]
    if what == ["list"]:
        sys.stdout.write(listed(parts()))
    elif what == ["licences"]:
        sys.stdout.write(licences())
    elif what[:1] == ["sbom"] and len(what) <= 2:
        sys.stdout.write(sbom(*what[1:] or [WIDEST]))
    else:
        sys.exit(__doc__)


main()
