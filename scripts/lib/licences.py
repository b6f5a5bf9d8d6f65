#!/usr/bin/env python3
"""Lists the libraries that the programs for a system contain, each with its licence: licences.py TRIPLE"""

import json
import os
import subprocess
import sys

command = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", sys.argv[1]]
metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}

# What is linked: no tests and no build scripts.
linked, left = set(), list(metadata["workspace_members"])
while left:
    node = left.pop()
    if node in linked:
        continue
    linked.add(node)
    for dependency in nodes[node]["deps"]:
        if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
            left.append(dependency["pkg"])

texts = {}
for package in (packages[node] for node in linked):
    if package["source"] is None:
        continue
    folder = os.path.dirname(package["manifest_path"])
    names = [name for name in sorted(os.listdir(folder)) if name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE"))]
    title = f"{package['name']} {package['version']}: {package['license'] or package['license_file']}"
    for name in names:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                text = "\n".join(line.rstrip() for line in file.read().strip().splitlines())
            texts.setdefault(text, []).append(title)
    if not names:
        texts.setdefault(f"{package['repository'] or ''}", []).append(title)
print("The libraries in these programs, and their licences. Rust's standard library: MIT OR Apache-2.0.")
for text, titles in sorted(texts.items(), key=lambda of: sorted(of[1])):
    print("\n" + "=" * 100)
    print("\n".join(sorted(titles)))
    print("-" * 100)
    print(text)
