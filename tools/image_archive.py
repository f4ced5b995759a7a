#!/usr/bin/env python3
"""Writes a folder as an image archive (the format of `docker save`), one layer, the same bytes for the same content.

usage: image_archive.py ROOT NAME:TAG OUT.tar [ENTRYPOINT]      (default: /manager)
"""
import hashlib
import io
import json
import os
import sys
import tarfile


def plain(info):
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = 0
    return info


def layer(root):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for base, folders, files in os.walk(root):
            folders.sort()
            for name in sorted(folders) + sorted(files):
                path = os.path.join(base, name)
                tar.add(path, os.path.relpath(path, root), recursive=False, filter=plain)
    return buffer.getvalue()


def main():
    root, name, out = sys.argv[1:4]
    entrypoint = sys.argv[4] if len(sys.argv) > 4 else "/manager"
    content = layer(root)
    digest = hashlib.sha256(content).hexdigest()
    config = json.dumps({
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine), "os": "linux",
        "config": {"Entrypoint": [entrypoint], "User": "1000:999", "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}, sort_keys=True).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]}]).encode()
    with tarfile.open(out, "w") as tar:
        for path, data in ((config_name, config), (f"{digest}/layer.tar", content), ("manifest.json", manifest)):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            tar.addfile(plain(info), io.BytesIO(data))


main()
