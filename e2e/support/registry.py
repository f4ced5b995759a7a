#!/usr/bin/env python3
"""A registry that serves image archives (the format of `docker save`), read only, so that a node pulls as it would anywhere.

usage: registry.py ADDRESS:PORT [NAME:TAG=ARCHIVE.tar]...
NAME as the registry sees it: library/portcullis for portcullis. Runs until it is ended.
"""
import hashlib
import http.server
import json
import re
import sys
import tarfile

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
blobs = {}
tags = {}


def add_blob(data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    blobs[digest] = data
    return {"digest": digest, "size": len(data)}


def add_image(reference, archive):
    with tarfile.open(archive) as tar:
        entry = json.load(tar.extractfile("manifest.json"))[0]
        config = add_blob(tar.extractfile(entry["Config"]).read())
        layers = [add_blob(tar.extractfile(layer).read()) for layer in entry["Layers"]]
    manifest = {
        "schemaVersion": 2, "mediaType": DOCKER,
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", **config},
        "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar", **layer} for layer in layers]}
    tags[tuple(reference.rsplit(":", 1))] = add_blob(json.dumps(manifest).encode())["digest"]


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, code, body=b"{}", kind="application/json", digest=None):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        found = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/(.+)", path)
        if path == "/v2/":
            self.answer(200)
        elif not found:
            self.answer(404)
        else:
            name, what, reference = found.groups()
            digest = reference if reference in blobs else tags.get((name, reference))
            if digest is None:
                self.answer(404)
            else:
                self.answer(200, blobs[digest], DOCKER if what == "manifests" else "application/octet-stream", digest)

    do_HEAD = do_GET


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    for argument in sys.argv[2:]:
        add_image(*argument.split("=", 1))
    http.server.ThreadingHTTPServer((host, int(port)), Registry).serve_forever()


main()
